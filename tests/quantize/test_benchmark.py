"""Models are timed on the runtimes that run them; the others are reported."""

import dataclasses
import json
import sys
from pathlib import Path

import pytest

from pocket_bokeh.bundle import Bundle
from pocket_bokeh.errors import UserError
from quantize import benchmark
from quantize.benchmark import main
from quantize.proof import environments as environments_module
from quantize.proof.environments import environments


def test_the_command_times_models_and_reports_missing_runtimes(
    tiny_bundle: Bundle,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    here = environments()[0]
    gone = dataclasses.replace(here, runtime="arm64", title="an Arm", missing="no emulator; get it")
    monkeypatch.setattr(environments_module, "environments", lambda: (here, gone))
    report = tmp_path / "speed.json"
    arguments = ["--recipes", "int8_qat", "--runtimes", "litert_cpu", "arm64", "--threads", "1"]
    arguments += ["--repeats", "3", "--json", str(report)]
    monkeypatch.setattr(sys, "argv", ["benchmark", str(tiny_bundle.folder), *arguments])
    main()
    printed = capsys.readouterr().out
    assert "does not run: missing: no emulator; get it" in printed
    rows = json.loads(report.read_text())["rows"]
    assert [row["runtime"] for row in rows] == [here.title, gone.title] * 2
    for row in rows[::2]:
        assert 0 < row["seconds"] < 10
        assert row["spread"] >= 0
        assert row["memory_bytes"] > 0
        assert row["multiply_adds"] > 1e6
        assert row["bytes"] == (tiny_bundle.folder / row["model"]).stat().st_size


def test_an_unknown_runtime_is_one_line(
    tiny_bundle: Bundle, monkeypatch: pytest.MonkeyPatch
) -> None:
    command = ["benchmark", str(tiny_bundle.folder), "--runtimes", "tpu"]
    monkeypatch.setattr(sys, "argv", command)
    with pytest.raises(UserError, match="unknown runtime 'tpu': expected one of litert_cpu"):
        main()


def test_a_file_that_could_not_be_written_is_refused_before_the_runs(
    tiny_bundle: Bundle, monkeypatch: pytest.MonkeyPatch
) -> None:
    command = ["benchmark", str(tiny_bundle.folder), "--json", "nowhere/figures.json"]
    monkeypatch.setattr(sys, "argv", command)
    monkeypatch.setattr(benchmark, "measure", lambda *_: pytest.fail("measured"))
    with pytest.raises(UserError, match="nowhere: no such folder"):
        main()
