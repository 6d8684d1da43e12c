"""Pictures and figures on disk, by the content that they were made from: nothing is made twice.

PHOTO/PICTURE.png     a picture without loss; the photograph itself is `original`
PHOTO/PICTURE.npy     its pixels while someone works on them, read as a memory map
PHOTO/NOTE.json       what is known about it
PHOTO/….csv           the figures as a table to download

PHOTO and PICTURE are names without a dot or a slash; checksums, or words of ours.
"""

import contextlib
import json
import logging
import os
import re
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from gradio_app.sweep import age_of, bytes_on_disk, delete_tree, entries_of
from pocket_bokeh.photo import write_atomically

ORIGINAL = "original"
TARGET = "target"

MOST_BYTES = 3 << 30
"""A photograph of 12 megapixels with six renderings takes 200 MB."""

LONGEST_AGE = 3600.0
"""Seconds after which what a visitor brought, and what was made of it, is deleted."""

_NAME = re.compile(r"[a-z0-9_]+(~[a-z0-9_]+)?")


class ResultStore:
    """A folder of results that never grows beyond a bound; what was used last stays longest."""

    def __init__(
        self, folder: Path, most_bytes: int = MOST_BYTES, longest_age: float = LONGEST_AGE
    ):
        self._folder = folder
        self._most_bytes = most_bytes
        self._longest_age = longest_age
        self._users: Counter[str] = Counter()
        self._lock = threading.Lock()

    def picture_file(self, photo: str, picture: str) -> Path:
        """Where a picture is, or would be.

        Raises:
            ValueError: a name that is none, such as one that leads out of the folder.
        """
        return self._file(photo, f"{_checked(picture)}.png")

    def has(self, photo: str, picture: str) -> bool:
        """Whether a picture is there."""
        return self.picture_file(photo, picture).is_file()

    def write_picture(self, photo: str, picture: str, pixels: np.ndarray) -> None:
        """Keeps a picture; height × width × 3, uint8, sRGB. It is there whole or not at all."""
        file = self.picture_file(photo, picture)
        file.parent.mkdir(parents=True, exist_ok=True)
        _write_pixels(file.with_suffix(".npy"), pixels)
        with _written_beside(file) as beside:
            # Compressed harder, 12 megapixels take three times as long and a tenth less.
            Image.fromarray(pixels).save(beside, "PNG", compress_level=1)

    def read_picture(self, photo: str, picture: str) -> np.ndarray:
        """The pixels of a picture that is there, as a memory map; use it inside `in_use`."""
        file = self.picture_file(photo, picture)
        pixels = file.with_suffix(".npy")
        if not pixels.is_file():
            _write_pixels(pixels, np.asarray(Image.open(file)))
        return np.load(pixels, mmap_mode="r")

    def write_note(self, photo: str, name: str, note: dict[str, Any]) -> None:
        """Keeps what is known about a picture, or about two (ONE~OTHER)."""
        file = self._file(photo, f"{_checked(name)}.json")
        file.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(file, json.dumps(note))

    def read_note(self, photo: str, name: str) -> dict[str, Any] | None:
        """What is known, if anything is."""
        try:
            return dict(json.loads(self._file(photo, f"{_checked(name)}.json").read_bytes()))
        except FileNotFoundError:
            return None

    def write_table(self, photo: str, name: str, text: str) -> Path:
        """Keeps a table under a name for people.

        Raises:
            ValueError: the name is not letters, digits, - and _ before .csv.
        """
        if not re.fullmatch(r"[\w-]+\.csv", name):
            raise ValueError(f"{name!r}: no name of a table")
        file = self._file(photo, name)
        file.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(file, text)
        return file

    @contextmanager
    def in_use(self, photo: str) -> Iterator[None]:
        """Keeps a photograph's results from being deleted while someone works on them."""
        with self._lock:
            self._users[photo] += 1
        try:
            yield
        finally:
            with self._lock:
                self._users[photo] -= 1
                if not self._users[photo]:
                    self._leave(photo)
            try:
                self.sweep()
            except Exception:
                # What was worked on is done; that something cannot be deleted does not spoil it.
                logging.exception("the results could not be swept")

    def sweep(self) -> None:
        """Deletes what is older than the longest age, then the oldest until the bound is kept."""
        with self._lock:
            sizes = {photo: bytes_on_disk(photo) for photo in entries_of(self._folder)}
            total = sum(sizes.values())
            ages = {photo: age_of(photo) for photo in sizes if not self._users[photo.name]}
            idle = [(age, photo) for photo, age in ages.items() if age is not None]
            for age, photo in sorted(idle, reverse=True):
                if age <= self._longest_age and total <= self._most_bytes:
                    break
                total -= sizes[photo]
                delete_tree(photo)

    def _leave(self, photo: str) -> None:
        del self._users[photo]
        folder = self._folder / _checked(photo)
        for pixels in folder.glob("*.npy"):
            pixels.unlink(missing_ok=True)
        with contextlib.suppress(FileNotFoundError):
            os.utime(folder)

    def _file(self, photo: str, name: str) -> Path:
        return self._folder / _checked(photo) / name


def _checked(name: str) -> str:
    if not _NAME.fullmatch(name):
        raise ValueError(f"{name!r}: no name of a picture")
    return name


def _write_pixels(file: Path, pixels: np.ndarray) -> None:
    with _written_beside(file) as beside, beside.open("wb") as stream:
        np.save(stream, pixels)


@contextmanager
def _written_beside(file: Path) -> Iterator[Path]:
    """Where to write a file, which is renamed once it is whole and removed if it never is."""
    beside = file.with_name(f".{file.name}.{threading.get_ident()}")
    try:
        yield beside
        beside.replace(file)
    finally:
        beside.unlink(missing_ok=True)
