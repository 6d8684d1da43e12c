"""The page: its components, and what happens when someone uses them."""

import json
import logging
import re
import threading
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field, replace
from html import escape
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import gradio as gr
import pandas as pd
from PIL import Image

from gradio_app.accelerators import build_matrix
from gradio_app.comparison import COLUMNS, Comparison, compare, is_known, table, to_csv
from gradio_app.models import ModelChoice, choices_of, relabel, take_uploads
from gradio_app.photos import Photo, list_examples, read_upload
from gradio_app.workshop import Line, Workshop
from quantize.bundle import Bundle
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

BUSY = "Too many are being served just now. Nothing is lost: press Compare in a minute."

MOST_WAITING = 24
"""Comparisons that wait for their turn; whoever comes then is told that the server is busy."""

_LOOK_EVERY = 0.5
_NOTHING_NEW: tuple[Any, ...] = (gr.skip(),) * 6
_THUMBNAIL = (240, 180)
_UPLOADS_KEPT = (600, 3600)
"""Seconds: how often the framework looks, and after which it deletes what visitors uploaded."""

_DATATYPES: Any = ["str", *["number"] * (len(COLUMNS) - 2), "str"]
PHOTO_ENDINGS = [".jpg", ".jpeg", ".png", ".webp", ".heic", ".heif", ".tif", ".tiff", ".gif"]


@dataclass
class App:
    """What every visitor shares.

    Attributes:
        bundle: whose models are offered.
        workshop: where they run.
        folder: a temporary folder for thumbnails, tables and visitors' models.
        takes_models: whether visitors may bring models of their own.
        line: whose comparison is under way and whose waits.
        models: of the bundle.
        examples: by name.
    """

    bundle: Bundle
    workshop: Workshop
    folder: Path
    takes_models: bool = True
    models: list[ModelChoice] = field(init=False)
    examples: dict[str, Photo] = field(init=False)
    line: Line = field(init=False)
    _current: dict[str, threading.Event] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.models = choices_of(self.bundle)
        self.examples = list_examples()
        self.line = Line(self.workshop.cores, MOST_WAITING)
        self.models_folder.mkdir(exist_ok=True)

    @property
    def models_folder(self) -> Path:
        """Where visitors' models are."""
        return self.folder / "models"

    def prepare(self) -> None:
        """Compares on the example that every visitor sees first, before anyone comes."""
        first = next(iter(self.examples.values()))
        for _ in compare(self.workshop, first, self.models):
            pass

    def begin(self, session: str) -> threading.Event:
        """Ends what a visitor had begun; the event says when the new work is to end."""
        self.end(session)
        self._current[session] = threading.Event()
        return self._current[session]

    def finish(self, session: str, event: threading.Event) -> None:
        """Forgets what has come to its end, unless something newer was begun."""
        if self._current.get(session) is event:
            del self._current[session]

    def end(self, session: str) -> None:
        """Ends what a visitor had begun, if anything."""
        event = self._current.pop(session, None)
        if event is not None:
            event.set()


