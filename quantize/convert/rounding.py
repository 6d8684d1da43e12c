"""Adds fake quantization: weights and activations are rounded as in TFLite's integer operators.

It uses tfmot's layer wrappers, but not tfmot's `quantize_model`. That one does not round the
weights of a convolution with a separate ReLU, starts every range at -6…6, from which a short
fine-tuning does not recover, and takes twice as long.
"""

from typing import Any

import numpy as np
import tensorflow as tf
import tensorflow_model_optimization as tfmot
import tf_keras

from pocket_bokeh.errors import UserError
from quantize.convert.recipes import RECIPES, Recipe
from train.network.gate import SHARPNESS
from train.network.pynet import COLOURS

Model = Any
KerasLayer = Any

_REGISTRY = tfmot.quantization.keras.default_8bit.Default8BitQuantizeRegistry()
_QUANTIZERS = tfmot.quantization.keras.quantizers

PICTURES = (COLOURS, "level_2_output", "level_1_output", SHARPNESS, "level_1_both")
"""Layers whose output is a picture or a map: their range is fixed to 0…1 in steps of 1/255, and
values outside are clipped."""

SMALLEST_RANGE = 0.01
"""Minimum range of an activation. One that is always zero would have scale 0, which XNNPACK
refuses."""

KEEPING_THEIR_INPUTS_RANGE = ("MaxPooling2D", "AveragePooling2D", "UpSampling2D")
"""Layers whose integer operators keep the scale of their input."""

WITHOUT_WEIGHTS = ("Multiply",)
"""Layers that tfmot does not support but that need no more than a rounded output."""

NO_INTEGER_OPERATOR = ("GroupNormalization",)
"""Layers that the converter leaves in floats: they average squares over a whole photograph."""


def refusal(float_model: Model, recipe: Recipe) -> str | None:
    """The reason why a network does not support a recipe, naming the layers, or None."""
    if recipe.activations == "float32":
        return None
    refused: dict[str, str] = {}
    for layer in float_model.layers:
        kind = type(layer).__name__
        if (recipe.has_roundings and not _can_be_rounded(layer)) or kind in NO_INTEGER_OPERATOR:
            refused.setdefault(kind, layer.name)
    if not refused:
        return None
    examples = ", ".join(f"{kind} ('{name}')" for kind, name in refused.items())
    return (
        f"the network has layers without an integer operator: {examples}; use float16 or "
        "dynamic_int8, or train one of the presets for phones"
    )


def _can_be_rounded(layer: KerasLayer) -> bool:
    known = isinstance(layer, tf_keras.layers.InputLayer) or not _may_have_weights(layer)
    return known or _REGISTRY.supports(layer)


def quantization_aware(float_model: Model) -> Model:
    """A copy of the network with fake quantization to 8 bits; activation ranges are not set yet.

    Raises:
        UserError: the network has a layer without an integer operator.
    """
    if reason := refusal(float_model, RECIPES["int8_qat"]):
        raise UserError(reason)

    def wrapped(layer: KerasLayer) -> KerasLayer:
        copy = type(layer).from_config(layer.get_config())
        return tfmot.quantization.keras.QuantizeWrapperV2(
            copy, _Rounding(copy, _output_quantizer(layer)), name=layer.name
        )

    model = tf_keras.models.clone_model(float_model, clone_function=wrapped)
    for layer in float_model.layers:
        # The wrapped layer's kernel is replaced by its rounded copy; the wrapper owns the variable.
        wrapper = model.get_layer(layer.name)
        for variable, value in zip(wrapper.trainable_weights, layer.get_weights(), strict=True):
            variable.assign(_without_dead_filters(value))
    return model


def calibrated(float_model: Model, inputs: list[np.ndarray]) -> Model:
    """A copy of the network with fake quantization and calibrated ranges; weights stay the same.

    Args:
        float_model: the float network; it is not changed.
        inputs: as for `calibrate`.

    Raises:
        UserError: the network has a layer without an integer operator.
    """
    model = quantization_aware(float_model)
    calibrate(model, float_model, inputs)
    return model


