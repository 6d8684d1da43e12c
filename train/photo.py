"""One photograph file to one array and back, the same everywhere in the project.

An array is height × width × 3, uint8, RGB, sRGB-encoded, upright. Only what goes back to its
photographer stays in the colours that it came in: `read_camera_photo`.
"""

import io
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import ExifTags, Image, ImageCms

from train.errors import UserError

MOST_PIXELS = 120_000_000
"""More than any phone's camera gives; a small file that claims more is taken for a bomb."""

PHOTO_SUFFIXES = (".jpg", ".jpeg", ".png")
"""What a dataset folder is searched for."""

_MOST_EXIF_BYTES = 65_000
"""A JPEG holds 65533, its own header included."""

_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""By EXIF orientation, what makes a picture upright."""

WRITTEN_FORMATS = {".jpg": "JPEG", ".jpeg": "JPEG", ".png": "PNG", ".webp": "WEBP"}
"""By a file's ending, what Pillow calls the format that `write_photo` writes."""


def read_photo(file: Path | str | bytes, short_side: int | None = None) -> np.ndarray:
    """Decodes a photograph as it is meant to be seen.

    The EXIF orientation is applied, an embedded colour profile is converted to sRGB, CMYK is
    converted, grey becomes RGB, 16 bits become 8, transparency is laid over white and of an
    animation the first frame is taken.

    Args:
        file: a path, or the bytes of a file.
        short_side: a shorter side in pixels that suffices. A JPEG is then decoded to a half, a
            quarter or an eighth of its size, the smallest that is not below.

    Returns:
        height × width × 3, uint8, RGB, sRGB-encoded.

    Raises:
        UserError: there is no such file, or it is empty, corrupt, no image or too large.
    """
    name = _name(file)
    image = _upright(file, name, short_side)
    with _refusing_damage(name):
        return np.asarray(_to_srgb(image))


@dataclass(frozen=True)
class CameraPhoto:
    """A photograph in the colours of its own profile, and what its camera noted about it.

    Attributes:
        pixels: height × width × 3, uint8, RGB, upright, encoded as the profile says.
        profile: ICC, of RGB; None stands for sRGB.
        exif: date, camera, place and the like, without the thumbnail and the maker's own note;
            b"" where there is none.
    """

    pixels: np.ndarray
    profile: bytes | None = None
    exif: bytes = b""


def read_camera_photo(file: Path | str | bytes) -> CameraPhoto:
    """Decodes a photograph as `read_photo`, but leaves RGB in its own, perhaps wider, profile.

    Display P3 and Adobe RGB hold reds and greens that sRGB must clip. What is not RGB in its file,
    such as CMYK, becomes sRGB.

    Raises:
        UserError: as `read_photo`.
    """
    name = _name(file)
    image = _upright(file, name)
    profile = image.info.get("icc_profile")
    with _refusing_damage(name):
        own = _to_eight_bit(image)
        if own.mode == "RGB" and profile and _is_rgb(profile):
            return CameraPhoto(np.asarray(own), profile, _exif(image))
        return CameraPhoto(np.asarray(_to_srgb(image)), None, _exif(image))


def read_depth(file: Path, size: tuple[int, int]) -> np.ndarray:
    """Decodes a depth map and brings it to a photograph's height and width.

    Returns:
        height × width, uint8; of a map in colour, its grey.

    Raises:
        UserError: as `read_photo`.
    """
    depth = np.asarray(Image.fromarray(read_photo(file)).convert("L"))
    return resize_photo(depth, *size)


def check_depth_shape(file: Path, size: tuple[int, int]) -> None:
    """Refuses a depth map that cannot be the photograph's, by its header.

    Depth is often estimated at a size of its own; height to width must agree to 2 %.

    Args:
        file: the depth map.
        size: the photograph's height and width.

    Raises:
        UserError: it has another shape, or is no picture.
    """
    (height, width), (depth_height, depth_width) = size, photo_size(file)
    if abs(depth_width / depth_height * height / width - 1) > 0.02:
        raise UserError(
            f"{file}: {depth_width}×{depth_height} pixels, another shape than its photo with "
            f"{width}×{height}; a depth map shows what the photo shows"
        )


