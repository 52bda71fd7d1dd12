"""Diagrams of units, networks, matrices and curves, drawn from the numbers they are given.

Nothing here knows the network functions: a figure shows what the caller computed, so that a
wrong result shows in the picture. Matplotlib is imported by the first figure, not before.

==========================  =========================================================
the look                    :func:`style`, :func:`number`, :func:`axes`
shapes on a canvas          :func:`canvas`, :func:`node`, :func:`box`, :func:`arrow`,
                            :func:`label`, :func:`flow`
networks                    :func:`unit_diagram`, :func:`layered_network`
arrays                      :func:`matrix_blocks`, :func:`number_grid`, :func:`image_grid`
connections                 :func:`connection_graph`, :func:`connection_matrix`
feature maps                :func:`window_grid`, :func:`picture`, :func:`volume`,
                            :func:`shape_flow`
recurrent networks          :func:`recurrent_graph`, :func:`unrolled_graph`,
                            :func:`bidirectional_graph`, :func:`encoder_decoder_graph`,
                            :func:`lstm_diagram`, :func:`sequence_heatmap`
curves                      :func:`curves`, :func:`function_panel`, :func:`bars`,
                            :func:`contour_path`
==========================  =========================================================
"""

from ketkar.drawing.arrays import image_grid, matrix_blocks, number_grid
from ketkar.drawing.connections import connection_graph, connection_matrix
from ketkar.drawing.curves import bars, contour_path, curves, function_panel
from ketkar.drawing.feature_maps import picture, shape_flow, volume, window_grid
from ketkar.drawing.lstm import lstm_diagram, sequence_heatmap
from ketkar.drawing.networks import layered_network, unit_diagram
from ketkar.drawing.recurrent import (
    bidirectional_graph,
    encoder_decoder_graph,
    recurrent_graph,
    unrolled_graph,
)
from ketkar.drawing.shapes import arrow, box, canvas, flow, label, node
from ketkar.drawing.style import COLOURS, axes, number, style

__all__ = [
    "COLOURS",
    "arrow",
    "axes",
    "bars",
    "bidirectional_graph",
    "box",
    "canvas",
    "connection_graph",
    "connection_matrix",
    "contour_path",
    "curves",
    "encoder_decoder_graph",
    "flow",
    "function_panel",
    "image_grid",
    "label",
    "layered_network",
    "lstm_diagram",
    "matrix_blocks",
    "node",
    "number",
    "number_grid",
    "picture",
    "recurrent_graph",
    "sequence_heatmap",
    "shape_flow",
    "style",
    "unit_diagram",
    "unrolled_graph",
    "volume",
    "window_grid",
]
