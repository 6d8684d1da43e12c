"""The format follows from the content; unsupported files are refused in one line."""

import io
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from PIL import Image

from pocket_bokeh.errors import UserError
from pocket_bokeh.photo import photo_size, read_camera_photo, read_photo
from train.data.photo_folder import photos_by_name

from .photo_files import avif, heic, jpeg, middles, patches, png


@pytest.mark.parametrize("make", [png, jpeg, avif, heic])
def test_the_suffix_does_not_matter(tmp_path: Path, make: object) -> None:
    assert callable(make)
    for name in ("photo.jpg", "photo.png", "photo.hif", "photo"):
        (tmp_path / name).write_bytes(make())
        np.testing.assert_allclose(middles(read_photo(tmp_path / name)), middles(patches()), atol=4)
        assert photo_size(tmp_path / name) == (32, 64)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"\xff\x0a" + bytes(40), "a JPEG XL image, which is not supported"),
        (b"\0\0\0\x0cJXL \r\n\x87\n" + bytes(40), "a JPEG XL image"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "not an image"),
        (heic()[:300], "not an image that can be read"),
        (heic()[:-200], "damaged|not an image"),
        (avif()[:-100], "damaged|not an image"),
    ],
)
def test_unsupported_files_are_refused(content: bytes, sentence: str) -> None:
    with pytest.raises(UserError, match=sentence) as refusal:
        read_photo(content)
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize(
    "options",
    [
        {"subfiletype": 1},
        {"extratags": [(50706, "B", 4, (1, 4, 0, 0), True)]},
    ],
)
def test_a_raw_photo_is_refused_instead_of_reading_its_thumbnail(options: dict[str, Any]) -> None:
    stream = io.BytesIO()
    tifffile.imwrite(stream, patches(), photometric="rgb", **options)
    with pytest.raises(UserError, match="is a raw photo or a thumbnail"):
        read_photo(stream.getvalue())


def test_layout_tags_of_a_tiff_are_not_kept() -> None:
    stream = io.BytesIO()
    notes = [(271, "s", 0, "Pocket", True)]
    tifffile.imwrite(
        stream, patches(), photometric="rgb", extratags=notes, iccprofile=b"profile" * 10_000
    )
    kept = Image.Exif()
    kept.load(read_camera_photo(stream.getvalue()).exif)
    assert kept[271] == "Pocket"
    assert kept[274] == 1
    assert not {256, 258, 273, 279, 34675} & set(kept)


def test_only_heic_needs_pillow_heif(tmp_path: Path) -> None:
    (tmp_path / "photo.heic").write_bytes(heic())
    (tmp_path / "photo.png").write_bytes(png())
    program = (
        "import sys\n"
        "sys.modules['pillow_heif'] = None\n"
        "from pocket_bokeh.errors import UserError\n"
        "from pocket_bokeh.photo import read_photo\n"
        "print(read_photo(sys.argv[1] + '/photo.png').shape)\n"
        "try:\n"
        "    read_photo(sys.argv[1] + '/photo.heic')\n"
        "except UserError as error:\n"
        "    print(error)\n"
    )
    ended = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path)], capture_output=True, text=True, check=True
    )
    shape, refusal = ended.stdout.splitlines()
    assert shape == "(32, 64, 3)"
    assert "pillow-heif is not installed" in refusal


def test_nothing_is_registered_when_the_reader_is_imported() -> None:
    program = (
        "import sys, pocket_bokeh.photo, gradio_app.photos\n"
        "print('pillow_heif' in sys.modules, 'simplejpeg' in sys.modules)\n"
    )
    ended = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert ended.stdout == "False False\n"


def test_a_large_photo_is_read_without_a_warning(recwarn: pytest.WarningsRecorder) -> None:
    """117 megapixels, for which Pillow would warn of a decompression bomb."""
    stream = io.BytesIO()
    Image.new("1", (13_000, 9_000)).save(stream, "PNG")
    assert photo_size(stream.getvalue()) == (9_000, 13_000)
    assert not recwarn.list


def test_dataset_folders_accept_all_readable_formats(tmp_path: Path) -> None:
    endings = (".jfif", ".JPG", ".png", ".webp", ".avif", ".heic", ".heif", ".hif", ".tif")
    for index, ending in enumerate(endings):
        (tmp_path / f"{index}{ending}").touch()
    assert len(photos_by_name(tmp_path)) == len(endings)
