"""One photograph as every chosen model renders it, picture by picture as they are ready."""

import csv
import io
import time
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, replace

from PIL import Image

from gradio_app.models import ModelChoice
from gradio_app.photos import Photo
from gradio_app.store import ORIGINAL, TARGET
from gradio_app.workshop import Workshop, decode, measure, read_figures, render
from pocket_bokeh.errors import UserError
from pocket_bokeh.metrics import PictureMetrics

HEARTBEAT = 0.5
"""Seconds between two reports when nothing happens, so that a cancel is noticed."""

_GLANCE = 0.05


@dataclass(frozen=True)
class Picture:
    """One thing to look at.

    Attributes:
        key: its name in the store.
        label: for people.
        ready: whether it is in the store.
        model: what rendered it; None for the photograph and its target.
        to_reference: how far it is from float32's picture.
        to_target: how far it is from the target.
        failure: why there is none.
    """

    key: str
    label: str
    ready: bool = False
    model: ModelChoice | None = None
    to_reference: PictureMetrics | None = None
    to_target: PictureMetrics | None = None
    failure: str = ""


@dataclass(frozen=True)
class Comparison:
    """How far a comparison has come.

    Attributes:
        photo: what is compared on.
        size: its height and width; (0, 0) while it is being decoded.
        pictures: the photograph, its target where there is one, and one per model.
        done: whether nothing more will come.
        seconds: since it began.
    """

    photo: Photo
    size: tuple[int, int]
    pictures: tuple[Picture, ...]
    done: bool = False
    seconds: float = 0.0

    @property
    def waiting(self) -> list[str]:
        """What is not there yet, by its label."""
        return [p.label for p in self.pictures if not p.ready and not p.failure]


def compare(
    workshop: Workshop, photo: Photo, models: Sequence[ModelChoice]
) -> Generator[Comparison, None, None]:
    """Has a photograph rendered and measured; a consumer that stops early stops the work.

    Yields:
        The comparison whenever something is new, and at least every `HEARTBEAT` seconds.

    Raises:
        UserError: the photograph is damaged.
    """
    visitor = object()
    with workshop.store.in_use(photo.key):
        try:
            yield from _Run(workshop, photo, models, visitor).reports()
        finally:
            workshop.withdraw(visitor)


def is_known(workshop: Workshop, photo: Photo, models: Sequence[ModelChoice]) -> bool:
    """Whether every picture is there already, so that a comparison takes no work."""
    keys = [ORIGINAL, *(model.key for model in models)]
    return all(workshop.store.has(photo.key, key) for key in keys)


class _Run:
    """The tasks of one comparison."""

    def __init__(
        self,
        workshop: Workshop,
        photo: Photo,
        models: Sequence[ModelChoice],
        visitor: object,
    ):
        self._workshop = workshop
        self._photo = photo
        self._models = list(models)
        self._visitor = visitor
        self._start = time.perf_counter()
        self._tasks: dict[str, Future[None]] = {}

    def reports(self) -> Iterator[Comparison]:
        """From the first task to the last."""
        pictures = [Picture(ORIGINAL, "photo")]
        if self._photo.decode_target is not None:
            pictures.append(Picture(TARGET, "target"))
        pictures += [Picture(model.key, model.label, model=model) for model in self._models]
        current = Comparison(self._photo, (0, 0), tuple(pictures))
        yield current
        yield from self._decode(current)
        current = replace(current, size=self._size())
        while not current.done:
            finished = all(task.done() for task in self._tasks.values())
            done = not self._request_tasks() and finished
            looked = [self._look(picture) for picture in pictures]
            now = replace(current, pictures=tuple(looked), done=done, seconds=self._seconds())
            if replace(now, seconds=current.seconds) != current or (
                now.seconds - current.seconds > HEARTBEAT
            ):
                yield now
                current = now
            elif not done:
                time.sleep(_GLANCE)

    def _decode(self, current: Comparison) -> Iterator[Comparison]:
        store, photo = self._workshop.store, self._photo
        if store.has(photo.key, ORIGINAL):
            return
        task = self._request(f"decode {photo.key}", lambda: decode(store, photo))
        while not task.done():
            time.sleep(_GLANCE)
            if self._seconds() - current.seconds > HEARTBEAT:
                current = replace(current, seconds=self._seconds())
                yield current
        task.result()

    def _request_tasks(self) -> int:
        """Renders first, the references before all; then what can be measured by now.

        Returns:
            How many tasks are new.
        """
        before = len(self._tasks)
        store, photo = self._workshop.store, self._photo.key
        references = {model.reference for model in self._models}
        for model in sorted(self._models, key=lambda model: model.key not in references):
            if not store.has(photo, model.key):
                self._once(f"render {photo} {model.key}", _rendering(self._workshop, photo, model))
        for picture, reference in self._pairs():
            ready = store.has(photo, picture) and store.has(photo, reference)
            if ready and store.read_note(photo, f"{picture}~{reference}") is None:
                name = f"measure {photo} {picture} {reference}"
                self._once(name, _measuring(self._workshop, photo, picture, reference))
        return len(self._tasks) - before

    def _pairs(self) -> Iterator[tuple[str, str]]:
        keys = {model.key for model in self._models}
        for model in self._models:
            if model.reference in keys and model.reference != model.key:
                yield model.key, str(model.reference)
        if self._photo.decode_target is not None:
            yield ORIGINAL, TARGET
            for model in self._models:
                yield model.key, TARGET

    def _look(self, picture: Picture) -> Picture:
        """What the store and the tasks say about a picture."""
        store, photo = self._workshop.store, self._photo.key
        reference = picture.model.reference if picture.model else None
        task = self._tasks.get(f"render {photo} {picture.key}")
        return replace(
            picture,
            ready=store.has(photo, picture.key),
            to_reference=read_figures(store, photo, picture.key, reference) if reference else None,
            to_target=read_figures(store, photo, picture.key, TARGET),
            failure=_failure(task),
        )

    def _once(self, name: str, work: Callable[[], None]) -> None:
        if name not in self._tasks:
            self._tasks[name] = self._request(name, work)

    def _request(self, name: str, work: Callable[[], None]) -> Future[None]:
        return self._workshop.request(self._visitor, name, work)

    def _size(self) -> tuple[int, int]:
        file = self._workshop.store.picture_file(self._photo.key, ORIGINAL)
        with Image.open(file) as image:
            return image.height, image.width

    def _seconds(self) -> float:
        return time.perf_counter() - self._start