def build_page(app: App) -> gr.Blocks:
    """Builds the page."""
    with gr.Blocks(
        title="Pocket Bokeh", analytics_enabled=False, delete_cache=_UPLOADS_KEPT, fill_width=True
    ) as page:
        photo, own = gr.State(None), gr.State([])
        link = gr.Textbox(visible=False)
        gr.Markdown(INTRODUCTION, elem_id="introduction")
        with gr.Row(elem_id="bench"):
            with gr.Column(scale=1, min_width=280, elem_id="choices"):
                gallery, upload, camera = _photo_components(app)
                ticks, models, again = _model_components(app)
            with gr.Column(scale=4, min_width=320, elem_id="result"):
                with gr.Row(elem_id="progress"):
                    status = gr.HTML(_sentence("Opening an example …"), elem_id="status")
                    stop = gr.Button("Stop", size="sm", scale=0, min_width=70, elem_id="stop")
                viewer = gr.HTML(
                    "",
                    html_template='<div class="viewer"></div>',
                    js_on_load=VIEWER_SCRIPT,
                    apply_default_css=False,
                    elem_id="viewer",
                )
        with gr.Tabs(elem_id="findings"):
            with gr.Tab("Numbers"):
                numbers, horizontal, vertical, plot, download = _number_components()
            with gr.Tab("Accelerators") as accelerators:
                matrix = gr.HTML("…", elem_id="matrix")
            with gr.Tab("What is what"):
                gr.Markdown(EXPLANATIONS)
        figures = gr.State(None)

        # An API of this page would be a promise; it is made when someone needs it.
        quiet: dict[str, Any] = {"api_visibility": "private"}
        shown = [viewer, numbers, status, figures, download, ticks]

        def run(
            photo: Photo | None,
            keys: list[str],
            own: list[ModelChoice],
            request: gr.Request,
        ) -> Iterator[tuple[Any, ...]]:
            yield from run_comparison(app, photo, keys, own, str(request.session_hash))

        def then_run(event: Any) -> None:
            event.then(
                run,
                [photo, ticks, own],
                shown,
                show_progress="minimal",
                show_progress_on=[status],
                # All at once: they wait for their turn in `App.line`, and say how long.
                concurrency_limit=None,
                **quiet,
            ).then(_draw, [figures, horizontal, vertical], plot, show_progress="hidden", **quiet)

        def example_at(event: gr.SelectData) -> tuple[Photo, str]:
            return list(app.examples.values())[int(event.index)], _sentence("Opening it …")

        chosen = [photo, status]
        then_run(
            page.load(
                lambda fragment: open_link(app, fragment),
                link,
                [photo, ticks],
                js="() => location.hash",
                **quiet,
            )
        )
        then_run(gallery.select(example_at, None, chosen, show_progress="hidden", **quiet))
        then_run(
            # Emptied at once: the next photo can be brought the same way.
            upload.upload(
                lambda file: (*take_photo(file), None),
                upload,
                [*chosen, upload],
                show_progress="hidden",
                **quiet,
            )
        )
        then_run(camera.input(take_photo, camera, chosen, show_progress="hidden", **quiet))
        then_run(ticks.input(lambda: None, **quiet))
        then_run(again.click(lambda: None, **quiet))
        if models is not None:
            then_run(
                models.upload(
                    lambda files, own, keys: take_models(app, files, own, keys),
                    [models, own, ticks],
                    [own, ticks, status, models],
                    concurrency_limit=1,
                    **quiet,
                )
            )

        def stop_run(request: gr.Request) -> None:
            app.end(str(request.session_hash))

        stop.click(stop_run, None, None, concurrency_limit=None, **quiet)
        for axis in (horizontal, vertical):
            axis.change(
                _draw, [figures, horizontal, vertical], plot, show_progress="hidden", **quiet
            )
        accelerators.select(
            lambda: _matrix(app.bundle), None, matrix, show_progress="minimal", **quiet
        )
    return page


def _photo_components(app: App) -> tuple[gr.Gallery, gr.File, gr.Image]:
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
    return gallery, upload, camera


def _path_of(file: Any) -> str | None:
    return None if file is None else str(file.path)


def _model_components(
    app: App,
) -> tuple[gr.CheckboxGroup, gr.File | None, gr.Button]:
    ticks = gr.CheckboxGroup(
        _tick_labels(app.models, {}),
        value=[model.key for model in app.models],
        label=f"2 · The models of {app.bundle.name}",
        elem_id="models",
    )
    models = None
    if app.takes_models:
        with gr.Accordion("Add models of your own", open=False):
            models = gr.File(
                label="a .tflite file, or all files of a bundle",
                type="filepath",
                file_count="multiple",
                height=120,
                elem_id="own_models",
            )
    again = gr.Button("Compare", variant="primary", size="sm", elem_id="compare")
    return ticks, models, again


def _number_components() -> tuple[
    gr.Dataframe, gr.Radio, gr.Radio, gr.ScatterPlot, gr.DownloadButton
]:
    numbers = gr.Dataframe(
        headers=list(COLUMNS),
        datatype=_DATATYPES,
        interactive=False,
        show_label=False,
        elem_id="numbers",
        wrap=True,
    )
    gr.Markdown(
        "MB: of the model's file. ms: of the model on one core of this server, without loading, "
        "fitting and the transfer of detail. PSNR in dB, steps of 255, over the whole picture at "
        "its own size; float32 is the network as trained.",
        elem_classes="fine-print",
    )
    download = gr.DownloadButton("Download as CSV", size="sm", elem_id="csv")
    with gr.Row():
        horizontal = gr.Radio(["MB", "ms"], value="MB", label="across", elem_id="across")
        vertical = gr.Radio(
            ["PSNR to float32", "SSIM to float32", "PSNR to target", "SSIM to target"],
            value="PSNR to float32",
            label="up",
            elem_id="up",
        )
    plot = gr.ScatterPlot(
        x="MB", y="PSNR to float32", color="picture", height=320, show_label=False, elem_id="plot"
    )
    return numbers, horizontal, vertical, plot, download


