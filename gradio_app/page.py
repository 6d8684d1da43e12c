"""The page: its components, and which function answers what people do with them."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gradio as gr
from PIL import Image

from gradio_app.comparison import COLUMNS, SPEED
from gradio_app.display import Shown, draw_plot, sentence, tick_labels
from gradio_app.handlers import (
    App,
    Update,
    Wish,
    choose_photo,
    next_order,
    run_comparison,
    take_models,
    update_speeds,
)
from gradio_app.models import ModelChoice
from gradio_app.opening import READ_TAB, begin
from gradio_app.photos import Photo
from gradio_app.visits import new_token
from pocket_bokeh.errors import UserError
from pocket_bokeh.photo import PHOTO_SUFFIXES

INTRODUCTION = """# Pocket Bokeh
A phone's lens is too small to blur a background; a small network learned to. **Here its number
formats stand side by side, pixel by pixel: is int8 good enough?** Drag the divider, or press a
mode above the picture."""

VIEWER_SCRIPT = """
const script = async (name) => {
    try {
        return await import(new URL(`viewer/${name}.js`, document.baseURI));
    } catch (error) {
        window.sayThatScriptsAreLacking?.();
        throw error;
    }
};
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
PHOTO_ENDINGS = [*PHOTO_SUFFIXES, ".gif"]

# An API of this page would be a promise; it is made when someone needs it.
_QUIET: dict[str, Any] = {"api_visibility": "private"}
_SPEEDS_EVERY = 5.0
"""Seconds between two looks whether times have become known."""
_UNSEEN: dict[str, Any] = {"show_progress": "hidden", **_QUIET}


@dataclass(frozen=True)
class Parts:
    """The components that events read or fill.

    Attributes:
        photo: what is compared on next, in the visitor's session.
        shown: what the page shows, in the same.
        own: the visitor's models, in the same.
        visit: the token by which a reload finds all this, in the same.
        order: changes when a comparison is to begin, in the same.
        figures: of the last comparison, for the plot, in the same.
        clock: ticks while times are being taken.
        tab: what the browser tab tells when the page opens.
        gallery, upload, camera: where a photo comes from.
        ticks: which models are compared.
        models: where a visitor's models come from, if they are taken.
        again, stop: buttons.
        status: what goes on.
        notice: what is wrong with what the visitor chose.
        viewer: the pictures.
        numbers, download, across, up, plot: the figures.
        accelerators, matrix: the tab, and what is in it.
    """

    photo: gr.State
    shown: gr.State
    own: gr.State
    visit: gr.State
    order: gr.State
    figures: gr.State
    clock: gr.Timer
    tab: gr.Textbox
    gallery: gr.Gallery
    upload: gr.File
    camera: gr.Image
    ticks: gr.CheckboxGroup
    models: gr.File | None
    again: gr.Button
    stop: gr.Button
    status: gr.HTML
    notice: gr.HTML
    viewer: gr.HTML
    numbers: gr.Dataframe
    download: gr.DownloadButton
    across: gr.Radio
    up: gr.Radio
    plot: gr.ScatterPlot
    accelerators: gr.Tab
    matrix: gr.HTML

    @property
    def updated(self) -> list[Any]:
        """What an `Update` fills, in its order."""
        return [
            self.viewer,
            self.numbers,
            self.status,
            self.notice,
            self.figures,
            self.download,
            self.plot,
            self.photo,
            self.shown,
            self.gallery,
            self.clock,
        ]


def build_page(app: App) -> gr.Blocks:
    """Builds the page."""
    with gr.Blocks(
        title="Pocket Bokeh", analytics_enabled=False, delete_cache=_UPLOADS_KEPT, fill_width=True
    ) as page:
        parts = _lay_out(app)
        _connect_beginning(app, page, parts)
        _connect_photos(app, parts)
        _connect_models(app, parts)
        _connect_comparison(app, parts)
        _connect_findings(app, parts)
    return page


def _lay_out(app: App) -> Parts:
    unseen: dict[str, Any] = {
        "photo": gr.State(None),
        "shown": gr.State(None),
        "own": gr.State([]),
        "visit": gr.State(""),
        "order": gr.State(0),
        "figures": gr.State(None),
        "clock": gr.Timer(_SPEEDS_EVERY, active=False),
        "tab": gr.Textbox(visible=False),
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
        tick_labels(app.models),
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
    notice = gr.HTML("", elem_id="notice")
    viewer = gr.HTML(
        "",
        html_template='<div class="viewer"></div>',
        js_on_load=VIEWER_SCRIPT,
        apply_default_css=False,
        elem_id="viewer",
    )
    return {"status": status, "notice": notice, "stop": stop, "viewer": viewer}


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
        "MB: of the model's file. ms: of one run of the model alone on one core of the computer "
        "that serves this page, not of a phone; the median of five, taken while nothing else runs "
        "there, so they come later, or on a busy computer not at all. A picture takes two runs. "
        "PSNR in dB, steps of 255, over the whole picture at its own size; float32 is the network "
        "as trained.",
        elem_classes="fine-print",
    )
    download = gr.DownloadButton("Download as CSV", size="sm", elem_id="csv")
    with gr.Row():
        across = gr.Radio(["MB", SPEED], value="MB", label="across", elem_id="across")
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


