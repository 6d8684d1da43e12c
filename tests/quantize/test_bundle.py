"""A bundle is whole or refused, in one line."""

import dataclasses
import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from quantize import bundle as bundle_module
from quantize.bundle import (
    Bundle,
    BundledModel,
    EdgeFormat,
    GoldenPair,
    read_bundle,
    sha256,
    write_bundle,
)
from train.errors import UserError

CONTENTS = {"m.tflite": b"model", "in.png": b"input", "out.png": b"output", "history.csv": b"step"}


def small_bundle(folder: Path) -> Bundle:
    sums = {name: sha256(content) for name, content in CONTENTS.items()}
    model = BundledModel(
        recipe="int8_qat",
        file="m.tflite",
        working_size=(64, 128),
        input=EdgeFormat("uint8", 1 / 255, 0),
        output=EdgeFormat("float32"),
        bytes=5,
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


def test_the_same_bundle_gives_the_same_bytes(folder: Path, tmp_path: Path) -> None:
    other = tmp_path / "elsewhere"
    write_bundle(small_bundle(other), CONTENTS)
    assert (other / "bundle.json").read_bytes() == (folder / "bundle.json").read_bytes()


def changed_json(**changes: Any) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        stored = json.loads((folder / "bundle.json").read_text())
        (folder / "bundle.json").write_text(json.dumps(stored | changes))

    return change


def with_model_file(name: str) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        stored = json.loads((folder / "bundle.json").read_text())
        stored["models"][0]["file"] = name
        (folder / "bundle.json").write_text(json.dumps(stored))

    return change


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda folder: (folder / "m.tflite").write_bytes(b"Model"), "m.tflite: not the file"),
        (lambda folder: (folder / "in.png").unlink(), "in.png: missing"),
        (lambda folder: (folder / "bundle.json").unlink(), "not a bundle"),
        (lambda folder: (folder / "bundle.json").write_text("{"), "damaged"),
        (lambda folder: (folder / "bundle.json").write_text("[]"), "damaged"),
        (lambda folder: (folder / "bundle.json").write_bytes(b"\xff"), "damaged"),
        (changed_json(schema_version=99), "schema version 99, this program reads 2"),
        (changed_json(models=[{"recipe": "x"}]), "damaged"),
        (with_model_file("../../m.tflite"), "not a file beside it"),
        (shutil.rmtree, "not a bundle"),
    ],
)
def test_damage_is_told_in_one_line(
    folder: Path, damage: Callable[[Path], Any], message: str
) -> None:
    damage(folder)
    with pytest.raises(UserError, match=message) as refused:
        read_bundle(folder)
    assert "\n" not in str(refused.value)
    assert str(folder) in str(refused.value)


def test_an_existing_folder_is_left_alone(folder: Path) -> None:
    with pytest.raises(UserError, match="a bundle already"):
        write_bundle(small_bundle(folder), CONTENTS)
    assert read_bundle(folder) == small_bundle(folder)


def test_files_that_are_not_described_are_not_written(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="not those"):
        write_bundle(small_bundle(tmp_path / "b"), CONTENTS | {"m.tflite": b"other"})
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(bundle: Bundle) -> str:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(bundle_module, "_to_json", full)
    with pytest.raises(OSError, match="No space"):
        write_bundle(small_bundle(tmp_path / "b"), CONTENTS)
    assert list(tmp_path.iterdir()) == []


def test_an_unknown_recipe_is_answered_with_those_there_are(folder: Path) -> None:
    bundle = read_bundle(folder)
    more = dataclasses.replace(bundle.models[0], recipe="float32")
    bundle = dataclasses.replace(bundle, models=(more, *bundle.models))
    with pytest.raises(UserError, match="no recipe 'int4'; it has float32, int8_qat"):
        bundle.models_of("int4")


def test_the_light_half_imports_no_tensorflow() -> None:
    program = (
        "import sys, quantize.bundle, quantize.runtimes, quantize.render, quantize.operators, "
        "quantize.recipes\n"
        "heavy = {'tensorflow', 'keras', 'tf_keras', 'grain', 'jax'} & set(sys.modules)\n"
        "sys.exit(', '.join(sorted(heavy)) or 0)"
    )
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert ended.returncode == 0, ended.stderr
