"""The app reads EXIF and orientation as `pocket_bokeh` does, and keeps EXIF in what it saves."""

import io
import random
import struct
from pathlib import Path

import numpy as np
import pytest
from PIL import ExifTags, Image

from android_demo.host_app import HostApp
from pocket_bokeh.photo import read_photo
from pocket_bokeh.photo_file.exif import turn_upright
from tests.android_demo.photos_with_exif import FORMATS, photo_with_exif, pointer_to_thumbnail

STORED = np.full((64, 96, 3), 255, np.uint8)
STORED[:32, :48], STORED[:32, 48:] = (255, 0, 0), (0, 0, 255)

# A directory's entry, big-endian as Pillow writes it: tag, type, count, first half of the value.
ENTRY = struct.Struct(">HHIH")
TEXT, SHORT, LONG = 2, 3, 4
TIFF = b"Exif\0\0MM\0\x2a\0\0\0\x08\0\x01" + ENTRY.pack(0x112, SHORT, 1, 6) + bytes(6)
XMP = (
    b'http://ns.adobe.com/xap/1.0/\0<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF '
    b'xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description '
    b'xmlns:tiff="http://ns.adobe.com/tiff/1.0/" tiff:Orientation="6"/></rdf:RDF></x:xmpmeta>'
)


def saved(kind: str, exif: bytes = b"") -> bytes:
    stream = io.BytesIO()
    Image.fromarray(STORED).save(stream, kind, quality=90, exif=exif)
    return stream.getvalue()


def with_orientation(value: int) -> bytes:
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = value
    return exif.tobytes()


def orientation_in_python(content: bytes) -> int:
    """How `read_photo` turns a photo, found by looking at the result."""
    photo = read_photo(content).astype(int)
    turned = {value: turn_upright(STORED, value) for value in range(1, 9)}
    (found,) = (
        value
        for value, expected in turned.items()
        if expected.shape == photo.shape and np.abs(photo - expected).mean() < 12
    )
    return found


def orientations_in_app(app: HostApp, contents: list[bytes], folder: Path) -> list[int]:
    files = [folder / str(index) for index in range(len(contents))]
    for file, content in zip(files, contents, strict=True):
        file.write_bytes(content)
    return app.orientations(files)


@pytest.mark.parametrize("kind", FORMATS)
def test_every_orientation_is_read_as_in_python(
    host_app: HostApp, tmp_path: Path, kind: str
) -> None:
    values = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]
    contents = [saved(kind, with_orientation(value)) for value in values]
    found = orientations_in_app(host_app, contents, tmp_path)
    assert found == [orientation_in_python(content) for content in contents]
    assert found == [1, 1, 2, 3, 4, 5, 6, 7, 8, 1]


def test_a_heic_is_turned_by_its_own_boxes_whatever_exif_says(
    host_app: HostApp, tmp_path: Path
) -> None:
    heic = saved("HEIF", TIFF)
    entry = heic.index(ENTRY.pack(0x112, SHORT, 1, 6))
    contents = {
        "both": heic,
        "EXIF differs": heic[: entry + 9] + b"\x08" + heic[entry + 10 :],
        "EXIF alone": heic.replace(b"irot", b"free"),
        "boxes alone": heic[:entry] + b"\x01\x13" + heic[entry + 2 :],
        "AVIF without EXIF": saved("AVIF", TIFF),
    }
    assert heic.count(b"irot") == 1
    found = orientations_in_app(host_app, list(contents.values()), tmp_path)
    expected = {name: orientation_in_python(content) for name, content in contents.items()}
    assert dict(zip(contents, found, strict=True)) == expected
    assert list(expected.values()) == [6, 6, 1, 6, 6]


