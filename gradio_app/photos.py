"""The photographs that the page compares: a visitor's own, and examples. No TensorFlow."""

import hashlib
import math
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import skimage.data

from pocket_bokeh.errors import UserError
from pocket_bokeh.photo import photo_size, read_photo, resize_photo
from pocket_bokeh.photo_file.opening import opened

MOST_COMPARED = 50_000_000
"""Pixels. A larger photo is compared at a half of its size, or less: each rendering of 200
megapixels would take 600 MB of the disk and 800 MB of the visitor's browser."""

EXAMPLES_FOLDER = Path(__file__).parent / "examples"
"""Pairs in the layout of a dataset: original/NAME.jpg and bokeh/NAME.jpg, of the built-in scenes.

Made with python -m train.synthetic --count 16 --size 768 1024 --seed 7; three were chosen.
"""
_EXAMPLE_PAIRS = ("portrait", "leaves", "grass")

_SHIPPED_PHOTOS: dict[str, Callable[[], np.ndarray]] = {
    "cat": skimage.data.chelsea,
    "astronaut": skimage.data.astronaut,
    "coffee": skimage.data.coffee,
}

_ONE_LARGE_PHOTO = threading.Lock()
"""Decoding 200 megapixels takes up to 2 GB for some seconds; never of two photos at a time."""


@dataclass(frozen=True)
class Photo:
    """A photograph to compare models on.

    Attributes:
        name: for people; of a visitor's photo its file name.
        key: names its content.
        decode: gives height × width × 3, uint8, sRGB, upright.
        decode_target: what a wide aperture gave, the same way, where that is known.
        example: whether everyone has it, so that a link to it can be shared.
        note: what its photographer should know about how it was read; mostly nothing.
        is_there: whether it can still be decoded; uploads are deleted after a while.
    """

    name: str
    key: str
    decode: Callable[[], np.ndarray]
    decode_target: Callable[[], np.ndarray] | None = None
    example: bool = False
    note: str = ""
    is_there: Callable[[], bool] = lambda: True


def read_upload(file: Path, name: str | None = None) -> Photo:
    """Takes a visitor's photo, after a look at its header.

    Raises:
        UserError: it is empty, no image, or of more pixels than `pocket_bokeh.photo` reads.
    """
    content = file.read_bytes()
    size = photo_size(content)
    notes = []
    if (frames := _frames(content)) > 1:
        notes.append(f"an animation: the first of its {frames} pictures is taken")
    if (parts := _reduction(size)) > 1:
        megapixels = round(math.prod(size) / 1e6)
        notes.append(
            f"{megapixels} megapixels: compared at 1/{parts} of its width and height; "
            "pocket_bokeh.render keeps its size"
        )
    return Photo(
        name or file.name,
        _key(content),
        lambda: _read_again(file),
        note="; ".join(notes),
        is_there=file.is_file,
    )


def list_examples() -> dict[str, Photo]:
    """The examples by name, the pairs with a target first."""
    pairs = (EXAMPLES_FOLDER / "original" / f"{name}.jpg" for name in _EXAMPLE_PAIRS)
    return {file.stem: _example_pair(file) for file in pairs} | {
        name: Photo(name, _key(name.encode()), decode, example=True)
        for name, decode in _SHIPPED_PHOTOS.items()
    }


def _example_pair(original: Path) -> Photo:
    bokeh = EXAMPLES_FOLDER / "bokeh" / original.name
    return Photo(
        original.stem,
        _key(original.read_bytes() + bokeh.read_bytes()),
        lambda: read_photo(original),
        lambda: read_photo(bokeh),
        example=True,
    )


def _frames(content: bytes) -> int:
    """Of an animation. What a phone puts beside a JPEG or HEIC, such as a gain map, is none."""
    with opened(content) as photo:
        if photo.image.format not in ("GIF", "PNG", "WEBP", "AVIF"):
            return 1
        try:
            return getattr(photo.image, "n_frames", 1)
        except Exception:  # Pillow raises whatever the damaged bytes lead it to.
            return 1


def _read_again(file: Path) -> np.ndarray:
    """Decodes a photo whose header was looked at before; an hour later it is deleted."""
    if not file.is_file():
        raise UserError(
            "the photo is no longer here, uploads are kept for an hour; choose it again"
        )
    content = file.read_bytes()
    height, width = photo_size(content)
    parts = _reduction((height, width))
    if parts == 1:
        return read_photo(content)
    reduced = (height // parts, width // parts)
    with _ONE_LARGE_PHOTO:
        return resize_photo(read_photo(content, short_side=min(reduced)), *reduced)


def _reduction(size: tuple[int, int]) -> int:
    """By how much width and height are divided, so that `MOST_COMPARED` holds."""
    return math.ceil(math.sqrt(math.prod(size) / MOST_COMPARED))


def _key(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:32]
