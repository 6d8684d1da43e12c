"""What the page's events answer, as plain functions, and what all visitors share."""

import logging
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, NamedTuple

import gradio as gr

from gradio_app.accelerators import build_matrix
from gradio_app.comparison import Comparison, compare, is_known, table
from gradio_app.display import (
    Shown,
    draw_plot,
    empty_plot,
    progress,
    sentence,
    tick_labels,
    to_viewer,
    write_csv,
)
from gradio_app.models import ModelChoice, choices_of, relabel, take_uploads
from gradio_app.photos import Photo, list_examples, read_upload
from gradio_app.speed import SpeedMeter
from gradio_app.visits import Visit, Visits
from gradio_app.workshop import Line, Workshop
from pocket_bokeh.bundle import Bundle
from pocket_bokeh.errors import UserError

BUSY = "Too many are being served just now. Nothing is lost: press Compare in a minute."

MOST_WAITING = 24
"""Comparisons that wait for their turn; whoever comes then is told that the server is busy."""

_LOOK_EVERY = 0.5
_SKIP: Any = gr.skip()


@dataclass(frozen=True)
class Wish:
    """What a visitor wants compared.

    Attributes:
        photo: on which photograph; None before there is one.
        keys: of the ticked models.
        own: the visitor's models.
        shown: the photograph that the page shows so far.
        visit: the token by which a reload finds all this again.
    """

    photo: Photo | None
    keys: list[str]
    own: list[ModelChoice]
    shown: Photo | None = None
    visit: str = ""


class Update(NamedTuple):
    """What changes on the page; whatever is left out stays.

    Attributes:
        viewer: what the viewer's script is told.
        rows: of the table.
        status: what goes on.
        notice: what is wrong with what the visitor chose; stays until the next choice.
        figures: what the plot is drawn from, a `Shown`; None while there is nothing to draw.
        download: the button for the CSV file.
        plot: the plot, when it is to be emptied.
        photo: what is compared from now on.
        shown: what the page shows from now on.
        gallery: the examples, when none is chosen any more.
        clock: ticks while times are being taken.
    """

    viewer: Any = _SKIP
    rows: Any = _SKIP
    status: Any = _SKIP
    notice: Any = _SKIP
    figures: Any = _SKIP
    download: Any = _SKIP
    plot: Any = _SKIP
    photo: Any = _SKIP
    shown: Any = _SKIP
    gallery: Any = _SKIP
    clock: Any = _SKIP


class Ending:
    """Says that a comparison is to end, and whether the visitor asked for that."""

    def __init__(self) -> None:
        self._event = threading.Event()
        self.is_stop = False

    def end(self, is_stop: bool) -> None:
        """Ends it."""
        self.is_stop = is_stop
        self._event.set()

    @property
    def has_come(self) -> bool:
        """Whether it is to end."""
        return self._event.is_set()

    def wait(self, seconds: float) -> None:
        """Until then, or until it is to end."""
        self._event.wait(seconds)


@dataclass
class App:
    """What every visitor shares.

    Attributes:
        bundle: whose models are offered.
        workshop: where they run.
        folder: a temporary folder for thumbnails, tables and visitors' models.
        takes_models: whether visitors may bring models of their own.
        line: whose comparison is under way and whose waits.
        speeds: how long models take here.
        visits: what visitors had, for those who reload the page.
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
    speeds: SpeedMeter = field(init=False)
    visits: Visits = field(default_factory=Visits)
    _matrix: str | None = None
    _current: dict[str, Ending] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.models = choices_of(self.bundle)
        self.examples = list_examples()
        self.line = Line(self.workshop.cores, MOST_WAITING)
        self.speeds = SpeedMeter(self.workshop)
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
        self.speeds.ask(self.models)

    def matrix(self) -> str:
        """Which accelerator takes which model; read from the bundle when it is first asked for."""
        if self._matrix is None:
            self._matrix = build_matrix(self.bundle)
        return self._matrix

    def begin(self, session: str) -> Ending:
        """Ends what a visitor had begun; what is given says when the new work is to end."""
        self.end(session)
        self._current[session] = Ending()
        return self._current[session]

    def finish(self, session: str, ending: Ending) -> None:
        """Forgets what has come to its end, unless something newer was begun."""
        if self._current.get(session) is ending:
            del self._current[session]

    def end(self, session: str, is_stop: bool = False) -> None:
        """Ends what a visitor had begun, if anything."""
        ending = self._current.pop(session, None)
        if ending is not None:
            ending.end(is_stop)

    def is_under_way(self, session: str) -> bool:
        """Whether a visitor's comparison has begun and not come to its end."""
        return session in self._current


def next_order(app: App, session: str) -> int:
    """Ends a visitor's comparison for the next one, which begins when this number arrives."""
    app.end(session)
    return time.monotonic_ns()


def take_photo(file: str | None) -> tuple[Photo | None, str]:
    """A visitor's photo, or a sentence that says what is wrong with it."""
    if file is None:
        return None, sentence("Choose a photo to begin.")
    try:
        return read_upload(Path(file)), sentence("Reading it …")
    except UserError as error:
        return None, sentence(_about(Path(file).name, error), "wrong")


def _about(name: str, error: UserError) -> str:
    return f"{name}: {str(error).removeprefix('the photo: ').removeprefix(f'{name}: ')}"


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
    ticks = gr.CheckboxGroup(tick_labels(together), value=ticked)
    return together[len(app.models) :], ticks


def choose_photo(file: str | None, shown: Photo | None) -> tuple[Any, str]:
    """A visitor's photo and no notice, or whatever was chosen before and what is wrong."""
    photo, words = take_photo(file)
    return (photo, "") if photo else (_SKIP, words + still(None, shown))


