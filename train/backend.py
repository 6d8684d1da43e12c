"""Checks Keras's backend before Keras is imported."""

import sys
from importlib.util import find_spec

BACKENDS = ("tensorflow", "jax", "torch")
"""The backends that Keras can train on."""


def exit_without_backend(name: str) -> None:
    """Exits with status 2 and one line if Keras's backend is unknown or not installed.

    Args:
        name: the value of the environment variable KERAS_BACKEND.
    """
    if name not in BACKENDS:
        _exit(f"KERAS_BACKEND={name}: expected {', '.join(BACKENDS)}")
    if find_spec(name) is None:
        others = ", ".join(BACKENDS)
        _exit(f"KERAS_BACKEND={name}: {name} is not installed; install it or use one of {others}")


def _exit(message: str) -> None:
    print(f"error: {message}", file=sys.stderr)
    sys.exit(2)
