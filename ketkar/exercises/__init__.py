"""Exercises that check themselves: write the function, and ask whether it is right.

>>> import numpy as np
>>> from ketkar import exercises
>>> def my_softmax(z):
...     return np.exp(z) / np.exp(z).sum(axis=-1, keepdims=True)
>>> exercises.check("softmax", my_softmax)
Not yet: for z = [10000, 0, -10000], your function returns [nan, 0, 0]; [1, 0, 0] is right.
Does a large number overflow on the way?

:func:`exercises` lists what there is, :func:`statement` shows one of them, :func:`check` runs a
function on random cases and answers with one sentence. A teacher who wants another exercise makes
an :class:`Exercise` and hands it to :func:`check`.
"""

from ketkar.exercises.chapter3 import CHAPTER_3
from ketkar.exercises.chapter5 import CHAPTER_5
from ketkar.exercises.chapter6 import CHAPTER_6
from ketkar.exercises.checking import Catalogue, Verdict, check, exercises, statement
from ketkar.exercises.exercise import Exercise

__all__ = [
    "CHAPTER_3",
    "CHAPTER_5",
    "CHAPTER_6",
    "Catalogue",
    "Exercise",
    "Verdict",
    "check",
    "exercises",
    "statement",
]
