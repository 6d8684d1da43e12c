"""A network with its roundings in place: what 8-bit integers will do to weights and activations.

tfmot's wrappers round weights and activations in training as TFLite's integer operators will.
tfmot's own `quantize_model` is not used: it rounds no weights of a convolution with a separate
ReLU, starts every range at -6…6, from where a short fine-tuning never gets away, and takes
twice as long.
"""

from typing import Any

import numpy as np
import tensorflow as tf
import tensorflow_model_optimization as tfmot
import tf_keras

from pocket_bokeh.errors import UserError
from quantize.convert.recipes import RECIPES, Recipe

Model = Any
Layer = Any

_REGISTRY = tfmot.quantization.keras.default_8bit.Default8BitQuantizeRegistry()
_QUANTIZERS = tfmot.quantization.keras.quantizers

PICTURES = ("level_2_output", "level_1_output")
"""Layers whose output is a picture: one step of the integers is one of the 255 of a photograph,
and what a photograph cannot hold is clipped."""

SMALLEST_RANGE = 0.01
"""Of an activation. One that is always zero would have no scale, which XNNPACK refuses."""

KEEPING_THEIR_INPUTS_RANGE = ("MaxPooling2D", "AveragePooling2D", "UpSampling2D")
"""Integer operators whose output has the scale of their input."""

WITHOUT_WEIGHTS = ("Multiply",)
"""Integer operators that tfmot has no scheme for and that need none: their output is rounded."""

NO_INTEGER_OPERATOR = ("GroupNormalization",)
"""Layers that the converter, too, leaves in floats: squares and means of a whole photograph."""


def refusal(twin: Model, recipe: Recipe) -> str | None:
    """Why a network cannot take a recipe, in words that name a layer of each kind, or None."""
    if recipe.activations == "float32":
        return None
    refused: dict[str, str] = {}
    for layer in twin.layers:
        kind = type(layer).__name__
        if (recipe.has_roundings and not _can_be_rounded(layer)) or kind in NO_INTEGER_OPERATOR:
            refused.setdefault(kind, layer.name)
    if not refused:
        return None
    examples = ", ".join(f"{kind} ('{name}')" for kind, name in refused.items())
    return (
        f"the network has layers without an integer operator: {examples}; take float16 or "
        "dynamic_int8, or train the mobile preset without depth"
    )


def _can_be_rounded(layer: Layer) -> bool:
    known = isinstance(layer, tf_keras.layers.InputLayer) or not _may_have_weights(layer)
    return known or _REGISTRY.supports(layer)


def quantization_aware(twin: Model) -> Model:
    """The network with every weight and every activation rounded to 8 bits, ranges still unset.

    Raises:
        UserError: the network has a layer that has no integer operator.
    """
    if reason := refusal(twin, RECIPES["int8_qat"]):
        raise UserError(reason)

    def wrapped(layer: Layer) -> Layer:
        copy = type(layer).from_config(layer.get_config())
        return tfmot.quantization.keras.QuantizeWrapperV2(
            copy, _Rounding(copy, _output_quantizer(layer)), name=layer.name
        )

    model = tf_keras.models.clone_model(twin, clone_function=wrapped)
    for layer in twin.layers:
        # Inside the wrapper the layer has lost its kernel to a rounded one; the wrapper keeps it.
        wrapper = model.get_layer(layer.name)
        for variable, value in zip(wrapper.trainable_weights, layer.get_weights(), strict=True):
            variable.assign(_without_dead_filters(value))
    return model


def calibrated(twin: Model, inputs: list[np.ndarray]) -> Model:
    """The network with its roundings in place and ranges from photographs, its weights unchanged.

    Args:
        twin: the float network; left as it is.
        inputs: as `calibrate` takes them.

    Raises:
        UserError: the network has a layer that has no integer operator.
    """
    model = quantization_aware(twin)
    calibrate(model, twin, inputs)
    return model