def _rendering(workshop: Workshop, photo: str, model: ModelChoice) -> Callable[[], None]:
    return lambda: render(workshop.store, photo, model)


def _measuring(workshop: Workshop, photo: str, picture: str, reference: str) -> Callable[[], None]:
    return lambda: measure(workshop.store, photo, picture, reference)


def _failure(task: Future[None] | None) -> str:
    if task is None or not task.done():
        return ""
    if task.cancelled():
        return "stopped"
    error = task.exception()
    if error is None:
        return ""
    if isinstance(error, UserError):
        return str(error)
    return "failed on this photo; the server's log says more"


SPEED = "ms on this computer"
COLUMNS = (
    "picture",
    "MB",
    SPEED,
    "PSNR to float32",
    "SSIM to float32",
    "largest step",
    "PSNR to target",
    "SSIM to target",
    "remark",
)


def table(comparison: Comparison, speeds: Mapping[str, float]) -> list[list[str | float | None]]:
    """The figures, a row per picture but the target, in the order of `COLUMNS`.

    MB of the model's file; milliseconds as `gradio_app.speed` measured them, by the model's key;
    PSNR in dB; the largest step, of 255, is the one to float32's picture.
    """
    return [
        _row(picture, speeds.get(picture.key))
        for picture in comparison.pictures
        if picture.key != TARGET
    ]


def _row(picture: Picture, milliseconds: float | None) -> list[str | float | None]:
    near, far, model = picture.to_reference, picture.to_target, picture.model
    is_reference = model is not None and model.key == model.reference
    remark = picture.failure or ("the reference" if is_reference else "")
    return [
        picture.label,
        None if model is None else round(model.bytes / 1e6, 2),
        None if milliseconds is None else round(milliseconds, 1),
        None if near is None else round(near.psnr, 2),
        None if near is None or near.ssim is None else round(near.ssim, 4),
        None if near is None else near.largest_step,
        None if far is None else round(far.psnr, 2),
        None if far is None or far.ssim is None else round(far.ssim, 4),
        remark,
    ]


def to_csv(comparison: Comparison, speeds: Mapping[str, float]) -> str:
    """The same for a spreadsheet, with the photograph's name and size in every row."""
    height, width = comparison.size
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(("photo", "width", "height", *COLUMNS))
    for row in table(comparison, speeds):
        cells = ["" if cell is None else cell for cell in row]
        writer.writerow((_plain(comparison.photo.name), width, height, *map(_plain, cells)))
    return text.getvalue()


def _plain(cell: str | float) -> str | float:
    """No text that a spreadsheet would take for a formula."""
    return f"'{cell}" if isinstance(cell, str) and cell[:1] in ("=", "+", "-", "@") else cell
