"""Bundles are written atomically, and damaged ones are refused in one line."""

import dataclasses
import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from ai_edge_litert import schema_py_generated as schema

from pocket_bokeh import bundle as bundle_module
from pocket_bokeh.bundle import (
    Bundle,
    BundledModel,
    GoldenPair,
    TensorFormat,
    read_bundle,
    rewrite_description,
    sha256,
    write_bundle,
)
from pocket_bokeh.errors import UserError
from pocket_bokeh.predicted_sharpness import SHARPNESS_RANGE
from pocket_bokeh.tflite_file import pack


def model_file(shape: tuple[int, ...] = (1, 32, 64, 3), scale: float | None = 1 / 255) -> bytes:
    """A .tflite file without operators; its output has twice the size of its input."""
    _, height, width, _ = shape
    tensors = []
    for sides, kind in ((shape, schema.TensorType.UINT8), ((1, 2 * height, 2 * width, 3), 0)):
        tensor = schema.TensorT()
        tensor.shape, tensor.type, tensor.name = list(sides), kind, b"photo"
        if scale is not None and kind:
            tensor.quantization = schema.QuantizationParametersT()
            tensor.quantization.scale, tensor.quantization.zeroPoint = [scale], [0]
        tensors.append(tensor)
    graph, model = schema.SubGraphT(), schema.ModelT()
    graph.tensors, graph.inputs, graph.outputs, graph.operators = tensors, [0], [1], []
    model.version, model.subgraphs, model.buffers = 3, [graph], [schema.BufferT()]
    model.operatorCodes = []
    return pack(model)


MODEL = model_file()
CONTENTS = {"m.tflite": MODEL, "in.png": b"input", "out.png": b"output", "history.csv": b"step"}


def small_bundle(folder: Path) -> Bundle:
    sums = {name: sha256(content) for name, content in CONTENTS.items()}
    model = BundledModel(
        recipe="int8_qat",
        file="m.tflite",
        working_size=(64, 128),
        input=TensorFormat("uint8", 1 / 255, 0),
        output=TensorFormat("float32"),
        bytes=len(MODEL),
        sha256=sums["m.tflite"],
        figures={"psnr_to_float32": 40.5},
        verify={"litert_cpu": {"verdict": "wholly", "largest_step": 1.0}},
    )
    pair = GoldenPair((64, 128), "in.png", sums["in.png"], "out.png", sums["out.png"])
    refused = {"int16x8": "the network has a layer"}
    records = {"history.csv": sums["history.csv"]}
    return Bundle(folder, "small", "mobile", (model,), (pair,), refused, records)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "bundles" / "small"
    write_bundle(small_bundle(folder), CONTENTS)
    return folder


def test_a_bundle_reads_back_as_it_was_written(folder: Path) -> None:
    assert read_bundle(folder) == small_bundle(folder)


def test_a_model_whose_output_has_no_sharpness_as_its_bundle_says_is_refused(folder: Path) -> None:
    rewrite_description(dataclasses.replace(small_bundle(folder), sharpness_range=SHARPNESS_RANGE))
    with pytest.raises(
        UserError, match=r"output \(1, 64, 128, 4\), but the file has \(1, 64, 128, 3\)"
    ):
        read_bundle(folder)


def test_the_same_bundle_gives_the_same_bytes(folder: Path, tmp_path: Path) -> None:
    other = tmp_path / "elsewhere"
    write_bundle(small_bundle(other), CONTENTS)
    assert (other / "bundle.json").read_bytes() == (folder / "bundle.json").read_bytes()


def changed_json(**changes: Any) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        stored = json.loads((folder / "bundle.json").read_text())
        (folder / "bundle.json").write_text(json.dumps(stored | changes))

    return change


def with_model(**changes: Any) -> Callable[[Path], None]:
    """Changes the description of the only model."""

    def change(folder: Path) -> None:
        stored = json.loads((folder / "bundle.json").read_text())
        stored["models"][0] |= changes
        (folder / "bundle.json").write_text(json.dumps(stored))

    return change


