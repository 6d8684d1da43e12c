"""What the page's events do, as plain functions, and the state that all visitors share."""

import logging
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, NamedTuple

import gradio as gr

from gradio_app.accelerator_table import build_tables
from gradio_app.comparison import Comparison, compare_models, is_cached
from gradio_app.display import (
    draw_plot,
    empty_plot,
    progress,
    sentence,
    tick_labels,
    to_viewer,
    write_csv,
)
from gradio_app.measurements import Measurements
from gradio_app.model_catalogue import ModelChoice, list_models, with_unique_labels
from gradio_app.model_uploads import take_uploads
from gradio_app.photos import Photo, list_examples, read_upload
from gradio_app.speed import SpeedMeter
from gradio_app.task_pool import TaskPool, WaitingLine
from gradio_app.visits import Visit, Visits
from pocket_bokeh.bundle import Bundle
from pocket_bokeh.errors import UserError
from pocket_bokeh.focus_map import Point
from pocket_bokeh.phone_proof import PhoneProof

BUSY = "The server is busy. Nothing is lost: press “Run again” in a minute."

MOST_WAITING = 24
"""Comparisons that may wait; later ones are told that the server is busy."""

_POLL_EVERY = 0.5
"""Seconds between two looks at the waiting line."""

_SKIP: Any = gr.skip()


@dataclass(frozen=True)
class ComparisonRequest:
    """What a visitor wants to compare.

    Attributes:
        photo: the photo to render; None before one is chosen.
        keys: of the ticked models.
        own: the visitor's models.
        shown: the photo that the page shows now.
        visit: the token by which a reloaded tab finds all this again.
        focus: what to keep sharp, in fractions of the photo's width and height; None: automatic.
    """

    photo: Photo | None
    keys: list[str]
    own: list[ModelChoice]
    shown: Photo | None = None
    visit: str = ""
    focus: Point | None = None


class PageUpdate(NamedTuple):
    """New values for parts of the page; whatever is left out stays as it is.

    Attributes:
        viewer: JSON for the viewer's script.
        rows: of the table.
        status: the status line.
        notice: what is wrong with the visitor's choice; stays until the next choice.
        measurements: what the plot is drawn from; None while there is nothing to draw.
        download: the button for the CSV file.
        plot: the plot, when it is to be emptied.
        photo: the photo to compare from now on.
        shown: the photo that the page shows from now on.
        stop: the Stop button, which is there while a comparison runs.
        clock: ticks while run times are being measured.
    """

    viewer: Any = _SKIP
    rows: Any = _SKIP
    status: Any = _SKIP
    notice: Any = _SKIP
    measurements: Any = _SKIP
    download: Any = _SKIP
    plot: Any = _SKIP
    photo: Any = _SKIP
    shown: Any = _SKIP
    stop: Any = _SKIP
    clock: Any = _SKIP


class Cancellation:
    """Tells a comparison to end, and whether the visitor pressed Stop."""

    def __init__(self) -> None:
        self._event = threading.Event()
        self.by_stop = False

    def cancel(self, by_stop: bool) -> None:
        """Tells the comparison to end."""
        self.by_stop = by_stop
        self._event.set()

    @property
    def is_requested(self) -> bool:
        """Whether the comparison is to end."""
        return self._event.is_set()

    def wait(self, seconds: float) -> None:
        """Waits for some seconds, or until the comparison is to end."""
        self._event.wait(seconds)


