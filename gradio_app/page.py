"""The page: its components, and which function answers what people do with them."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gradio as gr
from PIL import Image

from gradio_app.comparison import COLUMNS
from gradio_app.handlers import (
    App,
    draw_plot,
    open_link,
    run_comparison,
    sentence,
    take_models,
    take_photo,
    tick_labels,
)
from gradio_app.models import ModelChoice
from gradio_app.photos import Photo
from train.errors import UserError

INTRODUCTION = """# Pocket Bokeh
A phone's lens is too small to blur a background; a small network learned to. **Here its number
formats stand side by side, pixel by pixel: is int8 good enough?** Drag the divider, or press a
mode above the picture."""

VIEWER_SCRIPT = """
const script = (name) => import(new URL(`viewer/${name}.js`, document.baseURI));
script('bring').then(({takeFromAnywhere}) => takeFromAnywhere('#upload input[type=file]'));
script('viewer').then(({attach}) => {
    const viewer = attach(element.querySelector('.viewer'));
    const show = () => { if (props.value) viewer.show(JSON.parse(props.value)); };
    watch('value', show);
    show();
});
"""

_THUMBNAIL = (240, 180)
_UPLOADS_KEPT = (600, 3600)
"""Seconds: how often the framework looks, and after which it deletes what visitors uploaded."""

_DATATYPES: Any = ["str", *["number"] * (len(COLUMNS) - 2), "str"]
PHOTO_ENDINGS = [".jpg", ".jpeg", ".png", ".webp", ".heic", ".heif", ".tif", ".tiff", ".gif"]

# An API of this page would be a promise; it is made when someone needs it.
_QUIET: dict[str, Any] = {"api_visibility": "private"}
_UNSEEN: dict[str, Any] = {"show_progress": "hidden", **_QUIET}


@dataclass(frozen=True)
class Parts:
    """The components that events read or fill.

    Attributes:
        photo: what is compared on, in the visitor's session.
        own: the visitor's models, in the same.
        figures: of the last comparison, for the plot, in the same.
        link: what stands behind the # of the page's address.
        gallery, upload, camera: where a photo comes from.
        ticks: which models are compared.
        models: where a visitor's models come from, if they are taken.
        again, stop: buttons.
        status: what goes on.
        viewer: the pictures.
        numbers, download, across, up, plot: the figures.
        accelerators, matrix: the tab, and what is in it.
    """

    photo: gr.State
    own: gr.State
    figures: gr.State
    link: gr.Textbox
    gallery: gr.Gallery
    upload: gr.File
    camera: gr.Image
    ticks: gr.CheckboxGroup
    models: gr.File | None
    again: gr.Button
    stop: gr.Button
    status: gr.HTML
    viewer: gr.HTML
    numbers: gr.Dataframe
    download: gr.DownloadButton
    across: gr.Radio
    up: gr.Radio
    plot: gr.ScatterPlot
    accelerators: gr.Tab
    matrix: gr.HTML


def build_page(app: App) -> gr.Blocks:
    """Builds the page."""
    with gr.Blocks(
        title="Pocket Bokeh", analytics_enabled=False, delete_cache=_UPLOADS_KEPT, fill_width=True
    ) as page:
        parts = _lay_out(app)
        _connect_photos(app, page, parts)
        _connect_models(app, parts)
        _connect_findings(app, parts)
    return page


def _lay_out(app: App) -> Parts:
    unseen: dict[str, Any] = {
        "photo": gr.State(None),
        "own": gr.State([]),
        "figures": gr.State(None),
        "link": gr.Textbox(visible=False),
    }
    gr.Markdown(INTRODUCTION, elem_id="introduction")
    with gr.Row(elem_id="bench"):
        with gr.Column(scale=1, min_width=280, elem_id="choices"):
            choices = _photo_components(app) | _model_components(app)
        with gr.Column(scale=4, min_width=320, elem_id="result"):
            result = _result_components()
    with gr.Tabs(elem_id="findings"):
        with gr.Tab("Numbers"):
            numbers = _number_components()
        with gr.Tab("Accelerators") as accelerators:
            matrix = gr.HTML("…", elem_id="matrix")
        with gr.Tab("What is what"):
            gr.Markdown(EXPLANATIONS)
    return Parts(**unseen, **choices, **result, **numbers, accelerators=accelerators, matrix=matrix)


def _photo_components(app: App) -> dict[str, Any]:
    gallery = gr.Gallery(
        [(str(file), name) for name, file in _write_thumbnails(app).items()],
        label="1 · A photo: an example",
        columns=3,
        object_fit="cover",
        height=250,
        buttons=[],
        allow_preview=False,
        interactive=False,
        elem_id="examples",
    )
    # A file rather than an image: our own reader honours orientation and colour profile, knows
    # HEIC, and says in a sentence what is wrong with a damaged one.
    upload = gr.File(
        label="or your own",
        type="filepath",
        file_types=PHOTO_ENDINGS,
        height=120,
        elem_id="upload",
    )
    with gr.Accordion("or from camera or clipboard", open=False):
        camera = gr.Image(
            sources=["webcam", "clipboard"],
            type="filepath",
            format="png",
            show_label=False,
            height=220,
            webcam_options=gr.WebcamOptions(mirror=False),
            elem_id="camera",
        )
        # Of this one alone; the framework's own reading ends in a traceback on a damaged file.
        camera.preprocess = _path_of  # type: ignore[method-assign, assignment]
    return {"gallery": gallery, "upload": upload, "camera": camera}


def _path_of(file: Any) -> str | None:
    return None if file is None else str(file.path)


def _model_components(app: App) -> dict[str, Any]:
    ticks = gr.CheckboxGroup(
        tick_labels(app.models, {}),
        value=[model.key for model in app.models],
        label=f"2 · The models of {app.bundle.name}",
        elem_id="models",
    )
    models = None
    if app.takes_models:
        with gr.Accordion("Add models of your own", open=False):
            models = gr.File(
                label=".tflite, or a bundle's files",
                type="filepath",
                file_count="multiple",
                height=120,
                elem_id="own_models",
            )
    again = gr.Button("Compare", variant="primary", size="sm", elem_id="compare")
    return {"ticks": ticks, "models": models, "again": again}


def _result_components() -> dict[str, Any]:
    with gr.Row(elem_id="progress"):
        status = gr.HTML(sentence("Opening an example …"), elem_id="status")
        stop = gr.Button("Stop", size="sm", scale=0, min_width=70, elem_id="stop")
    viewer = gr.HTML(
        "",
        html_template='<div class="viewer"></div>',
        js_on_load=VIEWER_SCRIPT,
        apply_default_css=False,
        elem_id="viewer",
    )
    return {"status": status, "stop": stop, "viewer": viewer}


def _number_components() -> dict[str, Any]:
    numbers = gr.Dataframe(
        headers=list(COLUMNS),
        datatype=_DATATYPES,
        interactive=False,
        show_label=False,
        elem_id="numbers",
        wrap=True,
    )
    gr.Markdown(
        "MB: of the model's file. ms: of one run of the model on one core of this server, without "
        "loading, fitting and the transfer of detail; a picture takes two. PSNR in dB, steps of "
        "255, over the whole picture at its own size; float32 is the network as trained.",
        elem_classes="fine-print",
    )
    download = gr.DownloadButton("Download as CSV", size="sm", elem_id="csv")
    with gr.Row():
        across = gr.Radio(["MB", "ms"], value="MB", label="across", elem_id="across")
        up = gr.Radio(
            ["PSNR to float32", "SSIM to float32", "PSNR to target", "SSIM to target"],
            value="PSNR to float32",
            label="up",
            elem_id="up",
        )
    plot = gr.ScatterPlot(
        x="MB", y="PSNR to float32", color="picture", height=320, show_label=False, elem_id="plot"
    )
    plotted = {"across": across, "up": up, "plot": plot}
    return {"numbers": numbers, "download": download, **plotted}


def _connect_photos(app: App, page: gr.Blocks, parts: Parts) -> None:
    def example_at(event: gr.SelectData) -> tuple[Photo, str]:
        return list(app.examples.values())[int(event.index)], sentence("Opening it …")

    chosen = [parts.photo, parts.status]
    opened = page.load(
        lambda fragment: open_link(app, fragment),
        parts.link,
        [parts.photo, parts.ticks],
        js="() => location.hash",
        **_QUIET,
    )
    uploaded = parts.upload.upload(
        # Emptied at once: the next photo can be brought the same way.
        lambda file: (*take_photo(file), None),
        parts.upload,
        [*chosen, parts.upload],
        **_UNSEEN,
    )
    selected = parts.gallery.select(example_at, None, chosen, **_UNSEEN)
    photographed = parts.camera.input(take_photo, parts.camera, chosen, **_UNSEEN)
    for event in (opened, uploaded, selected, photographed):
        _then_compare(app, event, parts)


def _connect_models(app: App, parts: Parts) -> None:
    def stop(request: gr.Request) -> None:
        app.end(str(request.session_hash))

    def bring(
        files: list[str], own: list[ModelChoice], keys: list[str]
    ) -> tuple[list[ModelChoice], Any, None]:
        try:
            return (*take_models(app, files, own, keys), None)
        except UserError as error:
            raise gr.Error(str(error), duration=None, print_exception=False) from error

    _then_compare(app, parts.ticks.input(lambda: None, **_QUIET), parts)
    _then_compare(app, parts.again.click(lambda: None, **_QUIET), parts)
    parts.stop.click(stop, None, None, concurrency_limit=None, **_QUIET)
    if parts.models is not None:
        brought = parts.models.upload(
            bring,
            [parts.models, parts.own, parts.ticks],
            [parts.own, parts.ticks, parts.models],
            show_progress_on=[parts.models],
            concurrency_limit=1,
            **_QUIET,
        )
        _then_compare(app, brought, parts)


def _connect_findings(app: App, parts: Parts) -> None:
    for axis in (parts.across, parts.up):
        axis.change(draw_plot, [parts.figures, parts.across, parts.up], parts.plot, **_UNSEEN)
    parts.accelerators.select(app.matrix, None, parts.matrix, show_progress="minimal", **_QUIET)


def _then_compare(app: App, event: Any, parts: Parts) -> None:
    def run(
        photo: Photo | None, keys: list[str], own: list[ModelChoice], request: gr.Request
    ) -> Iterator[tuple[Any, ...]]:
        yield from run_comparison(app, photo, keys, own, str(request.session_hash))

    event.success(
        run,
        [parts.photo, parts.ticks, parts.own],
        [
            parts.viewer,
            parts.numbers,
            parts.status,
            parts.figures,
            parts.download,
            parts.ticks,
        ],
        show_progress="minimal",
        show_progress_on=[parts.status],
        # All at once: they wait for their turn in `App.line`, and say how long.
        concurrency_limit=None,
        **_QUIET,
    ).then(draw_plot, [parts.figures, parts.across, parts.up], parts.plot, **_UNSEEN)


def _write_thumbnails(app: App) -> dict[str, Path]:
    folder = app.folder / "thumbnails"
    folder.mkdir(exist_ok=True)
    files = {}
    for name, photo in app.examples.items():
        files[name] = folder / f"{name}.jpg"
        image = Image.fromarray(photo.decode())
        image.thumbnail(_THUMBNAIL)
        image.save(files[name], quality=85)
    return files


EXPLANATIONS = """
**photo** is what you chose, untouched; **target**, on three of the examples, what a wide aperture
would have given. All others are one network in different number formats:

| | |
|---|---|
| float32 | as trained; what the others are held against |
| float16 | weights of half the size, for phone GPUs |
| dynamic_int8 | weights of a quarter, computed in floats |
| int8_ptq | integers throughout, ranges taken from photographs |
| int8_qat | integers throughout, fine-tuned as such; the one to ship |
| int16x8 | 16-bit activations, where int8 costs too much |

A model works at a fixed small size; its blur is brought back to the size of the photo, with the
photo's own detail where it stays sharp. Every picture here is a PNG without loss, shown as it is.
"""
