"""A single layer is quantized as in TFLite, and the rest of the model is unchanged."""

import numpy as np
import pytest
from ai_edge_litert.interpreter import Interpreter

from pocket_bokeh.bundle import Bundle
from pocket_bokeh.litert_model import LiteRTModel
from quantize.convert.layer_quantization import FloatModel, integer_ranges, rounded_kernel


def content(bundle: Bundle, recipe: str) -> bytes:
    return (bundle.folder / bundle.models_of(recipe)[0].file).read_bytes()


@pytest.fixture(scope="module")
def model(tiny_bundle: Bundle) -> FloatModel:
    return FloatModel(content(tiny_bundle, "float32"))


@pytest.fixture(scope="module")
def photo() -> np.ndarray:
    return np.random.default_rng(0).random((32, 64, 3), np.float32)


def test_layers_have_the_networks_names(model: FloatModel) -> None:
    names = [layer.name for layer in model.layers]
    assert names[0] == "encoder_3_3x3_first"
    assert names[-1] == "output"
    assert {"level_7_up_a", "level_4_fuse_3x3_second", "level_2_photo_concatenation"} < set(names)
    assert len(set(names)) == len(names)


def test_weights_are_rounded_as_the_converter_does(tiny_bundle: Bundle) -> None:
    interpreter = Interpreter(model_content=content(tiny_bundle, "dynamic_int8"))
    interpreter.allocate_tensors()
    kernels = [
        tensor
        for tensor in interpreter.get_tensor_details()
        if tensor["dtype"] == np.int8 and len(tensor["quantization_parameters"]["scales"]) > 1
    ]
    assert len(kernels) > 20
    for tensor in kernels:
        codes = interpreter.get_tensor(tensor["index"]).astype(np.float32)
        scales = tensor["quantization_parameters"]["scales"].reshape(-1, 1, 1, 1)
        # Values near the codes, as in a float network.
        blurred = scales * (codes + np.random.default_rng(0).uniform(-0.4, 0.4, codes.shape))
        blurred[np.abs(codes) == 127] = (scales * codes)[np.abs(codes) == 127]
        np.testing.assert_allclose(rounded_kernel(blurred), scales * codes, rtol=1e-5, atol=1e-9)


def test_one_layer_has_rounded_weights(model: FloatModel, photo: np.ndarray) -> None:
    layer = next(layer for layer in model.layers if layer.name == "level_4_a_3x3_first")
    changed = FloatModel(model.with_rounded_kernel(layer))
    assert changed.layers == model.layers
    assert not np.array_equal(
        LiteRTModel(model.with_rounded_kernel(layer)).run(photo),
        LiteRTModel(model.content).run(photo),
    )


def test_a_sum_has_no_weights(model: FloatModel) -> None:
    with pytest.raises(ValueError, match="no weights"):
        model.with_rounded_kernel(model.layers[-1])


def test_the_output_is_rounded_to_256_codes(model: FloatModel, photo: np.ndarray) -> None:
    rounded = LiteRTModel(model.with_rounded_output(model.layers[-1], (0.0, 0.5))).run(photo)
    expected = np.rint(np.clip(LiteRTModel(model.content).run(photo), 0, 0.5) * 510) / 510
    np.testing.assert_allclose(rounded, expected, atol=1.01 / 510)  # ties, and floats in between
    assert np.mean(np.abs(rounded - expected) > 1e-6) < 0.01
    assert len(np.unique(rounded)) <= 256


def test_ranges_come_from_photographs(model: FloatModel, photo: np.ndarray) -> None:
    ranges = model.output_ranges([photo])
    output = LiteRTModel(model.content).run(photo)
    assert ranges["output"] == pytest.approx((min(0, output.min()), output.max()), abs=1e-6)
    assert all(least <= 0 <= greatest for least, greatest in ranges.values())


def test_the_ranges_of_an_integer_model_are_read(tiny_bundle: Bundle, model: FloatModel) -> None:
    ranges = integer_ranges(content(tiny_bundle, "int8_ptq"))
    names = {layer.name for layer in model.layers}
    assert len(names & set(ranges)) > 0.9 * len(names)
    least, greatest = ranges["level_2_output"]
    assert -0.3 < least <= 0
    assert 0.9 < greatest < 1.5


def test_other_files_are_refused() -> None:
    with pytest.raises(ValueError, match=r"not a \.tflite"):
        FloatModel(b"no model at all")
