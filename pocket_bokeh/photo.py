"""Reads and writes photographs, in the same way everywhere in the project.

Arrays are height × width × 3, uint8, RGB, sRGB-encoded, upright. `read_camera_photo` alone keeps
the photograph's own colour profile, for output that goes back to the photographer.
"""

import io
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from PIL import Image

from pocket_bokeh.disk import write_atomically
from pocket_bokeh.errors import UserError
from pocket_bokeh.photo_file.colour import ColourEncoding, icc_profile
from pocket_bokeh.photo_file.decoding import DecodedPhoto, decode, is_rgb_profile
from pocket_bokeh.photo_file.exif import notes_of_upright, orientation, read_exif, turn_upright
from pocket_bokeh.photo_file.opening import OpenedPhoto, opened, refusing_damage
from pocket_bokeh.photo_file.value_range import DEEP_GREY, grey_depth

Size = tuple[int, int]
"""Height and width in pixels."""

FourthChannel = Literal["none", "depth", "focus"]
"""What a network sees beside the colours: nothing, a depth map or a focus map."""

PHOTO_SUFFIXES = (
    *(".jpg", ".jpeg", ".jfif", ".png", ".webp"),
    *(".avif", ".heic", ".heif", ".hif", ".tif", ".tiff"),
)
"""File endings of the photographs in a dataset and of uploads."""

WRITTEN_FORMATS = {".jpg": "JPEG", ".jpeg": "JPEG", ".png": "PNG", ".webp": "WEBP"}
"""Formats that `write_photo` can write: Pillow's name by file ending."""


def read_photo(file: Path | str | bytes, short_side: int | None = None) -> np.ndarray:
    """Reads a photograph as viewers show it, in sRGB.

        photo = pocket_bokeh.read_photo("photo.heic")
        height, width, _ = photo.shape

    The EXIF orientation is applied; an orientation in XMP is ignored, as in viewers. Colours are
    converted to sRGB from the file's ICC profile, its HEIF, AVIF or PNG colour codes, or a PNG's
    gamma and primaries; `photo_file.colour` describes the treatment of high dynamic range. Grey
    becomes RGB, 16 bits become 8, transparency becomes white, and only the first frame of an
    animation is read.

    Args:
        file: a path, or the contents of a file.
        short_side: shorter side in pixels that the caller needs at least. A JPEG may then be
            decoded at a half, a quarter or an eighth of its size, which is faster.

    Returns:
        height × width × 3, uint8, RGB, sRGB-encoded.

    Raises:
        UserError: the file is missing, empty, damaged, not an image or too large, or its value
            range is unknown.
    """
    return turn_upright(*_in_srgb(file, short_side))


def _in_srgb(file: Path | str | bytes, short_side: int | None) -> tuple[np.ndarray, int]:
    """The pixels before they are turned upright, and the EXIF orientation.

    A function of its own, so that the memory of the decoder is free again when it returns.
    """
    with opened(file) as photo:
        turn = _turn(photo)
        return decode(photo, short_side).in_srgb(), turn


@dataclass(frozen=True)
class CameraPhoto:
    """A photograph with its own colour profile and EXIF.

        camera = pocket_bokeh.read_camera_photo("photo.jpg")
        picture = pocket_bokeh.load().render(camera.pixels)
        pocket_bokeh.write_photo("bokeh.jpg", picture, profile=camera.profile, exif=camera.exif)

    Attributes:
        pixels: height × width × 3, uint8, RGB, upright, encoded as the profile says.
        profile: an ICC profile for RGB; None means sRGB.
        exif: date, camera, location etc., without the thumbnail and the maker note; b"" if there is
            none.
    """

    pixels: np.ndarray
    profile: bytes | None = None
    exif: bytes = b""


def read_camera_photo(file: Path | str | bytes) -> CameraPhoto:
    """Reads a photograph as `read_photo`, but keeps the colour profile and EXIF.

        camera = pocket_bokeh.read_camera_photo("photo.jpg")

    Display P3 and Adobe RGB contain reds and greens that sRGB would clip. If the file describes its
    colours without an ICC profile, an equivalent profile is created. Three kinds of files are
    converted to sRGB: those that are not RGB, such as CMYK; high dynamic range; and linear values,
    for which 8 bits are too few.

    Args:
        file: a path, or the contents of a file.

    Returns:
        The upright pixels, uint8, with their profile and EXIF.

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
    """The ICC profile of a photograph that keeps its own colours; None if it becomes sRGB."""
    colours = decoded.colours
    if decoded.mode != "RGB" or colours is None:
        return None
    if isinstance(colours, ColourEncoding):
        return icc_profile(colours) if colours.is_for_viewing else None
    return colours if is_rgb_profile(colours) else None


def read_depth(file: Path, size: Size) -> np.ndarray:
    """Reads a depth map and resizes it to a photograph's height and width.

        depth = pocket_bokeh.read_depth(Path("depth.png"), photo.shape[:2])

    Floating-point maps, for example in metres, are scaled so that their smallest and largest values
    become 0 and 255; see `pocket_bokeh.photo_file.value_range.grey_depth`.

    Args:
        file: the depth map; colours are converted to grey.
        size: height and width of the photograph.

    Returns:
        height × width, uint8.

    Raises:
        UserError: as `read_photo`, or the values cannot be scaled to 8 bits.
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


