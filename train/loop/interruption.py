"""Ctrl-C between two computations rather than inside one, where JAX loses it or dies of it."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def uninterrupted() -> Iterator[None]:
    """Holds Ctrl-C back until the block is done; pressed again, it interrupts at once.

    Raises:
        KeyboardInterrupt: at the end of the block, where Ctrl-C came inside it.
    """
    before = signal.getsignal(signal.SIGINT)
    asked = False

    def ask(number: int, frame: Any) -> None:
        nonlocal asked
        if asked:
            raise KeyboardInterrupt
        asked = True

    # A background job ignores Ctrl-C, and another thread has no say in it: both stay as they are.
    ours = before is signal.default_int_handler
    ours = ours and threading.current_thread() is threading.main_thread()
    if ours:
        signal.signal(signal.SIGINT, ask)
    try:
        yield
    finally:
        if ours:
            signal.signal(signal.SIGINT, before)
    if asked:
        raise KeyboardInterrupt