def with_file(content: bytes) -> Callable[[Path], None]:
    """Replaces the only model's file, with a matching checksum and length."""

    def change(folder: Path) -> None:
        (folder / "m.tflite").write_bytes(content)
        with_model(sha256=sha256(content), bytes=len(content))(folder)

    return change


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (
            lambda folder: (folder / "m.tflite").write_bytes(b"Model"),
            "m.tflite: changed since it was exported",
        ),
        (lambda folder: (folder / "in.png").unlink(), "in.png: missing"),
        (lambda folder: (folder / "bundle.json").unlink(), "not a bundle"),
        (lambda folder: (folder / "bundle.json").write_text("{"), "damaged"),
        (lambda folder: (folder / "bundle.json").write_text("[]"), "damaged"),
        (lambda folder: (folder / "bundle.json").write_bytes(b"\xff"), "damaged"),
        (changed_json(schema_version=99), "schema version 99, but this program reads 2"),
        (changed_json(models=[{"recipe": "x"}]), "damaged"),
        (with_model(file="../../m.tflite"), "is not a file in the same folder"),
        (with_model(file=5), "damaged"),
        (with_model(recipe=["int8_qat"]), "damaged"),
        (changed_json(name={}), "damaged"),
        (changed_json(models=[]), "lists no models"),
        (changed_json(gives_sharpness=True), "gives_sharpness = True is unknown to this version"),
        (changed_json(sharpness_range=[0.05, 0.5]), r"range \(0.05, 0.5\), but this program reads"),
        (lambda folder: (folder / "bundle.json").write_text("[" * 100_000), "damaged"),
        (with_model(working_size=[float("inf"), 1]), "damaged"),
        # Sizes and formats in bundle.json must match the .tflite file.
        (with_model(working_size=[60_000, 60_000]), r"says output \(1, 60000, 60000, 3\)"),
        (with_model(working_size=[128, 64]), r"but the file has \(1, 64, 128, 3\)"),
        (with_model(input={"type": "float32"}), "says input TensorFormat"),
        (with_model(input={"type": "uint8", "scale": 1 / 256, "zero_point": 0}), "says input"),
        (with_model(output={"type": "uint8", "scale": 1 / 255, "zero_point": 0}), "says output"),
        (with_model(bytes=7), "says bytes 7"),
        (with_file(b"model"), r"m.tflite: not a \.tflite model"),
        (with_file(MODEL[: len(MODEL) // 2]), r"m.tflite: not a \.tflite model"),
        (with_file(model_file((1, -1, -1, 3))), "but the file has"),
        (with_file(model_file((1, 32, 64, 4))), "but the file has"),
        (shutil.rmtree, "not a bundle"),
    ],
)
def test_damage_is_reported_in_one_line(
    folder: Path, damage: Callable[[Path], Any], message: str
) -> None:
    damage(folder)
    with pytest.raises(UserError, match=message) as refused:
        read_bundle(folder)
    assert "\n" not in str(refused.value)
    assert str(folder) in str(refused.value)


def test_an_existing_folder_is_not_overwritten(folder: Path) -> None:
    with pytest.raises(UserError, match="bundle exists already"):
        write_bundle(small_bundle(folder), CONTENTS)
    assert read_bundle(folder) == small_bundle(folder)


def test_files_that_do_not_match_the_description_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="do not match the checksums"):
        write_bundle(small_bundle(tmp_path / "b"), CONTENTS | {"m.tflite": b"other"})
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(bundle: Bundle) -> str:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(bundle_module, "_to_json", full)
    with pytest.raises(OSError, match="No space"):
        write_bundle(small_bundle(tmp_path / "b"), CONTENTS)
    assert list(tmp_path.iterdir()) == []


def test_an_unknown_recipe_is_refused_with_a_list_of_the_known_ones(folder: Path) -> None:
    bundle = read_bundle(folder)
    more = dataclasses.replace(bundle.models[0], recipe="float32")
    bundle = dataclasses.replace(bundle, models=(more, *bundle.models))
    with pytest.raises(UserError, match="no recipe 'int4'; it has float32, int8_qat"):
        bundle.models_of("int4")


def test_reading_a_bundle_imports_no_tensorflow() -> None:
    program = (
        "import sys, pocket_bokeh.render, quantize.convert.operators, "
        "quantize.convert.recipes\n"
        "heavy = {'tensorflow', 'keras', 'tf_keras', 'grain', 'jax'} & set(sys.modules)\n"
        "sys.exit(', '.join(sorted(heavy)) or 0)"
    )
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert ended.returncode == 0, ended.stderr


def test_a_model_too_small_for_a_photo_is_refused(folder: Path) -> None:
    with_file(model_file((1, 8, 8, 3)))(folder)
    with_model(working_size=[16, 16])(folder)
    with pytest.raises(UserError, match="its output of 16 × 16 px is too small for a photo"):
        read_bundle(folder)


def test_a_focus_map_and_its_points_are_kept(tmp_path: Path) -> None:
    whole = small_bundle(tmp_path / "told")
    (pair,) = whole.golden
    told = dataclasses.replace(
        pair,
        focus="focus.png",
        focus_sha256=sha256(b"focus"),
        focus_points=((0.25, 0.5),),
    )
    content = model_file((1, 32, 64, 4))
    model = dataclasses.replace(whole.models[0], bytes=len(content), sha256=sha256(content))
    bundle = dataclasses.replace(
        whole, models=(model,), golden=(pair, told), fourth_channel="focus"
    )
    write_bundle(bundle, CONTENTS | {"m.tflite": content, "focus.png": b"focus"})
    again = read_bundle(bundle.folder)
    assert again == bundle
    assert again.golden_of((64, 128)) == (pair, told)
    assert again.sees_focus
    assert not again.sees_depth


def test_a_bundle_of_an_older_version_shows_by_its_golden_pair_what_it_sees(folder: Path) -> None:
    file = folder / "bundle.json"
    stored = json.loads(file.read_text())
    del stored["fourth_channel"]
    file.write_text(json.dumps(stored))
    assert read_bundle(folder).fourth_channel == "none"
    stored["golden"][0] |= {"depth": "in.png", "depth_sha256": sha256(CONTENTS["in.png"])}
    file.write_text(json.dumps(stored))
    content = model_file((1, 32, 64, 4))
    with_file(content)(folder)
    assert read_bundle(folder).fourth_channel == "depth"


@pytest.mark.parametrize(
    ("channel", "sentence"),
    [
        ("touch", "fourth_channel: invalid enum value 'touch'"),
        ("focus", r"bundle.json says input \(1, 32, 64, 4\), but the file has \(1, 32, 64, 3\)"),
    ],
)
def test_a_fourth_channel_that_is_not_there_is_refused(
    folder: Path, channel: str, sentence: str
) -> None:
    changed_json(fourth_channel=channel)(folder)
    with pytest.raises(UserError, match=sentence):
        read_bundle(folder)


def test_a_size_without_a_golden_pair_is_refused_in_one_line(folder: Path) -> None:
    bundle = read_bundle(folder)
    assert bundle.golden_of((64, 128)) == bundle.golden
    with pytest.raises(UserError, match="no golden pair of 128 × 64 px"):
        bundle.golden_of((128, 64))
