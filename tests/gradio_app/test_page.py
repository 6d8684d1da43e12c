"""The components of the page."""

from pathlib import Path

from gradio_app.handlers import App
from gradio_app.page import build_page
from gradio_app.task_pool import TaskPool
from pocket_bokeh.bundle import Bundle


def test_the_page_takes_models_only_where_strangers_are_kept_out(
    bundle: Bundle, pool: TaskPool, tmp_path: Path
) -> None:
    app = App(bundle, pool, tmp_path)
    named = [block.elem_id for block in build_page(app).blocks.values()]
    assert "own_models" in named
    app.takes_models = False
    named = [block.elem_id for block in build_page(app).blocks.values()]
    assert "own_models" not in named
    assert "upload" in named
