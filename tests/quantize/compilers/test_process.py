"""Compilers that crash, hang or refuse end in one line; the loader takes the empty library."""

import ctypes
import os
import sys
import time
from pathlib import Path

import pytest

from quantize.compilers.empty_library import empty_library
from quantize.compilers.process import CompilerError, run_compiler


def test_a_crash_names_the_signal_and_the_last_words() -> None:
    script = "import os; print('reading the model', flush=True); os.abort()"
    with pytest.raises(CompilerError, match=r"crashed \(SIGABRT\): reading the model"):
        run_compiler([sys.executable, "-c", script], 60)


def test_a_hanging_compiler_is_stopped_with_its_children(tmp_path: Path) -> None:
    pid = tmp_path / "pid"
    script = f"sleep 60 & echo $! > {pid}; wait"
    with pytest.raises(CompilerError, match="no result within 1 s; --time-limit allows more"):
        run_compiler(["sh", "-c", script], 1)
    child = int(pid.read_text())
    for _ in range(100):  # until init has taken it away
        if not _is_running(child):
            return
        time.sleep(0.05)
    pytest.fail("the compiler's child still runs")


def _is_running(process: int) -> bool:
    try:
        state = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


def test_a_refusal_is_the_compilers_own_line() -> None:
    script = "print('loading'); print('ERROR: this chip is unknown'); print('bye'); exit(1)"
    with pytest.raises(CompilerError, match=r"^ERROR: this chip is unknown$"):
        run_compiler([sys.executable, "-c", script], 60)


@pytest.mark.skipif(
    sys.platform != "linux" or os.uname().machine != "x86_64", reason="a library for x86-64 Linux"
)
def test_the_loader_takes_the_empty_library(tmp_path: Path) -> None:
    file = tmp_path / "libEmpty.so"
    file.write_bytes(empty_library("libEmpty.so"))
    library = ctypes.CDLL(str(file))
    with pytest.raises(AttributeError):
        _ = library.anything
