"""EXIF of a photo: its orientation, and the metadata that a rendering keeps."""

from typing import BinaryIO

import numpy as np
from PIL import ExifTags, Image

from pocket_bokeh.photo_file.colour_tags import png_chunks

_MOST_BYTES = 65_000
"""Maximum size of EXIF; a JPEG segment holds 65533 bytes including its header."""

_TIFF_NOTES = (
    *(ExifTags.Base.ImageDescription, ExifTags.Base.Make, ExifTags.Base.Model),
    *(ExifTags.Base.XResolution, ExifTags.Base.YResolution, ExifTags.Base.ResolutionUnit),
    *(ExifTags.Base.Software, ExifTags.Base.DateTime, ExifTags.Base.Artist),
    *(ExifTags.Base.Copyright, ExifTags.IFD.Exif, ExifTags.IFD.GPSInfo),
)
"""Metadata to keep of a TIFF, where EXIF is mixed with tags of the file's layout and profile."""


def read_exif(image: Image.Image, stream: BinaryIO) -> Image.Exif:
    """Reads EXIF without XMP.

    Pillow's `getexif` falls back to the orientation in XMP, but viewers ignore that one.

    Args:
        image: as Pillow opened it.
        stream: a second stream of the same file, because Pillow's own must not be moved.

    Returns:
        The EXIF; empty if there is none or it cannot be read.
    """
    exif = Image.Exif()
    try:
        if image.format == "TIFF":
            forget_xmp(image)
            return image.getexif()
        # Pillow would decode the whole PNG to find this chunk.
        content = png_chunks(stream).get(b"eXIf") if image.format == "PNG" else None
        content = content or image.info.get("exif")
        if content:
            exif.load(content)
    except Exception:  # Damaged bytes make Pillow raise all kinds of errors.
        return Image.Exif()
    return exif


def forget_xmp(image: Image.Image) -> None:
    """Removes XMP before a TIFF is decoded, because Pillow would apply the orientation in it."""
    for key in ("xmp", "XML:com.adobe.xmp"):
        image.info.pop(key, None)


def orientation(exif: Image.Exif) -> int:
    """The EXIF orientation 1…8; from 5 on, width and height are exchanged. 1 if it is invalid."""
    try:
        value = int(exif.get(ExifTags.Base.Orientation, 1))
    except Exception:  # A damaged file can contain anything here.
        return 1
    return value if 1 <= value <= 8 else 1


def turn_upright(pixels: np.ndarray, orientation: int) -> np.ndarray:
    """Applies an EXIF orientation 1…8 to pixels, height × width × channels."""
    if orientation >= 5:
        pixels = pixels.swapaxes(0, 1)
    if orientation in (3, 4, 7, 8):
        pixels = pixels[::-1]
    if orientation in (2, 3, 6, 7):
        pixels = pixels[:, ::-1]
    return np.ascontiguousarray(pixels)  # the same array where nothing is turned


def notes_of_upright(exif: Image.Exif, size: tuple[int, int], is_tiff: bool) -> bytes:
    """EXIF for a picture that was turned upright, without the thumbnail and the maker note.

    Args:
        exif: as read; it is modified. For a TIFF decode the picture first, because Pillow uses the
            same object to turn it.
        size: height and width of the upright picture.
        is_tiff: whether it is mixed with the tags of a TIFF's layout.

    Returns:
        b"" if there is none, it cannot be read, or it is too large for a JPEG.
    """
    try:
        if not exif:
            return b""
        if is_tiff:
            for tag in [tag for tag in exif if tag not in _TIFF_NOTES]:
                del exif[tag]
        exif[ExifTags.Base.Orientation] = 1
        camera = exif.get_ifd(ExifTags.IFD.Exif) if ExifTags.IFD.Exif in exif else {}
        # The maker note contains offsets into the camera's original file.
        camera.pop(ExifTags.IFD.MakerNote, None)
        sides = {ExifTags.Base.ExifImageHeight: size[0], ExifTags.Base.ExifImageWidth: size[1]}
        camera.update({tag: side for tag, side in sides.items() if tag in camera})
        content = exif.tobytes()
    except Exception:  # Damaged bytes make Pillow raise all kinds of errors.
        return b""
    return content if len(content) <= _MOST_BYTES else b""
