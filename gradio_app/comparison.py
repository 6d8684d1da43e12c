"""Renders one photo with several models and reports each picture as it becomes ready."""

import time
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, replace

from PIL import Image

from gradio_app.model_catalogue import ModelChoice
from gradio_app.photos import Photo
from gradio_app.result_store import ORIGINAL
from gradio_app.task_pool import TaskPool
from gradio_app.tasks import Measured, decode, measure, read_measurement, render
from pocket_bokeh.errors import UserError

HEARTBEAT = 0.5
"""Seconds between two reports when nothing changes, so that a cancellation is noticed."""

_POLL_EVERY = 0.05
"""Seconds."""


@dataclass(frozen=True)
class Picture:
    """The photo or one model's rendering.

    Attributes:
        key: its name in the store.
        label: the name that people read.
        ready: whether it is in the store.
        model: what rendered it; None for the photo.
        to_reference: compared with the float32 model's picture.
        failure: why there is no picture; empty otherwise.
    """

    key: str
    label: str
    ready: bool = False
    model: ModelChoice | None = None
    to_reference: Measured | None = None
    failure: str = ""


@dataclass(frozen=True)
class Comparison:
    """The state of a comparison.

    Attributes:
        photo: what the models render.
        size: height and width of the photo; (0, 0) until it is decoded.
        pictures: the photo and one picture per model.
        done: whether nothing more will change.
        from_cache: whether every picture was in the store from the beginning.
        seconds: since the comparison began.
    """

    photo: Photo
    size: tuple[int, int]
    pictures: tuple[Picture, ...]
    done: bool = False
    from_cache: bool = False
    seconds: float = 0.0

    @property
    def waiting(self) -> list[str]:
        """The labels of the pictures that are not ready yet."""
        return [p.label for p in self.pictures if not p.ready and not p.failure]

    @property
    def models(self) -> list[ModelChoice]:
        """The models, in the order of their pictures."""
        return [picture.model for picture in self.pictures if picture.model]


def compare_models(
    pool: TaskPool, photo: Photo, models: Sequence[ModelChoice]
) -> Generator[Comparison, None, None]:
    """Renders and measures a photo with each model. Closing the generator stops the work.

    Yields:
        The comparison whenever it changes, and at least every `HEARTBEAT` seconds.

    Raises:
        UserError: the photo is damaged.
    """
    visitor = object()
    with pool.store.in_use(photo.key):
        try:
            yield from _ComparisonRun(pool, photo, models, visitor).reports()
        finally:
            pool.withdraw(visitor)


def is_cached(pool: TaskPool, photo: Photo, models: Sequence[ModelChoice]) -> bool:
    """Whether every picture is in the store, so that nothing has to be rendered."""
    keys = [ORIGINAL, *(model.key for model in models)]
    return all(pool.store.has(photo.key, key) for key in keys)


class _ComparisonRun:
    """The tasks of one comparison."""

    def __init__(
        self,
        pool: TaskPool,
        photo: Photo,
        models: Sequence[ModelChoice],
        visitor: object,
    ):
        self._pool = pool
        self._photo = photo
        self._models = list(models)
        self._visitor = visitor
        self._start = time.perf_counter()
        self._tasks: dict[str, Future[None]] = {}

    def reports(self) -> Iterator[Comparison]:
        """The comparison's states, from the first to the last."""
        from_cache = is_cached(self._pool, self._photo, self._models)
        pictures = self._pictures()
        current = Comparison(self._photo, (0, 0), pictures, from_cache=from_cache)
        yield current
        yield from self._decode(current)
        current = replace(current, size=self._size())
        while not current.done:
            finished = all(task.done() for task in self._tasks.values())
            done = not self._request_tasks() and finished
            updated = tuple(self._update(picture) for picture in pictures)
            now = replace(current, pictures=updated, done=done, seconds=self._seconds())
            has_changed = replace(now, seconds=current.seconds) != current
            if has_changed or now.seconds - current.seconds > HEARTBEAT:
                yield now
                current = now
            elif not done:
                time.sleep(_POLL_EVERY)

    def _pictures(self) -> tuple[Picture, ...]:
        """All pictures, before anything is known about them."""
        rendered = (Picture(model.key, model.label, model=model) for model in self._models)
        return Picture(ORIGINAL, "photo"), *rendered

    def _decode(self, current: Comparison) -> Iterator[Comparison]:
        """Decodes the photo unless it is in the store; reports meanwhile."""
        store, photo = self._pool.store, self._photo
        if store.has(photo.key, ORIGINAL):
            return
        task = self._request(f"decode {photo.key}", lambda: decode(store, photo))
        while not task.done():
            time.sleep(_POLL_EVERY)
            if self._seconds() - current.seconds > HEARTBEAT:
                current = replace(current, seconds=self._seconds())
                yield current
        task.result()

    def _request_tasks(self) -> int:
        """Requests all renderings, references first, and the measurements that are possible.

        Returns:
            The number of new tasks.
        """
        before = len(self._tasks)
        store, photo = self._pool.store, self._photo.key
        references = {model.reference for model in self._models}
        for model in sorted(self._models, key=lambda model: model.key not in references):
            if not store.has(photo, model.key):
                self._request_once(f"render {photo} {model.key}", self._rendering(model))
        for picture, reference in self._pairs():
            is_ready = store.has(photo, picture) and store.has(photo, reference)
            if is_ready and store.read_note(photo, f"{picture}~{reference}") is None:
                name = f"measure {photo} {picture} {reference}"
                self._request_once(name, self._measuring(picture, reference))
        return len(self._tasks) - before

    def _pairs(self) -> Iterator[tuple[str, str]]:
        """The pictures to measure, each with what it is compared with."""
        keys = {model.key for model in self._models}
        for model in self._models:
            if model.reference in keys and model.reference != model.key:
                yield model.key, str(model.reference)

    def _update(self, picture: Picture) -> Picture:
        """A picture with what the store and the tasks say about it."""
        store, photo = self._pool.store, self._photo.key
        reference = picture.model.reference if picture.model else None
        task = self._tasks.get(f"render {photo} {picture.key}")
        return replace(
            picture,
            ready=store.has(photo, picture.key),
            to_reference=(
                read_measurement(store, photo, picture.key, reference) if reference else None
            ),
            failure=_failure(task),
        )

    def _rendering(self, model: ModelChoice) -> Callable[[], None]:
        return lambda: render(self._pool.store, self._photo.key, model)

    def _measuring(self, picture: str, reference: str) -> Callable[[], None]:
        return lambda: measure(self._pool.store, self._photo.key, picture, reference)

    def _request_once(self, name: str, work: Callable[[], None]) -> None:
        if name not in self._tasks:
            self._tasks[name] = self._request(name, work)

    def _request(self, name: str, work: Callable[[], None]) -> Future[None]:
        return self._pool.request(self._visitor, name, work)

    def _size(self) -> tuple[int, int]:
        file = self._pool.store.picture_file(self._photo.key, ORIGINAL)
        with Image.open(file) as image:
            return image.height, image.width

    def _seconds(self) -> float:
        return time.perf_counter() - self._start


def _failure(task: Future[None] | None) -> str:
    """Why a task failed, for the visitor; empty if it did not."""
    if task is None or not task.done():
        return ""
    if task.cancelled():
        return "stopped"
    error = task.exception()
    if error is None:
        return ""
    if isinstance(error, UserError):
        return str(error)
    reason = "out of memory" if isinstance(error, MemoryError) else "see the server's log"
    return f"could not render this photo ({reason})"
