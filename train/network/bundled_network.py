"""Reads a bundle's float32 model back into Keras, so that training can start from its weights.

The converter keeps the names of layers. It folds normalization into the convolutions, so only
networks without one can be read back.
"""

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
from ai_edge_litert.interpreter import Interpreter

from pocket_bokeh.bundle import Bundle, read_bundle
from pocket_bokeh.errors import UserError
from train.network.network_file import Network
from train.network.presets import NETWORKS, choose
from train.network.pynet import LEVEL_1_HEAD, LEVEL_2_FEATURES, LEVEL_2_READERS, build_pynet

RECIPE = "float32"
"""The recipe whose model has the weights as they were trained."""

_KERNELS = {"Conv2D": (1, 2, 3, 0), "conv2d_transpose": (1, 2, 0, 3)}
"""The last part of a kernel's name, and the order of its axes (output, height, width, input) that
Keras has."""


def read_bundled_network(folder: Path) -> Network:
    """The network of a bundle, with the weights of its float32 model.

    Args:
        folder: a bundle of a preset without normalization, such as `models/pocket`.

    Returns:
        The network of level 1. It computes what the float32 model computes.

    Raises:
        UserError: it is not a bundle, has no float32 model, or its network has a normalization or
            other layers than its preset.
    """
    bundle = read_bundle(folder)
    config = dataclasses.replace(
        choose("preset", bundle.preset, NETWORKS), fourth_channel=bundle.fourth_channel
    )
    if config.normalized_levels:
        raise UserError(
            f"{folder}: the converter folded the normalization of preset {bundle.preset} into its "
            "convolutions, so training cannot start from it; give the model.keras of its run"
        )
    model = build_pynet(config)
    _set_weights(model, _float32_file(bundle))
    _balance_features(model)
    return Network(bundle.preset, config, 1, model, gate_is_trained=bundle.gives_sharpness)


def _float32_file(bundle: Bundle) -> Path:
    for model in bundle.models:
        if model.recipe == RECIPE:
            return bundle.folder / model.file
    raise UserError(
        f"{bundle.folder}: no {RECIPE} model, whose weights training starts from; make one with "
        f"python -m quantize.export RUN --recipes {RECIPE}"
    )


def _set_weights(model: Any, file: Path) -> None:
    """Sets all weights of a network from the constants of a .tflite file."""
    constants = _Constants(file)
    for layer in model.layers:
        weights = layer.get_weights()
        if not weights:
            continue
        found = [constants.kernel(layer.name), constants.bias(layer.name)][: len(weights)]
        if layer.name == LEVEL_1_HEAD:  # exported with a further filter, for sharpness
            found = [array if array is None else array[..., :3] for array in found]
        expected = [array.shape for array in weights]
        if [None if array is None else array.shape for array in found] != expected:
            raise UserError(
                f"{file}: its layer {layer.name} is not that of the preset; give the model.keras "
                "of its run"
            )
        layer.set_weights(found)


def _balance_features(model: Any) -> None:
    """Makes the weights before and behind level 2's features equally large, channel by channel.

    Export divided the one and multiplied the other (`quantize.convert.equalization`), by up to 40.
    Adam moves all weights by the same amount, so the small ones would change far too fast. The
    network computes the same.
    """
    source = model.get_layer(LEVEL_2_FEATURES)
    (kernel,) = source.get_weights()
    channels = kernel.shape[2]  # height × width × output × input
    readers = [model.get_layer(name) for name in LEVEL_2_READERS if name in _names(model)]
    behind = np.concatenate([layer.get_weights()[0][:, :, :channels] for layer in readers], axis=-1)
    before = np.sqrt(np.mean(np.square(kernel), axis=(0, 1, 3)))
    factor = np.sqrt(np.sqrt(np.mean(np.square(behind), axis=(0, 1, 3))) / before)
    source.set_weights([kernel * factor[:, None]])
    for layer in readers:
        weights, bias = layer.get_weights()
        weights[:, :, :channels] /= factor[:, None]
        layer.set_weights([weights, bias])


def _names(model: Any) -> set[str]:
    return {layer.name for layer in model.layers}


class _Constants:
    """The constants of a .tflite file, by the names of layers."""

    def __init__(self, file: Path):
        self._interpreter = Interpreter(str(file))
        self._details = self._interpreter.get_tensor_details()

    def kernel(self, layer: str) -> np.ndarray | None:
        """A convolution's kernel as Keras stores it; None if there is none."""
        for ending, order in _KERNELS.items():
            for tensor in self._details:
                if tensor["name"].endswith(f"/{layer}/{ending}") and ";" not in tensor["name"]:
                    return np.transpose(self._interpreter.get_tensor(tensor["index"]), order)
        return None

    def bias(self, layer: str) -> np.ndarray | None:
        """A convolution's bias; None if there is none. It may be named after its activation too."""
        for tensor in self._details:
            if len(tensor["shape"]) == 1 and f"/{layer}/BiasAdd;" in tensor["name"]:
                return self._interpreter.get_tensor(tensor["index"])
        return None
