"""Why many simple units: the arithmetic behind connectionist models."""

from __future__ import annotations

from ketkar import checks
from ketkar.equations import equation

__all__ = ["serial_steps"]


@equation("hundred-steps")
def serial_steps(recognition_time: float, switching_time: float) -> float:
    """How many steps can follow one another while a brain recognises a scene.

    Parameters
    ----------
    recognition_time : float
        Time in seconds that recognition takes, about 0.1 s for a scene.
    switching_time : float
        Time in seconds that one neuron takes to switch, about 0.001 s.

    Returns
    -------
    float
        The number of serial steps; whatever needs more must happen in parallel.

    Raises
    ------
    ValueError
        If a time is not above zero.

    References
    ----------
    T. Mitchell, *Machine Learning*, McGraw-Hill 1997, section 4.1.

    Examples
    --------
    >>> round(serial_steps(0.1, 0.001))
    100
    """
    return checks.positive(recognition_time, "recognition_time") / checks.positive(
        switching_time, "switching_time"
    )
