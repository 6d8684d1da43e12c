"""EXIF of a photo: which way up it is, and the notes that its photographer wants to keep."""

from typing import BinaryIO

import numpy as np
from PIL import ExifTags, Image

from pocket_bokeh.photo_file.colour_tags import png_chunks

_MOST_BYTES = 65_000
"""A JPEG holds 65533, its own header included."""

_TIFF_NOTES = (
    *(ExifTags.Base.ImageDescription, ExifTags.Base.Make, ExifTags.Base.Model),
    *(ExifTags.Base.XResolution, ExifTags.Base.YResolution, ExifTags.Base.ResolutionUnit),
    *(ExifTags.Base.Software, ExifTags.Base.DateTime, ExifTags.Base.Artist),
    *(ExifTags.Base.Copyright, ExifTags.IFD.Exif, ExifTags.IFD.GPSInfo),
)
"""In a TIFF they stand among the tags of its layout and its profile, which are not for others."""


def read_exif(image: Image.Image, stream: BinaryIO) -> Image.Exif:
    """EXIF alone. Pillow's `getexif` takes the orientation of XMP where EXIF has none, but
    viewers do not turn such a picture.

    Args:
        image: as Pillow opened it.
        stream: of the same file, a second one: Pillow minds when its own is moved.

    Returns:
        The notes; empty where there are none or they cannot be read.
    """
    exif = Image.Exif()
    try:
        if image.format == "TIFF":
            forget_xmp(image)
            return image.getexif()
        # Pillow decodes a whole PNG to find this chunk.
        content = png_chunks(stream).get(b"eXIf") if image.format == "PNG" else None
        content = content or image.info.get("exif")
        if content:
            exif.load(content)
    except Exception:  # Pillow raises whatever the damaged bytes lead it to.
        return Image.Exif()
    return exif


def forget_xmp(image: Image.Image) -> None:
    """Before a TIFF is decoded: Pillow would turn it as its XMP says."""
    for key in ("xmp", "XML:com.adobe.xmp"):
        image.info.pop(key, None)


def orientation(exif: Image.Exif) -> int:
    """1…8; from 5 on the picture lies on its side. 1 where EXIF says nothing or nonsense."""
    try:
        value = int(exif.get(ExifTags.Base.Orientation, 1))
    except Exception:  # Whatever a damaged file holds in its place.
        return 1
    return value if 1 <= value <= 8 else 1


def turn_upright(pixels: np.ndarray, orientation: int) -> np.ndarray:
    """Height × width × channels as it is in its file, to what its EXIF orientation 1…8 means."""
    if orientation >= 5:
        pixels = pixels.swapaxes(0, 1)
    if orientation in (3, 4, 7, 8):
        pixels = pixels[::-1]
    if orientation in (2, 3, 6, 7):
        pixels = pixels[:, ::-1]
    return np.ascontiguousarray(pixels)  # the same array where nothing is turned


def notes_of_upright(exif: Image.Exif, size: tuple[int, int], is_tiff: bool) -> bytes:
    """The notes for a picture that was turned upright, without thumbnail and maker's own note.

    Args:
        exif: as read; it is changed. Of a TIFF it is Pillow's own, by which the picture is turned
            when it is decoded: decode first.
        size: height and width of the upright picture.
        is_tiff: whether the tags of a TIFF's layout stand among the notes.

    Returns:
        b"" where there are none, they cannot be read or are too many for a JPEG.
    """
    try:
        if not exif:
            return b""
        if is_tiff:
            for tag in [tag for tag in exif if tag not in _TIFF_NOTES]:
                del exif[tag]
        exif[ExifTags.Base.Orientation] = 1
        camera = exif.get_ifd(ExifTags.IFD.Exif) if ExifTags.IFD.Exif in exif else {}
        # It points to addresses in the camera's own file.
        camera.pop(ExifTags.IFD.MakerNote, None)
        sides = {ExifTags.Base.ExifImageHeight: size[0], ExifTags.Base.ExifImageWidth: size[1]}
        camera.update({tag: side for tag, side in sides.items() if tag in camera})
        content = exif.tobytes()
    except Exception:  # Pillow raises whatever the damaged bytes lead it to.
        return b""
    return content if len(content) <= _MOST_BYTES else b""