@dataclass
class App:
    """What all visitors share.

    Attributes:
        bundle: its models are offered.
        pool: runs the models.
        folder: a temporary folder for thumbnails, tables and visitors' models.
        takes_models: whether visitors may upload models.
        phones: what phones found out about the models.
        models: of the bundle.
        examples: by name.
        line: the comparisons that run and wait.
        speeds: how long models take on this computer.
        visits: what visitors had on the page.
    """

    bundle: Bundle
    pool: TaskPool
    folder: Path
    takes_models: bool = True
    phones: Sequence[PhoneProof] = ()
    models: list[ModelChoice] = field(init=False)
    examples: dict[str, Photo] = field(init=False)
    line: WaitingLine = field(init=False)
    speeds: SpeedMeter = field(init=False)
    visits: Visits = field(default_factory=Visits)
    _accelerators: str | None = None
    _running: dict[str, Cancellation] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.models = list_models(self.bundle)
        self.examples = list_examples()
        self.line = WaitingLine(self.pool.cores, MOST_WAITING)
        self.speeds = SpeedMeter(self.pool)
        self.models_folder.mkdir(exist_ok=True)

    @property
    def models_folder(self) -> Path:
        """Where visitors' models are kept."""
        return self.folder / "models"

    def prepare(self) -> None:
        """Renders the example that every visitor sees first, before anyone comes."""
        first = next(iter(self.examples.values()))
        for _ in compare_models(self.pool, first, self.models):
            pass
        self.speeds.request(self.models)

    def accelerator_tables(self) -> str:
        """The tables of accelerators as HTML; built when they are first needed."""
        if self._accelerators is None:
            self._accelerators = build_tables(self.bundle, self.phones)
        return self._accelerators

    def begin(self, session: str) -> Cancellation:
        """Cancels a visitor's comparison and registers the next one."""
        self.cancel(session)
        self._running[session] = Cancellation()
        return self._running[session]

    def finish(self, session: str, cancellation: Cancellation) -> None:
        """Removes a comparison that has ended, unless a newer one was registered."""
        if self._running.get(session) is cancellation:
            del self._running[session]

    def cancel(self, session: str, by_stop: bool = False) -> None:
        """Cancels a visitor's comparison, if one is running."""
        cancellation = self._running.pop(session, None)
        if cancellation is not None:
            cancellation.cancel(by_stop)

    def is_running(self, session: str) -> bool:
        """Whether a visitor's comparison is running."""
        return session in self._running


def next_order(app: App, session: str) -> int:
    """Cancels a visitor's comparison; the next one starts when the page gets this number."""
    app.cancel(session)
    return time.monotonic_ns()


def take_photo(file: str | None) -> tuple[Photo | None, str]:
    """A visitor's photo with a status line, or None with a sentence that says what is wrong."""
    if file is None:
        return None, sentence("Choose a photo to begin.")
    try:
        return read_upload(Path(file)), sentence("Reading the photo …")
    except UserError as error:
        return None, sentence(_about(Path(file).name, error), "wrong")


def _about(name: str, error: UserError) -> str:
    return f"{name}: {str(error).removeprefix('the photo: ').removeprefix(f'{name}: ')}"


def take_models(
    app: App, files: list[str] | None, own: list[ModelChoice], keys: list[str]
) -> tuple[list[ModelChoice], Any]:
    """Adds a visitor's models to those of the page and ticks them.

    Raises:
        UserError: a file is unsuitable; the message says which and why.
    """
    uploads = [Path(file) for file in files or []]
    sizes = [file.output_size for file in app.models[0].files]
    taken = take_uploads(uploads, app.models_folder, app.models[0].reference, sizes)
    known = {model.key for model in [*app.models, *own]}
    taken = [model for model in taken if model.key not in known]
    models = with_unique_labels([*app.models, *own, *taken])
    ticked = [*keys, *(model.key for model in taken)]
    ticks = gr.CheckboxGroup(tick_labels(models), value=ticked)
    return models[len(app.models) :], ticks


def choose_photo(file: str | None, shown: Photo | None) -> tuple[Any, str]:
    """A visitor's photo and no notice, or the choice unchanged and a notice."""
    photo, text = take_photo(file)
    return (photo, "") if photo else (_SKIP, text + still_showing(None, shown))


def still_showing(photo: Photo | None, shown: Photo | None) -> str:
    """A sentence that names the photo on the page, if it is not the chosen one."""
    if shown is None or (photo is not None and photo.key == shown.key):
        return ""
    return sentence(f"Still showing {shown.name}.")


def run_comparison(app: App, request: ComparisonRequest, session: str) -> Iterator[PageUpdate]:
    """Updates the page while a comparison runs.

    If the photo turns out to be damaged, the page goes back to the photo before it.
    """
    if request.photo is None:
        yield PageUpdate(status=sentence("Choose a photo to begin."))
        return
    try:
        yield from _take_turn(app, request, request.photo, session)
    except UserError as error:
        notice = sentence(_about(request.photo.name, error), "wrong")
        notice += still_showing(request.photo, request.shown)
        yield PageUpdate(notice=notice, photo=request.shown, status="", stop=_stop_button(False))
        if request.shown is not None and request.shown.key != request.photo.key:
            # Its comparison may have been cancelled halfway, and its status line is gone.
            yield from run_comparison(app, replace(request, photo=request.shown), session)


