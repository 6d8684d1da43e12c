"""The photos that the page compares: visitors' own and the examples."""

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
"""Pixels. Larger photos are compared at half their size or less: each rendering of 200 megapixels
would take 600 MB of disk and 800 MB in the visitor's browser."""

EXAMPLES_FOLDER = Path(__file__).parent / "examples"
"""Portraits of people who do not exist; README.md there says where they are from."""

_PORTRAITS = ("portrait", "road", "street")
_FAILURE = "failure"
_LIBRARY_PHOTOS: dict[str, Callable[[], np.ndarray]] = {
    "cat": skimage.data.chelsea,
    "coffee": skimage.data.coffee,
    "motorcycle": lambda: skimage.data.stereo_motorcycle()[0],
}

_LARGE_PHOTO_LOCK = threading.Lock()
"""Held while a large photo is decoded: 200 megapixels take up to 2 GB for some seconds."""


@dataclass(frozen=True)
class Photo:
    """A photo to compare models on.

    Attributes:
        name: the name that people read; an upload's file name.
        key: a checksum of its content.
        decode: returns height × width × 3, uint8, sRGB, upright.
        example: whether every visitor has it, so that it can be linked to.
        note: what the photographer should know about how it was read; usually empty.
        is_there: whether it can still be decoded; uploads are deleted after a while.
    """

    name: str
    key: str
    decode: Callable[[], np.ndarray]
    example: bool = False
    note: str = ""
    is_there: Callable[[], bool] = lambda: True


def read_upload(file: Path, name: str | None = None) -> Photo:
    """Reads the header of a visitor's photo.

    Raises:
        UserError: it is empty, not an image, or has more pixels than `pocket_bokeh.photo` reads.
    """
    content = file.read_bytes()
    size = photo_size(content)
    notes = []
    if (frames := _frames(content)) > 1:
        notes.append(f"an animation: only the first of its {frames} pictures is used")
    if (divisor := _divisor(size)) > 1:
        megapixels = round(math.prod(size) / 1e6)
        notes.append(
            f"{megapixels} megapixels: compared at 1/{divisor} of its width and height; "
            "the command pocket-bokeh keeps its size"
        )
    return Photo(
        name or file.name,
        _key(content),
        lambda: _decode_upload(file),
        note="; ".join(notes),
        is_there=file.is_file,
    )


def list_examples() -> dict[str, Photo]:
    """The examples by name: portraits, an animal, food, a thing, and one that the models fail."""
    return {
        **{name: _example(name) for name in _PORTRAITS},
        **{
            name: Photo(name, _key(name.encode()), decode, example=True)
            for name, decode in _LIBRARY_PHOTOS.items()
        },
        _FAILURE: _example(
            _FAILURE,
            "a failure: the top of the head is blurred with the background; a tap on it helps",
        ),
    }


def _example(name: str, note: str = "") -> Photo:
    file = EXAMPLES_FOLDER / f"{name}.jpg"
    return Photo(name, _key(file.read_bytes()), lambda: read_photo(file), example=True, note=note)


def _frames(content: bytes) -> int:
    """The number of pictures of an animation; 1 for anything else.

    Other formats may hold further pictures that are not animations, such as a phone's gain map.
    """
    with opened(content) as photo:
        if photo.image.format not in ("GIF", "PNG", "WEBP", "AVIF"):
            return 1
        try:
            return getattr(photo.image, "n_frames", 1)
        except Exception:  # Pillow raises all kinds of errors on damaged bytes.
            return 1


def _decode_upload(file: Path) -> np.ndarray:
    """Decodes a photo whose header was read before; it may have been deleted meanwhile."""
    if not file.is_file():
        raise UserError(
            "this photo is no longer on the server, which keeps uploads for an hour; choose it "
            "again"
        )
    content = file.read_bytes()
    height, width = photo_size(content)
    divisor = _divisor((height, width))
    if divisor == 1:
        return _decode(content)
    reduced = (height // divisor, width // divisor)
    with _LARGE_PHOTO_LOCK:
        return resize_photo(_decode(content, min(reduced)), *reduced)


def _decode(content: bytes, short_side: int | None = None) -> np.ndarray:
    try:
        return read_photo(content, short_side=short_side)
    except UserError as error:
        if "damaged image" in str(error):
            raise UserError("the file is damaged or incomplete. Choose another copy.") from error
        raise


def _divisor(size: tuple[int, int]) -> int:
    """By what width and height are divided so that at most `MOST_COMPARED` pixels remain."""
    return math.ceil(math.sqrt(math.prod(size) / MOST_COMPARED))


def _key(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:32]
