"""Runs models on all installed runtimes and reports missing ones."""

import dataclasses
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest

from pocket_bokeh.bundle import Bundle, read_bundle
from pocket_bokeh.errors import UserError
from quantize.proof import environments as environments_module
from quantize.proof.environments import Environment, environments
from quantize.verify import (
    LARGEST_STRAY,
    float_outputs,
    main,
    network_inputs,
    refused_operators,
    strayed_emulations,
    unmet_requirements,
    verify,
    with_findings,
)

HERE = {environment.runtime: environment for environment in environments()}


@pytest.fixture
def bundle(tiny_bundle: Bundle, tmp_path: Path) -> Bundle:
    """A copy of the bundle, because verify modifies it."""
    shutil.copytree(tiny_bundle.folder, tmp_path / "bundle")
    return read_bundle(tmp_path / "bundle")


@pytest.mark.slow
@pytest.mark.parametrize("runtime", list(HERE))
def test_every_runtime_agrees_with_litert(bundle: Bundle, runtime: str) -> None:
    environment = HERE[runtime]
    if environment.missing:
        pytest.skip(f"{environment.title}: {environment.missing}")
    models = [model for model in bundle.models if model.working_size == (64, 128)]
    found = verify(bundle, models, [environment])
    for model in models:
        finding = found[model.file][runtime]
        if finding["verdict"] == "no":
            assert finding["reason"]
            continue
        difference = finding["golden_mean_step"] - model.figures["golden_mean_step"]
        assert abs(difference) < 0.2
        assert finding["psnr_to_float32"] > 30
    whole = dataclasses.replace(with_findings(bundle, found), preset="mobile")
    assert unmet_requirements(whole, [environment]) == []


