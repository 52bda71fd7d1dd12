r"""
A unit, number by number
========================

A unit multiplies each input by its weight, adds the products and its bias, and sends the sum
through an activation, equation :eq:`unit`. The diagram shows all of these numbers for a unit
with three inputs, computed by :func:`~ketkar.feedforward.unit`.

The chapter's page: :doc:`/03_feedforward/unit`.
"""

# Textbook figure 3-1: A unit, from its inputs to its output
import matplotlib.pyplot as plt

from ketkar import drawing
from ketkar import feedforward as ff

# %%
# The sum and the output
# ----------------------
# A unit whose activation is the identity returns the weighted sum itself; with the sigmoid it
# returns the output.

x = [0.5, 0.9, -0.3]
w = [1.0, -2.0, 2.0]
b = 0.0

z = ff.unit(x, w, b, activation="identity")
y = ff.unit(x, w, b, activation="sigmoid")
print(f"weighted sum z = {z:.4f}, output y = {y:.9f}")

# %%
# The diagram
# -----------
# The products in the small boxes are those of the inputs and weights above them. The sum and
# the output are the two numbers that the package computed: were one of them wrong, the diagram
# would not add up.

drawing.unit_diagram(x, w, b, z, y)
# Alt text: Three circles hold the inputs 0.5, 0.9 and -0.3. Arrows labelled
# with the weights 1, -2 and 2 lead to the products 0.5, -1.8 and -0.6.
# Together with the bias 0 they add up to z = -1.9, which passes through the
# sigmoid and leaves as y = 0.1301.
plt.show()
