"""Counts the multiply-adds of a network's convolutions, by layer and by level.

A convolution takes kernel height · kernel width · input channels · output channels multiply-adds
per output pixel, a transposed convolution as many per input pixel. Normalization, activations,
pooling and sums are not counted: they are a few per cent of the arithmetic, but more of the time.
"""

import re
from collections import Counter
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import keras

from train.network.presets import LEVELS, PyNETConfig
from train.network.pynet import COLOURS, build_pynet

FORWARD_PASSES_PER_STEP = 3
"""The cost of a training step, in forward passes.

The gradients of a convolution's input and kernel each cost as much as the convolution.
"""


def multiply_adds(config: PyNETConfig, level: int, input_size: tuple[int, int]) -> dict[str, int]:
    """Counts the multiply-adds of one forward pass, convolution by convolution.

    Args:
        config: the network, usually an entry of `train.network.presets.NETWORKS`.
        level: the level to cut the network at, 7 (coarsest) … 1 (the photograph's size).
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

    Encoder blocks count for the level that uses their features (E3 for level 3). Upsamplings count
    for the level they start from, except those to levels 2 and 1: these count for levels 2 and 1,
    which have no other blocks.
    """
    sums: Counter[int] = Counter()
    for name, count in counts.items():
        sums[_level(name)] += count
    return {level: sums[level] for level in LEVELS if level in sums}


@lru_cache(maxsize=8)  # building the network takes seconds
def level_costs(config: PyNETConfig, crop: int) -> Mapping[int, float]:
    """The cost of one crop in the training of each level, including all levels below it.

    To be quick, all counts come from one network cut at level 1. This leaves out the heads of
    levels 7 to 3, which cost under 0.1 % of their levels.

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
    """The level that a layer counts for in `by_level`."""
    return _entered(name) if name in ("level_3_up", "level_2_up") else _number(name)


def _entered(name: str) -> int:
    """The coarsest level whose output depends on a layer; all levels depend on the encoder."""
    if name.startswith("encoder") or name == COLOURS:
        return max(LEVELS)
    return _number(name) - ("_up" in name)


def _number(name: str) -> int:
    if name == COLOURS:  # what ships needs it for level 2's picture alone
        return 2
    found = re.match(r"(?:encoder|level)_(\d)", name)
    if not found:
        raise ValueError(f"layer '{name}': expected encoder_N… or level_N…")
    return int(found[1])
