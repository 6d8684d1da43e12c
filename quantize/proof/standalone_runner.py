"""Runs .tflite files on one runtime, in an environment that has that runtime.

This script is not imported. It needs only NumPy and one interpreter, and `quantize.verify` starts
it in other environments, also under emulation.

    python standalone_runner.py RUNTIME < jobs

Each job is a line of JSON:

    model: a .tflite file
    inputs: an .npy file, N × 1 × h × w × c, in the model's input type
    outputs: the .npy file to write
    shape, type: of one output; the shape is 1 × 2h × 2w × 3 or 4
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
import os
import re
import resource
import subprocess
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


def _hexagon(job: Job) -> tuple[Run, str, str]:
    """Compiles for Qualcomm's Hexagon and emulates the compiled model bit by bit.

    ONNX Runtime loads the compiled model as the only node of an ONNX graph, and Qualcomm's library
    for x86 emulates the processor.
    """
    import onnxruntime
    import onnxruntime_qnn

    source, sink, context = _hexagon_context(job)
    graph = _context_graph(source, sink, context, job)
    libraries = Path(onnxruntime_qnn.__file__).parent
    onnxruntime.register_execution_provider_library(
        "qnn", str(libraries / "libonnxruntime_providers_qnn.so")
    )
    devices = [device for device in onnxruntime.get_ep_devices() if device.ep_name == "qnn"]
    options = onnxruntime.SessionOptions()
    options.add_provider_for_devices(devices[:1], {"backend_path": str(libraries / "libQnnHtp.so")})
    options.add_session_config_entry("session.disable_cpu_ep_fallback", "1")
    session = onnxruntime.InferenceSession(graph, sess_options=options)

    def run(photo: np.ndarray) -> np.ndarray:
        return session.run([sink], {source: photo})[0]

    return run, "wholly", ""


def _hexagon_context(job: Job) -> tuple[str, str, bytes]:
    """Compiles a model; returns the names of its input and output and the compiled context."""
    import ai_edge_litert
    from ai_edge_litert import schema_py_generated as schema
    from flatbuffers import flexbuffers

    folder = Path(ai_edge_litert.__file__).parent
    file = Path(job["outputs"]).with_suffix(".hexagon")
    # At level O3, float models are wrong; see `quantize.compilers.litert_plugin`.
    level = "O1" if job["type"] == "float32" else "O3"
    ended = subprocess.run(
        [
            str(folder / "tools" / "apply_plugin_main"),
            "--cmd=apply",
            f"--model={job['model']}",
            f"--o={file}",
            "--soc_manufacturer=Qualcomm",
            f"--soc_model={os.environ['HEXAGON_CHIP']}",
            f"--libs={folder / 'vendors' / 'qualcomm' / 'compiler'}",
            "--qualcomm_graph_io_tensor_mem_type=raw",  # not the phone's shared memory
            f"--qualcomm_optimization_level={level}",
        ],
        capture_output=True,
        text=True,
        errors="replace",
    )
    if ended.returncode:
        errors = [line for line in ended.stderr.splitlines() if "ERROR" in line] or ["no message"]
        raise RuntimeError(f"the compiler refused it: {errors[0]}")
    content = file.read_bytes()
    (graph,) = schema.ModelT.InitFromPackedBuf(content, 0).subgraphs
    if len(graph.operators) != 1:
        raise RuntimeError("not compiled in one part; only whole models can be emulated")
    part = flexbuffers.Loads(bytes(graph.operators[0].customOptions))
    start, size = part["bytecode_offset"], part["bytecode_size"]
    names = [graph.tensors[number].name for number in (graph.inputs[0], graph.outputs[0])]
    source, sink = (re.sub(r"\W", "_", name.decode()) for name in names)
    return source, sink, content[start : start + size]


def _context_graph(source: str, sink: str, context: bytes, job: Job) -> bytes:
    """An ONNX file whose only node is a compiled context."""
    from onnx import TensorProto, helper

    kind = {"uint8": TensorProto.UINT8, "float32": TensorProto.FLOAT}[job["type"]]
    shape = list(np.load(job["inputs"], mmap_mode="r").shape[1:])
    node = helper.make_node(
        "EPContext",
        [source],
        [sink],
        domain="com.microsoft",
        embed_mode=1,
        main_context=1,
        ep_cache_context=context,
        source="QNNExecutionProvider",
        partition_name="qnn_partition_0",
    )
    graph = helper.make_graph(
        [node],
        "compiled",
        [helper.make_tensor_value_info(source, kind, shape)],
        [helper.make_tensor_value_info(sink, kind, job["shape"])],
    )
    versions = [helper.make_opsetid("", 17), helper.make_opsetid("com.microsoft", 1)]
    return helper.make_model(graph, opset_imports=versions, ir_version=9).SerializeToString()


def _rockchip(job: Job) -> tuple[Run, str, str]:
    """Compiles for Rockchip's NPU and simulates it."""
    from rknn.api import RKNN

    toolkit = RKNN(verbose=False)
    toolkit.config(target_platform=os.environ["ROCKCHIP_CHIP"])
    for step in (
        lambda: toolkit.load_tflite(model=job["model"]),
        lambda: toolkit.build(do_quantization=False),
        lambda: toolkit.init_runtime(),  # without a target: the simulator
    ):
        if step() != 0:
            raise RuntimeError("the toolkit refused the model")

    def run(photo: np.ndarray) -> np.ndarray:
        (output,) = toolkit.inference(inputs=[photo], data_format="nhwc")
        return output

    return run, "wholly", ""


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
    "hexagon": ("onnxruntime", _hexagon),
    "rockchip": ("rknn.api", _rockchip),
}
"""The module and the loading function of each runtime."""


if __name__ == "__main__":
    main()
