"""Where does this person look? Mitchell's network for faces: 960 pixels, 3 hidden units, 4 poses.

The design decisions of *Machine Learning*, section 4.7, one function each: pictures are reduced
to 30 x 32 pixels, each pose has an output unit of its own, targets are 0.9 and 0.1 because a
sigmoid never reaches 1 and 0, and learning goes example by example.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ketkar import checks
from ketkar.network import Chain, Dense, chain
from ketkar.training import Fit, fit

__all__ = ["block_mean", "encode_targets", "face_network", "train_faces"]


def block_mean(image: ArrayLike, size: int) -> NDArray[Any]:
    """A smaller image: the mean of each block of size x size pixels.

    Parameters
    ----------
    image : array_like
        Grey values, (H, W); images may be stacked in front, (..., H, W).
    size : int
        Side of a block; it divides H and W.

    Returns
    -------
    ndarray
        (..., H / size, W / size).

    Raises
    ------
    ValueError
        If a side is not a multiple of `size`.

    Examples
    --------
    >>> block_mean([[1, 3, 0, 0], [5, 7, 0, 8]], 2)
    array([[4., 2.]])
    """
    array = checks.float_array(image, "image")
    size = checks.count(size, "size")
    if array.ndim < 2 or array.shape[-2] % size or array.shape[-1] % size:
        raise ValueError(
            f"image has shape {array.shape}; block_mean expects (..., height, width) with sides "
            f"that are multiples of {size}"
        )
    *stack, height, width = array.shape
    return array.reshape(*stack, height // size, size, width // size, size).mean(axis=(-3, -1))


def encode_targets(
    labels: ArrayLike, classes: int, on: float = 0.9, off: float = 0.1
) -> NDArray[np.float64]:
    """Targets for sigmoid outputs: `on` at the unit of the right class, `off` at the others.

    A sigmoid unit reaches 0 and 1 only with infinite weights, so it is not asked to.

    Parameters
    ----------
    labels : array_like
        Class labels 0 .. classes - 1, (N,).
    classes : int
        Number m of classes.
    on, off : float
        The two targets.

    Returns
    -------
    ndarray
        (N, m).

    Examples
    --------
    >>> encode_targets([0, 2], 3)
    array([[0.9, 0.1, 0.1],
           [0.1, 0.1, 0.9]])
    """
    found = checks.labels(labels, "labels", checks.count(classes, "classes"))
    return np.where(found[:, None] == np.arange(classes), on, off)


def face_network(hidden: int = 3, outputs: int = 4, *, init_hidden: str = "zeros") -> Chain:
    """960 pixels, a few sigmoid units, one sigmoid unit a pose.

    The hidden weights start at zero, as Mitchell chose, so that pictures of them show only what
    was learned. That works because the output weights start at random, which gives each hidden
    unit its own gradient.

    Parameters
    ----------
    hidden : int
        Number of hidden units.
    outputs : int
        Number of classes: 4 for the poses, 20 for the persons.
    init_hidden : str
        Initialiser of the hidden weights.

    Examples
    --------
    >>> from ketkar.network import count_parameters
    >>> count_parameters(face_network().init(rng=0))
    2899
    """
    return chain(
        Dense(960, hidden, "sigmoid", init_weights=init_hidden),
        Dense(hidden, outputs, "sigmoid", init_weights="uniform"),
    )


def train_faces(
    network: Chain,
    x: ArrayLike,
    labels: ArrayLike,
    rng: np.random.Generator | int,
    *,
    epochs: int = 100,
    validation: tuple[ArrayLike, ArrayLike] | None = None,
    **settings: Any,
) -> Fit:
    """Train the face network as Mitchell did: one example a step, learning rate and momentum 0.3.

    Mitchell halves the squared error and :func:`~ketkar.feedforward.squared_error` does not, so
    his learning rate of 0.3 is 0.15 here.

    Parameters
    ----------
    network : Chain
        The network, as :func:`face_network` makes it.
    x : array_like
        Grey values in [0, 1], (N, 960).
    labels : array_like
        The poses as labels, (N,).
    rng : numpy.random.Generator or int
        Draws the initial weights and the order of the examples.
    epochs : int
        How often to go through the data.
    validation : (x, labels), optional
        Faces on which the loss is taken after each epoch.
    **settings
        Anything else that :func:`ketkar.training.fit` takes; it goes before the settings here.

    Returns
    -------
    Fit
        The trained parameters and the history.

    Examples
    --------
    >>> from ketkar.datasets import synthetic_faces
    >>> faces = synthetic_faces(rng=0)
    >>> net = face_network()
    >>> run = train_faces(net, faces.x[::4], faces.pose[::4], rng=0, epochs=3)
    >>> run.history.epochs
    3
    """
    rng = checks.generator(rng)
    classes = network.output_shape(None)[0]
    if validation is not None:
        settings["validation"] = (validation[0], encode_targets(validation[1], classes))
    targets = encode_targets(labels, classes)
    own: dict[str, Any] = {"loss": "squared_error", "lr": 0.15, "momentum": 0.3, "batch_size": 1}
    return fit(network, network.init(rng), x, targets, epochs=epochs, rng=rng, **(own | settings))
