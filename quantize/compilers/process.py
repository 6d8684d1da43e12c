"""Runs a compiler in a process of its own, with a time limit."""

import os
import re
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path


class CompilerError(Exception):
    """A compiler refused a model, crashed or hung; the message is one line.

    Attributes:
        lines: what the compiler printed.
    """

    def __init__(self, message: str, lines: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.lines = tuple(lines)


@dataclass(frozen=True)
class Ended:
    """A compiler that ended.

    Attributes:
        lines: its standard output, then its standard error. They are read apart, because lines of
            one would otherwise run into lines of the other.
        seconds: wall time.
    """

    lines: tuple[str, ...]
    seconds: float


def run_compiler(
    command: Sequence[str | Path],
    time_limit: float,
    variables: Mapping[str, str] | None = None,
    folder: Path | None = None,
) -> Ended:
    """Runs a compiler.

    Args:
        command: the program and its arguments.
        time_limit: in seconds; then the process and its children are killed.
        variables: additional environment variables.
        folder: working folder.

    Raises:
        CompilerError: it ended with an error or did not end.
    """
    started = time.monotonic()
    process = subprocess.Popen(
        [str(part) for part in command],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
        env={**os.environ, **(variables or {})},
        cwd=folder,
        start_new_session=True,
    )
    try:
        output, complaints = process.communicate(timeout=time_limit)
    except subprocess.TimeoutExpired:
        raise CompilerError(
            f"no result within {time_limit:g} s; --time-limit allows more"
        ) from None
    finally:
        _kill_group(process)
    lines = (*output.splitlines(), *complaints.splitlines())
    if process.returncode < 0:
        name = signal.Signals(-process.returncode).name
        raise CompilerError(f"the compiler crashed ({name}): {complaint(lines)}", lines)
    if process.returncode:
        raise CompilerError(complaint(lines), lines)
    return Ended(lines, time.monotonic() - started)


def complaint(lines: Sequence[str]) -> str:
    """The line that says best why a compiler failed: the last with an error, else the last.

    Lines that only name places in source files, such as `ERROR: [file.cc:12]`, say nothing.
    """
    told = [line.strip() for line in lines if re.sub(r"ERROR:|\[\S*:\d+\]", "", line).strip()]
    signs = ("error", "unsupported", "cannot", "invalid", "unexpected")
    errors = [line for line in told if any(sign in line.lower() for sign in signs)]
    return next(reversed(errors or told), "no message")


def _kill_group(process: subprocess.Popen[str]) -> None:
    """Ends what the compiler started and left behind."""
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        return
    process.wait()
