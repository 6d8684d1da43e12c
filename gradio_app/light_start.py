"""Imports Gradio without the work that it does for editors alone."""

import inspect
from unittest import mock


def import_gradio() -> None:
    """Imports `gradio` in two thirds of its time.

    Whenever it is imported, Gradio parses its own source files and compares them with stubs for
    editors that lie beside them, unless it is told that a class has no file.
    """
    with mock.patch.object(inspect, "getfile", side_effect=OSError("no stubs are wanted")):
        import gradio  # noqa: F401 - for those who import it after this
