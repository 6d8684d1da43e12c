"""Photos with EXIF in every format that the app reads."""

import io

import pillow_heif
from PIL import ExifTags, Image
from skimage import data

pillow_heif.register_heif_opener()

FORMATS = ("JPEG", "PNG", "WEBP", "HEIF", "AVIF")


def photo_with_exif(kind: str) -> bytes:
    """A photo of 160×120 stored sideways, with a date, a camera, a place and a thumbnail."""
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6
    exif[ExifTags.Base.Make] = "Pocket"
    exif.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.DateTimeOriginal] = "2026:11:25 08:00:00"
    exif.get_ifd(ExifTags.IFD.GPSInfo)[ExifTags.GPS.GPSLatitudeRef] = "N"
    content = bytearray(exif.tobytes())
    content[pointer_to_thumbnail(content)] = 8
    stream = io.BytesIO()
    Image.fromarray(data.astronaut()[:120, :160]).save(stream, kind, exif=bytes(content))
    return stream.getvalue()


def pointer_to_thumbnail(exif: bytes | bytearray) -> int:
    """The index of the last byte of a big-endian TIFF's pointer to its second directory."""
    assert exif[6:8] == b"MM"
    directory = 6 + int.from_bytes(exif[10:14], "big")
    entries = int.from_bytes(exif[directory : directory + 2], "big")
    return directory + 2 + 12 * entries + 3
