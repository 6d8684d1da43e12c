"""The page: its components, and the functions that handle their events."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import gradio as gr

from gradio_app.display import draw_plot, sentence, tick_labels
from gradio_app.handlers import (
    App,
    ComparisonRequest,
    PageUpdate,
    choose_photo,
    next_order,
    run_comparison,
    take_models,
    update_speeds,
)
from gradio_app.measurements import (
    COLUMNS,
    PSNR_TO_FLOAT32,
    TO_CHOOSE_HORIZONTALLY,
    TO_CHOOSE_VERTICALLY,
    Measurements,
)
from gradio_app.model_catalogue import ModelChoice
from gradio_app.page_load import READ_TAB, start_state
from gradio_app.page_text import (
    EXPLANATIONS,
    HEADING,
    MEASUREMENT_NOTES,
    RESEARCH_ONLY,
    model_card,
)
from gradio_app.photos import Photo
from gradio_app.speed import computer_name
from gradio_app.visits import new_token
from gradio_app.wishes import read_wish
from pocket_bokeh.errors import UserError
from pocket_bokeh.focus_map import Point
from pocket_bokeh.photo import PHOTO_SUFFIXES

VIEWER_SCRIPT = """
const script = async (name) => {
    try {
        return await import(new URL(`viewer/${name}.js`, document.baseURI));
    } catch (error) {
        window.reportMissingScript?.();
        throw error;
    }
};
script('viewer').then(({attach}) => {
    const viewer = attach(element.querySelector('.viewer'), (wish) => {
        trigger('submit', wish);
        // Gradio loses an answer if it closes its stream while the wish is on its way. Any later
        // event opens the stream again, and these change nothing. On a busy server the first may
        // come too early.
        for (const later of [1000, 6000]) setTimeout(() => trigger('submit', {}), later);
    });
    const show = () => { if (props.value) viewer.show(JSON.parse(props.value)); };
    watch('value', show);
    show();
});
"""

_UPLOADS_KEPT = (600, 3600)
"""Seconds: how often Gradio looks for old uploads, and the age at which it deletes them."""

_DATATYPES: Any = ["str", *["number"] * (len(COLUMNS) - 2), "str"]
PHOTO_ENDINGS = [*PHOTO_SUFFIXES, ".gif"]

_SPEEDS_EVERY = 5.0
"""Seconds between two looks for new run times."""

# The page has no public API: nobody has asked for one, and it would have to be kept stable.
_PRIVATE: dict[str, Any] = {"api_visibility": "private"}
_SILENT: dict[str, Any] = {"show_progress": "hidden", **_PRIVATE}


@dataclass(frozen=True)
class Parts:
    """The components that events read or update. The first hold the visitor's session.

    Attributes:
        photo: the photo to compare next.
        shown: the photo that the page shows.
        own: the visitor's models.
        visit: the token by which a reloaded tab finds all this.
        order: a number that changes when a comparison is to start.
        measurements: of the last comparison, for the plot.
        clock: ticks while run times are being measured.
        tab: what the browser tab remembers from before.
        focus: what to keep sharp; None: automatic.
        upload, camera: the sources of photos beside the examples.
        ticks: the models to compare.
        own_models: takes a visitor's models; None if they are not accepted.
        run_again, stop: buttons.
        status: the status line.
        notice: what is wrong with the visitor's choice.
        viewer: the pictures.
        table, download, horizontal, vertical, plot: the measurements.
        accelerators_tab, accelerators: the tab and its content.
    """

    photo: gr.State
    shown: gr.State
    own: gr.State
    visit: gr.State
    order: gr.State
    measurements: gr.State
    clock: gr.Timer
    focus: gr.State
    tab: gr.Textbox
    upload: gr.File
    camera: gr.Image
    ticks: gr.CheckboxGroup
    own_models: gr.File | None
    run_again: gr.Button
    stop: gr.Button
    status: gr.HTML
    notice: gr.HTML
    viewer: gr.HTML
    table: gr.Dataframe
    download: gr.DownloadButton
    horizontal: gr.Radio
    vertical: gr.Radio
    plot: gr.ScatterPlot
    accelerators_tab: gr.Tab
    accelerators: gr.HTML

    @property
    def updated(self) -> list[Any]:
        """The components of a `PageUpdate`, in its order."""
        return [
            self.viewer,
            self.table,
            self.status,
            self.notice,
            self.measurements,
            self.download,
            self.plot,
            self.photo,
            self.shown,
            self.stop,
            self.clock,
        ]


def build_page(app: App) -> gr.Blocks:
    """Builds the page."""
    with gr.Blocks(
        title="Pocket Bokeh", analytics_enabled=False, delete_cache=_UPLOADS_KEPT, fill_width=True
    ) as page:
        parts = _lay_out(app)
        _connect_page_load(app, page, parts)
        _connect_photos(app, parts)
        _connect_models(app, parts)
        _connect_comparison(app, parts)
        _connect_measurements(app, parts)
    return page


def _lay_out(app: App) -> Parts:
    invisible: dict[str, Any] = {
        "photo": gr.State(None),
        "shown": gr.State(None),
        "own": gr.State([]),
        "visit": gr.State(""),
        "order": gr.State(0),
        "measurements": gr.State(None),
        "clock": gr.Timer(_SPEEDS_EVERY, active=False),
        "focus": gr.State(None),
        "tab": gr.Textbox(visible=False),
    }
    gr.HTML(HEADING, elem_id="heading")
    with gr.Row(elem_id="bench"):
        with gr.Column(scale=1, min_width=280, elem_id="choices"):
            choices = _model_components(app) | _photo_components()
        with gr.Column(scale=4, min_width=320, elem_id="result"):
            result = _result_components()
    with gr.Tabs(elem_id="findings"):
        with gr.Tab("Measurements"):
            measurements = _measurement_components()
        with gr.Tab("Accelerators") as accelerators_tab:
            accelerators = gr.HTML("…", elem_id="accelerators")
        with gr.Tab("About the models"):
            gr.Markdown(EXPLANATIONS)
            if card := model_card(app.bundle):
                with gr.Accordion("Model card", open=False, elem_id="card_fold"):
                    gr.Markdown(card, elem_id="model_card")
    return Parts(
        **invisible,
        **choices,
        **result,
        **measurements,
        accelerators_tab=accelerators_tab,
        accelerators=accelerators,
    )


def _photo_components() -> dict[str, Any]:
    # Out of sight: the buttons “Your photo” hand their file to it. A file component, not an image
    # component: our own reader applies orientation and colour profile, reads HEIC, and explains
    # what is wrong with a damaged file.
    upload = gr.File(
        label="Your photo",
        type="filepath",
        file_types=PHOTO_ENDINGS,
        elem_id="upload",
        elem_classes="out-of-sight",
    )
    with gr.Accordion("Camera or clipboard", open=False):
        camera = gr.Image(
            sources=["webcam", "clipboard"],
            type="filepath",
            format="png",
            show_label=False,
            height=220,
            webcam_options=gr.WebcamOptions(mirror=False),
            elem_id="camera",
        )
        # Only for this component: Gradio's own reading fails with a traceback on a damaged file.
        camera.preprocess = _path_of  # type: ignore[method-assign, assignment]
    return {"upload": upload, "camera": camera}


def _path_of(file: Any) -> str | None:
    return None if file is None else str(file.path)


def _model_components(app: App) -> dict[str, Any]:
    ticks = gr.CheckboxGroup(
        tick_labels(app.models),
        value=[model.key for model in app.models],
        label="Models to compare",
        elem_id="models",
    )
    if model_card(app.bundle):
        gr.Markdown(RESEARCH_ONLY, elem_id="research_only", elem_classes="fine-print")
    own_models = None
    if app.takes_models:
        with gr.Accordion("Add your own models", open=False):
            own_models = gr.File(
                label=".tflite files, or all files of a bundle",
                type="filepath",
                file_count="multiple",
                height=120,
                elem_id="own_models",
            )
    run_again = gr.Button("Run again", size="sm", elem_id="run_again")
    return {"ticks": ticks, "own_models": own_models, "run_again": run_again}


def _result_components() -> dict[str, Any]:
    with gr.Row(elem_id="progress"):
        status = gr.HTML(sentence("Opening an example …"), elem_id="status")
        stop = gr.Button("Stop", size="sm", scale=0, min_width=70, visible=False, elem_id="stop")
    notice = gr.HTML("", elem_id="notice")
    viewer = gr.HTML(
        "",
        html_template='<div class="viewer"></div>',
        js_on_load=VIEWER_SCRIPT,
        apply_default_css=False,
        elem_id="viewer",
    )
    return {"status": status, "notice": notice, "stop": stop, "viewer": viewer}


def _measurement_components() -> dict[str, Any]:
    table = gr.Dataframe(
        headers=list(COLUMNS),
        datatype=_DATATYPES,
        interactive=False,
        show_label=False,
        elem_id="measurements",
        wrap=True,
    )
    gr.Markdown(MEASUREMENT_NOTES.format(computer=computer_name()), elem_classes="fine-print")
    download = gr.DownloadButton("Download as CSV", size="sm", elem_id="csv")
    with gr.Row():
        horizontal = gr.Radio(
            list(TO_CHOOSE_HORIZONTALLY),
            value="MB",
            label="Horizontal axis",
            elem_id="horizontal",
        )
        vertical = gr.Radio(
            list(TO_CHOOSE_VERTICALLY),
            value=PSNR_TO_FLOAT32,
            label="Vertical axis",
            elem_id="vertical",
        )
    plot = gr.ScatterPlot(
        x="MB", y=PSNR_TO_FLOAT32, color="picture", height=320, show_label=False, elem_id="plot"
    )
    axes = {"horizontal": horizontal, "vertical": vertical}
    return {"table": table, "download": download, "plot": plot, **axes}


def _connect_page_load(app: App, page: gr.Blocks, parts: Parts) -> None:
    def load(tab: str, request: gr.Request) -> tuple[Any, ...]:
        photo, own, keys, notice, focus = start_state(app, tab)
        ticks = gr.CheckboxGroup(tick_labels([*app.models, *own]), value=keys)
        order = next_order(app, _session(request))
        return photo, own, new_token(), ticks, notice, focus, order

    page.load(
        load,
        parts.tab,
        [
            *(parts.photo, parts.own, parts.visit, parts.ticks, parts.notice),
            *(parts.focus, parts.order),
        ],
        js=READ_TAB,
        **_SILENT,
    )


def _connect_photos(app: App, parts: Parts) -> None:
    def ask(event: gr.EventData, request: gr.Request) -> tuple[Any, ...]:
        wish = read_wish(app, event._data)
        if wish is None:
            return gr.skip(), gr.skip(), gr.skip(), gr.skip(), gr.skip()
        order = next_order(app, _session(request))
        if wish.photo is None:
            return gr.skip(), gr.skip(), gr.skip(), wish.focus, order
        status = sentence(f"Opening {wish.photo.name} …")
        return wish.photo, status, "", None, order

    def take(file: str | None, shown: Photo | None, request: gr.Request) -> tuple[Any, ...]:
        photo, notice = choose_photo(file, shown)
        if notice:  # the choice before stays
            return gr.skip(), gr.skip(), notice, gr.skip(), gr.skip()
        order = next_order(app, _session(request))
        return photo, sentence(f"Reading {photo.name} …"), notice, None, order

    def take_upload(file: str | None, shown: Photo | None, request: gr.Request) -> tuple[Any, ...]:
        # None empties the field, so that it takes the next photo.
        return (*take(file, shown, request), None)

    chosen = [parts.photo, parts.status, parts.notice, parts.focus, parts.order]
    # Every choice is handled, in order; by default Gradio drops those made while one is handled.
    every: dict[str, Any] = {"trigger_mode": "multiple", "concurrency_limit": 1, **_SILENT}
    parts.viewer.submit(ask, None, chosen, **every)
    parts.upload.upload(take_upload, [parts.upload, parts.shown], [*chosen, parts.upload], **every)
    parts.camera.input(take, [parts.camera, parts.shown], chosen, **every)


def _session(request: gr.Request) -> str:
    return str(request.session_hash)


def _connect_models(app: App, parts: Parts) -> None:
    def stop(request: gr.Request) -> None:
        app.cancel(_session(request), by_stop=True)

    def start(request: gr.Request) -> int:
        return next_order(app, _session(request))

    def add(
        files: list[str], own: list[ModelChoice], keys: list[str], request: gr.Request
    ) -> tuple[list[ModelChoice], Any, None, int]:
        try:
            models, ticks = take_models(app, files, own, keys)
        except UserError as error:
            raise gr.Error(str(error), duration=None, print_exception=False) from error
        return models, ticks, None, start(request)

    # "always_last" handles the latest state, however fast the clicks.
    latest: dict[str, Any] = {"trigger_mode": "always_last", **_SILENT}
    parts.ticks.input(start, None, parts.order, **latest)
    parts.run_again.click(start, None, parts.order, **latest)
    parts.stop.click(stop, None, None, concurrency_limit=None, **_PRIVATE)
    if parts.own_models is not None:
        parts.own_models.upload(
            add,
            [parts.own_models, parts.own, parts.ticks],
            [parts.own, parts.ticks, parts.own_models, parts.order],
            show_progress_on=[parts.own_models],
            concurrency_limit=1,
            **_PRIVATE,
        )


def _connect_comparison(app: App, parts: Parts) -> None:
    def run(
        photo: Photo | None,
        keys: list[str],
        own: list[ModelChoice],
        shown: Photo | None,
        visit: str,
        focus: Point | None,
        request: gr.Request,
    ) -> Iterator[PageUpdate]:
        wanted = ComparisonRequest(photo, keys, own, shown, visit, focus)
        yield from run_comparison(app, wanted, _session(request))

    # One event for all comparisons of a visitor: each starts when the one before has ended, so
    # that no update of an older one arrives after one of a newer one.
    parts.order.change(
        run,
        [parts.photo, parts.ticks, parts.own, parts.shown, parts.visit, parts.focus],
        parts.updated,
        trigger_mode="always_last",
        # No limit here: comparisons wait in `App.line`, which tells visitors how long.
        concurrency_limit=None,
        **_SILENT,
    ).then(
        draw_plot,
        [parts.measurements, parts.horizontal, parts.vertical],
        parts.plot,
        trigger_mode="always_last",
        **_SILENT,
    )


def _connect_measurements(app: App, parts: Parts) -> None:
    def tick(
        measurements: Measurements | None, horizontal: str, vertical: str, request: gr.Request
    ) -> tuple[Any, ...]:
        return update_speeds(app, measurements, horizontal, vertical, _session(request))

    drawn = [parts.measurements, parts.horizontal, parts.vertical]
    for axis in (parts.horizontal, parts.vertical):
        axis.change(draw_plot, drawn, parts.plot, **_SILENT)
    parts.clock.tick(tick, drawn, parts.updated, **_SILENT)
    # Without a progress display, which would fade the table while it is brought up to date.
    parts.accelerators_tab.select(app.accelerator_tables, None, parts.accelerators, **_SILENT)