def test_unusual_exif_is_read_as_in_python(host_app: HostApp, tmp_path: Path) -> None:
    jpeg, plain = saved("JPEG", TIFF), saved("JPEG")
    entry = ENTRY.pack(0x112, SHORT, 1, 6)
    xmp = b"\xff\xe1" + (2 + len(XMP)).to_bytes(2, "big") + XMP
    contents = {
        "LONG": jpeg.replace(entry + b"\0\0", ENTRY.pack(0x112, LONG, 1, 0) + b"\0\x06"),
        "text": jpeg.replace(entry, ENTRY.pack(0x112, TEXT, 1, 6)),
        "fill bytes": jpeg[:2] + b"\xff\xff" + jpeg[2:],
        "XMP alone": plain[:2] + xmp + plain[2:],
        "XMP before EXIF": jpeg[:2] + xmp + jpeg[2:],
        "not a TIFF": jpeg.replace(b"MM\0\x2a", b"XX\0\x2a"),
    }
    found = orientations_in_app(host_app, list(contents.values()), tmp_path)
    expected = {name: orientation_in_python(content) for name, content in contents.items()}
    assert dict(zip(contents, found, strict=True)) == expected
    assert list(expected.values()) == [6, 1, 6, 1, 6, 1]


@pytest.mark.parametrize("kind", FORMATS)
def test_exif_is_kept_without_the_thumbnail(host_app: HostApp, tmp_path: Path, kind: str) -> None:
    photo = tmp_path / "photo"
    photo.write_bytes(photo_with_exif(kind))
    content = b"Exif\0\0" + host_app.exif(photo)
    exif = Image.Exif()
    exif.load(content)
    assert exif[ExifTags.Base.Orientation] == 6
    assert exif[ExifTags.Base.Make] == "Pocket"
    camera = exif.get_ifd(ExifTags.IFD.Exif)
    assert camera[ExifTags.Base.DateTimeOriginal] == "2026:11:25 08:00:00"
    assert exif.get_ifd(ExifTags.IFD.GPSInfo)[ExifTags.GPS.GPSLatitudeRef] == "N"
    assert content[pointer_to_thumbnail(content)] == 0


@pytest.mark.parametrize("has_exif", [True, False])
def test_a_heic_without_exif_orientation_gets_the_one_of_its_boxes(
    host_app: HostApp, tmp_path: Path, has_exif: bool
) -> None:
    """What is saved is a JPEG, which has no boxes."""
    heic = photo_with_exif("HEIF")
    entry = heic.index(ENTRY.pack(0x112, SHORT, 1, 6))
    tag = b"\x01\x13" if has_exif else b"\x01\x12"
    heic = heic[:entry] + tag + heic[entry + 2 :]
    photo = tmp_path / "photo"
    photo.write_bytes(heic if has_exif else heic.replace(b"Exif\0", b"None\0", 1))
    tiff = host_app.exif(photo)
    exif = Image.Exif()
    exif.load(b"Exif\0\0" + tiff)
    assert exif[ExifTags.Base.Orientation] == 6
    assert exif.get(ExifTags.Base.Make) == ("Pocket" if has_exif else None)
    (directory,) = struct.unpack_from(">I", tiff, 4)
    (count,) = struct.unpack_from(">H", tiff, directory)
    tags = [struct.unpack_from(">H", tiff, directory + 2 + 12 * index)[0] for index in range(count)]
    assert tags == sorted(tags), "TIFF asks for sorted entries"


@pytest.mark.parametrize("kind", FORMATS)
def test_damaged_photos_have_no_exif(host_app: HostApp, tmp_path: Path, kind: str) -> None:
    whole = photo_with_exif(kind)
    contents = {
        "cut": whole[: whole.index(b"Pocket") - 40],
        "empty": b"",
        "random": whole[:40] + bytes(random.Random(0).choices(range(256), k=400)),
    }
    for name, content in contents.items():
        (tmp_path / name).write_bytes(content)
        assert b"Pocket" not in host_app.exif(tmp_path / name)
    found = host_app.orientations([tmp_path / name for name in contents])
    assert all(1 <= orientation <= 8 for orientation in found)
