"""A network and a recipe become a .tflite file of one size."""

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
import tensorflow as tf
from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

from pocket_bokeh.errors import UserError
from quantize.convert.io_quantization import with_uint8_io
from quantize.convert.operators import float_operators_inside
from quantize.convert.recipes import Recipe
from quantize.convert.rounding import calibrated

Model = Any


def convert(
    model: Model, recipe: Recipe, input_size: tuple[int, int], photos: Sequence[np.ndarray] = ()
) -> bytes:
    """Converts a tf_keras network for one size; delegates want static shapes.

    Args:
        model: the twin of `build_twin`; for a fine-tuned recipe what `fine_tune` made of it.
        recipe: an entry of `RECIPES`.
        input_size: height and width of the network's input, half the photograph's at working
            size, multiples of 32.
        photos: network inputs of that size, h × w × channels, float32 0…1, from which a recipe
            with `photos` for its calibration takes the ranges of the activations.

    Returns:
        The file: `photo` 1 × h × w × 3 (4 with depth) → `bokeh` 1 × 2h × 2w × 3, of the recipe's
        edge type.

    Raises:
        UserError: the recipe needs photographs and there are none.
        RuntimeError: an integer recipe came out with float operators inside.
    """
    if recipe.calibration == "photos" and not photos:
        raise UserError("no photographs to calibrate on; name a folder of pairs with --data")
    if recipe.calibration == "photos" and recipe.has_roundings:
        model = calibrated(model, [photo[None] for photo in photos])
    converter = tf.lite.TFLiteConverter.from_concrete_functions(
        # Frozen and with nothing to track: saving hundreds of wrapped layers takes two minutes.
        [convert_variables_to_constants_v2(_for_size(model, recipe, input_size))],
        tf.Module(),
    )
    _set_types(converter, recipe)
    if recipe.activations == "int16":
        converter.representative_dataset = lambda: ([photo[None]] for photo in photos)
    with warnings.catch_warnings():
        # It misses statistics of the input, which the rounding in the network has.
        warnings.filterwarnings("ignore", message="Statistics for quantized inputs")
        content = converter.convert()
    if recipe.activations == "int16":
        content = with_uint8_io(content)
    if recipe.activations != "float32" and (inside := float_operators_inside(content)):
        names = ", ".join(sorted({operator.name for operator in inside}))
        raise RuntimeError(f"float operators in an integer model: {names}")
    return content


def _set_types(converter: Any, recipe: Recipe) -> None:
    """What weights, activations and edges are stored in."""
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
        # Without the integer operators asked for, the converter wants no photographs.
        converter.inference_input_type = converter.inference_output_type = tf.uint8


def _for_size(model: Model, recipe: Recipe, input_size: tuple[int, int]) -> Any:
    @tf.function(autograph=False)
    def render(photo: tf.Tensor) -> dict[str, tf.Tensor]:
        if recipe.has_roundings:
            photo = _as_codes(photo)
        elif recipe.activations == "int16":
            photo = tf.nn.relu(photo)  # a scale of its own, as in `_as_codes`
        return {"bokeh": model(photo, training=False)}

    channels = model.inputs[0].shape[-1]
    return render.get_concrete_function(tf.TensorSpec((1, *input_size, channels), name="photo"))


def _as_codes(photo: tf.Tensor) -> tf.Tensor:
    """The photograph rounded to 255ths, which for training and calibration it was already.

    The ReLU changes nothing. But where the input is concatenated with features (level 2), the
    converter gives all readers of a bare input the features' coarser scale, and the picture that
    level 2 changes would lose half its grey levels; an operator's output it rescales for the
    concatenation alone.
    """
    photo = tf.quantization.fake_quant_with_min_max_args(photo, min=0.0, max=1.0)
    return tf.quantization.fake_quant_with_min_max_args(tf.nn.relu(photo), min=0.0, max=1.0)
