"""The trained network once more in tf_keras, with its batch normalization folded away.

tfmot knows tf_keras alone, and TFLite's converter takes all recipes from there.
"""

import dataclasses
from typing import Any

import numpy as np
import tf_keras

from train.network.presets import PyNETConfig
from train.network.pynet import build_pynet, copy_weights

Model = Any


def build_twin(network: Model, config: PyNETConfig) -> Model:
    """The tf_keras model that computes what a Keras 3 PyNET computes at inference.

    Batch normalization becomes part of the convolution before it, so that fine-tuning sees the
    weights that are rounded in the end and no batch statistics. Instance normalization depends
    on the photograph and stays.

    Args:
        network: a level-1 model of `build_pynet`, Keras 3.
        config: what it was built from.

    Returns:
        A tf_keras model with the same layer names and open input size.
    """
    if config.normalization != "batch":
        twin = build_pynet(config, keras=tf_keras)
        copy_weights(network, twin)
        return twin
    # Without normalized levels the builder gives each convolution the bias that folding needs.
    twin = build_pynet(dataclasses.replace(config, normalized_levels=()), keras=tf_keras)
    layers = {layer.name: layer for layer in network.layers}
    for layer in twin.layers:
        if layer.get_weights():
            normalization = layers.get(f"{layer.name}_normalization")
            layer.set_weights(_folded(layers[layer.name], normalization))
    return twin


def _folded(layer: Any, normalization: Any | None) -> list[np.ndarray]:
    """A layer's weights with the batch normalization after it, if there is one, inside."""
    if normalization is None:
        return layer.get_weights()
    (kernel,) = layer.get_weights()
    gamma, beta, mean, variance = normalization.get_weights()
    scale = gamma / np.sqrt(variance + normalization.epsilon)
    return [kernel * scale, beta - mean * scale]
