"""Rockchip's processors, through the RKNN toolkit."""

import json
from collections.abc import Mapping
from pathlib import Path

from quantize.compilers.installation import Installation
from quantize.compilers.process import CompilerError, run_compiler
from quantize.compilers.report import Compiled
from quantize.convert.operators import list_operators

RKNN = Installation(
    "rockchip",
    "the package rknn-toolkit2 names no licence; Rockchip's terms are at "
    "https://github.com/airockchip/rknn-toolkit2.",
)

CHIPS: Mapping[str, str] = {
    "rk3562": "RK3562, 1 TOPS",
    "rk3566": "RK3566, 1 TOPS",
    "rk3576": "RK3576, 6 TOPS",
    "rk3588": "RK3588, 6 TOPS",
}

SCRIPT = Path(__file__).with_name("rockchip_script.py")


def compile_for_rockchip(model: Path, chip: str, output: Path, time_limit: float) -> Compiled:
    """Compiles a model with the RKNN toolkit, which takes a model wholly or not at all.

    Raises:
        CompilerError: the toolkit refuses the model, crashes or hangs.
    """
    made = output.with_name(f".{output.name}")
    try:
        ended = run_compiler(
            (RKNN.python, SCRIPT, model.resolve(), chip, made.resolve()), time_limit
        )
        answers = [line for line in ended.lines if line.startswith('{"')]
        if not answers or not made.is_file():
            raise CompilerError("the toolkit wrote no model")
        answer = json.loads(answers[-1])
        made.replace(output)
    finally:
        made.unlink(missing_ok=True)
    operators = len(list_operators(model.read_bytes()))
    return Compiled(
        model=model.name,
        target=f"rockchip:{chip}",
        verdict="wholly",
        compiler=f"rknn-toolkit2 {answer['version']}",
        operators=operators,
        taken=operators,
        partitions=1,
        bytes=output.stat().st_size,
        seconds=ended.seconds,
    )
