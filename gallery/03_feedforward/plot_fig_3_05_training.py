r"""
Training as a walk downhill
===========================

Training repeats one step: compute the loss and its gradient, then move the parameters a little
against the gradient, equation :eq:`steepest-descent`. For a unit with one weight and one bias
the whole walk of :func:`~ketkar.training.sgd_step` fits on a map.

The chapter's page: :doc:`/03_feedforward/training`.
"""

# Textbook figure 3-5: The training loop
# sphinx_gallery_thumbnail_number = 2
import matplotlib.pyplot as plt
import numpy as np

from ketkar import drawing
from ketkar import feedforward as ff
from ketkar.training import sgd_step

# %%
# The loop
# --------

drawing.flow(
    {
        "theta": ("parameters\n$\\theta$", (0.85, 1.7)),
        "f": ("predictions\n$f_\\theta(x)$", (3.2, 1.7)),
        "l": ("loss\n$l(f_\\theta(x), y)$", (5.5, 1.7)),
        "g": ("gradient\n$\\nabla_\\theta\\, l$", (5.5, 0.5)),
        "step": ("step\n$\\theta - \\eta \\nabla_\\theta\\, l$", (0.85, 0.5)),
    },
    [("theta", "f"), ("f", "l"), ("l", "g"), ("g", "step"), ("step", "theta")],
    size=(6.4, 2.2),
)
# Alt text: A loop of boxes: the parameters give predictions, the predictions
# the loss, the loss its gradient, the gradient a step, and the step leads
# back to the parameters.
plt.show()

# %%
# Two parameters
# --------------
# Six points on a line carry labels that overlap, so no unit can be right about all of them. The
# unit's parameters are :math:`\theta = (w, b)`; its loss is the binary cross entropy.

x = np.array([-0.5, 0.5, 1.9, 1.3, 2.5, 4.0])
y = np.array([0.0, 0.0, 0.0, 1.0, 1.0, 1.0])


def loss(theta):
    """The mean loss of the six points."""
    return ff.binary_cross_entropy_with_logits(theta[0] * x + theta[1], y)


def gradient(theta):
    """The gradient of the loss with respect to (w, b)."""
    dz = ff.binary_cross_entropy_with_logits_grad(theta[0] * x + theta[1], y)
    return np.array([dz @ x, dz.sum()])


def descend(theta, lr, steps):
    """The parameters before the first step and after each one."""
    path = [theta]
    for _ in range(steps):
        path.append(sgd_step(path[-1], gradient(path[-1]), lr))
    return np.array(path)


# %%
# Each step is at a right angle to the contour line it starts from. Short steps follow the slope.
# Long ones jump across the valley: the gradient tells the direction in which the loss falls, not
# how far it keeps falling, and the loss after a long step may be higher than before.

start = np.array([-1.5, 1.6])
paths = {f"$\\eta$ = {lr}": descend(start, lr, 12) for lr in (1.0, 4.0)}
for name, path in paths.items():
    print(
        name,
        "loss",
        " ".join(f"{loss(theta):.3f}" for theta in path[[0, 1, 2, 4, 8, 12]]),
    )

ax = drawing.contour_path(
    loss,
    paths,
    xlim=(-2.2, 3.6),
    ylim=(-2.8, 2.6),
    names=("weight $w$", "bias $b$"),
)
ax.set_aspect("equal")
# Alt text: Contour lines of the loss over weight and bias, a long oblique
# valley. From the same start, twelve steps with learning rate 1 slide into
# the valley and along it; twelve steps with learning rate 4 jump across it
# and zigzag from wall to wall.
plt.show()