def read_mask(file: Path, size: Size) -> np.ndarray:
    """Reads the soft mask of a subject and resizes it to its photograph's height and width.

    Args:
        file: a grey picture, white where the subject is; of other pictures the red channel counts.
        size: height and width of the photograph.

    Returns:
        height × width, uint8, 255 inside the subject.

    Raises:
        UserError: as `read_photo`.
    """
    return resize_photo(read_photo(file)[..., 0], *size)


def check_depth_shape(file: Path, size: Size) -> None:
    """Checks that a depth map has the photograph's aspect ratio, from its header alone.

    A depth map may have another size than its photograph, but the aspect ratios must agree within
    2 %.

    Args:
        file: the depth map.
        size: height and width of the photograph.

    Raises:
        UserError: the aspect ratios differ, or the file cannot be read.
    """
    (height, width), (depth_height, depth_width) = size, photo_size(file)
    if abs(depth_width / depth_height * height / width - 1) > 0.02:
        raise UserError(
            f"{file}: {depth_width}×{depth_height} pixels, but its photo has {width}×{height}; "
            "their aspect ratios must agree"
        )


def photo_size(file: Path | str | bytes) -> Size:
    """Height and width of the upright photograph, from the file's header alone.

    Raises:
        UserError: the file is missing, empty, not an image or too large.
    """
    with opened(file) as photo:
        width, height = photo.image.size
        return (width, height) if _turn(photo) >= 5 else (height, width)


def _turn(photo: OpenedPhoto) -> int:
    """The EXIF orientation that is still to be applied; Pillow applies it to TIFF files itself."""
    exif = read_exif(photo.image, photo.stream)
    return 1 if photo.image.format == "TIFF" else orientation(exif)


def write_photo(
    file: Path | str,
    photo: np.ndarray,
    quality: int = 95,
    profile: bytes | None = None,
    exif: bytes = b"",
) -> None:
    """Writes a photograph as JPEG, PNG or WebP, depending on the file's ending.

        pocket_bokeh.write_photo("bokeh.jpg", picture, quality=90)

    The file is written atomically. JPEG files have no chroma subsampling.

    Args:
        file: the output file: .jpg, .jpeg, .png or .webp.
        photo: height × width × 3, uint8, RGB, encoded as the profile says.
        quality: of JPEG and WebP, 0…100.
        profile: an ICC profile; None means sRGB.
        exif: as in `CameraPhoto`.

    Raises:
        UserError: the file's ending is not supported, or its folder does not exist.
        OSError: the disk is full or the folder not writable.
    """
    file = Path(file)
    if file.suffix.lower() not in WRITTEN_FORMATS:
        endings = ", ".join(WRITTEN_FORMATS)
        raise UserError(f"{file}: cannot write '{file.suffix}' files; choose one of {endings}")
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
    """Converts uint8 0…255 to float32 0…1, any shape."""
    return photo.astype(np.float32) / 255.0


def to_uint8(picture: np.ndarray) -> np.ndarray:
    """Converts floats 0…1 to uint8 0…255, any shape; clips and rounds to nearest."""
    return np.rint(np.clip(picture, 0.0, 1.0) * 255.0).astype(np.uint8)


def resize_photo(photo: np.ndarray, height: int, width: int) -> np.ndarray:
    """Bicubic resize of height × width (× 3), uint8, with antialiasing when it shrinks."""
    if photo.shape[:2] == (height, width):
        return photo
    image = Image.fromarray(photo).resize((width, height), Image.Resampling.BICUBIC)
    return np.asarray(image)


def network_input(
    photo: np.ndarray, depth: np.ndarray | None = None, focus: np.ndarray | None = None
) -> np.ndarray:
    """The network's input for a photograph: half its size, bicubic, float32 0…1.

    Args:
        photo: height × width × 3, uint8, with even sides.
        depth: height × width, uint8, for a network that takes a depth map.
        focus: height/2 × width/2, uint8, for a network that takes a focus map
            (`pocket_bokeh.focus_map`).

    Returns:
        height/2 × width/2 × 3, or × 4 with the depth or focus map as the last channel.
    """
    half = (photo.shape[0] // 2, photo.shape[1] // 2)
    colour = to_float(resize_photo(photo, *half))
    fourth = focus if depth is None else resize_photo(depth, *half)
    return colour if fourth is None else np.dstack([colour, to_float(fourth)])
