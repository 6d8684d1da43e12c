"""Where each runtime is to be had on this machine: what starts it, or what is missing."""

import ctypes.util
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from pocket_bokeh.bundle import Bundle, BundledModel
from pocket_bokeh.litert_model import encode
from quantize.proof.arm64 import ARM64_PYTHON, arm64_folder, find_uv
from train.network.presets import choose

TFLITE_RUNTIME = ("tflite-runtime==2.14.0", "numpy==1.26.4")
"""The last of its name, which many apps still ship; it needs Python 3.11 and numpy 1."""

VULKAN_DRIVERS = (
    Path("/usr/lib/chromium/vk_swiftshader_icd.json"),
    Path("/usr/lib/chromium-browser/vk_swiftshader_icd.json"),
)
"""Chromium's software Vulkan, which gives the GPU delegate a GPU on machines without one."""

RUNNER = Path(__file__).with_name("standalone_runner.py")

SECONDS_PER_MODEL = 600
"""After which a runtime is taken for hung; emulated Arm takes long."""


@dataclass(frozen=True)
class Environment:
    """A runtime on this machine.

    Attributes:
        runtime: as `quantize.proof.standalone_runner` and `bundle.json` call it.
        title: for people.
        command: what a Python script is started with.
        variables: environment variables that it needs beside those there are.
        missing: why it is not there and the command that brings it; None where it is.
        one_model_at_a_time: whether each model gets a process of its own, because a refusal is
            told on standard error or ends the process.
    """

    runtime: str
    title: str
    command: tuple[str, ...] = (sys.executable,)
    variables: Mapping[str, str] = field(default_factory=dict)
    missing: str | None = None
    one_model_at_a_time: bool = False


def environments() -> tuple[Environment, ...]:
    """All runtimes that a model is proven on."""
    return (
        Environment("litert_cpu", "LiteRT, CPU with XNNPACK"),
        Environment("litert_lean", "LiteRT, XNNPACK in little memory"),
        Environment("litert_reference", "LiteRT, reference kernels"),
        Environment("tensorflow", "TensorFlow's interpreter"),
        _tflite_runtime(),
        _gpu_delegate(),
        _arm64(),
    )


def choose_environments(names: Sequence[str]) -> list[Environment]:
    """The runtimes asked for, all where none is.

    Raises:
        UserError: there is none of that name.
    """
    known = {environment.runtime: environment for environment in environments()}
    return [choose("runtime", name, known) for name in dict.fromkeys(names or known)]


def make_job(
    bundle: Bundle,
    model: BundledModel,
    inputs: np.ndarray,
    scratch: Path,
    threads: int = 2,
    repeats: int = 0,
) -> dict[str, Any]:
    """What `quantize.proof.standalone_runner` is told about one model; writes its inputs.

    Args:
        bundle: the model's.
        model: what is run.
        inputs: N × h × w × channels, float32, 0…1.
        scratch: a folder for inputs and outputs.
        threads: of the CPU.
        repeats: renderings of the first input that are timed.
    """
    name = Path(model.file).stem
    np.save(scratch / f"{name}_in.npy", encode(inputs, model.input)[:, None])
    return {
        "model": str((bundle.folder / model.file).resolve()),
        "inputs": str(scratch / f"{name}_in.npy"),
        "outputs": str(scratch / f"{name}_out.npy"),
        "shape": [1, *model.working_size, 3],
        "type": model.output.type,
        "threads": threads,
        "repeats": repeats,
    }


def run_jobs(
    environment: Environment, jobs: list[dict[str, Any]]
) -> tuple[list[dict[str, Any]], list[str]]:
    """Has `quantize.proof.standalone_runner` do jobs in an environment.

    Returns:
        Its answers, fewer than the jobs where the process ended early, and its standard error's
        lines.
    """
    with tempfile.TemporaryDirectory() as private:
        variables = {"XDG_RUNTIME_DIR": private, **environment.variables}
        try:
            ended = subprocess.run(
                [*environment.command, str(RUNNER), environment.runtime],
                input="".join(json.dumps(job) + "\n" for job in jobs),
                capture_output=True,
                text=True,
                errors="replace",
                env={**os.environ, **variables},
                timeout=SECONDS_PER_MODEL * len(jobs),
            )
            output, complaints = ended.stdout, ended.stderr
        except subprocess.TimeoutExpired as hung:
            output = (hung.stdout or b"").decode(errors="replace")
            complaints = f"no answer within {hung.timeout:.0f} s"
    lines = [line for line in output.splitlines() if line.startswith("{")]
    return [json.loads(line) for line in lines], complaints.splitlines()


def _tflite_runtime() -> Environment:
    uv = find_uv()
    options = ("--quiet", "--isolated", "--no-project", "--python", "3.11")
    packages = tuple(part for package in TFLITE_RUNTIME for part in ("--with", package))
    return Environment(
        "tflite_runtime",
        "tflite-runtime 2.14",
        command=(uv or "uv", "run", *options, *packages, "python"),
        missing=None if uv else "uv is not there; ./run python --version brings it",
    )


def _gpu_delegate() -> Environment:
    driver = os.environ.get("VK_ICD_FILENAMES") or next(
        (str(file) for file in VULKAN_DRIVERS if file.is_file()), ""
    )
    there = driver and ctypes.util.find_library("vulkan")
    return Environment(
        "gpu_delegate",
        "GPU delegate on Vulkan",
        variables={"VK_ICD_FILENAMES": driver},
        missing=None if there else "no Vulkan here; apt-get install chromium libvulkan1",
        one_model_at_a_time=True,
    )


def _arm64() -> Environment:
    folder, emulator = arm64_folder(), shutil.which("qemu-aarch64") or ""
    system = folder / "system"
    missing = None
    if not emulator:
        missing = "no emulator; apt-get install qemu-user"
    elif not (system / ARM64_PYTHON).is_file():
        missing = "no 64-bit Arm Python; python -m quantize.proof.arm64"
    return Environment(
        "arm64",
        "LiteRT on 64-bit Arm (emulated)",
        # qemu 7 crashes in newer LiteRT's kernels for newer processors.
        command=(emulator, "-cpu", "cortex-a72", "-L", str(system), str(system / ARM64_PYTHON)),
        variables={
            "PYTHONHOME": str(system / "usr"),
            "PYTHONPATH": str(folder / "packages"),
        },
        missing=missing,
    )
