"""The command compiles with a real compiler and answers bad input in one line."""

import dataclasses
import json
import shutil
import sys
from pathlib import Path

import pytest

from pocket_bokeh.bundle import Bundle, read_bundle
from pocket_bokeh.errors import UserError
from quantize import compile as command
from quantize.compile import main, with_verdicts
from quantize.compilers.arm import VELA
from quantize.compilers.report import Compiled
from quantize.compilers.targets import MAKERS, choose_targets
from quantize.delegates import compiled_table, read_models


@pytest.fixture
def bundle(tiny_bundle: Bundle, tmp_path: Path) -> Bundle:
    """A copy of the bundle, because the command modifies it."""
    shutil.copytree(tiny_bundle.folder, tmp_path / "bundle")
    return read_bundle(tmp_path / "bundle")


def run(monkeypatch: pytest.MonkeyPatch, *arguments: str | Path) -> int:
    monkeypatch.setattr(sys, "argv", ["compile", *map(str, arguments)])
    return main()


def test_vela_compiles_an_integer_model(
    bundle: Bundle, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    try:
        VELA.install()
    except UserError as error:
        pytest.skip(f"Vela could not be installed: {error}")
    recipes = ("float32", "int8_ptq")
    assert run(monkeypatch, bundle.folder, "--for", "arm:ethos-u85", "--recipes", *recipes) == 0
    said = {model.recipe: model.compiled for model in read_bundle(bundle.folder).models}
    assert said["int8_ptq"]["arm:ethos-u85"]["verdict"] == "wholly"
    assert said["int8_ptq"]["arm:ethos-u85"]["figures"]["milliseconds"] > 0
    assert "integers only" in said["float32"]["arm:ethos-u85"]["reason"]
    assert said["int8_qat"] == {}
    out = bundle.folder.with_name("bundle_compiled")
    report = json.loads((out / "report.json").read_text())
    compiled = [entry for entry in report if entry["bytes"]]
    assert sum(file.stat().st_size for file in out.glob("int8_ptq*.tflite")) == sum(
        entry["bytes"] for entry in compiled
    )
    assert all(entry["costliest"] for entry in compiled)
    assert "int8_ptq" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--for", "ethos-u85"), "unknown target 'ethos-u85': expected MAKER:CHIP"),
        (("--for", "nokia:1"), "unknown maker 'nokia': expected one of arm, qualcomm"),
        (("--for", "qualcomm:SM1"), "unknown chip of Qualcomm Hexagon 'SM1': expected one of SM8"),
        (("--recipes", "float32"), "takes integer models only, but these are float32; export"),
        (("--recipes", "int2"), "no recipe 'int2'"),
        (("--time-limit", "0"), "--time-limit 0: expected more than 0 seconds"),
    ],
)
def test_bad_input_is_answered_before_anything_is_installed(
    bundle: Bundle,
    monkeypatch: pytest.MonkeyPatch,
    arguments: tuple[str, ...],
    message: str,
) -> None:
    monkeypatch.setattr(command, "install", lambda targets: pytest.fail("installs"))
    with pytest.raises(UserError, match=message):
        run(monkeypatch, bundle.folder, *arguments)


def test_without_a_bundle_the_list_can_be_read(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, "--for", "list") == 0
    listed = capsys.readouterr().out
    for maker in MAKERS.values():
        assert maker.brings in listed
        assert maker.installation.lock.is_file()
    assert "Qualcomm's licence" in listed
    assert "samsung" in listed
    with pytest.raises(UserError, match="which bundle"):
        run(monkeypatch)


def test_a_missing_compiler_is_an_error_and_says_nothing_about_the_models(
    bundle: Bundle, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(command, "install", lambda targets: {"google": "no network"})
    with pytest.raises(UserError, match="google:Tensor_G5: its compiler is missing: no network"):
        run(monkeypatch, bundle.folder, "--for", "google:Tensor_G5")
    assert not any(model.compiled for model in read_bundle(bundle.folder).models)


def test_all_chips_of_a_maker_are_meant_once() -> None:
    names = [target.name for target in choose_targets(["arm:ethos-u85", "arm:all"])]
    assert sorted(names) == sorted(f"arm:{chip}" for chip in MAKERS["arm"].chips)


def test_verdicts_are_kept_in_the_bundle_and_shown(bundle: Bundle) -> None:
    file = bundle.models[0].file
    first = Compiled(file, "arm:ethos-u55", "no", "too large")
    second = Compiled(file, "qualcomm:SM8750", "wholly", operators=3, taken=3)
    both = with_verdicts(with_verdicts(bundle, [first]), [second])
    assert set(both.models[0].compiled) == {"arm:ethos-u55", "qualcomm:SM8750"}
    models = [
        dataclasses.replace(model, compiled=bundled.compiled)
        for model, bundled in zip(read_models(bundle.folder), both.models, strict=True)
    ]
    table = compiled_table(models)
    assert "too large" in table
    assert "3 / 3" in table