def _without_dead_filters(weights: np.ndarray) -> np.ndarray:
    """Sets one weight of every all-zero filter to 1e-6, because such a filter has no scale."""
    if weights.ndim != 4:
        return weights
    weights = weights.copy()
    weights[0, 0, 0, ~weights.any(axis=(0, 1, 2))] = 1e-6
    return weights


def calibrate(model: Model, float_model: Model, inputs: list[np.ndarray]) -> None:
    """Sets the ranges of all activations from the float network's activations on photographs.

    Args:
        model: the result of `quantization_aware`.
        float_model: the network it was made from.
        inputs: batches of network inputs, N × H × W × 3, 0…1, all of one shape.
    """
    ranges = {
        layer.name: (variables["min_var"], variables["max_var"])
        for layer in model.layers
        if (variables := getattr(layer, "_output_quantizer_vars", None))
    }
    outputs = tf_keras.Model(
        float_model.input, [float_model.get_layer(name).output for name in ranges]
    )

    @tf.function(autograph=False)
    def extremes(photos: tf.Tensor) -> tf.Tensor:
        activations = tf.nest.flatten(outputs(photos, training=False))  # a single one is no list
        return tf.stack([(tf.reduce_min(x), tf.reduce_max(x)) for x in activations])

    # The mean over batches, as a moving average in a long training would converge to. It clips rare
    # outliers in favour of smaller steps.
    means = np.mean([extremes(batch).numpy() for batch in inputs], axis=0)
    for variables, extreme in zip(ranges.values(), means, strict=True):
        # The range must contain zero, because convolutions pad with it.
        least, greatest = min(0.0, extreme[0]), max(0.0, extreme[1])
        variables[0].assign(least)
        variables[1].assign(max(greatest, least + SMALLEST_RANGE))
    # The ranges of weights are initialized by the first training step.
    model(tf.convert_to_tensor(inputs[0][:1]), training=True)


class _Rounding(tfmot.quantization.keras.QuantizeConfig):
    """Rounds weights as in tfmot's default scheme, and the output with a given quantizer."""

    def __init__(self, layer: KerasLayer, output_quantizer: Any | None):
        known = _may_have_weights(layer)
        self.weights = _REGISTRY.get_quantize_config(layer) if known else None
        self.output_quantizer = output_quantizer

    def get_weights_and_quantizers(self, layer: KerasLayer) -> list[tuple[Any, Any]]:
        return self.weights.get_weights_and_quantizers(layer) if self.weights else []

    def set_quantize_weights(self, layer: KerasLayer, quantize_weights: list[Any]) -> None:
        if self.weights:
            self.weights.set_quantize_weights(layer, quantize_weights)

    def get_activations_and_quantizers(self, layer: KerasLayer) -> list[tuple[Any, Any]]:
        return []

    def set_quantize_activations(self, layer: KerasLayer, quantize_activations: list[Any]) -> None:
        pass

    def get_output_quantizers(self, layer: KerasLayer) -> list[Any]:
        return [self.output_quantizer] if self.output_quantizer else []

    def get_config(self) -> dict[str, Any]:
        raise NotImplementedError("a network with fake quantization is converted, not saved")


def _output_quantizer(layer: KerasLayer) -> Any | None:
    """The quantizer of a layer's output, or None if TFLite does not round there.

    It does not round between operators that are fused or share their scale.
    """
    if layer.name in PICTURES:
        return _QUANTIZERS.FixedQuantizer(
            num_bits=8, init_min=0.0, init_max=1.0, narrow_range=False
        )
    consumers = [type(node.outbound_layer).__name__ for node in layer._outbound_nodes]
    fused = isinstance(layer, tf_keras.layers.Conv2D) and consumers == ["ReLU"]
    # A concatenation has one scale; layers that feed only into it adopt that scale.
    if fused or consumers == ["Concatenate"] or _keeps_range(layer):
        return None
    return _QUANTIZERS.MovingAverageQuantizer(
        num_bits=8, per_axis=False, symmetric=False, narrow_range=False
    )


def _may_have_weights(layer: KerasLayer) -> bool:
    return not _keeps_range(layer) and type(layer).__name__ not in WITHOUT_WEIGHTS


def _keeps_range(layer: KerasLayer) -> bool:
    return type(layer).__name__ in KEEPING_THEIR_INPUTS_RANGE
