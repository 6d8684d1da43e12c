"""Rebuilds a Keras 3 network in tf_keras, with batch normalization folded into the convolutions.

Quantization-aware training (tfmot) only supports tf_keras, so all recipes are converted from there.
"""

import dataclasses
from typing import Any

import numpy as np
import tf_keras

from train.network.gate import SHARPNESS, follow_gate
from train.network.presets import PyNETConfig
from train.network.pynet import LEVEL_1_HEAD, build_pynet, copy_weights, with_zero_filters

Model = Any


def to_tf_keras(network: Model, config: PyNETConfig) -> Model:
    """Builds a tf_keras model that computes the same as a Keras 3 PyNET at inference.

    Batch normalization is folded into the convolution before it: fine-tuning then quantizes the
    final weights and needs no batch statistics. Instance normalization depends on the photograph
    and stays.

    Args:
        network: a level-1 model of `build_pynet`, Keras 3, with or without predicted sharpness.
        config: the configuration it was built from.

    Returns:
        A tf_keras model with the same layer names and a dynamic input size.
    """
    sharpness = network.output_shape[-1] == 4
    if config.normalization != "batch":
        float_model = build_pynet(config, keras=tf_keras, sharpness=sharpness)
        copy_weights(network, float_model)
        return float_model
    # Without normalized levels, the builder gives each convolution a bias, which folding needs.
    unnormalized = dataclasses.replace(config, normalized_levels=())
    float_model = build_pynet(unnormalized, keras=tf_keras, sharpness=sharpness)
    layers = {layer.name: layer for layer in network.layers}
    for layer in float_model.layers:
        if layer.get_weights() and layer.name != SHARPNESS:
            normalization = layers.get(f"{layer.name}_normalization")
            weights = _folded(layers[layer.name], normalization)
            if layer.name == LEVEL_1_HEAD:
                weights = with_zero_filters(weights, layer.get_weights())
            layer.set_weights(weights)
    if sharpness:
        follow_gate(float_model)
    return float_model


def _folded(layer: Any, normalization: Any | None) -> list[np.ndarray]:
    """A layer's weights, with the batch normalization after it folded in, if there is one."""
    if normalization is None:
        return layer.get_weights()
    (kernel,) = layer.get_weights()
    gamma, beta, mean, variance = normalization.get_weights()
    scale = gamma / np.sqrt(variance + normalization.epsilon)
    return [kernel * scale, beta - mean * scale]
