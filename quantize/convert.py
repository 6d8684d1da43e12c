"""A network and a recipe become a .tflite file of one size."""

import warnings
from typing import Any

import tensorflow as tf
from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

from quantize.operators import float_operators_inside
from quantize.recipes import Recipe

Model = Any


def convert(model: Model, recipe: Recipe, input_size: tuple[int, int]) -> bytes:
    """Converts a tf_keras network for one size; delegates want static shapes.

    Args:
        model: the twin of `build_twin`, or for a fine-tuned recipe what `fine_tune` made of it.
        recipe: an entry of `RECIPES`.
        input_size: height and width of the network's input, half the photograph's at working
            size, multiples of 32.

    Returns:
        The file: `photo` 1 × h × w × 3 → `bokeh` 1 × 2h × 2w × 3, of the recipe's edge type.

    Raises:
        RuntimeError: an integer recipe came out with float operators inside.
    """
    converter = tf.lite.TFLiteConverter.from_concrete_functions(
        # Frozen and with nothing to track: saving hundreds of wrapped layers takes two minutes.
        [convert_variables_to_constants_v2(_for_size(model, recipe, input_size))],
        tf.Module(),
    )
    if recipe.weights != "float32":
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
    if recipe.weights == "float16":
        converter.target_spec.supported_types = [tf.float16]
    if recipe.edge_type == "uint8":
        converter.inference_input_type = converter.inference_output_type = tf.uint8
    with warnings.catch_warnings():
        # It misses statistics of the input, which the rounding in the network has.
        warnings.filterwarnings("ignore", message="Statistics for quantized inputs")
        content = converter.convert()
    if recipe.activations != "float32" and (inside := float_operators_inside(content)):
        names = ", ".join(sorted({operator.name for operator in inside}))
        raise RuntimeError(f"float operators in an integer model: {names}")
    return content


def _for_size(model: Model, recipe: Recipe, input_size: tuple[int, int]) -> Any:
    @tf.function(autograph=False)
    def render(photo: tf.Tensor) -> dict[str, tf.Tensor]:
        if recipe.calibration == "fine_tuning":
            # A photograph's codes: in fine-tuning they come as whole 255ths already.
            photo = tf.quantization.fake_quant_with_min_max_args(photo, min=0.0, max=1.0)
        return {"bokeh": model(photo, training=False)}

    return render.get_concrete_function(tf.TensorSpec((1, *input_size, 3), name="photo"))
