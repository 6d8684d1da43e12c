"""One photograph file to one array and back, the same everywhere in the project.

An array is height × width × 3, uint8, RGB, sRGB-encoded, upright. Only what goes back to its
photographer stays in the colours that it came in: `read_camera_photo`.
"""

import io
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from pocket_bokeh.disk import write_atomically
from pocket_bokeh.errors import UserError
from pocket_bokeh.photo_file.colour import ColourEncoding, icc_profile
from pocket_bokeh.photo_file.decoding import DecodedPhoto, decode, is_rgb_profile
from pocket_bokeh.photo_file.exif import notes_of_upright, orientation, read_exif, turn_upright
from pocket_bokeh.photo_file.opening import OpenedPhoto, opened, refusing_damage
from pocket_bokeh.photo_file.value_range import DEEP_GREY, grey_depth

PHOTO_SUFFIXES = (
    *(".jpg", ".jpeg", ".jfif", ".png", ".webp"),
    *(".avif", ".heic", ".heif", ".hif", ".tif", ".tiff"),
)
"""What a dataset folder is searched for, and the page takes."""

WRITTEN_FORMATS = {".jpg": "JPEG", ".jpeg": "JPEG", ".png": "PNG", ".webp": "WEBP"}
"""By a file's ending, what Pillow calls the format that `write_photo` writes."""


def read_photo(file: Path | str | bytes, short_side: int | None = None) -> np.ndarray:
    """Decodes a photograph as it is meant to be seen.

    The EXIF orientation is applied; that of XMP is not, as viewers do. Colours are converted to
    sRGB from what the file says of them: an ICC profile, the codes of HEIF, AVIF and PNG, a PNG's
    gamma and primaries (`photo_file.colour` says what becomes of high dynamic range). Grey becomes
    RGB, 16 bits become 8, transparency is laid over white, and of an animation the first frame is
    taken.

    Args:
        file: a path, or the bytes of a file.
        short_side: a shorter side in pixels that suffices. A JPEG is then decoded to a half, a
            quarter or an eighth of its size, the smallest that is not below.

    Returns:
        height × width × 3, uint8, RGB, sRGB-encoded.

    Raises:
        UserError: there is no such file, or it is empty, damaged, no image, too large, or nothing
            says which of its values is white.
    """
    return turn_upright(*_in_srgb(file, short_side))


def _in_srgb(file: Path | str | bytes, short_side: int | None) -> tuple[np.ndarray, int]:
    """As it lies in its file, and its orientation; what decoding took is free again."""
    with opened(file) as photo:
        turn = _turn(photo)
        return decode(photo, short_side).in_srgb(), turn


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

    Display P3 and Adobe RGB hold reds and greens that sRGB must clip. Where the file says its
    colours by codes or numbers, the profile is made to say the same. Three kinds become sRGB: what
    is not RGB in its file, such as CMYK; high dynamic range; linear codes, of which 8 bits are too
    few.

    Raises:
        UserError: as `read_photo`.
    """
    with opened(file) as photo:
        exif, turn = read_exif(photo.image, photo.stream), _turn(photo)
        decoded = decode(photo)
        profile = _kept_profile(decoded)
        pixels = decoded.in_its_own_colours() if profile else decoded.in_srgb()
        pixels = turn_upright(pixels, turn)
        notes = notes_of_upright(exif, pixels.shape[:2], photo.image.format == "TIFF")
    return CameraPhoto(pixels, profile, notes)


def _kept_profile(decoded: DecodedPhoto) -> bytes | None:
    """ICC, of a picture that stays in its own colours."""
    colours = decoded.colours
    if decoded.mode != "RGB" or colours is None:
        return None
    if isinstance(colours, ColourEncoding):
        return icc_profile(colours) if colours.is_for_viewing else None
    return colours if is_rgb_profile(colours) else None


def read_depth(file: Path, size: tuple[int, int]) -> np.ndarray:
    """Decodes a depth map and brings it to a photograph's height and width.

    Floating-point maps, such as those in metres, are stretched from their smallest to their
    largest value; see `pocket_bokeh.photo_file.value_range.grey_depth`.

    Returns:
        height × width, uint8; of a map in colour, its grey.

    Raises:
        UserError: as `read_photo`, or its values do not fit into 8 bits.
    """
    with opened(file) as photo:
        if photo.image.mode in DEEP_GREY:
            turn = _turn(photo)
            with refusing_damage(photo.name):
                photo.image.load()
            depth = turn_upright(grey_depth(photo.image, photo.name), turn)
            return resize_photo(depth, *size)
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
    with opened(file) as photo:
        width, height = photo.image.size
        return (width, height) if _turn(photo) >= 5 else (height, width)


def _turn(photo: OpenedPhoto) -> int:
    """The EXIF orientation that is still to be applied; Pillow turns a TIFF itself."""
    exif = read_exif(photo.image, photo.stream)
    return 1 if photo.image.format == "TIFF" else orientation(exif)


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
