"""Runs .tflite files on one runtime, in an environment that has that runtime.

This script is not imported. It needs only NumPy and one interpreter, and `quantize.verify` starts
it in other environments, also under emulation.

    python standalone_runner.py RUNTIME < jobs

Each job is a line of JSON:

    model: a .tflite file
    inputs: an .npy file, N × 1 × h × w × c, in the model's input type
    outputs: the .npy file to write
    shape, type: of one output; the shape is 1 × 2h × 2w × 3
    threads: number of CPU threads
    repeats: optional; renders the first input this often and measures the time

Each answer is a line of JSON:

    verdict: wholly, partly or no
    reason: why not wholly
    seconds: with repeats, the time of each
    memory_bytes: with repeats, peak memory of the process before and after
"""

import importlib
import json
import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

LEAN_XNNPACK = 0x23
"""XNNPACK's flags for int8, uint8 and transient indirection buffers. Indirection buffers hold 8
bytes per pixel and kernel tap; transient ones exist for one convolution at a time."""

# A loaded model: one input to one output.
Run = Callable[[np.ndarray], np.ndarray]
Job = dict[str, Any]


def main() -> None:
    module, load = LOADERS[sys.argv[1]]
    importlib.import_module(module)  # before the memory of the first model is measured
    for line in sys.stdin:
        job = json.loads(line)
        figures: dict[str, Any] = {}
        try:
            before = _memory_bytes()
            run, verdict, reason = load(job)
            photos = np.load(job["inputs"])
            outputs = [run(photo) for photo in photos]
            np.save(job["outputs"], np.stack(outputs))
            if job.get("repeats"):
                figures["seconds"] = [_seconds(run, photos[0]) for _ in range(job["repeats"])]
                figures["memory_bytes"] = [before, _memory_bytes()]
        except Exception as error:  # any error: this model does not run, but the next one may
            verdict, reason = "no", " ".join(str(error).split()) or type(error).__name__
        print(json.dumps({"verdict": verdict, "reason": reason, **figures}), flush=True)


def _seconds(run: Run, photo: np.ndarray) -> float:
    started = time.perf_counter()
    run(photo)
    return time.perf_counter() - started


def _memory_bytes() -> int:
    """Peak memory of this process."""
    status = Path("/proc/self/status")
    if status.is_file():  # on Linux, getrusage starts with the parent process's peak
        (peak,) = (line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
        return int(peak.split()[1]) * 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss  # macOS, in bytes


def _litert(job: Job, reference: bool = False) -> tuple[Run, str, str]:
    from ai_edge_litert import interpreter

    kernels = interpreter.OpResolverType
    resolver = kernels.BUILTIN_REF if reference else kernels.AUTO
    loaded = interpreter.Interpreter(
        job["model"], experimental_op_resolver_type=resolver, num_threads=job["threads"]
    )
    return _interpreted(loaded)


def _litert_reference(job: Job) -> tuple[Run, str, str]:
    return _litert(job, reference=True)


def _tflite_runtime(job: Job) -> tuple[Run, str, str]:
    from tflite_runtime.interpreter import Interpreter

    return _interpreted(Interpreter(job["model"], num_threads=job["threads"]))


def _tensorflow(job: Job) -> tuple[Run, str, str]:
    import tensorflow as tf

    return _interpreted(tf.lite.Interpreter(job["model"], num_threads=job["threads"]))


def _interpreted(interpreter: Any) -> tuple[Run, str, str]:
    """Prepares an interpreter, which runs a model completely or not at all."""
    interpreter.allocate_tensors()
    (source,), (sink,) = interpreter.get_input_details(), interpreter.get_output_details()

    def run(photo: np.ndarray) -> np.ndarray:
        interpreter.set_tensor(source["index"], photo)
        interpreter.invoke()
        return interpreter.get_tensor(sink["index"]).copy()

    return run, "wholly", ""


def _litert_lean(job: Job) -> tuple[Run, str, str]:
    from ai_edge_litert.compiled_model import CompiledModel
    from ai_edge_litert.hardware_accelerator import HardwareAccelerator
    from ai_edge_litert.options import CpuOptions, Options

    cpu = CpuOptions(num_threads=job["threads"], xnnpack_flags=LEAN_XNNPACK)
    options = Options(hardware_accelerators=HardwareAccelerator.CPU, cpu_options=cpu)
    return _compiled(CompiledModel.from_file(job["model"], options=options), job), "wholly", ""


def _gpu_delegate(job: Job) -> tuple[Run, str, str]:
    """Runs on the GPU alone if it supports every operator, otherwise with the CPU for the rest."""
    from ai_edge_litert.compiled_model import CompiledModel
    from ai_edge_litert.hardware_accelerator import HardwareAccelerator

    try:
        compiled = CompiledModel.from_file(job["model"], hardware_accel=HardwareAccelerator.GPU)
        verdict, reason = "wholly", ""
    except RuntimeError as error:
        both = HardwareAccelerator.GPU | HardwareAccelerator.CPU
        compiled = CompiledModel.from_file(job["model"], hardware_accel=both)
        verdict, reason = "partly", " ".join(str(error).split())
    return _compiled(compiled, job), verdict, reason


def _compiled(compiled: Any, job: Job) -> Run:
    sources, sinks = compiled.create_input_buffers(0), compiled.create_output_buffers(0)
    kind = np.dtype(job["type"]).type

    def run(photo: np.ndarray) -> np.ndarray:
        sources[0].write(np.ascontiguousarray(photo))
        compiled.run_by_index(0, sources, sinks)
        values = sinks[0].read(int(np.prod(job["shape"])), kind)
        return np.array(values).reshape(job["shape"])

    return run


Load = Callable[[Job], tuple[Run, str, str]]

LOADERS: dict[str, tuple[str, Load]] = {
    "litert_cpu": ("ai_edge_litert.interpreter", _litert),
    "litert_reference": ("ai_edge_litert.interpreter", _litert_reference),
    "litert_lean": ("ai_edge_litert.compiled_model", _litert_lean),
    "tensorflow": ("tensorflow", _tensorflow),
    "tflite_runtime": ("tflite_runtime.interpreter", _tflite_runtime),
    "gpu_delegate": ("ai_edge_litert.compiled_model", _gpu_delegate),
    "arm64": ("ai_edge_litert.interpreter", _litert),
}
"""The module and the loading function of each runtime."""


if __name__ == "__main__":
    main()
