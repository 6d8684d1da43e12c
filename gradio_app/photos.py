"""The photographs that the page compares: a visitor's own, and examples. No TensorFlow."""

import hashlib
import io
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pillow_heif
import skimage.data
from PIL import Image

from train.errors import UserError
from train.photo import photo_size, read_photo

MOST_PIXELS = 50_000_000
"""What the page takes: phones give up to 50 megapixels, and each takes 10 bytes while decoded."""

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

pillow_heif.register_heif_opener()


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
        UserError: it is empty, no image, or of more than `MOST_PIXELS`.
    """
    content = file.read_bytes()
    height, width = _checked_size(content)
    if height * width > MOST_PIXELS:
        raise UserError(
            f"the photo has {width}×{height} pixels; this page takes up to "
            f"{MOST_PIXELS // 1_000_000} megapixels, so scale it down first"
        )
    frames = _frames(content)
    note = f"an animation: the first of its {frames} pictures is taken" if frames > 1 else ""
    return Photo(
        name or file.name,
        _key(content),
        lambda: _read_again(file),
        note=note,
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


def _checked_size(content: bytes) -> tuple[int, int]:
    try:
        return photo_size(content)
    except UserError as error:
        # train.photo names the formats that datasets have; this page takes one more.
        raise UserError(str(error).replace("PNG or WebP", "PNG, WebP or HEIC")) from error


def _frames(content: bytes) -> int:
    """Of an animation. What a phone puts beside a JPEG or HEIC, such as a gain map, is none."""
    with Image.open(io.BytesIO(content)) as image:
        if image.format not in ("GIF", "PNG", "WEBP"):
            return 1
        try:
            return getattr(image, "n_frames", 1)
        except Exception:  # Pillow raises whatever the damaged bytes lead it to.
            return 1


def _read_again(file: Path) -> np.ndarray:
    """Decodes a photo whose header was looked at before; an hour later it is deleted."""
    if not file.is_file():
        raise UserError(
            "the photo is no longer here, uploads are kept for an hour; choose it again"
        )
    return read_photo(file.read_bytes())


def _key(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:32]
