"""What the page's events answer, as plain functions, and what all visitors share."""

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

from gradio_app.accelerators import build_matrix
from gradio_app.comparison import COLUMNS, Comparison, compare, is_known, table, to_csv
from gradio_app.models import ModelChoice, choices_of, relabel, take_uploads
from gradio_app.photos import Photo, list_examples, read_upload
from gradio_app.workshop import Line, Workshop
from quantize.bundle import Bundle
from train.errors import UserError

BUSY = "Too many are being served just now. Nothing is lost: press Compare in a minute."

MOST_WAITING = 24
"""Comparisons that wait for their turn; whoever comes then is told that the server is busy."""

_LOOK_EVERY = 0.5
_NOTHING_NEW: tuple[Any, ...] = (gr.skip(),) * 6


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
    _matrix: str | None = None
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

    def matrix(self) -> str:
        """Which accelerator takes which model; read from the bundle when it is first asked for."""
        if self._matrix is None:
            self._matrix = build_matrix(self.bundle)
        return self._matrix

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


def take_photo(file: str | None) -> tuple[Photo | None, str]:
    """A visitor's photo, or a sentence that says what is wrong with it."""
    if file is None:
        return None, sentence("Choose a photo to begin.")
    try:
        return read_upload(Path(file)), sentence("Reading it …")
    except UserError as error:
        return None, sentence(str(error), "wrong")


def take_models(
    app: App, files: list[str] | None, own: list[ModelChoice], keys: list[str]
) -> tuple[list[ModelChoice], Any]:
    """A visitor's models beside those that are there, and all of them with theirs ticked.

    Raises:
        UserError: says what is wrong with which file.
    """
    uploads = [Path(file) for file in files or []]
    sizes = [file.output_size for file in app.models[0].files]
    taken = take_uploads(uploads, app.models_folder, app.models[0].reference, sizes)
    known = {model.key for model in [*app.models, *own]}
    taken = [model for model in taken if model.key not in known]
    together = relabel([*app.models, *own, *taken])
    ticked = [*keys, *(model.key for model in taken)]
    ticks = gr.CheckboxGroup(tick_labels(together, {}), value=ticked)
    return together[len(app.models) :], ticks


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
                yield _status(sentence(BUSY, "wrong"))
                return
            yield from _wait(app, ticket, stopped)
        yield from _follow(app, photo, models, everything, stopped)
    except UserError as error:
        yield _status(sentence(str(error), "wrong"))
    except Exception:
        logging.exception("a comparison failed")
        wrong = "Something went wrong; the server's log says what. Choose another photo."
        yield _status(sentence(wrong, "wrong"))
    finally:
        app.finish(session, stopped)
        if ticket is not None:
            app.line.leave(ticket)


def _wait(app: App, ticket: object, stopped: threading.Event) -> Iterator[tuple[Any, ...]]:
    """Until it is the ticket's turn."""
    while (ahead := app.line.ahead(ticket)) and not stopped.is_set():
        comparisons = "1 comparison" if ahead == 1 else f"{ahead} comparisons"
        yield _status(sentence(f"Waiting: {comparisons} before yours …"))
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
                yield (ended, *_status(sentence("Stopped."))[1:])
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
        ticks = gr.CheckboxGroup(choices=tick_labels(everything, speeds))
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
    note = f" · {escape(now.photo.note)}" if now.photo.note else ""
    about = f"<b>{escape(now.photo.name)}</b>{size}{note}"
    failed = [picture for picture in now.pictures if picture.failure]
    reasons = "".join(
        f'<br><span class="wrong">{escape(p.label)}: {escape(p.failure)}</span>' for p in failed
    )
    if now.done:
        ready = sum(picture.ready for picture in now.pictures)
        return sentence(f"{about} · {ready} pictures, {now.seconds:.1f} s{reasons}", plain=False)
    waiting = now.waiting
    doing = f"rendering {', '.join(waiting)}" if waiting else "measuring"
    if not width:
        doing = "decoding"
    done, total = len(now.pictures) - len(waiting), len(now.pictures)
    return sentence(
        f'{about} · <progress value="{done}" max="{total}"></progress> {done} of {total} · '
        f"{escape(doing)} · {now.seconds:.0f} s{reasons}",
        plain=False,
    )


def sentence(text: str, kind: str = "", plain: bool = True) -> str:
    """The status line: of plain text, or of HTML; kind `wrong` stands out."""
    shown = escape(text) if plain else text
    return f'<p class="status {kind}" role="status" aria-live="polite">{shown}</p>'


def draw_plot(figures: pd.DataFrame | None, horizontal: str, vertical: str) -> Any:
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


def tick_labels(models: list[ModelChoice], speeds: Mapping[str, float]) -> list[tuple[str, str]]:
    labels = []
    for model in models:
        speed = speeds.get(model.key)
        parts = [model.label, f"{model.bytes / 1e6:.1f} MB"]
        parts += [] if speed is None else [f"{speed:.0f} ms"]
        labels.append((" · ".join(parts), model.key))
    return labels