def _take_turn(
    app: App, request: ComparisonRequest, photo: Photo, session: str
) -> Iterator[PageUpdate]:
    """Waits in line unless nothing has to be rendered, then compares."""
    chosen = [model for model in [*app.models, *request.own] if model.key in request.keys]
    models = [model.focused(request.focus) for model in chosen]
    cancellation = app.begin(session)
    ticket = None
    try:
        if not is_cached(app.pool, photo, models):
            ticket = app.line.join()
            if ticket is None:
                text = sentence(BUSY, "wrong") + still_showing(photo, request.shown)
                yield PageUpdate(status=text, stop=_stop_button(False))
                return
            yield from _wait(app, ticket, cancellation)
        yield from _follow(app, request, photo, models, cancellation)
    except UserError:
        raise
    except Exception:
        logging.exception("a comparison failed")
        text = sentence("Something went wrong. Choose another photo.", "wrong")
        text += still_showing(photo, request.shown)
        yield PageUpdate(status=text, stop=_stop_button(False))
    finally:
        app.finish(session, cancellation)
        if ticket is not None:
            app.line.leave(ticket)


def _wait(app: App, ticket: object, cancellation: Cancellation) -> Iterator[PageUpdate]:
    """Updates the status line until it is the ticket's turn."""
    while (ahead := app.line.ahead(ticket)) and not cancellation.is_requested:
        comparisons = "1 comparison" if ahead == 1 else f"{ahead} comparisons"
        text = sentence(f"Waiting: {comparisons} before yours …")
        yield PageUpdate(status=text, stop=_stop_button(True))
        cancellation.wait(_POLL_EVERY)


def _follow(
    app: App,
    request: ComparisonRequest,
    photo: Photo,
    models: list[ModelChoice],
    cancellation: Cancellation,
) -> Iterator[PageUpdate]:
    """Updates the page with each new picture, until the comparison is done or cancelled."""
    is_first = True
    # `closing` stops the work at once; garbage collection would do so later.
    with closing(compare_models(app.pool, photo, models)) as reports:
        for now in reports:
            if cancellation.is_requested:
                yield _cancelled(app, now, request, cancellation)
                return
            if not now.size[0]:
                yield PageUpdate(status=progress(now), stop=_stop_button(True))
                continue
            if now.done:
                app.speeds.request(models)
                yield _complete(app, now, request)
            elif is_first:
                yield _without_old_results(_partial(app, now, request))
            else:
                yield _partial(app, now, request)
            if is_first and request.visit:
                app.visits.keep(
                    request.visit,
                    Visit(photo, tuple(request.keys), tuple(request.own), request.focus),
                )
            is_first = False


def _without_old_results(update: PageUpdate) -> PageUpdate:
    """The update, which also empties plot and download."""
    return update._replace(
        measurements=None,
        download=gr.DownloadButton(value=None, interactive=False),
        plot=empty_plot("…"),
    )


def _partial(app: App, now: Comparison, request: ComparisonRequest) -> PageUpdate:
    """The update for a comparison that is still running."""
    return PageUpdate(
        viewer=to_viewer(now, request.visit, request.own, request.focus),
        rows=Measurements(now, app.speeds.known(now.models)).rows(),
        status=progress(now),
        shown=now.photo,
        stop=_stop_button(not now.done),
        clock=gr.Timer(active=False),
    )


def _complete(app: App, now: Comparison, request: ComparisonRequest) -> PageUpdate:
    """The last update of a comparison."""
    measurements = Measurements(now, app.speeds.known(now.models))
    return _partial(app, now, request)._replace(
        measurements=measurements,
        download=gr.DownloadButton(value=write_csv(app.pool.store, measurements), interactive=True),
        clock=gr.Timer(active=not app.speeds.is_done(now.models)),
    )


def _cancelled(
    app: App, now: Comparison, request: ComparisonRequest, cancellation: Cancellation
) -> PageUpdate:
    """The last update of a comparison that was cancelled: whatever was done by then."""
    status = sentence("Stopped.") if cancellation.by_stop else _SKIP
    if now.size[0]:
        return _complete(app, replace(now, done=True), request)._replace(status=status)
    if cancellation.by_stop:
        status += still_showing(now.photo, request.shown)
    return PageUpdate(status=status, stop=_stop_button(False))


def _stop_button(is_running: bool) -> gr.Button:
    return gr.Button(visible=is_running)


def update_speeds(
    app: App, measurements: Measurements | None, horizontal: str, vertical: str, session: str
) -> PageUpdate:
    """Fills in run times that were measured after the comparison was shown."""
    if measurements is None or app.is_running(session):
        return PageUpdate()
    models = measurements.comparison.models
    now = Measurements(measurements.comparison, app.speeds.known(models))
    clock = gr.Timer(active=not app.speeds.is_done(models))
    if now.speeds == measurements.speeds:
        return PageUpdate(clock=clock)
    return PageUpdate(
        rows=now.rows(),
        measurements=now,
        download=gr.DownloadButton(value=write_csv(app.pool.store, now)),
        plot=draw_plot(now, horizontal, vertical),
        clock=clock,
    )