def take_photo(file: str | None) -> tuple[Photo | None, str]:
    """A visitor's photo, or a sentence that says what is wrong with it."""
    if file is None:
        return None, _sentence("Choose a photo to begin.")
    try:
        return read_upload(Path(file)), _sentence("Reading it …")
    except UserError as error:
        return None, _sentence(str(error), "wrong")


def take_models(
    app: App, files: list[str] | None, own: list[ModelChoice], keys: list[str]
) -> tuple[list[ModelChoice], Any, str, None]:
    """A visitor's models beside those that are there, ticked, or a sentence on what is wrong."""
    reference = app.models[0].reference
    try:
        taken = take_uploads([Path(file) for file in files or []], app.models_folder, reference)
    except UserError as error:
        return own, gr.skip(), _sentence(str(error), "wrong"), None
    known = {model.key for model in [*app.models, *own]}
    taken = [model for model in taken if model.key not in known]
    together = relabel([*app.models, *own, *taken])
    ticks = gr.CheckboxGroup(
        _tick_labels(together, {}), value=[*keys, *(model.key for model in taken)]
    )
    return together[len(app.models) :], ticks, _sentence("Running them …"), None


def open_link(app: App, fragment: str) -> tuple[Photo, list[str]]:
    """The example and the models that a link names; the first example and all models else.

    Args:
        app: has both.
        fragment: of the page's address, `#photo=NAME&models=RECIPE,RECIPE&…`.
    """
    named = parse_qs((fragment or "").removeprefix("#"))
    photo = app.examples.get(named.get("photo", [""])[0])
    recipes = named.get("models", [""])[0].split(",")
    keys = [model.key for model in app.models if model.label in recipes]
    return photo or next(iter(app.examples.values())), keys or [m.key for m in app.models]


def run_comparison(
    app: App, photo: Photo | None, keys: list[str], own: list[ModelChoice], session: str
) -> Iterator[tuple[Any, ...]]:
    """What the page shows while a comparison goes on.

    Yields:
        For the viewer, the table, the status, the figures of the plot, the CSV file and the ticks.
    """
    if photo is None:
        yield _NOTHING_NEW
        return
    everything = [*app.models, *own]
    models = [model for model in everything if model.key in keys]
    stopped = app.begin(session)
    ticket = None
    try:
        if not is_known(app.workshop, photo, models):
            ticket = app.line.join()
            if ticket is None:
                yield _status(_sentence(BUSY, "wrong"))
                return
            yield from _wait(app, ticket, stopped)
        yield from _follow(app, photo, models, everything, stopped)
    except UserError as error:
        yield _status(_sentence(str(error), "wrong"))
    except Exception:
        logging.exception("a comparison failed")
        wrong = "Something went wrong; the server's log says what. Choose another photo."
        yield _status(_sentence(wrong, "wrong"))
    finally:
        app.finish(session, stopped)
        if ticket is not None:
            app.line.leave(ticket)


def _wait(app: App, ticket: object, stopped: threading.Event) -> Iterator[tuple[Any, ...]]:
    """Until it is the ticket's turn."""
    while (ahead := app.line.ahead(ticket)) and not stopped.is_set():
        comparisons = "1 comparison" if ahead == 1 else f"{ahead} comparisons"
        yield _status(_sentence(f"Waiting: {comparisons} before yours …"))
        stopped.wait(_LOOK_EVERY)


def _follow(
    app: App,
    photo: Photo,
    models: list[ModelChoice],
    everything: list[ModelChoice],
    stopped: threading.Event,
) -> Iterator[tuple[Any, ...]]:
    """From the first picture to the last, or until it is stopped."""
    # Closed at once, not when it is collected: that is what stops the work.
    with closing(compare(app.workshop, photo, models)) as reports:
        for now in reports:
            if stopped.is_set():
                ended = to_viewer(replace(now, done=True)) if now.size[0] else gr.skip()
                yield (ended, *_status(_sentence("Stopped."))[1:])
                return
            yield _show(app, now, everything) if now.size[0] else _status(_progress(now))


