"""The work behind the page: as many tasks at a time as there are cores, each only once."""

import logging
import os
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict

import numpy as np

from gradio_app.models import ModelChoice
from gradio_app.photos import Photo
from gradio_app.store import ORIGINAL, TARGET, ResultStore
from pocket_bokeh.errors import UserError
from pocket_bokeh.metrics import PictureMetrics, compare_pictures
from pocket_bokeh.render import nearest_shape, render_photo


class Workshop:
    """Decodes, renders and measures into a store; visitors who want the same share it.

    Attributes:
        store: where the results are.
        cores: how many tasks run at a time.
        requests: how many tasks were begun or awaited so far.
    """

    def __init__(self, store: ResultStore, cores: int = 0):
        self.store = store
        self.cores = cores or len(os.sched_getaffinity(0))
        self._pool = ThreadPoolExecutor(self.cores, thread_name_prefix="workshop")
        self._lock = threading.RLock()
        self._tasks: dict[str, tuple[Future[None], set[object]]] = {}
        self.requests = 0

    @property
    def tasks(self) -> int:
        """How many tasks run or wait."""
        return len(self._tasks)

    def request(self, visitor: object, name: str, work: Callable[[], None]) -> Future[None]:
        """Has a task done for a visitor, unless it is being done already: then that is awaited."""
        with self._lock:
            self.requests += 1
            task, visitors = self._tasks.get(name, (None, set()))
            if task is None:
                task = self._pool.submit(_logging_surprises, work)
                self._tasks[name] = task, visitors
                task.add_done_callback(lambda _: self._forget(name))
            visitors.add(visitor)
            return task

    def withdraw(self, visitor: object) -> None:
        """Ends a visitor's interest: tasks that wait for nobody else are not begun."""
        with self._lock:
            for task, visitors in list(self._tasks.values()):
                visitors.discard(visitor)
                if not visitors:
                    task.cancel()

    def close(self) -> None:
        """Begins no further task, and waits for the seconds of those that run."""
        self._pool.shutdown(wait=True, cancel_futures=True)

    def _forget(self, name: str) -> None:
        with self._lock:
            self._tasks.pop(name, None)


class Line:
    """Whose turn it is: some at a time, some more wait, and the rest are told at once."""

    def __init__(self, places: int, most_waiting: int):
        self._places = places
        self._most = places + most_waiting
        self._tickets: list[object] = []
        self._lock = threading.Lock()

    def join(self) -> object | None:
        """A ticket for the end of the line; None where the line is full."""
        with self._lock:
            if len(self._tickets) >= self._most:
                return None
            self._tickets.append(ticket := object())
            return ticket

    def ahead(self, ticket: object) -> int:
        """How many must leave before it is the ticket's turn; 0 when it is."""
        with self._lock:
            return max(0, self._tickets.index(ticket) - self._places + 1)

    def leave(self, ticket: object) -> None:
        """Lets the others move up."""
        with self._lock:
            self._tickets.remove(ticket)


def _logging_surprises(work: Callable[[], None]) -> None:
    try:
        work()
    except UserError:
        raise
    except Exception:
        logging.exception("a task of the workshop failed")
        raise


# Each task says itself that it works on a photo: it may outlast the visitor who asked for it, and
# what nobody works on may be deleted.


def decode(store: ResultStore, photo: Photo) -> None:
    """Puts the photograph, and its target where there is one, into the store.

    Raises:
        UserError: it is damaged, or its target has another size.
    """
    with store.in_use(photo.key):
        _decode(store, photo)


def _decode(store: ResultStore, photo: Photo) -> None:
    original = photo.decode()
    if photo.decode_target is not None:
        target = photo.decode_target()
        if target.shape != original.shape:
            raise UserError(f"{photo.name}: photo and target have different sizes")
        store.write_picture(photo.key, TARGET, target)
    store.write_picture(photo.key, ORIGINAL, original)


def render(store: ResultStore, photo: str, model: ModelChoice) -> None:
    """Renders a photograph that is in the store.

    Raises:
        UserError: the photograph is too narrow, or the model sees a depth map.
    """
    with store.in_use(photo):
        _render(store, photo, model)


def _render(store: ResultStore, photo: str, model: ModelChoice) -> None:
    original = np.asarray(store.read_picture(photo, ORIGINAL))
    chosen = nearest_shape(original.shape[:2], model.renderers())
    if chosen.input_channels != 3:
        raise UserError(
            "sees a depth map beside the photo, which this page does not take; render with "
            "python -m pocket_bokeh BUNDLE PHOTO --depth FILE"
        )
    picture = render_photo(original, [chosen])
    store.write_picture(photo, model.key, picture)


def measure(store: ResultStore, photo: str, picture: str, reference: str) -> None:
    """Notes how far two pictures of the store are apart."""
    with store.in_use(photo):
        pixels = (store.read_picture(photo, name) for name in (picture, reference))
        store.write_note(photo, f"{picture}~{reference}", asdict(compare_pictures(*pixels)))


def read_figures(
    store: ResultStore, photo: str, picture: str, reference: str
) -> PictureMetrics | None:
    """What `measure` noted, if it did."""
    note = store.read_note(photo, f"{picture}~{reference}")
    return None if note is None else PictureMetrics(**note)
