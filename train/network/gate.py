"""Level 2's gate: what it means, how it starts, and the sharpness that follows from it.

The gate multiplies what level 2 changes in the photograph. It follows from the logit of being in
focus, and the exported network gives that logit as a fourth channel.
"""

from typing import Any

import numpy as np

from pocket_bokeh.predicted_sharpness import SHARPNESS_RANGE, logit

# From Keras 3 or tf_keras, which share no types.
Model = Any


GATE_OPEN = 6.0
"""Largest value of level 2's gate: that of a ReLU6, which accelerators fuse with a convolution."""

GATE_MIDDLE, GATE_SLOPE = 0.3, 8.0
"""Level 2's gate is half open where a pixel is in focus with this probability, and closes by
`GATE_SLOPE` for each unit of its logit: from fully open at 0.23 to shut at 0.38. Half of a blur is
what an unsure network would choose, and nobody's wish (docs/experiments.md)."""

SHARPNESS = "level_1_sharpness"
"""The convolution that gives level 1's fourth channel. Its weights follow level 2's gate."""


def logit_of_gate() -> tuple[float, float]:
    """Scale and offset that turn a gate, before its ReLU6, into the logit of being in focus."""
    return -1 / GATE_SLOPE, logit(GATE_MIDDLE) + GATE_OPEN / 2 / GATE_SLOPE


def start_gate(model: Model) -> None:
    """Initializes level 2 as a 3×3 blur of the photograph behind a half-open gate.

    Adam moves a weight by at most about the learning rate per step. From zero it would take
    thousands of steps to remove the photograph (docs/experiments.md).
    """
    head, gate = model.get_layer("level_2_head"), model.get_layer("level_2_gate")
    softening, bias = (np.zeros_like(weights) for weights in head.get_weights())
    for colour in range(3):
        from_photo = softening[:, :, colour - 3, colour]  # the photograph is the last 3 channels
        from_photo += 1 / 9
        from_photo[1, 1] -= 1
    head.set_weights([softening / GATE_OPEN, bias])
    gate.set_weights([np.zeros_like(softening), bias + GATE_OPEN / 2])


def follow_gate(model: Model) -> None:
    """Sets the weights of level 1's fourth channel from those of level 2's gate."""
    kernel, bias = model.get_layer("level_2_gate").get_weights()
    none, full = (logit(share) for share in SHARPNESS_RANGE)
    scale, offset = logit_of_gate()
    # The gates of the three colours are averaged.
    factor, start = scale / (full - none), (offset - none) / (full - none)
    model.get_layer(SHARPNESS).set_weights(
        [
            factor * kernel.mean(axis=-1, keepdims=True),
            factor * bias.mean(axis=-1, keepdims=True) + start,
        ]
    )
