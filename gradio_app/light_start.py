"""Imports Gradio without the work that it does for editors alone."""

import gc
import inspect
from collections.abc import Iterator
from contextlib import contextmanager
from unittest import mock


@contextmanager
def nothing_collected() -> Iterator[None]:
    """For the making of what stays: millions of objects, and none of them is garbage.

    Python looks through all of them again and again while they are made, a tenth of the start,
    and afterwards no more: what is there when this ends is not looked at again.
    """
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()


def import_gradio() -> None:
    """Imports `gradio` in two thirds of its time.

    Whenever it is imported, Gradio parses its own source files and compares them with stubs for
    editors that lie beside them, unless it is told that a class has no file.
    """
    with mock.patch.object(inspect, "getfile", side_effect=OSError("no stubs are wanted")):
        import gradio  # noqa: F401 - for those who import it after this
