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
from ketkar.datasets.worked import InferenceExample, inference_example, logic_gate, xor

__all__ = [
    "POSES",
    "Dataset",
    "Faces",
    "InferenceExample",
    "Split",
    "bars",
    "cmu_faces",
    "coin_flips",
    "digits",
    "inference_example",
    "logic_gate",
    "mnist",
    "noisy_line",
    "noisy_sine",
    "one_pixel",
    "roads",
    "split",
    "synthetic_faces",
    "two_bars",
    "two_moons",
    "xor",
]
