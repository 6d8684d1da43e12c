"""How to start each runtime on this machine, and what is missing to do so."""

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
from quantize.compilers.installation import find_uv
from quantize.compilers.litert_plugin import QUALCOMM
from quantize.compilers.rockchip import RKNN
from quantize.proof.arm64 import ARM64_PYTHON, arm64_folder
from train.network.presets import choose

TFLITE_RUNTIME = ("tflite-runtime==2.14.0", "numpy==1.26.4")
"""The last release of tflite-runtime, which many apps still ship; needs Python 3.11 and NumPy 1."""

VULKAN_DRIVERS = (
    Path("/usr/lib/chromium/vk_swiftshader_icd.json"),
    Path("/usr/lib/chromium-browser/vk_swiftshader_icd.json"),
)
"""Chromium's software Vulkan, on which the GPU delegate runs on machines without a GPU."""

HEXAGON_CHIP = "SM8750"
"""Chip whose neural processor is emulated: Snapdragon 8 Elite."""

ROCKCHIP_CHIP = "rk3588"

RUNNER = Path(__file__).with_name("standalone_runner.py")

SECONDS_PER_MODEL = 600
"""Timeout for one model; emulated Arm is slow."""


@dataclass(frozen=True)
class Environment:
    """A runtime on this machine.

    Attributes:
        runtime: its name in `quantize.proof.standalone_runner` and `bundle.json`.
        title: for users.
        command: the command that runs a Python script.
        variables: additional environment variables.
        missing: what is not installed, and the command that installs it; None if nothing is.
        one_model_at_a_time: whether each model gets its own process, because a refusal is only
            reported on standard error or ends the process.
        is_emulated: whether it computes as a neural processor does, which has its own rounding.
    """

    runtime: str
    title: str
    command: tuple[str, ...] = (sys.executable,)
    variables: Mapping[str, str] = field(default_factory=dict)
    missing: str | None = None
    one_model_at_a_time: bool = False
    is_emulated: bool = False


def environments() -> tuple[Environment, ...]:
    """All runtimes on which models are tested."""
    return (
        Environment("litert_cpu", "LiteRT, CPU with XNNPACK"),
        Environment("litert_lean", "LiteRT, XNNPACK in little memory"),
        Environment("litert_reference", "LiteRT, reference kernels"),
        Environment("tensorflow", "TensorFlow's interpreter"),
        _tflite_runtime(),
        _gpu_delegate(),
        _arm64(),
        _hexagon(),
        _rockchip(),
    )


def choose_environments(names: Sequence[str]) -> list[Environment]:
    """The runtimes with these names; without names all.

    Raises:
        UserError: a name is unknown.
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
    """Makes a job for `quantize.proof.standalone_runner` and writes its inputs.

    Args:
        bundle: the bundle of the model.
        model: the model to run.
        inputs: N × h × w × channels, float32, 0…1.
        scratch: a folder for inputs and outputs.
        threads: number of CPU threads.
        repeats: number of timed renderings of the first input.
    """
    name = Path(model.file).stem
    np.save(scratch / f"{name}_in.npy", encode(inputs, model.input)[:, None])
    return {
        "model": str((bundle.folder / model.file).resolve()),
        "inputs": str(scratch / f"{name}_in.npy"),
        "outputs": str(scratch / f"{name}_out.npy"),
        "shape": [1, *model.working_size, bundle.output_channels],
        "type": model.output.type,
        "threads": threads,
        "repeats": repeats,
    }


def run_jobs(
    environment: Environment, jobs: list[dict[str, Any]]
) -> tuple[list[dict[str, Any]], list[str]]:
    """Runs jobs with `quantize.proof.standalone_runner` in an environment.

    Returns:
        The answers, fewer than the jobs if the process ended early, and the lines of its standard
        error.
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
        missing=None if uv else "no uv; ./run python --version installs it",
    )


def _gpu_delegate() -> Environment:
    driver = os.environ.get("VK_ICD_FILENAMES") or next(
        (str(file) for file in VULKAN_DRIVERS if file.is_file()), ""
    )
    has_vulkan = driver and ctypes.util.find_library("vulkan")
    return Environment(
        "gpu_delegate",
        "GPU delegate on Vulkan",
        variables={"VK_ICD_FILENAMES": driver},
        missing=None if has_vulkan else "no Vulkan; apt-get install chromium libvulkan1",
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
        # Emulates an older processor: qemu 7 crashes in LiteRT's kernels for newer ones.
        command=(emulator, "-cpu", "cortex-a72", "-L", str(system), str(system / ARM64_PYTHON)),
        variables={
            "PYTHONHOME": str(system / "usr"),
            "PYTHONPATH": str(folder / "packages"),
        },
        missing=missing,
    )


def _hexagon() -> Environment:
    is_installed = QUALCOMM.installation.is_installed
    return Environment(
        "hexagon",
        f"Hexagon of {HEXAGON_CHIP} (emulated)",
        command=(str(QUALCOMM.installation.python),),
        variables={
            "HEXAGON_CHIP": HEXAGON_CHIP,
            **(QUALCOMM.variables() if is_installed else {}),
        },
        missing=None if is_installed else _install_with(f"qualcomm:{HEXAGON_CHIP}"),
        one_model_at_a_time=True,
        is_emulated=True,
    )


def _rockchip() -> Environment:
    return Environment(
        "rockchip",
        f"Rockchip {ROCKCHIP_CHIP} (simulated)",
        command=(str(RKNN.python),),
        variables={"ROCKCHIP_CHIP": ROCKCHIP_CHIP},
        missing=None if RKNN.is_installed else _install_with(f"rockchip:{ROCKCHIP_CHIP}"),
        one_model_at_a_time=True,
        is_emulated=True,
    )


def _install_with(target: str) -> str:
    return f"its compiler is not installed; python -m quantize.compile BUNDLE --for {target}"
