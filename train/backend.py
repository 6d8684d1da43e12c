"""Which library Keras trains on, checked before Keras is imported."""

import sys
from importlib.util import find_spec

BACKENDS = ("tensorflow", "jax", "torch")
"""What Keras can train on."""


def exit_without_backend(name: str) -> None:
    """Ends the program with one line where Keras's backend is unknown or not installed.

    Args:
        name: as in the environment variable KERAS_BACKEND.
    """
    if name not in BACKENDS:
        _exit(f"KERAS_BACKEND={name}: expected {', '.join(BACKENDS)}")
    if find_spec(name) is None:
        why = f"KERAS_BACKEND={name}: {name} is not installed here; install it, or set another of"
        _exit(f"{why} {', '.join(BACKENDS)}")


def _exit(message: str) -> None:
    print(f"error: {message}", file=sys.stderr)
    sys.exit(2)
