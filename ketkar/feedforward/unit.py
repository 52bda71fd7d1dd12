"""The unit: a weighted sum, a bias and an activation function.

The textbook names five kinds of unit by their activation; here each is one line above
:func:`unit`.
"""

from __future__ import annotations

from typing import Any

from numpy.typing import ArrayLike, NDArray

from ketkar import checks
from ketkar.equations import equation
from ketkar.feedforward.activations import activation as find

__all__ = ["linear_unit", "relu_unit", "sigmoid_unit", "tanh_unit", "threshold_unit", "unit"]


@equation("unit")
def unit(
    x: ArrayLike, w: ArrayLike, b: float = 0.0, activation: str = "sigmoid"
) -> NDArray[Any] | Any:
    """A unit: many numbers in, one number out.

    Parameters
    ----------
    x : array_like
        Input, (n,), or N inputs, (N, n).
    w : array_like
        Weights, (n,).
    b : float
        Bias.
    activation : str
        Name of the activation function, one of :data:`ACTIVATIONS`.

    Returns
    -------
    float or ndarray
        The output, a number, or (N,) for N inputs.

    Raises
    ------
    ValueError
        If the numbers of inputs and weights differ, or there is no such activation.

    References
    ----------
    Textbook chapter 3, *Unit*.

    Examples
    --------
    >>> round(float(unit([0.5, 0.9, -0.3], w=[1, -2, 2], activation="sigmoid")), 9)
    0.130108474
    """
    x, w = checks.float_array(x, "x"), checks.float_array(w, "w")
    checks.axes(w, "w", ("input",), "unit")
    if x.ndim not in (1, 2):
        raise ValueError(
            f"x has {x.ndim} axes {x.shape}; unit expects 1: (input,), or 2: (batch, input)"
        )
    checks.same_length(x, "x", x.ndim - 1, w, "w", 0, "inputs")
    z = x @ w + w.dtype.type(checks.real(b, "b"))
    return find(activation).value(z)[()]  # (3.2)


@equation("step")
def threshold_unit(x: ArrayLike, w: ArrayLike, b: float = 0.0) -> NDArray[Any] | Any:
    """A threshold unit: 1 where the weighted sum is above zero, else 0.

    Parameters and errors are those of :func:`unit`.

    Examples
    --------
    >>> threshold_unit([[0, 0], [0, 1], [1, 0], [1, 1]], w=[1, 1], b=-1.5)  # AND
    array([0., 0., 0., 1.])
    """
    return unit(x, w, b, "step")


@equation("linear-unit")
def linear_unit(x: ArrayLike, w: ArrayLike, b: float = 0.0) -> NDArray[Any] | Any:
    """A linear unit: the weighted sum itself, the mean of a Gaussian output.

    Parameters and errors are those of :func:`unit`.

    Examples
    --------
    >>> float(linear_unit([1.0, 2.0], w=[3.0, -1.0], b=0.5))
    1.5
    """
    return unit(x, w, b, "identity")  # (3.29)


@equation("sigmoid-unit")
def sigmoid_unit(x: ArrayLike, w: ArrayLike, b: float = 0.0) -> NDArray[Any] | Any:
    """A sigmoid unit: the probability of a Bernoulli output.

    Parameters and errors are those of :func:`unit`.

    Examples
    --------
    >>> float(sigmoid_unit([0.0, 0.0], w=[3.0, -1.0]))
    0.5
    """
    return unit(x, w, b, "sigmoid")  # (3.30)


@equation("relu-unit")
def relu_unit(x: ArrayLike, w: ArrayLike, b: float = 0.0) -> NDArray[Any] | Any:
    """A rectified linear unit: the weighted sum where it is above zero, else 0.

    Parameters and errors are those of :func:`unit`.

    Examples
    --------
    >>> relu_unit([[1.0], [-1.0]], w=[2.0])
    array([2., 0.])
    """
    return unit(x, w, b, "relu")  # (3.35)


@equation("tanh-unit")
def tanh_unit(x: ArrayLike, w: ArrayLike, b: float = 0.0) -> NDArray[Any] | Any:
    """A tanh unit: the weighted sum squeezed into (-1, 1).

    Parameters and errors are those of :func:`unit`.

    Examples
    --------
    >>> float(tanh_unit([0.0], w=[2.0]))
    0.0
    """
    return unit(x, w, b, "tanh")  # (3.38)
