"""Copies the weights of a trained network into one with more filters, which computes the same.

Chen, Goodfellow, Shlens, "Net2Net: Accelerating Learning via Knowledge Transfer", ICLR 2016, repeat
filters for this. Here the additional filters keep their random weights, and the filters that were
there do not read them at first.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

Model = Any
Layer = Any


def copy_into_wider(source: Model, target: Model) -> None:
    """Copies weights by layer name into a network with as many filters or more.

    Args:
        source: the trained network, without normalization.
        target: a network with the same layers. It computes the same afterwards.

    Raises:
        ValueError: the layers differ, or the target has fewer filters somewhere.
    """
    trained = {layer.name: layer.get_weights() for layer in source.layers}
    layers = {layer.name: layer for layer in target.layers}
    if trained.keys() != layers.keys():
        raise ValueError("the networks have different layers")
    # Where the source's channels are among those of each layer's output, in the source's order.
    kept: dict[str, np.ndarray] = {}
    for name, layer in layers.items():
        inputs = _inputs(layer)
        if not inputs:
            kept[name] = np.arange(layer.output.shape[-1])
        elif not trained[name]:
            kept[name] = _kept_channels(layer, [kept[each.name] for each in inputs])
        else:
            filters = np.arange(trained[name][0].shape[_axes(layer)[1]])
            kept[name] = kept.get(_shortcut(name, layers), filters)
            layer.set_weights(_widened(layer, trained[name], kept[inputs[0].name], kept[name]))


def _inputs(layer: Layer) -> list[Layer]:
    """The layers whose outputs a layer reads; none of the network's input."""
    tensors = layer.input if isinstance(layer.input, list) else [layer.input]
    sources = [tensor._keras_history.operation for tensor in tensors]
    return [source for source in sources if source is not layer]


def _kept_channels(layer: Layer, kept: list[np.ndarray]) -> np.ndarray:
    """The source's channels in the output of a layer without weights, by those of its inputs."""
    if type(layer).__name__ == "Concatenate":
        starts = np.cumsum([0, *(each.output.shape[-1] for each in _inputs(layer)[:-1])])
        return np.concatenate([start + each for start, each in zip(starts, kept, strict=True)])
    if any(not np.array_equal(each, kept[0]) for each in kept):
        raise ValueError(f"layer {layer.name} would add other channels than in the source")
    return kept[0]


def _shortcut(convolution: str, layers: Mapping[str, Layer]) -> str:
    """The layer that is added to a convolution's output, whose channels it has to match, or ''."""
    block = convolution.removesuffix("_3x3_second")
    if block == convolution or f"{block}_sum" not in layers:
        return ""
    return str(_inputs(layers[f"{block}_sum"])[1].name)


def _axes(layer: Layer) -> tuple[int, int]:
    """The axes of a kernel's input and output channels."""
    return (3, 2) if type(layer).__name__ == "Conv2DTranspose" else (2, 3)


def _widened(
    layer: Layer, trained: list[np.ndarray], inputs: np.ndarray, outputs: np.ndarray
) -> list[np.ndarray]:
    """The layer's weights; its kept outputs read its kept inputs, and no others."""
    kernel, *bias = layer.get_weights()
    order = (0, 1, *_axes(layer))
    wide, narrow = kernel.transpose(order), trained[0].transpose(order)
    if narrow.shape[2:] != (len(inputs), len(outputs)) or len(outputs) > wide.shape[3]:
        raise ValueError(f"layer {layer.name} has fewer filters than in the source")
    wide[..., outputs] = 0  # `wide` is a view of the kernel
    wide[:, :, inputs[:, None], outputs] = narrow
    for wide_bias, narrow_bias in zip(bias, trained[1:], strict=True):
        wide_bias[outputs] = narrow_bias
    return [kernel, *bias]