def photo_size(file: Path | str | bytes) -> tuple[int, int]:
    """Height and width of the upright photograph, from the file's header alone.

    Raises:
        UserError: there is no such file, or it is empty, no image or too large.
    """
    name = _name(file)
    with _open(file, name) as image:
        _check_size(image, name)
        width, height = image.size
        sideways = _orientation(image) >= 5
    return (width, height) if sideways else (height, width)


def write_photo(
    file: Path | str,
    photo: np.ndarray,
    quality: int = 95,
    profile: bytes | None = None,
    exif: bytes = b"",
) -> None:
    """Writes height × width × 3 uint8 as JPEG, PNG or WebP by the file's ending.

    The file appears whole or not at all. JPEG keeps its colours at full resolution.

    Args:
        file: where to.
        photo: sRGB, or encoded as the profile says.
        quality: of JPEG and WebP, 0…100.
        profile: ICC; None stands for sRGB.
        exif: as in `CameraPhoto`.

    Raises:
        UserError: the ending stands for no known format, or the folder does not exist.
    """
    file = Path(file)
    if file.suffix.lower() not in WRITTEN_FORMATS:
        endings = ", ".join(WRITTEN_FORMATS)
        raise UserError(f"{file}: cannot write '{file.suffix}' files; name one of {endings}")
    encoded = io.BytesIO()
    Image.fromarray(photo).save(
        encoded,
        WRITTEN_FORMATS[file.suffix.lower()],
        quality=quality,
        subsampling=0,
        icc_profile=profile,
        exif=exif,
    )
    write_atomically(file, encoded.getvalue())


def write_atomically(file: Path | str, content: bytes | str) -> None:
    """Writes beside the file and renames, so that no reader ever sees half of it.

    Raises:
        UserError: the folder does not exist.
        OSError: the folder takes no writes (full, read-only).
    """
    file = Path(file)
    if not file.parent.is_dir():
        raise UserError(f"{file.parent}: no such folder; make it or name another")
    data = content.encode() if isinstance(content, str) else content
    descriptor, beside = tempfile.mkstemp(prefix=f".{file.name}.", dir=file.parent)
    try:
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        os.chmod(beside, 0o644)
        os.replace(beside, file)
    except BaseException:
        Path(beside).unlink(missing_ok=True)
        raise


def to_float(photo: np.ndarray) -> np.ndarray:
    """uint8 0…255 to float32 0…1, any shape."""
    return photo.astype(np.float32) / 255.0


def to_uint8(picture: np.ndarray) -> np.ndarray:
    """float 0…1 to uint8 0…255, any shape; clipped, rounded to nearest."""
    return np.rint(np.clip(picture, 0.0, 1.0) * 255.0).astype(np.uint8)


def resize_photo(photo: np.ndarray, height: int, width: int) -> np.ndarray:
    """Bicubic resize of height × width (× 3) uint8, antialiased when it shrinks."""
    if photo.shape[:2] == (height, width):
        return photo
    image = Image.fromarray(photo).resize((width, height), Image.Resampling.BICUBIC)
    return np.asarray(image)


