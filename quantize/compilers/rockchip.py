"""Rockchip's processors, through the RKNN toolkit."""

import json
import re
from collections.abc import Mapping, Sequence
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
    except CompilerError as error:
        made.unlink(missing_ok=True)
        raise CompilerError(failure(error.lines) or str(error), error.lines) from error
    try:
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


def failure(lines: Sequence[str]) -> str:
    """The toolkit's reason in one line, without colours; empty if it gave none.

    It prints a Python error, and then advice about reporting it.
    """
    plain = [re.sub(r"\x1b\[[0-9;]*m", "", line).strip() for line in lines]
    told = [line for line in plain if re.match(r"(E |\w+Error: )", line)]
    advice = ("rknn-toolkit2 version", "Traceback", "Catch exception", "If the error", "please")
    reasons = [line.removeprefix("E ") for line in told if not any(word in line for word in advice)]
    return reasons[-1] if reasons else ""