def still(photo: Photo | None, shown: Photo | None) -> str:
    """Says what the page goes on showing, where that is not what was chosen."""
    if shown is None or (photo is not None and photo.key == shown.key):
        return ""
    return sentence(f"Still showing {shown.name}.")


def run_comparison(app: App, wish: Wish, session: str) -> Iterator[Update]:
    """What the page shows while a comparison goes on.

    A photograph that turns out to be damaged leaves the page with the one before.
    """
    if wish.photo is None:
        yield Update(status=sentence("Choose a photo to begin."))
        return
    try:
        yield from _take_turn(app, wish, session)
    except UserError as error:
        notice = sentence(_about(wish.photo.name, error), "wrong") + still(wish.photo, wish.shown)
        yield Update(notice=notice, photo=wish.shown, status="")
        if wish.shown is not None and wish.shown.key != wish.photo.key:
            # It may have been left halfway, and its status line is gone.
            yield from run_comparison(app, replace(wish, photo=wish.shown), session)


def _take_turn(app: App, wish: Wish, session: str) -> Iterator[Update]:
    photo = wish.photo
    assert photo is not None
    models = [model for model in [*app.models, *wish.own] if model.key in wish.keys]
    ending = app.begin(session)
    ticket = None
    try:
        if not is_known(app.workshop, photo, models):
            ticket = app.line.join()
            if ticket is None:
                yield Update(status=sentence(BUSY, "wrong") + still(photo, wish.shown))
                return
            yield from _wait(app, ticket, ending)
        yield from _follow(app, wish, photo, models, ending)
    except UserError:
        raise
    except Exception:
        logging.exception("a comparison failed")
        wrong = "Something went wrong; the server's log says what. Choose another photo."
        yield Update(status=sentence(wrong, "wrong") + still(photo, wish.shown))
    finally:
        app.finish(session, ending)
        if ticket is not None:
            app.line.leave(ticket)


def _wait(app: App, ticket: object, ending: Ending) -> Iterator[Update]:
    """Until it is the ticket's turn."""
    while (ahead := app.line.ahead(ticket)) and not ending.has_come:
        comparisons = "1 comparison" if ahead == 1 else f"{ahead} comparisons"
        yield Update(status=sentence(f"Waiting: {comparisons} before yours …"))
        ending.wait(_LOOK_EVERY)


def _follow(
    app: App, wish: Wish, photo: Photo, models: list[ModelChoice], ending: Ending
) -> Iterator[Update]:
    """From the first picture to the last, or until it is to end."""
    is_first = True
    # Closed at once, not when it is collected: that is what stops the work.
    with closing(compare(app.workshop, photo, models)) as reports:
        for now in reports:
            if ending.has_come:
                yield _ended(app, now, wish, ending)
                return
            if not now.size[0]:
                yield Update(status=progress(now))
                continue
            if now.done:
                app.speeds.ask(models)
                yield _complete(app, now, wish)
            else:
                yield _emptied(_partial(app, now, wish)) if is_first else _partial(app, now, wish)
            if is_first and wish.visit:
                app.visits.keep(wish.visit, Visit(photo, tuple(wish.keys), tuple(wish.own)))
            is_first = False


def _emptied(update: Update) -> Update:
    """With nothing left of the comparison before."""
    return update._replace(
        figures=None,
        download=gr.DownloadButton(value=None, interactive=False),
        plot=empty_plot("…"),
    )


def _partial(app: App, now: Comparison, wish: Wish) -> Update:
    return Update(
        viewer=to_viewer(now, wish.visit, wish.own),
        rows=table(now, app.speeds.known(_models_of(now))),
        status=progress(now),
        shown=now.photo,
        gallery=_SKIP if now.photo.example else gr.Gallery(selected_index=None),
        clock=gr.Timer(active=False),
    )


def _complete(app: App, now: Comparison, wish: Wish) -> Update:
    """All that there is of a comparison that goes no further."""
    models = _models_of(now)
    shown = Shown(now, app.speeds.known(models))
    return _partial(app, now, wish)._replace(
        figures=shown,
        download=gr.DownloadButton(value=write_csv(app.workshop.store, shown), interactive=True),
        clock=gr.Timer(active=not app.speeds.is_done(models)),
    )


def _ended(app: App, now: Comparison, wish: Wish, ending: Ending) -> Update:
    """What is left of a comparison that ends before it is done."""
    stopped = sentence("Stopped.") if ending.is_stop else _SKIP
    if now.size[0]:
        return _complete(app, replace(now, done=True), wish)._replace(status=stopped)
    if ending.is_stop:
        stopped += still(now.photo, wish.shown)
    return Update(status=stopped)


def update_speeds(
    app: App, shown: Shown | None, horizontal: str, vertical: str, session: str
) -> Update:
    """Fills in times that have become known since a comparison was shown."""
    if shown is None or app.is_under_way(session):
        return Update()
    models = _models_of(shown.comparison)
    now = Shown(shown.comparison, app.speeds.known(models))
    clock = gr.Timer(active=not app.speeds.is_done(models))
    if now.speeds == shown.speeds:
        return Update(clock=clock)
    return Update(
        rows=table(now.comparison, now.speeds),
        figures=now,
        download=gr.DownloadButton(value=write_csv(app.workshop.store, now)),
        plot=draw_plot(now, horizontal, vertical),
        clock=clock,
    )


def _models_of(comparison: Comparison) -> list[ModelChoice]:
    return [picture.model for picture in comparison.pictures if picture.model]
