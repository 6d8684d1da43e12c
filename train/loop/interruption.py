"""Delays Ctrl-C until a computation is done; inside one, JAX loses the signal or crashes."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def uninterrupted() -> Iterator[None]:
    """Delays Ctrl-C until the end of the block; a second Ctrl-C interrupts at once.

    Raises:
        KeyboardInterrupt: at the end of the block, if Ctrl-C was pressed inside it.
    """
    before = signal.getsignal(signal.SIGINT)
    asked = False

    def ask(number: int, frame: Any) -> None:
        nonlocal asked
        if asked:
            raise KeyboardInterrupt
        asked = True

    # Leave the handler alone in a background job, which ignores Ctrl-C, and outside the main
    # thread, which alone may set handlers.
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
