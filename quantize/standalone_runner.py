"""Runs .tflite files on one runtime, in whatever environment has that runtime.

Not a part of the package that is imported: a script of numpy and one interpreter, which
`quantize.verify` starts in other environments, under emulation too.

    python standalone_runner.py RUNTIME < jobs

A job is a line of JSON: `model` (a .tflite file), `inputs` (an .npy of N × 1 × h × w × c in the
model's own type), `outputs` (the .npy to write) and of one output its `shape`, 1 × 2h × 2w × 3, and
`type`. Each job is answered by a line of JSON: `verdict` (wholly, partly or no) and `reason`.
"""

import json
import sys
from collections.abc import Callable
from typing import Any

import numpy as np

# What a job's model is loaded into: takes one input, gives one output.
Run = Callable[[np.ndarray], np.ndarray]
Job = dict[str, Any]


def main() -> None:
    load = LOADERS[sys.argv[1]]
    for line in sys.stdin:
        job = json.loads(line)
        try:
            run, verdict, reason = load(job)
            outputs = [run(photo) for photo in np.load(job["inputs"])]
            np.save(job["outputs"], np.stack(outputs))
        except Exception as error:  # whatever it is: this model does not run here, the next may
            verdict, reason = "no", " ".join(str(error).split()) or type(error).__name__
        print(json.dumps({"verdict": verdict, "reason": reason}), flush=True)


def _litert(job: Job, reference: bool = False) -> tuple[Run, str, str]:
    from ai_edge_litert import interpreter

    kernels = interpreter.OpResolverType
    resolver = kernels.BUILTIN_REF if reference else kernels.AUTO
    loaded = interpreter.Interpreter(
        job["model"], experimental_op_resolver_type=resolver, num_threads=2
    )
    return _interpreted(loaded)


def _litert_reference(job: Job) -> tuple[Run, str, str]:
    return _litert(job, reference=True)


def _tflite_runtime(job: Job) -> tuple[Run, str, str]:
    from tflite_runtime.interpreter import Interpreter

    return _interpreted(Interpreter(job["model"], num_threads=2))


def _tensorflow(job: Job) -> tuple[Run, str, str]:
    import tensorflow as tf

    return _interpreted(tf.lite.Interpreter(job["model"], num_threads=2))


def _interpreted(interpreter: Any) -> tuple[Run, str, str]:
    """An interpreter runs all of a model or refuses it; it never leaves a part to another."""
    interpreter.allocate_tensors()
    (source,), (sink,) = interpreter.get_input_details(), interpreter.get_output_details()

    def run(photo: np.ndarray) -> np.ndarray:
        interpreter.set_tensor(source["index"], photo)
        interpreter.invoke()
        return interpreter.get_tensor(sink["index"]).copy()

    return run, "wholly", ""


def _gpu_delegate(job: Job) -> tuple[Run, str, str]:
    """Alone where it takes every operator, else with the CPU for the rest."""
    from ai_edge_litert.compiled_model import CompiledModel
    from ai_edge_litert.hardware_accelerator import HardwareAccelerator

    try:
        compiled = CompiledModel.from_file(job["model"], hardware_accel=HardwareAccelerator.GPU)
        verdict, reason = "wholly", ""
    except RuntimeError as error:
        both = HardwareAccelerator.GPU | HardwareAccelerator.CPU
        compiled = CompiledModel.from_file(job["model"], hardware_accel=both)
        verdict, reason = "partly", " ".join(str(error).split())
    sources, sinks = compiled.create_input_buffers(0), compiled.create_output_buffers(0)
    kind = np.dtype(job["type"]).type

    def run(photo: np.ndarray) -> np.ndarray:
        sources[0].write(np.ascontiguousarray(photo))
        compiled.run_by_index(0, sources, sinks)
        values = sinks[0].read(int(np.prod(job["shape"])), kind)
        return np.array(values).reshape(job["shape"])

    return run, verdict, reason


LOADERS: dict[str, Callable[[Job], tuple[Run, str, str]]] = {
    "litert_cpu": _litert,
    "litert_reference": _litert_reference,
    "tensorflow": _tensorflow,
    "tflite_runtime": _tflite_runtime,
    "gpu_delegate": _gpu_delegate,
    "arm64": _litert,
}


if __name__ == "__main__":
    main()
