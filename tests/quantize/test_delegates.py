"""Models are checked against documented support, next to what was measured."""

import dataclasses
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from pocket_bokeh.bundle import Bundle
from pocket_bokeh.errors import UserError
from quantize import delegates
from quantize.convert.operators import Operator, list_operators
from quantize.delegates import (
    ModelFile,
    check_model,
    main,
    read_models,
    reasons,
    support_table,
    to_json,
)
from quantize.proof.accelerator_tables import ACCELERATORS

BY_NAME = {accelerator.name: accelerator for accelerator in ACCELERATORS}


def convert_to_int8(function: Any) -> bytes:
    """Converts a function of one 8×8×4 picture to an integer model."""
    shape = (1, 8, 8, 4)
    concrete = tf.function(function).get_concrete_function(tf.TensorSpec(shape))
    converter = tf.lite.TFLiteConverter.from_concrete_functions([concrete], tf.Module())
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    converter.inference_input_type = converter.inference_output_type = tf.int8

    def photographs() -> Iterator[list[np.ndarray]]:
        random = np.random.default_rng(0)
        for _ in range(4):
            yield [random.uniform(-1, 1, shape).astype(np.float32)]

    converter.representative_dataset = photographs
    return converter.convert()


def upsample_and_rectify(picture: tf.Tensor) -> tf.Tensor:
    kernel = np.random.default_rng(0).normal(size=(3, 3, 5, 4)).astype(np.float32)
    upsampled = tf.nn.conv2d_transpose(picture, kernel, (1, 16, 16, 5), 2)
    return tf.nn.relu(upsampled + np.linspace(-1, 1, 5, dtype=np.float32))


@pytest.fixture(scope="module")
def fused() -> ModelFile:
    """An int8 transposed convolution with a fused ReLU, which is TRANSPOSE_CONV version 4."""
    return ModelFile("fused", list_operators(convert_to_int8(upsample_and_rectify)))


@pytest.fixture(scope="module")
def leaky() -> ModelFile:
    def function(picture: tf.Tensor) -> tf.Tensor:
        return tf.nn.leaky_relu(tf.nn.avg_pool2d(picture, 2, 2, "SAME"))

    return ModelFile("leaky", list_operators(convert_to_int8(function)))


@pytest.fixture(scope="module")
def models(tiny_bundle: Bundle) -> list[ModelFile]:
    return read_models(tiny_bundle.folder)


