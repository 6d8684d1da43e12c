"""Models run, also from several threads, and unsuitable files are refused."""

import inspect
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from ai_edge_litert.interpreter import Interpreter

from pocket_bokeh.bundle import Bundle
from pocket_bokeh.errors import UserError
from pocket_bokeh.litert_model import LiteRTModel, decode, encode
from pocket_bokeh.photo import read_photo, to_float
from pocket_bokeh.tflite_file import tensor_format


def test_an_integer_model_takes_8_bit_values(tiny_bundle: Bundle) -> None:
    described = tiny_bundle.models_of("int8_qat")[0]
    photo = read_photo(tiny_bundle.folder / tiny_bundle.golden[0].input)
    bare = Interpreter(str(tiny_bundle.folder / described.file))
    bare.allocate_tensors()
    bare.set_tensor(bare.get_input_details()[0]["index"], photo[None])
    bare.invoke()
    codes = bare.get_tensor(bare.get_output_details()[0]["index"])[0]
    output = LiteRTModel(tiny_bundle.folder / described.file).run(to_float(photo))
    assert output.dtype == np.float32
    assert np.allclose(output, to_float(codes), atol=1e-6)


def test_several_threads_get_the_same_result(tiny_bundle: Bundle) -> None:
    model = LiteRTModel(tiny_bundle.folder / tiny_bundle.models[0].file)
    random = np.random.default_rng(0)
    photos = [random.random((*model.input_size, 3), np.float32) for _ in range(8)]
    expected = [model.run(photo) for photo in photos]
    with ThreadPoolExecutor(4) as threads:
        outputs = list(threads.map(model.run, photos))
    assert all(np.array_equal(*both) for both in zip(outputs, expected, strict=True))


def test_another_size_is_an_error(tiny_bundle: Bundle) -> None:
    model = LiteRTModel(tiny_bundle.folder / tiny_bundle.models[0].file)
    with pytest.raises(ValueError, match="expected"):
        model.run(np.zeros((8, 8, 3), np.float32))


def test_it_has_a_fourth_channel_for_depth(tiny_bundle: Bundle, depth_bundle: Bundle) -> None:
    for bundle, channels in ((tiny_bundle, 3), (depth_bundle, 4)):
        model = LiteRTModel(bundle.folder / bundle.models[0].file)
        assert model.input_channels == channels
        assert model.run(np.zeros((*model.input_size, channels), np.float32)).shape[2] == 3
        with pytest.raises(ValueError, match="expected"):
            model.run(np.zeros((*model.input_size, 7 - channels), np.float32))


@pytest.mark.parametrize("content", [b"", b"no model", bytes(4096)])
def test_other_files_are_refused(content: bytes, tmp_path: Path) -> None:
    file = tmp_path / "m.tflite"
    file.write_bytes(content)
    with pytest.raises(UserError, match=r"not a \.tflite model"):
        LiteRTModel(file)
    with pytest.raises(UserError, match=r"m\.tflite"):
        LiteRTModel(tmp_path / "missing_m.tflite")


@pytest.mark.parametrize(
    ("graph", "complaint"),
    [
        (lambda x, y: x + y, "2 inputs, expected one"),
        (lambda x: (x, 2 * x), "2 outputs, expected one"),
        (lambda x: 2 * x, "its output has 8 × 8 px, expected twice its input's 8 × 8"),
        (lambda x: x[..., 0], "expected 1 × height × width × 3"),
    ],
)
def test_a_model_with_other_inputs_or_outputs_is_refused(graph: Any, complaint: str) -> None:
    photos = [tf.TensorSpec((1, 8, 8, 3))] * len(inspect.signature(graph).parameters)
    function = tf.function(graph).get_concrete_function(*photos)
    content = tf.lite.TFLiteConverter.from_concrete_functions([function]).convert()
    with pytest.raises(UserError, match=complaint):
        LiteRTModel(content)


def test_a_model_with_dynamic_shapes_needs_a_size() -> None:
    function = tf.function(lambda x: tf.image.resize(x, 2 * tf.shape(x)[1:3]))
    concrete = function.get_concrete_function(tf.TensorSpec((1, None, None, 3)))
    content = tf.lite.TFLiteConverter.from_concrete_functions([concrete]).convert()
    with pytest.raises(UserError, match="has dynamic shapes"):
        LiteRTModel(content)
    model = LiteRTModel(content, working_size=(64, 96))
    assert (model.input_size, model.output_size) == ((32, 48), (64, 96))
    photo = np.random.default_rng(0).random((32, 48, 3), np.float32)
    np.testing.assert_allclose(model.run(photo)[::2, ::2].mean(), photo.mean(), atol=0.02)


def test_a_model_with_boolean_tensors_is_refused() -> None:
    function = tf.function(lambda x: tf.repeat(tf.repeat(x > 0.5, 2, 1), 2, 2))
    concrete = function.get_concrete_function(tf.TensorSpec((1, 32, 48, 3)))
    content = tf.lite.TFLiteConverter.from_concrete_functions([concrete]).convert()
    with pytest.raises(UserError, match="a tensor of type bool, expected floats or integers"):
        LiteRTModel(content)


@pytest.mark.parametrize(
    ("kind", "codes"),
    [("uint8", [0, 128, 255]), ("int8", [-128, 0, 127]), ("int32", [0, 128, 255])],
)
def test_integers_without_a_scale_are_8_bit_values(kind: str, codes: list[int]) -> None:
    edge = tensor_format(kind, None, 0)
    photo = np.array([0, 128, 255], np.float32) / 255
    assert encode(photo, edge).tolist() == codes
    np.testing.assert_allclose(decode(np.array(codes, kind), edge), photo, atol=1e-6)
