"""An unknown or missing backend gives one line."""

import os
import subprocess
import sys

import pytest


@pytest.mark.parametrize(
    ("backend", "line"),
    [
        ("theano", "error: KERAS_BACKEND=theano: expected tensorflow, jax, torch"),
        ("jax", "error: KERAS_BACKEND=jax: jax is not installed; install it or use one of"),
    ],
)
def test_a_backend_that_is_not_there_is_one_line(backend: str, line: str) -> None:
    without = "import sys; sys.modules['jax'] = None; sys.argv[1:] = ['--help']; "
    ended = subprocess.run(
        [sys.executable, "-c", without + "import train.sequential"],
        env=os.environ | {"KERAS_BACKEND": backend},
        capture_output=True,
        text=True,
    )
    assert ended.returncode == 2
    assert ended.stderr.startswith(line)
    assert ended.stderr.count("\n") == 1