def test_the_command_writes_its_findings_into_the_bundle(
    bundle: Bundle, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["--runtimes", "litert_cpu", "--recipes", "int8_qat"]
    monkeypatch.setattr(sys, "argv", ["verify", str(bundle.folder), *arguments])
    assert main() == 0
    assert "int8_qat_64x128" in capsys.readouterr().out
    for model in read_bundle(bundle.folder).models:
        verdicts = {runtime: found["verdict"] for runtime, found in model.verify.items()}
        assert verdicts == ({"litert_cpu": "wholly"} if model.recipe == "int8_qat" else {})


def test_a_focus_map_is_checked_with_and_without_a_point(focus_bundle: Bundle) -> None:
    size = (64, 128)
    inputs = network_inputs(focus_bundle, size, [])
    assert [bool(seen[..., 3].any()) for seen in inputs] == [False, True, False, False]
    assert len(float_outputs(focus_bundle, size, np.stack(inputs))) == 4
    models = focus_bundle.models_of("float32")
    found = verify(focus_bundle, models, [HERE["litert_cpu"]])
    finding = found[models[0].file]["litert_cpu"]
    assert finding["verdict"] == "wholly"
    assert finding["golden_largest_step"] <= 1
    # With the two golden outputs exchanged, the same model is wrong.
    found = verify(_with_exchanged(focus_bundle, "output"), models, [HERE["litert_cpu"]])
    assert found[models[0].file]["litert_cpu"]["golden_largest_step"] > 1
    # With only the predicted sharpness exchanged, the colours are right and the sharpness is not.
    assert finding["sharpness_mean_step"] < 0.5
    found = verify(_with_exchanged(focus_bundle, "sharpness"), models, [HERE["litert_cpu"]])
    wrong = found[models[0].file]["litert_cpu"]
    assert wrong["golden_largest_step"] <= 1
    assert wrong["sharpness_mean_step"] > 0.5


def _with_exchanged(bundle: Bundle, picture: str) -> Bundle:
    """The bundle with one picture of its two golden pairs exchanged."""
    one, other = bundle.golden
    golden = (
        dataclasses.replace(one, **{picture: getattr(other, picture)}),
        dataclasses.replace(other, **{picture: getattr(one, picture)}),
    )
    return dataclasses.replace(bundle, golden=golden)


def test_a_missing_runtime_is_reported_with_the_command_that_installs_it(
    bundle: Bundle, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    gone = Environment("arm64", "an Arm", missing="no emulator; apt-get install qemu-user")
    monkeypatch.setattr(environments_module, "environments", lambda: (HERE["litert_cpu"], gone))
    command = ["verify", str(bundle.folder), "--recipes", "float32"]
    monkeypatch.setattr(sys, "argv", command)
    assert main() == 0
    assert "missing: an Arm: no emulator; apt-get install qemu-user" in capsys.readouterr().out
    monkeypatch.setattr(sys, "argv", [*command, "--runtimes", "arm64"])
    with pytest.raises(UserError, match="arm64 is not installed: no emulator; apt-get"):
        main()


def test_a_crash_does_not_affect_the_other_models(bundle: Bundle, tmp_path: Path) -> None:
    """The runtime crashes on int8 models and answers for the others."""
    script = tmp_path / "dies.py"
    script.write_text(
        "import json, os, sys\n"
        "for line in sys.stdin:\n"
        "    if 'int8_qat' in json.loads(line)['model']:\n"
        "        sys.exit('it is too much')\n"
        "    print(json.dumps({'verdict': 'no', 'reason': 'not I'}), flush=True)\n"
    )
    dies = Environment("litert_cpu", "dying", command=(sys.executable, str(script)))
    found = verify(bundle, bundle.models, [dies])
    for model in bundle.models:
        reason = found[model.file]["litert_cpu"]["reason"]
        died = model.recipe == "int8_qat"
        assert reason == ("its process ended: it is too much" if died else "not I")
    unmet = unmet_requirements(with_findings(bundle, found), [dies])
    assert len(unmet) == len(bundle.models)
    assert "int8_qat_64x128.tflite does not run on dying: its process ended" in "\n".join(unmet)


def test_a_processor_that_computes_worse_than_the_cpu_is_named(tiny_bundle: Bundle) -> None:
    emulated = Environment("hexagon", "Hexagon (emulated)", is_emulated=True)
    near, far = tiny_bundle.models[0], tiny_bundle.models[-1]
    on_cpu = {model.file: model.figures["golden_largest_step"] for model in (near, far)}
    found = {
        near.file: {"hexagon": {"golden_largest_step": on_cpu[near.file] + LARGEST_STRAY}},
        far.file: {"hexagon": {"golden_largest_step": on_cpu[far.file] + LARGEST_STRAY + 1}},
    }
    (line,) = strayed_emulations(with_findings(tiny_bundle, found), [emulated])
    assert line.startswith(
        f"{far.file} differs by {on_cpu[far.file] + LARGEST_STRAY + 1:.0f} of 255"
    )
    assert strayed_emulations(with_findings(tiny_bundle, found), [HERE["litert_cpu"]]) == []
    # No more than TFLite's reference kernels, which are right by definition.
    found[far.file]["litert_reference"] = {"golden_largest_step": on_cpu[far.file] + 1}
    assert strayed_emulations(with_findings(tiny_bundle, found), [emulated]) == []


def test_the_gpu_delegates_refusals_are_counted() -> None:
    said = [
        "INFO: compiling",
        "ERROR: Following operations are not supported by GPU delegate:",
        "CONV_2D: Tensor type(INT16) is not supported. photo",
        "CONV_2D: Tensor type(INT16) is not supported. pool",
        "TRANSPOSE_CONV: Max version supported: 3. Requested version 4. up",
        "12 operations will run on the GPU, and the remaining 3 operations will run on the CPU.",
    ]
    assert refused_operators(said) == (
        "2 × CONV_2D: Tensor type(INT16) is not supported; "
        "1 × TRANSPOSE_CONV: Max version supported: 3"
    )
    assert refused_operators(["nothing"]) == ""
