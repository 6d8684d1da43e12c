"""Loads the authors' weights from their TensorFlow 1 checkpoint.

PREFIX.index and PREFIX.data-00000-of-00001 hold the variables as `generator/Variable`,
`generator/Variable_1`, … in the order in which the published graph created them. Other tensors
(Adam's moments, counters) are ignored.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from pocket_bokeh.errors import UserError
from train.network.presets import PyNETConfig
from train.network.pynet import build_pynet

PRESET = "reference"

_ENCODER = (("encoder_3", 3), ("encoder_4", 3), ("encoder_5", 3), ("encoder_6", 3))
_LEVEL_BLOCKS = {
    7: (("a", 3), ("b", 3), ("c", 3), ("d", 3)),
    6: (("a", 3), ("b", 3), ("c", 3), ("d", 3), ("fuse", 3)),
    5: (("a", 5), ("b", 5), ("c", 5), ("d", 5), ("fuse", 3)),
    4: (("a", 5), ("b", 7), ("c", 7), ("d", 7), ("e", 7), ("f", 5), ("fuse", 3)),
    3: (
        *(("a", 5), ("b", 7), ("c", 9), ("d", 9), ("e", 9)),
        *(("f", 9), ("g", 7), ("h", 5), ("fuse", 3)),
    ),
}
"""Each level's blocks and their largest kernels, in the order of creation."""


class Weight(NamedTuple):
    """A variable of the network: a layer's name in `build_pynet` and the variable's name in it."""

    layer: str
    name: str


def read_checkpoint(prefix: Path, config: PyNETConfig, level: int) -> Any:
    """The network cut at `level`, with the weights of a checkpoint of the published graph.

    Args:
        prefix: the path of `PREFIX.index` and `PREFIX.data-…` without suffixes.
        config: the reference preset, or one that differs from it only in its width.
        level: 7 (coarsest) … 1 (the photograph's size).

    Returns:
        A Keras model of `build_pynet`, not compiled.

    Raises:
        UserError: the checkpoint is missing or damaged, or a tensor is missing or has another
            shape; the tensor is named.
    """
    reader = _open_checkpoint(prefix)
    tensors = published_tensors(config)
    shapes = reader.get_variable_to_shape_map()
    for tensor in tensors:
        if tensor not in shapes:
            raise UserError(
                f"{prefix}: no tensor {tensor} (one of {len(tensors)}); "
                "not a complete checkpoint of the published PyNET"
            )
    model = build_pynet(config, level)
    layers = {layer.name: layer for layer in model.layers}
    variables = {
        tensor: getattr(layers[weight.layer], weight.name)
        for tensor, weight in tensors.items()
        if weight.layer in layers  # else it belongs to a finer level or another level's head
    }
    for tensor, variable in variables.items():
        if tuple(shapes[tensor]) != tuple(variable.shape):
            raise UserError(
                f"{prefix}: tensor {tensor} is {_shape_text(shapes[tensor])}, expected "
                f"{_shape_text(variable.shape)}; not a checkpoint of the published PyNET"
            )
    for tensor, variable in variables.items():
        variable.assign(_read_tensor(reader, prefix, tensor))
    return model


def published_tensors(config: PyNETConfig) -> dict[str, Weight]:
    """The checkpoint's tensor names and the weights they hold, in the order of creation."""
    return {
        f"generator/Variable_{index}" if index else "generator/Variable": weight
        for index, weight in enumerate(_weights(config))
    }


def _weights(config: PyNETConfig) -> Iterator[Weight]:
    for (block, largest), level in zip(_ENCODER, (3, 4, 5, 6), strict=True):
        yield from _block(block, largest, level in config.normalized_levels)
    for level, blocks in _LEVEL_BLOCKS.items():
        for letter, largest in blocks:
            normalized = level in config.normalized_levels
            yield from _block(f"level_{level}_{letter}", largest, normalized)
        if level > 3:
            yield Weight(f"level_{level}_up_a", "kernel")
            yield Weight(f"level_{level}_up_b", "kernel")
        yield from _head(level)
    for level in (2, 1):
        yield Weight(f"level_{level + 1}_up", "kernel")
        yield from _head(level)


def _block(name: str, largest: int, normalized: bool) -> Iterator[Weight]:
    """Small kernels first; in each branch the first convolution first; shift before scale."""
    for kernel in range(3, largest + 1, 2):
        for place in ("first", "second"):
            layer = f"{name}_{kernel}x{kernel}_{place}"
            yield Weight(layer, "kernel")
            yield Weight(layer, "bias")
            if normalized:
                yield Weight(f"{layer}_normalization", "beta")
                yield Weight(f"{layer}_normalization", "gamma")


def _head(level: int) -> Iterator[Weight]:
    yield Weight(f"level_{level}_head", "kernel")
    yield Weight(f"level_{level}_head", "bias")


def _open_checkpoint(prefix: Path) -> Any:
    """Opens a checkpoint with TensorFlow's reader.

    Raises:
        UserError: TensorFlow is not installed, or the file is missing or not a checkpoint.
    """
    if not Path(f"{prefix}.index").is_file():
        raise UserError(
            f"{prefix}: no such checkpoint (no {prefix}.index); give the path without suffixes, "
            "as in pynet_bokeh_level_0"
        )
    try:
        # Imported only here: nothing else reads the checkpoints, and training on JAX must work
        # without TensorFlow.
        import tensorflow as tf
    except ImportError as error:
        raise UserError(
            "reading a TensorFlow checkpoint needs TensorFlow, which is not installed; "
            "install it with: pip install tensorflow"
        ) from error
    try:
        return tf.train.load_checkpoint(str(prefix))
    except (tf.errors.OpError, ValueError) as error:
        raise UserError(
            f"{prefix}: not a TensorFlow checkpoint, or a damaged one ({_reason(error)}); "
            "download both files again"
        ) from error


def _read_tensor(reader: Any, prefix: Path, tensor: str) -> np.ndarray:
    try:
        value = reader.get_tensor(tensor)
    except Exception as error:  # TensorFlow's error types cannot be named without importing it
        raise UserError(
            f"{prefix}: tensor {tensor} cannot be read ({_reason(error)}); "
            "the checkpoint is damaged, download both files again"
        ) from error
    if value.dtype.kind != "f" or not np.isfinite(value).all():
        raise UserError(
            f"{prefix}: tensor {tensor} holds {value.dtype} values that are not finite numbers; "
            "not a checkpoint of the published PyNET"
        )
    return value


def _reason(error: Exception) -> str:
    return str(error).strip().partition("\n")[0]


def _shape_text(shape: Any) -> str:
    return "×".join(str(side) for side in shape) or "a single number"
