"""Pictures and measurements on disk, named by the content they come from: a cache.

PHOTO/PICTURE.png     a lossless picture; the photo itself is `original`
PHOTO/PICTURE.npy     its pixels while they are in use, read as a memory map
PHOTO/NOTE.json       a measurement of two pictures
PHOTO/….csv           the measurements as a table to download

PHOTO and PICTURE have no dot and no slash: they are checksums or fixed names.
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

MOST_BYTES = 3 << 30
"""A photo of 12 megapixels with six renderings takes 200 MB."""

LONGEST_AGE = 3600.0
"""Seconds after which uploads and their results are deleted."""

_NAME = re.compile(r"[a-z0-9_]+(~[a-z0-9_]+)?")


class ResultStore:
    """A folder of results with a bound on its size; what was used last is kept longest."""

    def __init__(
        self, folder: Path, most_bytes: int = MOST_BYTES, longest_age: float = LONGEST_AGE
    ):
        self._folder = folder
        self._most_bytes = most_bytes
        self._longest_age = longest_age
        self._users: Counter[str] = Counter()
        self._lock = threading.Lock()

    def picture_file(self, photo: str, picture: str) -> Path:
        """The path of a picture, whether it exists or not.

        Raises:
            ValueError: a name is invalid; it might lead out of the folder.
        """
        return self._file(photo, f"{_checked(picture)}.png")

    def has(self, photo: str, picture: str) -> bool:
        """Whether the store has a picture."""
        return self.picture_file(photo, picture).is_file()

    def write_picture(self, photo: str, picture: str, pixels: np.ndarray) -> None:
        """Stores a picture (height × width × 3, uint8, sRGB), atomically."""
        file = self.picture_file(photo, picture)
        file.parent.mkdir(parents=True, exist_ok=True)
        _write_pixels(file.with_suffix(".npy"), pixels)
        with _replacing(file) as temporary:
            # The default level takes three times as long and saves a tenth of the bytes.
            Image.fromarray(pixels).save(temporary, "PNG", compress_level=1)

    def read_picture(self, photo: str, picture: str) -> np.ndarray:
        """The pixels of a stored picture, as a memory map; use it inside `in_use`."""
        file = self.picture_file(photo, picture)
        pixels = file.with_suffix(".npy")
        if not pixels.is_file():
            _write_pixels(pixels, np.asarray(Image.open(file)))
        return np.load(pixels, mmap_mode="r")

    def write_note(self, photo: str, name: str, note: dict[str, Any]) -> None:
        """Stores a note about a picture, or about two (ONE~OTHER)."""
        file = self._file(photo, f"{_checked(name)}.json")
        file.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(file, json.dumps(note))

    def read_note(self, photo: str, name: str) -> dict[str, Any] | None:
        """A stored note; None if there is none."""
        try:
            return dict(json.loads(self._file(photo, f"{_checked(name)}.json").read_bytes()))
        except FileNotFoundError:
            return None

    def write_table(self, photo: str, name: str, text: str) -> Path:
        """Stores a table under the name that its download has.

        Raises:
            ValueError: the name is not letters, digits, - and _ before .csv.
        """
        if not re.fullmatch(r"[\w-]+\.csv", name):
            raise ValueError(f"{name!r}: not a valid name for a table")
        file = self._file(photo, name)
        file.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(file, text)
        return file

    @contextmanager
    def in_use(self, photo: str) -> Iterator[None]:
        """Protects a photo's results from being deleted."""
        with self._lock:
            self._users[photo] += 1
        try:
            yield
        finally:
            with self._lock:
                self._users[photo] -= 1
                if not self._users[photo]:
                    self._release(photo)
            try:
                self.sweep()
            except Exception:
                # The caller's work is done; a failure to delete must not spoil it.
                logging.exception("old results could not be deleted")

    def sweep(self) -> None:
        """Deletes results that are too old, then the oldest until the rest is small enough."""
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

    def _release(self, photo: str) -> None:
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
        raise ValueError(f"{name!r}: not a valid name for a picture")
    return name


def _write_pixels(file: Path, pixels: np.ndarray) -> None:
    with _replacing(file) as temporary, temporary.open("wb") as stream:
        np.save(stream, pixels)


@contextmanager
def _replacing(file: Path) -> Iterator[Path]:
    """A temporary file that replaces `file` at the end, or is deleted after an error."""
    temporary = file.with_name(f".{file.name}.{threading.get_ident()}")
    try:
        yield temporary
        temporary.replace(file)
    finally:
        temporary.unlink(missing_ok=True)