def _status(sentence: str) -> tuple[Any, ...]:
    return (*_NOTHING_NEW[:2], sentence, *_NOTHING_NEW[3:])


def _show(app: App, now: Comparison, everything: list[ModelChoice]) -> tuple[Any, ...]:
    rows = table(now)
    frame = pd.DataFrame(rows, columns=list(COLUMNS))
    later: tuple[Any, ...] = (gr.skip(), gr.skip(), gr.skip())
    if now.done:
        speeds = {p.key: p.milliseconds for p in now.pictures if p.milliseconds is not None}
        ticks = gr.CheckboxGroup(choices=_tick_labels(everything, speeds))
        later = (frame, _write_csv(app, now), ticks)
    return to_viewer(now), rows, _progress(now), *later


def to_viewer(now: Comparison) -> str:
    """What the viewer's script is told, as JSON."""
    height, width = now.size
    photo = now.photo
    return json.dumps(
        {
            "photo": photo.key,
            "name": photo.name,
            "example": photo.name if photo.example else None,
            "width": width,
            "height": height,
            "done": now.done,
            "pictures": [
                {
                    "key": picture.key,
                    "label": picture.label,
                    "kind": "model" if picture.model else picture.key,
                    "ready": picture.ready,
                    "failure": picture.failure,
                    "address": f"results/{photo.key}/{picture.key}.png",
                }
                for picture in now.pictures
            ],
        }
    )


def _progress(now: Comparison) -> str:
    height, width = now.size
    size = f" · {width} × {height}" if width else ""
    about = f"<b>{escape(now.photo.name)}</b>{size}"
    failed = [picture for picture in now.pictures if picture.failure]
    reasons = "".join(
        f'<br><span class="wrong">{escape(p.label)}: {escape(p.failure)}</span>' for p in failed
    )
    if now.done:
        ready = sum(picture.ready for picture in now.pictures)
        return _sentence(f"{about} · {ready} pictures, {now.seconds:.1f} s{reasons}", plain=False)
    waiting = now.waiting
    doing = f"rendering {', '.join(waiting)}" if waiting else "measuring"
    if not width:
        doing = "decoding"
    done, total = len(now.pictures) - len(waiting), len(now.pictures)
    return _sentence(
        f'{about} · <progress value="{done}" max="{total}"></progress> {done} of {total} · '
        f"{escape(doing)} · {now.seconds:.0f} s{reasons}",
        plain=False,
    )


def _sentence(text: str, kind: str = "", plain: bool = True) -> str:
    shown = escape(text) if plain else text
    return f'<p class="status {kind}" role="status" aria-live="polite">{shown}</p>'


def _draw(figures: pd.DataFrame | None, horizontal: str, vertical: str) -> Any:
    """The plot of what there is, across from zero."""
    if figures is None:
        return gr.skip()
    known = figures.dropna(subset=[horizontal, vertical])
    if known.empty:
        return gr.ScatterPlot(value=None, title=f"no {vertical} on this photo")
    right = 1.1 * float(known[horizontal].max())
    return gr.ScatterPlot(
        value=known,
        x=horizontal,
        y=vertical,
        color="picture",
        x_lim=[0, right],
        title=f"{vertical} over {horizontal}; up and left is better",
    )


def _write_csv(app: App, now: Comparison) -> str:
    stem = re.sub(r"[^\w-]+", "_", Path(now.photo.name).stem)[:60]
    name = f"{stem}_figures.csv"
    return str(app.workshop.store.write_table(now.photo.key, name, to_csv(now)))


def _tick_labels(models: list[ModelChoice], speeds: Mapping[str, float]) -> list[tuple[str, str]]:
    labels = []
    for model in models:
        speed = speeds.get(model.key)
        parts = [model.label, f"{model.bytes / 1e6:.1f} MB"]
        parts += [] if speed is None else [f"{speed:.0f} ms"]
        labels.append((" · ".join(parts), model.key))
    return labels


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


_matrices: dict[Path, str] = {}


def _matrix(bundle: Bundle) -> str:
    if bundle.folder not in _matrices:
        _matrices[bundle.folder] = build_matrix(bundle)
    return _matrices[bundle.folder]


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
