"""Data to learn from: worked examples, sets generated from a seed, and real digits.

Only MNIST needs a network connection, once. What is generated comes from a generator that the
caller passes in, so the same seed gives the same data.
"""

from ketkar.datasets.bars import bars, one_pixel, two_bars
from ketkar.datasets.dataset import Dataset, Split, split
from ketkar.datasets.digits import digits
from ketkar.datasets.faces import POSES, Faces, cmu_faces, synthetic_faces
from ketkar.datasets.generated import coin_flips, noisy_line, noisy_sine, two_moons
from ketkar.datasets.mnist import mnist
from ketkar.datasets.roads import roads
from ketkar.datasets.sequences import (
    POLARITY_WORDS,
    Sequences,
    adding_problem,
    next_bit,
    polarity_sentences,
    recall_task,
    running_parity,
)
from ketkar.datasets.text import text
from ketkar.datasets.worked import InferenceExample, inference_example, logic_gate, xor

__all__ = [
    "POLARITY_WORDS",
    "POSES",
    "Dataset",
    "Faces",
    "InferenceExample",
    "Sequences",
    "Split",
    "adding_problem",
    "bars",
    "cmu_faces",
    "coin_flips",
    "digits",
    "inference_example",
    "logic_gate",
    "mnist",
    "next_bit",
    "noisy_line",
    "noisy_sine",
    "one_pixel",
    "polarity_sentences",
    "recall_task",
    "roads",
    "running_parity",
    "split",
    "synthetic_faces",
    "text",
    "two_bars",
    "two_moons",
    "xor",
]
