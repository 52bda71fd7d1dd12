"""A small text to learn from, letter by letter."""

from __future__ import annotations

from importlib import resources

__all__ = ["text"]


def text() -> str:
    """Four poems by Lewis Carroll: a text that is short, regular and known to many.

    *Jabberwocky* and *The Walrus and the Carpenter* are from *Through the Looking-Glass* (1871),
    *Father William* and *The Crocodile* from *Alice's Adventures in Wonderland* (1865). The author,
    C. L. Dodgson, died in 1898: the text is in the public domain. It comes with the package.

    Returns
    -------
    str
        Lines without indents, a blank line between stanzas, and ASCII characters alone: straight
        quotation marks, and two hyphens for a dash.

    Examples
    --------
    >>> poems = text()
    >>> print(poems[13:81])
    'Twas brillig, and the slithy toves
    Did gyre and gimble in the wabe;
    >>> len(poems), len(set(poems))
    (5937, 54)
    """
    source = resources.files("ketkar.datasets") / "data" / "carroll.txt"
    return source.read_text(encoding="ascii")