def network_input(photo: np.ndarray, depth: np.ndarray | None = None) -> np.ndarray:
    """What the network sees of a photograph: half its size, bicubic, float32 0…1.

    Args:
        photo: height × width × 3, uint8, even sides.
        depth: height × width, uint8, for a network that sees it.

    Returns:
        height/2 × width/2 × 3, or × 4 with the depth last.
    """
    half = (photo.shape[0] // 2, photo.shape[1] // 2)
    colour = to_float(resize_photo(photo, *half))
    if depth is None:
        return colour
    return np.dstack([colour, to_float(resize_photo(depth, *half))])


def _name(file: Path | str | bytes) -> str:
    return "the photo" if isinstance(file, bytes) else str(file)


def _open(file: Path | str | bytes, name: str) -> Image.Image:
    source = io.BytesIO(file) if isinstance(file, bytes) else file
    try:
        return Image.open(source)
    except FileNotFoundError as error:
        raise UserError(f"{name}: no such file") from error
    except PermissionError as error:
        raise UserError(f"{name}: no right to read it; expected a photo") from error
    except IsADirectoryError as error:
        raise UserError(f"{name}: a folder, expected a photo") from error
    except Image.DecompressionBombError as error:
        raise UserError(_too_large(name)) from error
    except (OSError, ValueError, SyntaxError) as error:
        size = len(file) if isinstance(file, bytes) else Path(file).stat().st_size
        found = "an empty file" if size == 0 else "not an image that can be read"
        raise UserError(f"{name}: {found}; expected a JPEG, PNG or WebP photo") from error


def _check_size(image: Image.Image, name: str) -> None:
    if image.width * image.height > MOST_PIXELS:
        raise UserError(f"{_too_large(name)} (it has {image.width}×{image.height})")


def _too_large(name: str) -> str:
    return f"{name}: more than {MOST_PIXELS // 1_000_000} megapixels; scale it down first"


def _upright(file: Path | str | bytes, name: str, short_side: int | None = None) -> Image.Image:
    """The decoded picture as it is meant to be seen."""
    with _open(file, name) as image, _refusing_damage(name):
        _check_size(image, name)
        if short_side:
            image.draft(None, (short_side, short_side))
        image.load()
        turn = _TURNS.get(_orientation(image))
        return image if turn is None else image.transpose(turn)


@contextmanager
def _refusing_damage(name: str) -> Iterator[None]:
    try:
        yield
    except (OSError, ValueError, SyntaxError) as error:
        raise UserError(f"{name}: damaged image ({error}); replace or remove it") from error


def _orientation(image: Image.Image) -> int:
    """EXIF's, 1…8; from 5 on the picture lies on its side. Notes beyond reading say 1."""
    try:
        return int(image.getexif().get(ExifTags.Base.Orientation, 1))
    except Exception:  # Pillow raises whatever the damaged bytes lead it to.
        return 1


def _exif(image: Image.Image) -> bytes:
    """The notes for an upright picture of this size; none where they are beyond reading."""
    try:
        notes = image.getexif()
        if not notes:
            return b""
        notes[ExifTags.Base.Orientation] = 1
        camera = notes.get_ifd(ExifTags.IFD.Exif) if ExifTags.IFD.Exif in notes else {}
        # It points to addresses in the camera's own file.
        camera.pop(ExifTags.IFD.MakerNote, None)
        sizes = {
            ExifTags.Base.ExifImageWidth: image.width,
            ExifTags.Base.ExifImageHeight: image.height,
        }
        camera.update({tag: side for tag, side in sizes.items() if tag in camera})
        content = notes.tobytes()
    except Exception:  # As above.
        return b""
    return content if len(content) <= _MOST_EXIF_BYTES else b""


def _to_srgb(image: Image.Image) -> Image.Image:
    profile = image.info.get("icc_profile")
    image = _to_eight_bit(image)
    return (_through_profile(image, profile) if profile else image).convert("RGB")


def _to_eight_bit(image: Image.Image) -> Image.Image:
    """RGB, CMYK or grey of 8 bits, still in the picture's own profile."""
    if image.mode in ("I", "I;16", "I;16B", "I;16L", "F"):
        # By the range of values: Pillow's own conversion clips at 255.
        values = np.asarray(image, dtype=np.float64)
        return Image.fromarray(np.rint(np.clip(values / 257.0, 0, 255)).astype(np.uint8))
    if image.has_transparency_data:
        rgba = image.convert("RGBA")
        white = Image.new("RGBA", rgba.size, "white")
        return Image.alpha_composite(white, rgba).convert("RGB")
    return image if image.mode in ("RGB", "CMYK", "L") else image.convert("RGB")


def _is_rgb(profile: bytes) -> bool:
    try:
        opened = ImageCms.ImageCmsProfile(io.BytesIO(profile))
    except (ImageCms.PyCMSError, OSError):
        return False
    return opened.profile.xcolor_space.strip() == "RGB"


def _through_profile(image: Image.Image, profile: bytes) -> Image.Image:
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        converted = ImageCms.profileToProfile(
            image, source, ImageCms.createProfile("sRGB"), outputMode="RGB"
        )
    except (ImageCms.PyCMSError, OSError):
        # A profile that does not fit its picture is common and no reason to refuse the picture.
        return image
    return converted if converted is not None else image
