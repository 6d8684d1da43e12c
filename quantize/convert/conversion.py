"""Converts a network to a .tflite file of one size by a recipe."""

import warnings
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

import numpy as np
import tensorflow as tf
from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

from pocket_bokeh.errors import UserError
from pocket_bokeh.photo import Size
from quantize.convert.io_quantization import with_uint8_io
from quantize.convert.operators import float_operators_inside
from quantize.convert.recipes import Recipe
from quantize.convert.rounding import calibrated

Model = Any
Preparation = Callable[[Any], Any]


def convert(
    model: Model, recipe: Recipe, input_size: Size, photos: Sequence[np.ndarray] = ()
) -> bytes:
    """Converts a tf_keras network for a fixed size, because delegates need static shapes.

    Args:
        model: from `to_tf_keras`, or for a fine-tuned recipe from `fine_tune`.
        recipe: an entry of `RECIPES`.
        input_size: height and width of the network's input, multiples of 32.
        photos: network inputs of that size, h × w × channels, float32 0…1, for recipes that are
            calibrated on photographs.

    Returns:
        The file: `photo` 1 × h × w × 3 (4 with a depth or focus map) → `bokeh` 1 × 2h × 2w × 3
        (4 with predicted sharpness), both of the recipe's `io_type`.

    Raises:
        UserError: the recipe needs photographs and there are none.
        RuntimeError: the converter left float operators in an integer model.
    """
    if recipe.calibration == "photos" and not photos:
        raise UserError("no photographs for the calibration; name a folder of pairs with --data")
    if recipe.calibration == "photos" and recipe.has_roundings:
        model = calibrated(model, [photo[None] for photo in photos])
    converter = tf.lite.TFLiteConverter.from_concrete_functions(
        [_frozen(model, _preparation(recipe), input_size)], tf.Module()
    )
    _set_types(converter, recipe)
    if recipe.activations == "int16":
        converter.representative_dataset = lambda: ([photo[None]] for photo in photos)
    with warnings.catch_warnings():
        # It misses the input's range, but the fake quantization in the network contains it.
        warnings.filterwarnings("ignore", message="Statistics for quantized inputs")
        content = converter.convert()
    if recipe.activations == "int16":
        content = with_uint8_io(content)
    if recipe.activations != "float32" and (inside := float_operators_inside(content)):
        names = ", ".join(sorted({operator.name for operator in inside}))
        raise RuntimeError(f"float operators in an integer model: {names}")
    return content


def _set_types(converter: Any, recipe: Recipe) -> None:
    """Sets the types of weights, activations, input and output."""
    if recipe.weights != "float32":
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
    if recipe.weights == "float16":
        converter.target_spec.supported_types = [tf.float16]
    if recipe.activations == "int16":
        converter.inference_input_type = converter.inference_output_type = tf.int16
        converter.target_spec.supported_ops = [
            tf.lite.OpsSet.EXPERIMENTAL_TFLITE_BUILTINS_ACTIVATIONS_INT16_WEIGHTS_INT8
        ]
    elif recipe.io_type == "uint8":
        # The supported operators stay at their default: with integer operators only, the converter
        # would require photographs.
        converter.inference_input_type = converter.inference_output_type = tf.uint8


def _preparation(recipe: Recipe) -> Preparation:
    """What a recipe does to the photograph before the network sees it."""
    if recipe.has_roundings:
        return _as_8_bit
    if recipe.activations == "int16":
        return tf.nn.relu  # gives the photo its own scale, as in `_as_8_bit`
    return tf.identity


# Cached: three recipes convert the same graph, and tracing it takes as long as converting it.
@lru_cache(maxsize=4)
def _frozen(model: Model, preparation: Preparation, input_size: Size) -> Any:
    """The network as a concrete function of one input size.

    Its weights are constants, so that nothing is tracked: saving hundreds of wrapped layers would
    take two minutes.
    """

    @tf.function(autograph=False)
    def render(photo: tf.Tensor) -> dict[str, tf.Tensor]:
        return {"bokeh": model(preparation(photo), training=False)}

    channels = model.inputs[0].shape[-1]
    photo = tf.TensorSpec((1, *input_size, channels), name="photo")
    return convert_variables_to_constants_v2(render.get_concrete_function(photo))


def _as_8_bit(photo: tf.Tensor) -> tf.Tensor:
    """Fake-quantizes the photograph to steps of 1/255, twice, with a ReLU between.

    The ReLU does not change any value, but it protects the photograph's scale. Level 2 concatenates
    the input with features. If the concatenation read the network's input directly, the converter
    would give all its readers the features' coarser scale, and the picture would lose half its grey
    levels. The output of an operator is rescaled for the concatenation alone.
    """
    photo = tf.quantization.fake_quant_with_min_max_args(photo, min=0.0, max=1.0)
    return tf.quantization.fake_quant_with_min_max_args(tf.nn.relu(photo), min=0.0, max=1.0)
