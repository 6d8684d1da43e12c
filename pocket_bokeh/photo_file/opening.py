"""Opens photo files and reports unsupported ones in one line."""

import io
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from PIL import Image

from pocket_bokeh.errors import UserError

MOST_PIXELS = 200_000_000
"""Size of the largest photos of phones. Larger claims in a small file are decompression bombs."""

FORMATS = ("JPEG", "MPO", "PNG", "WEBP", "AVIF", "TIFF", "GIF", "BMP", "PPM", "JPEG2000")
"""Supported formats besides HEIF, by Pillow's names. Some others of Pillow's start programs."""

_EXPECTED = "expected a JPEG, PNG, WebP, AVIF, HEIC or TIFF photo"
_JPEG_XL = (b"\xff\x0a", b"\x00\x00\x00\x0cJXL ")
_NEW_SUBFILE_TYPE, _DNG_VERSION = 254, 50706


@dataclass(frozen=True)
class OpenedPhoto:
    """A photo file whose header was read.

    Attributes:
        image: not decoded yet.
        stream: a second stream of the file, because Pillow's own must not be moved.
        name: of the file, for messages.
    """

    image: Image.Image
    stream: BinaryIO
    name: str

    @property
    def content(self) -> bytes:
        """The whole file."""
        self.stream.seek(0)
        return self.stream.read()


@contextmanager
def opened(file: Path | str | bytes) -> Iterator[OpenedPhoto]:
    """Opens a photograph and reads its header.

    Raises:
        UserError: the file is missing, empty, not an image, too large, or a raw photo.
    """
    name = "the photo" if isinstance(file, bytes) else str(file)
    with _stream(file, name) as stream, _image(file, stream, name) as image:
        if image.width * image.height > MOST_PIXELS:
            raise UserError(
                f"{name}: {image.width}×{image.height} pixels, more than {MOST_PIXELS // 10**6} "
                "megapixels; scale it down first"
            )
        _refuse_raw(image, stream, name)
        stream.seek(0)
        yield OpenedPhoto(image, stream, name)


@contextmanager
def refusing_damage(name: str) -> Iterator[None]:
    """Turns a decoder's errors on a damaged file into a `UserError`."""
    try:
        yield
    # HEIF's decoder raises EOFError and RuntimeError.
    except (OSError, ValueError, SyntaxError, EOFError, RuntimeError, struct.error) as error:
        reason = " ".join(str(error).split())
        raise UserError(f"{name}: damaged image ({reason}); replace or remove it") from error


@contextmanager
def _stream(file: Path | str | bytes, name: str) -> Iterator[BinaryIO]:
    if isinstance(file, bytes):
        yield io.BytesIO(file)
        return
    try:
        stream = Path(file).open("rb")  # noqa: SIM115
    except FileNotFoundError as error:
        raise UserError(f"{name}: no such file") from error
    except PermissionError as error:
        raise UserError(f"{name}: no permission to read it") from error
    except IsADirectoryError as error:
        raise UserError(f"{name}: is a folder, expected a photo") from error
    with stream:
        yield stream


def _image(file: Path | str | bytes, stream: BinaryIO, name: str) -> Image.Image:
    # Pillow's own limit is too low for phones: it warns above it and refuses above twice as much.
    Image.MAX_IMAGE_PIXELS = 2 * MOST_PIXELS
    Image.init()  # Without this, Pillow only knows the most common formats.
    head = stream.read(16)
    try:
        if _is_heif(head):
            return _heif(file, name)
        return Image.open(_source(file), formats=[kind for kind in FORMATS if kind in Image.OPEN])
    except Image.DecompressionBombError as error:
        raise UserError(
            f"{name}: more than {MOST_PIXELS // 10**6} megapixels; scale it down first"
        ) from error
    except (OSError, ValueError, SyntaxError, EOFError, RuntimeError, struct.error) as error:
        if head.startswith(_JPEG_XL):
            found = "a JPEG XL image, which is not supported"
        else:
            found = "not an image that can be read" if head else "an empty file"
        raise UserError(f"{name}: {found}; {_EXPECTED}") from error


def _source(file: Path | str | bytes) -> BinaryIO | Path | str:
    return io.BytesIO(file) if isinstance(file, bytes) else file


def _is_heif(head: bytes) -> bool:
    """Whether the brand is one of HEIF; AVIF is left to Pillow."""
    return head[4:8] == b"ftyp" and head[8:12] not in (b"avif", b"avis")


def _heif(file: Path | str | bytes, name: str) -> Image.Image:
    try:
        import pillow_heif
    except ImportError as error:
        raise UserError(
            f"{name}: is a HEIC photo, but pillow-heif is not installed; install it, or save the "
            "photo as JPEG"
        ) from error
    pillow_heif.register_heif_opener()
    try:
        return Image.open(_source(file), formats=("HEIF",))
    except (OSError, ValueError):
        # Some AVIF files start with a generic brand.
        return Image.open(_source(file), formats=("AVIF",))


def _refuse_raw(image: Image.Image, stream: BinaryIO, name: str) -> None:
    """Refuses raw photos; most are a kind of TIFF, and Pillow would only read the thumbnail."""
    if image.format != "TIFF":
        return
    tags = getattr(image, "tag_v2", {})
    stream.seek(8)
    is_canon = stream.read(2) == b"CR"
    if is_canon or _DNG_VERSION in tags or tags.get(_NEW_SUBFILE_TYPE, 0) & 1:
        raise UserError(
            f"{name}: is a raw photo or a thumbnail; develop it and save it as JPEG first"
        )
