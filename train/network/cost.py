"""What a network costs: the multiply-adds of its convolutions, by layer and by level.

A convolution multiplies and adds kernel height · kernel width · channels in · channels out times
per pixel of its output, a transposed convolution as often per pixel of its input. Nothing else is
counted: normalization, activations, pooling and sums are a few per cent of the arithmetic, though
more of the time.
"""

import re
from collections import Counter
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import keras

from train.network.presets import LEVELS, PyNETConfig
from train.network.pynet import build_pynet

FORWARD_PASSES_PER_STEP = 3
"""What a training step costs in forward passes.

The gradients of the input and of the kernel cost a convolution once more each.
"""


def multiply_adds(config: PyNETConfig, level: int, input_size: tuple[int, int]) -> dict[str, int]:
    """Counts one forward pass of one picture, convolution by convolution.

    Args:
        config: the network, usually an entry of `train.network.presets.NETWORKS`.
        level: the level whose output is taken, 7 (coarsest) … 1 (the photograph's size).
        input_size: height and width of the network's input, multiples of 32.

    Returns:
        Multiply-adds by layer name, in the order of computation.

    Raises:
        ValueError: the level does not exist or the size is not a multiple of 32.
    """
    kinds = (keras.layers.Conv2D, keras.layers.Conv2DTranspose)
    layers = build_pynet(config, level, input_size).layers
    return {layer.name: _layer_cost(layer) for layer in layers if isinstance(layer, kinds)}


def by_level(counts: Mapping[str, int]) -> dict[int, int]:
    """Sums multiply-adds by layer into levels, 7 first.

    The encoder's blocks count for the level that they hand their features to (E3 for level 3),
    upsamplings for the level that they leave, but those to levels 2 and 1, which are all that
    these levels have, for the level that they enter.
    """
    sums: Counter[int] = Counter()
    for name, count in counts.items():
        sums[_level(name)] += count
    return {level: sums[level] for level in LEVELS if level in sums}


@lru_cache(maxsize=8)  # building the network takes seconds
def level_costs(config: PyNETConfig, crop: int) -> Mapping[int, float]:
    """What one crop costs in the training of each level: everything that its output reaches.

    From one network, cut at level 1, to be quick: the heads of levels 7 to 3, under 0.1 % of
    their levels, are left out.

    Args:
        config: the network.
        crop: side of the square cut from the photograph, in pixels, a multiple of 64.

    Returns:
        Multiply-adds of one forward pass of one crop, by level; a training step costs
        `FORWARD_PASSES_PER_STEP` times as much per crop.
    """
    counts = multiply_adds(config, level=1, input_size=(crop // 2, crop // 2))
    return {
        level: float(sum(count for name, count in counts.items() if _entered(name) >= level))
        for level in LEVELS
    }


def _layer_cost(layer: Any) -> int:
    transposed = isinstance(layer, keras.layers.Conv2DTranspose)
    _, height, width, _ = (layer.input if transposed else layer.output).shape
    per_pixel = 1
    for length in layer.kernel.shape:
        per_pixel *= length
    return height * width * per_pixel


def _level(name: str) -> int:
    """The level that a layer counts for."""
    return _entered(name) if name in ("level_3_up", "level_2_up") else _number(name)


def _entered(name: str) -> int:
    """The coarsest level whose output a layer reaches: each sees all of the encoder."""
    if name.startswith("encoder"):
        return max(LEVELS)
    return _number(name) - ("_up" in name)


def _number(name: str) -> int:
    found = re.match(r"(?:encoder|level)_(\d)", name)
    if not found:
        raise ValueError(f"layer '{name}': expected encoder_N… or level_N…")
    return int(found[1])