def _without_dead_filters(weights: np.ndarray) -> np.ndarray:
    """A kernel whose all-zero filters, which would have no scale, are a millionth in one place."""
    if weights.ndim != 4:
        return weights
    weights = weights.copy()
    weights[0, 0, 0, ~weights.any(axis=(0, 1, 2))] = 1e-6
    return weights


def calibrate(model: Model, twin: Model, inputs: list[np.ndarray]) -> None:
    """Sets the ranges of all activations to what the float network shows on some photographs.

    Args:
        model: of `quantization_aware`.
        twin: the float network it was made from.
        inputs: batches of network inputs, N × H × W × 3, 0…1, all of one shape.
    """
    ranges = {
        layer.name: (variables["min_var"], variables["max_var"])
        for layer in model.layers
        if (variables := getattr(layer, "_output_quantizer_vars", None))
    }
    outputs = tf_keras.Model(twin.input, [twin.get_layer(name).output for name in ranges])

    @tf.function(autograph=False)
    def extremes(photos: tf.Tensor) -> tf.Tensor:
        activations = tf.nest.flatten(outputs(photos, training=False))  # one comes without a list
        return tf.stack([(tf.reduce_min(x), tf.reduce_max(x)) for x in activations])

    # The mean over batches, as a moving average over a long training would find it: the rare
    # outlier is clipped for the sake of finer steps.
    means = np.mean([extremes(batch).numpy() for batch in inputs], axis=0)
    for variables, extreme in zip(ranges.values(), means, strict=True):
        # Zero must be among the values: convolutions pad with it.
        least, greatest = min(0.0, extreme[0]), max(0.0, extreme[1])
        variables[0].assign(least)
        variables[1].assign(max(greatest, least + SMALLEST_RANGE))
    # Weights bring their ranges along when they are first used in training.
    model(tf.convert_to_tensor(inputs[0][:1]), training=True)


class _Rounding(tfmot.quantization.keras.QuantizeConfig):
    """Weights as tfmot's default scheme rounds them; the output as told."""

    def __init__(self, layer: Layer, output_quantizer: Any | None):
        known = _may_have_weights(layer)
        self.weights = _REGISTRY.get_quantize_config(layer) if known else None
        self.output_quantizer = output_quantizer

    def get_weights_and_quantizers(self, layer: Layer) -> list[tuple[Any, Any]]:
        return self.weights.get_weights_and_quantizers(layer) if self.weights else []

    def set_quantize_weights(self, layer: Layer, quantize_weights: list[Any]) -> None:
        if self.weights:
            self.weights.set_quantize_weights(layer, quantize_weights)

    def get_activations_and_quantizers(self, layer: Layer) -> list[tuple[Any, Any]]:
        return []

    def set_quantize_activations(self, layer: Layer, quantize_activations: list[Any]) -> None:
        pass

    def get_output_quantizers(self, layer: Layer) -> list[Any]:
        return [self.output_quantizer] if self.output_quantizer else []

    def get_config(self) -> dict[str, Any]:
        raise NotImplementedError("a network with its roundings is converted, not saved")


def _output_quantizer(layer: Layer) -> Any | None:
    """Where the integer network rounds: not between operators that TFLite fuses or that share
    their scale."""
    if layer.name in PICTURES:
        return _QUANTIZERS.FixedQuantizer(
            num_bits=8, init_min=0.0, init_max=1.0, narrow_range=False
        )
    consumers = [type(node.outbound_layer).__name__ for node in layer._outbound_nodes]
    fused = isinstance(layer, tf_keras.layers.Conv2D) and consumers == ["ReLU"]
    # A concatenation has one scale; who feeds nothing else takes it over.
    if fused or consumers == ["Concatenate"] or _keeps_range(layer):
        return None
    return _QUANTIZERS.MovingAverageQuantizer(
        num_bits=8, per_axis=False, symmetric=False, narrow_range=False
    )


def _may_have_weights(layer: Layer) -> bool:
    return not _keeps_range(layer) and type(layer).__name__ not in WITHOUT_WEIGHTS


def _keeps_range(layer: Layer) -> bool:
    return type(layer).__name__ in KEEPING_THEIR_INPUTS_RANGE