def run(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> None:
    monkeypatch.setattr(sys, "argv", ["delegates", *arguments])
    main()


def test_the_bundle_runs_wholly_on_the_gpu_delegate(models: list[ModelFile]) -> None:
    """The network was built for it, and measurements agree. No GPU supports 16-bit integers."""
    for model in models:
        if model.name.startswith(("dynamic_int8", "int16x8")):
            continue
        report = check_model(model, BY_NAME["GPU delegate"])
        assert report.findings == ()
        assert report.share("accepted") == 100
        assert report.operators["accepted"] == len(model.operators)


def test_only_integer_models_certainly_run_on_npus(models: list[ModelFile]) -> None:
    shares = {
        (model.name, name): check_model(model, BY_NAME[name]).share("accepted")
        for model in models
        for name in ("Qualcomm QNN", "Edge TPU")
    }
    for (model, _), share in shares.items():
        if model.startswith(("float", "int8")):
            assert share == (100 if model.startswith("int8") else 0), model


def test_a_fused_activation_costs_the_gpu_all_arithmetic(fused: ModelFile) -> None:
    report = check_model(fused, BY_NAME["GPU delegate"])
    (finding,) = report.findings
    assert finding.support.reason == "version 4; supported up to 3"
    assert finding.operators == {"TRANSPOSE_CONV v4": 1}
    assert finding.multiply_adds == 8 * 8 * 9 * 4 * 5
    assert report.share("accepted") == 0
    assert check_model(fused, BY_NAME["MediaTek"]).share("accepted") == 100


def test_without_multiplications_operators_are_counted(leaky: ModelFile) -> None:
    report = check_model(leaky, BY_NAME["Edge TPU"])
    assert [list(finding.operators) for finding in report.findings] == [["LEAKY_RELU v1"]]
    assert report.share("refused") == pytest.approx(100 / len(leaky.operators))


def test_the_command_prints_reasons_and_documents(
    tiny_bundle: Bundle, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    run(monkeypatch, str(tiny_bundle.folder))
    printed = capsys.readouterr().out
    for model in tiny_bundle.models:
        height, width = model.working_size
        for accelerator in ACCELERATORS:
            name = f"{model.recipe} {height}x{width}"
            assert any(
                line.startswith(name) and accelerator.name in line for line in printed.splitlines()
            )
    assert "tensors of FLOAT32; supported are INT8, UINT8" in printed
    assert "https://coral.ai/docs/edgetpu/models-intro" in printed
    # Two sizes of one recipe have the same operators and are reported together.
    assert "float32 64x128, float32 128x64" in printed


def test_a_single_file_is_checked_too(
    tiny_bundle: Bundle,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (model, _) = tiny_bundle.models_of("int8_qat")
    out = tmp_path / "delegates.json"
    run(monkeypatch, str(tiny_bundle.folder / model.file), "--json", str(out))
    assert model.file in capsys.readouterr().out
    entries = json.loads(out.read_text())
    assert [entry["accelerator"] for entry in entries] == [a.name for a in ACCELERATORS]
    published = {entry["accelerator"]: entry["published"] for entry in entries}
    total = sum(published["GPU delegate"]["multiply_adds"].values())
    assert total > 0
    for figures in published.values():
        assert sum(figures["multiply_adds"].values()) == total
        told = sum(finding["multiply_adds"] for finding in figures["findings"])
        assert told == total - figures["multiply_adds"].get("accepted", 0)
        assert all(finding["address"] for finding in figures["findings"])


def test_measurements_are_shown_beside_documented_support(fused: ModelFile) -> None:
    found = {
        "litert_gpu": {"verdict": "partly", "reason": "TRANSPOSE_CONV on the CPU"},
        "litert_cpu": {"verdict": "wholly", "reason": ""},
    }
    model = dataclasses.replace(fused, measured=found)
    reports = [check_model(model, accelerator) for accelerator in ACCELERATORS]
    _, gpu, nnapi, *_ = support_table(reports).splitlines()
    assert gpu.split()[-2:] == ["partly", "–"]
    assert nnapi.split()[-2:] == ["–", "–"]
    assert "run here: litert_gpu: partly, TRANSPOSE_CONV on the CPU" in reasons(reports)
    entries = json.loads(to_json(reports))
    assert entries[0]["measured"] == {"litert_gpu": found["litert_gpu"]}
    assert entries[0]["published"]["operators"]["refused"] == 1
    assert entries[1]["measured"] == {}


def test_measurements_are_read_from_the_bundle(
    tiny_bundle: Bundle, monkeypatch: pytest.MonkeyPatch
) -> None:
    measured = {"litert_gpu": {"verdict": "wholly", "reason": ""}}
    said = {"qualcomm:SM8750": {"verdict": "partly"}, "arm:ethos-u85": {"verdict": "wholly"}}
    answered = dataclasses.replace(tiny_bundle.models[0], verify=measured, compiled=said)
    bundle = dataclasses.replace(tiny_bundle, models=(answered,))
    monkeypatch.setattr(delegates, "read_bundle", lambda folder: bundle)
    (model,) = read_models(tiny_bundle.folder)
    assert model.measured == measured
    assert check_model(model, BY_NAME["GPU delegate"]).measured == measured
    report = check_model(model, BY_NAME["Qualcomm QNN"])
    assert report.compiled == {"qualcomm:SM8750": {"verdict": "partly"}}
    assert support_table([report]).splitlines()[1].endswith("partly on 1 chip")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "no such file"),
        (b"", "not a .tflite file"),
        (b"\x1c\0\0\0TFL3" + b"\xff" * 60, "damaged .tflite file"),
    ],
)
def test_a_file_that_is_not_a_model_is_refused_in_one_line(
    tmp_path: Path, content: bytes | None, message: str
) -> None:
    file = tmp_path / "m.tflite"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(UserError, match=message) as refused:
        read_models(file)
    assert str(file) in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_folder_that_is_no_bundle_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="not a bundle"):
        read_models(tmp_path)


def test_a_model_without_operators_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def nothing(content: bytes) -> tuple[Operator, ...]:
        return ()

    monkeypatch.setattr(delegates, "list_operators", nothing)
    (tmp_path / "m.tflite").write_bytes(b"")
    with pytest.raises(UserError, match="without operators"):
        read_models(tmp_path / "m.tflite")


def test_it_needs_no_tensorflow() -> None:
    program = (
        "import sys, quantize.delegates\n"
        "heavy = {'tensorflow', 'keras', 'tf_keras', 'grain', 'jax'} & set(sys.modules)\n"
        "sys.exit(', '.join(sorted(heavy)) or 0)"
    )
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert ended.returncode == 0, ended.stderr
