"""The page: choose a photo, see two recipes of it under one slider."""

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import gradio as gr
import skimage.data

from gradio_app.comparison import ORIGINAL, Comparison, Render, describe
from train.errors import UserError
from train.photo import write_photo

INTRODUCTION = """# Pocket Bokeh
A phone's lens is too small to blur a background; a small network learned to.
**Choose a photo, then drag the slider**: each side shows what one model makes of it.
`float32` is the network as trained; `float16` and `int8` are what phones run."""

_EXAMPLES: dict[str, Callable[[], Any]] = {
    "astronaut": skimage.data.astronaut,
    "cat": skimage.data.chelsea,
    "coffee": skimage.data.coffee,
}


def build_page(comparison: Comparison, folder: Path) -> gr.Blocks:
    """Builds the page.

    Args:
        comparison: renders photographs with one bundle.
        folder: a temporary folder for the pictures that the page shows.
    """
    examples = _write_examples(folder)
    with gr.Blocks(title="Pocket Bokeh", analytics_enabled=False) as page:
        gr.Markdown(INTRODUCTION)
        photo = gr.State(None)
        with gr.Row():
            with gr.Column(scale=1, min_width=300):
                # A file rather than an image: our own reader honours orientation and colour
                # profile, and says in a sentence what is wrong with a damaged one.
                upload = gr.File(label="A photo of your own", type="binary", height=180)
                gallery = gr.Gallery(
                    [str(file) for file in examples.values()],
                    label="or an example",
                    columns=len(examples),
                    object_fit="cover",
                    height=170,
                    buttons=[],
                    allow_preview=False,
                    interactive=False,
                )
                left = gr.Dropdown(comparison.choices, value=ORIGINAL, label="Left")
                right = gr.Dropdown(comparison.choices, value=comparison.choices[-1], label="Right")
            with gr.Column(scale=3, min_width=320):
                slider = gr.ImageSlider(
                    type="filepath", format="png", label="left | right", max_height=640
                )
                figures = gr.Markdown()
        shown = [slider, figures]

        def compare(content: bytes | None, *choices: str) -> tuple[Any, str]:
            return _compare(comparison, folder, content, choices)

        def choose_example(event: gr.SelectData) -> bytes:
            return list(examples.values())[event.index].read_bytes()

        # An API of this page would be a promise; it is made when someone needs it.
        quiet: dict[str, Any] = {"api_visibility": "private"}
        sides = [photo, left, right]
        upload.upload(lambda content: content, upload, photo, **quiet).then(
            compare, sides, shown, **quiet
        )
        gallery.select(choose_example, None, photo, **quiet).then(compare, sides, shown, **quiet)
        left.change(compare, sides, shown, **quiet)
        right.change(compare, sides, shown, **quiet)
        page.load(lambda: next(iter(examples.values())).read_bytes(), None, photo, **quiet).then(
            compare, sides, shown, **quiet
        )
    return page


def _compare(
    comparison: Comparison, folder: Path, content: bytes | None, choices: tuple[str, ...]
) -> tuple[Any, str]:
    """Both sides as lossless files for the slider, and the figures below it."""
    if content is None:
        return None, "Choose a photo to begin."
    try:
        left, right = (comparison.render(content, choice) for choice in choices)
    except UserError as error:
        return None, f"**{error}**"
    return (_write(folder, left), _write(folder, right)), describe(left, right)


def _write(folder: Path, render: Render) -> str:
    with tempfile.NamedTemporaryFile(dir=folder, suffix=".png", delete=False) as file:
        write_photo(file.name, render.picture)
    return file.name


def _write_examples(folder: Path) -> dict[str, Path]:
    files = {name: folder / f"{name}.png" for name in _EXAMPLES}
    for name, file in files.items():
        write_photo(file, _EXAMPLES[name]())
    return files
