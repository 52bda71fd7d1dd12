"""The look of all figures, set where a gallery script or a notebook kernel starts."""

from __future__ import annotations

import matplotlib

from ketkar import drawing


def apply() -> None:
    """Set the book's style; the salt makes two builds of a picture the same file."""
    matplotlib.rcParams.update({**drawing.style(), "svg.hashsalt": "ketkar"})
