"""The layer that costs most is shown in a table, a picture and a JSON file."""

import json
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pocket_bokeh.bundle import Bundle
from pocket_bokeh.errors import UserError
from pocket_bokeh.litert_model import LiteRTModel
from quantize import sensitivity
from quantize.convert.layer_quantization import FloatModel
from quantize.sensitivity import HeldOutPairs, Sensitivity, layers_table, main, measure_layer
from train.data.pairs import Pair


def test_a_far_too_wide_range_costs_most(tiny_bundle: Bundle) -> None:
    file = tiny_bundle.folder / tiny_bundle.models_of("float32")[0].file
    model = FloatModel(file.read_bytes())
    random = np.random.default_rng(0)
    pair = Pair("noise", *random.integers(0, 256, (2, 64, 128, 3), np.uint8))
    held_out = HeldOutPairs(LiteRTModel(file), [pair], sees_focus=False)
    layer = next(layer for layer in model.layers if layer.name == "level_2_output")
    right = measure_layer(model, layer, (0.0, 1.0), held_out)
    wide = measure_layer(model, layer, (-50.0, 50.0), held_out)
    # A step 100 times as large has 10,000 times the squared error, unless clipping adds to either.
    assert wide.output_error > 100 * right.output_error
    assert right.weights_error == 0  # a sum has none


def test_the_table_starts_with_the_largest_error() -> None:
    layers = [
        Sensitivity(name, "CONV_2D", error / 4, 3 * error / 4, 0.1, 0.2, -1.0, 2.0)
        for name, error in (("little", 1.0), ("most", 8.0), ("some", 3.0))
    ]
    rows = layers_table(layers, {"int8_qat": 13.5}).splitlines()
    assert [row.split()[0] for row in rows[1:4]] == ["most", "some", "little"]
    assert rows[1].split()[1:5] == ["66.7%", "2.0000", "6.0000", "+0.300"]
    assert rows[-1] == "all layers together 12.000; int8_qat 13.500"


def test_the_command_writes_picture_and_figures(
    tiny_bundle: Bundle,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    picture = tmp_path / "blame.png"
    arguments = ["--pairs", "1", "--calibration-photos", "1", "--ranges", "int8_qat"]
    command = ["sensitivity", str(tiny_bundle.folder), *arguments, "--out", str(picture)]
    monkeypatch.setattr(sys, "argv", command)
    main()
    figures = json.loads((tmp_path / "blame.json").read_text())
    assert set(figures["whole"]) == {"int8_ptq", "int8_qat"}
    assert all(layer["output_error"] >= 0 for layer in figures["layers"])
    (ours,) = (layer for layer in figures["layers"] if layer["layer"] == "level_2_output")
    assert (ours["smallest"], ours["greatest"]) == pytest.approx((0, 1))  # that model's own
    assert "all layers together" in capsys.readouterr().out
    # A row per layer: a picture as tall as a list of them.
    assert Image.open(picture).height > 10 * len(figures["layers"])


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["--pairs", "0"], "at least 1"),
        (["--data", "nowhere"], "nowhere"),
        (["--out", "nowhere/picture.png"], "nowhere: no such folder"),
        (["--out", "figures.json"], "the file name must end in .png"),
    ],
)
def test_bad_input_is_one_line(
    tiny_bundle: Bundle, arguments: list[str], complaint: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "argv", ["sensitivity", str(tiny_bundle.folder), *arguments])
    monkeypatch.setattr(sensitivity, "measure", lambda *_: pytest.fail("measured"))
    with pytest.raises(UserError, match=complaint):
        main()