def _connect_beginning(app: App, page: gr.Blocks, parts: Parts) -> None:
    def opened(told: str, request: gr.Request) -> tuple[Any, ...]:
        photo, own, keys, notice = begin(app, told)
        ticks = gr.CheckboxGroup(tick_labels([*app.models, *own]), value=keys)
        return photo, own, new_token(), ticks, notice, next_order(app, _session(request))

    page.load(
        opened,
        parts.tab,
        [parts.photo, parts.own, parts.visit, parts.ticks, parts.notice, parts.order],
        js=READ_TAB,
        **_UNSEEN,
    )


def _connect_photos(app: App, parts: Parts) -> None:
    def example_at(event: gr.SelectData, request: gr.Request) -> tuple[Any, ...]:
        photo = list(app.examples.values())[int(event.index)]
        order = next_order(app, _session(request))
        return photo, sentence(f"Opening {photo.name} …"), "", order

    def taken(file: str | None, shown: Photo | None, request: gr.Request) -> tuple[Any, ...]:
        photo, notice = choose_photo(file, shown)
        if notice:  # what was chosen before goes on
            return gr.skip(), gr.skip(), notice, gr.skip()
        order = next_order(app, _session(request))
        return photo, sentence(f"Reading {photo.name} …"), notice, order

    def uploaded(file: str | None, shown: Photo | None, request: gr.Request) -> tuple[Any, ...]:
        # Emptied at once: the next photo can be brought the same way.
        return (*taken(file, shown, request), None)

    chosen = [parts.photo, parts.status, parts.notice, parts.order]
    # Each choice counts, in the order in which they were made: none is dropped while the one
    # before is being answered.
    each: dict[str, Any] = {"trigger_mode": "multiple", "concurrency_limit": 1, **_UNSEEN}
    parts.gallery.select(example_at, None, chosen, **each)
    parts.upload.upload(uploaded, [parts.upload, parts.shown], [*chosen, parts.upload], **each)
    parts.camera.input(taken, [parts.camera, parts.shown], chosen, **each)


def _session(request: gr.Request) -> str:
    return str(request.session_hash)


def _connect_models(app: App, parts: Parts) -> None:
    def stop(request: gr.Request) -> None:
        app.end(_session(request), is_stop=True)

    def anew(request: gr.Request) -> int:
        return next_order(app, _session(request))

    def bring(
        files: list[str], own: list[ModelChoice], keys: list[str], request: gr.Request
    ) -> tuple[list[ModelChoice], Any, None, int]:
        try:
            together, ticks = take_models(app, files, own, keys)
        except UserError as error:
            raise gr.Error(str(error), duration=None, print_exception=False) from error
        return together, ticks, None, anew(request)

    # With the ticks as they are by then.
    latest: dict[str, Any] = {"trigger_mode": "always_last", **_UNSEEN}
    parts.ticks.input(anew, None, parts.order, **latest)
    parts.again.click(anew, None, parts.order, **latest)
    parts.stop.click(stop, None, None, concurrency_limit=None, **_QUIET)
    if parts.models is not None:
        parts.models.upload(
            bring,
            [parts.models, parts.own, parts.ticks],
            [parts.own, parts.ticks, parts.models, parts.order],
            show_progress_on=[parts.models],
            concurrency_limit=1,
            **_QUIET,
        )


def _connect_comparison(app: App, parts: Parts) -> None:
    def run(
        photo: Photo | None,
        keys: list[str],
        own: list[ModelChoice],
        shown: Photo | None,
        visit: str,
        request: gr.Request,
    ) -> Iterator[Update]:
        wish = Wish(photo, keys, own, shown, visit)
        yield from run_comparison(app, wish, _session(request))

    # One event for all comparisons of a visitor: each begins when the one before has ended, so
    # that nothing of an older one can come after something of a newer one.
    parts.order.change(
        run,
        [parts.photo, parts.ticks, parts.own, parts.shown, parts.visit],
        parts.updated,
        trigger_mode="always_last",
        # All visitors' at once: they wait for their turn in `App.line`, and say how long.
        concurrency_limit=None,
        **_UNSEEN,
    ).then(
        draw_plot,
        [parts.figures, parts.across, parts.up],
        parts.plot,
        trigger_mode="always_last",
        **_UNSEEN,
    )


def _connect_findings(app: App, parts: Parts) -> None:
    def tick(
        shown: Shown | None, horizontal: str, vertical: str, request: gr.Request
    ) -> tuple[Any, ...]:
        return update_speeds(app, shown, horizontal, vertical, _session(request))

    drawn = [parts.figures, parts.across, parts.up]
    for axis in (parts.across, parts.up):
        axis.change(draw_plot, drawn, parts.plot, **_UNSEEN)
    parts.clock.tick(tick, drawn, parts.updated, **_UNSEEN)
    parts.accelerators.select(app.matrix, None, parts.matrix, show_progress="minimal", **_QUIET)


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
