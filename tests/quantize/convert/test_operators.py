"""Operators are read as TensorFlow wrote them, with the network's multiply-adds."""

from collections import Counter
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from pocket_bokeh.bundle import Bundle
from quantize.convert.operators import Operator, list_operators
from tests.conftest import TINY
from train.network.cost import multiply_adds


def convert(function: Any, *shape: int) -> bytes:
    """Converts a function of one float picture to a .tflite file."""
    concrete = tf.function(function).get_concrete_function(tf.TensorSpec(shape))
    return tf.lite.TFLiteConverter.from_concrete_functions([concrete], tf.Module()).convert()


def weights(*shape: int) -> np.ndarray:
    return np.random.default_rng(0).normal(size=shape).astype(np.float32)


def test_every_model_has_the_networks_multiply_adds(tiny_bundle: Bundle) -> None:
    expected = {
        (height, width): multiply_adds(TINY, 1, (height // 2, width // 2))
        for height, width in {model.working_size for model in tiny_bundle.models}
    }
    for model in tiny_bundle.models:
        operators = list_operators((tiny_bundle.folder / model.file).read_bytes())
        counted = Counter(op.multiply_adds for op in operators if op.multiply_adds)
        assert counted == Counter(expected[model.working_size].values())


def test_weights_are_constants_in_every_recipe(tiny_bundle: Bundle) -> None:
    for model in tiny_bundle.models:
        operators = list_operators((tiny_bundle.folder / model.file).read_bytes())
        convolutions = [op for op in operators if op.multiply_adds]
        assert all(op.inputs[1].constant for op in convolutions)
        photo = next(op for op in operators if not op.inputs[0].constant)
        assert photo.inputs[0].shape == (1, *(side // 2 for side in model.working_size), 3)


def test_integer_weights_have_a_scale_per_channel_or_tensor(tiny_bundle: Bundle) -> None:
    (model, _) = tiny_bundle.models_of("int8_qat")
    operators = list_operators((tiny_bundle.folder / model.file).read_bytes())

    def scaled(name: str) -> set[str]:
        return {op.inputs[1].quantization for op in operators if op.name == name}

    assert scaled("CONV_2D") == {"per channel"}
    assert scaled("TRANSPOSE_CONV") == {"per tensor"}
    (model, _) = tiny_bundle.models_of("float32")
    operators = list_operators((tiny_bundle.folder / model.file).read_bytes())
    assert scaled("CONV_2D") == {"none"}


def test_a_convolution_is_read_with_its_options() -> None:
    def function(x: tf.Tensor) -> tf.Tensor:
        return tf.nn.relu6(tf.nn.conv2d(x, weights(3, 5, 4, 8), (2, 1), "VALID"))

    (operator,) = list_operators(convert(function, 1, 12, 16, 4))
    assert (operator.name, operator.kernel, operator.stride) == ("CONV_2D", (3, 5), (2, 1))
    assert (operator.padding, operator.activation) == ("VALID", "RELU6")
    assert operator.inputs[1].shape == (8, 3, 5, 4)
    assert operator.outputs[0].shape == (1, 5, 12, 8)
    assert operator.multiply_adds == 5 * 12 * 8 * 3 * 5 * 4


@pytest.mark.parametrize(
    ("name", "function", "expected"),
    [
        (
            "DEPTHWISE_CONV_2D",
            lambda x: tf.nn.depthwise_conv2d(x, weights(3, 3, 4, 2), (1, 1, 1, 1), "SAME"),
            6 * 8 * 9 * 8,
        ),
        (
            "TRANSPOSE_CONV",
            lambda x: tf.nn.conv2d_transpose(x, weights(3, 3, 5, 4), (1, 12, 16, 5), 2),
            6 * 8 * 9 * 4 * 5,
        ),
        (
            "FULLY_CONNECTED",
            lambda x: tf.matmul(tf.reshape(x, (2, 96)), weights(96, 7)),
            2 * 96 * 7,
        ),
        ("AVERAGE_POOL_2D", lambda x: tf.nn.avg_pool2d(x, 2, 2, "SAME"), 0),
    ],
)
def test_multiply_adds_are_counted_by_hand(name: str, function: Any, expected: int) -> None:
    operators = list_operators(convert(function, 1, 6, 8, 4))
    counts = {operator.name: operator.multiply_adds for operator in operators}
    assert counts[name] == expected
    assert sum(counts.values()) == expected


def test_a_pooling_has_a_window() -> None:
    operators = list_operators(
        convert(lambda x: tf.nn.max_pool2d(x, (2, 3), 2, "SAME"), 1, 6, 8, 4)
    )
    assert [(op.name, op.kernel, op.stride) for op in operators] == [
        ("MAX_POOL_2D", (2, 3), (2, 2))
    ]


def test_an_addition_has_no_window() -> None:
    (operator,) = list_operators(convert(lambda x: x + 1.0, 1, 6, 8, 4))
    assert operator == Operator("ADD", 1, operator.inputs, operator.outputs)
    assert sorted(tensor.constant for tensor in operator.inputs) == [False, True]


@pytest.mark.parametrize("length", [0, 6, 40, 400])
def test_a_truncated_file_is_refused(length: int) -> None:
    content = convert(lambda x: x + 1.0, 1, 6, 8, 4)
    assert len(content) > 400
    with pytest.raises(ValueError, match="tflite file"):
        list_operators(content[:length])
    with pytest.raises(ValueError, match=r"not a \.tflite file"):
        list_operators(b"\x89PNG" + content[8:])
