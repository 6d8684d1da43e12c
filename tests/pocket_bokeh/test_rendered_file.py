"""A rendered file keeps the photo's size, colours and EXIF, and never overwrites it."""

import io
import struct
import subprocess
import sys
import weakref
from pathlib import Path

import numpy as np
import pillow_heif
import pytest
from PIL import ExifTags, Image, ImageCms
from skimage import data

from pocket_bokeh import rendered_file
from pocket_bokeh.errors import UserError
from pocket_bokeh.metrics import psnr
from pocket_bokeh.model import Model
from pocket_bokeh.photo import (
    CameraPhoto,
    read_camera_photo,
    read_photo,
    resize_photo,
    to_float,
    write_photo,
)
from pocket_bokeh.rendered_file import make_folder, output_file, read_depth_of, render_file
from tests.pocket_bokeh.stub_model import Stub

STUB = Model("stub", [Stub()])


def test_a_depth_map_of_another_size_is_scaled_and_of_another_shape_refused(
    tmp_path: Path,
) -> None:
    photo, file = resize_photo(data.astronaut(), 300, 400), tmp_path / "depth.png"
    write_photo(file, np.full((150, 200), 40, np.uint8))
    assert np.array_equal(read_depth_of(photo, file), np.full((300, 400), 40))
    write_photo(file, np.full((200, 200), 40, np.uint8))
    with pytest.raises(UserError, match="200×200 pixels, but its photo has 400×3"):
        read_depth_of(photo, file)


def test_the_photo_leaves_the_memory_before_its_rendering_is_encoded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    photos = []

    def read(file: Path) -> CameraPhoto:
        photo = read_camera_photo(file)
        photos.append(weakref.ref(photo.pixels))
        return photo

    def write(out: Path, picture: np.ndarray, **kept: object) -> None:
        assert photos[0]() is None
        assert picture.shape == (60, 80, 3)

    write_photo(tmp_path / "photo.png", np.full((60, 80, 3), 99, np.uint8))
    monkeypatch.setattr(rendered_file, "read_camera_photo", read)
    monkeypatch.setattr(rendered_file, "write_photo", write)
    assert render_file(tmp_path / "photo.png", tmp_path / "out.png", STUB) == (60, 80)


def display_p3() -> bytes:
    """LittleCMS's sRGB profile with the primaries of Display P3 (ICC, adapted to D50)."""
    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    primaries = {
        b"rXYZ": (0.51512, 0.24120, -0.00105),
        b"gXYZ": (0.29198, 0.69225, 0.04189),
        b"bXYZ": (0.15710, 0.06657, 0.78407),
    }
    for tag, xyz in primaries.items():
        entry = profile.index(tag)
        (offset,) = struct.unpack(">I", profile[entry + 4 : entry + 8])
        numbers = struct.pack(">3i", *(round(value * 65536) for value in xyz))
        profile[offset + 8 : offset + 20] = numbers
    return bytes(profile)


def test_a_display_p3_photo_stays_one_with_its_saturated_reds(tmp_path: Path) -> None:
    profile = display_p3()
    codes = np.full((240, 320, 3), (252, 16, 12), np.uint8)
    codes[:, 160:] = (30, 200, 60)
    write_photo(tmp_path / "p3.png", codes, profile=profile)
    render_file(tmp_path / "p3.png", tmp_path / "out.jpg", STUB)
    with Image.open(tmp_path / "out.jpg") as rendered:
        assert rendered.info["icc_profile"] == profile
        assert np.abs(np.asarray(rendered)[:, 10:150].astype(int) - codes[:, 10:150]).max() <= 2
        # A red outside sRGB, where green would be clipped at 0.
        wide = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        in_srgb = ImageCms.profileToProfile(rendered, wide, ImageCms.createProfile("sRGB"))
    assert in_srgb is not None
    red = in_srgb.getpixel((80, 120))
    assert isinstance(red, tuple)
    assert red[:2] == (255, 0)


LYING = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}
"""By EXIF orientation, the operation from an upright picture to the one in the file."""


@pytest.mark.parametrize("orientation", LYING)
def test_date_camera_and_place_stay_and_the_picture_stands_upright(
    tmp_path: Path, orientation: int
) -> None:
    upright = data.astronaut()[:300, :400]
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    exif[ExifTags.Base.Model] = "Pocket 1"
    camera = exif.get_ifd(ExifTags.IFD.Exif)
    camera[ExifTags.Base.DateTimeOriginal] = "2024:05:01 12:30:00"
    camera[ExifTags.Base.ExifImageWidth] = 999
    exif.get_ifd(ExifTags.IFD.GPSInfo)[ExifTags.GPS.GPSLatitudeRef] = "N"
    photo, out = tmp_path / "photo.png", tmp_path / "out.jpg"
    Image.fromarray(upright).transpose(LYING[orientation]).save(photo, exif=exif)
    assert render_file(photo, out, STUB) == (300, 400)
    with Image.open(out) as rendered:
        assert rendered.size == (400, 300)
        assert psnr(to_float(np.asarray(rendered)), to_float(upright)) > 24
        kept = rendered.getexif()
        camera = kept.get_ifd(ExifTags.IFD.Exif)
        assert kept[ExifTags.Base.Orientation] == 1
        assert kept[ExifTags.Base.Model] == "Pocket 1"
        assert camera[ExifTags.Base.DateTimeOriginal] == "2024:05:01 12:30:00"
        assert camera[ExifTags.Base.ExifImageWidth] == 400
        assert kept.get_ifd(ExifTags.IFD.GPSInfo)[ExifTags.GPS.GPSLatitudeRef] == "N"


def test_a_phones_heic_keeps_its_wide_colours(tmp_path: Path) -> None:
    """The file has colour codes but no profile; the rendering gets an equivalent profile."""
    photo, out = tmp_path / "phone.heic", tmp_path / "out.jpg"
    wide = np.full((120, 160, 3), (230, 60, 50), np.uint8)
    heif = pillow_heif.from_bytes("RGB", (160, 120), wide.tobytes())
    display_p3, srgb_curve = 12, 13
    heif.save(
        photo,
        quality=-1,
        chroma=444,
        color_primaries=display_p3,
        transfer_characteristics=srgb_curve,
    )
    assert render_file(photo, out, STUB) == (120, 160)
    with Image.open(out) as rendered:
        assert rendered.info["icc_profile"]
        np.testing.assert_allclose(np.asarray(rendered)[60, 80], wide[0, 0], atol=4)
    red, green, _ = read_photo(out)[60, 80]
    assert red > 235
    assert green < 55


def test_the_photo_itself_is_never_overwritten(tmp_path: Path) -> None:
    photo = tmp_path / "photo.jpg"
    write_photo(photo, data.astronaut())
    with pytest.raises(UserError, match="the photo itself"):
        output_file(photo, tmp_path / "." / "photo.jpg")
    link = tmp_path / "link.jpg"
    link.symlink_to(photo)
    with pytest.raises(UserError, match="the photo itself"):
        output_file(photo, link)


def test_without_out_the_picture_is_beside_the_photo(tmp_path: Path) -> None:
    assert output_file(tmp_path / "a.JPG", None) == tmp_path / "a_bokeh.JPG"
    assert output_file(tmp_path / "a.webp", None) == tmp_path / "a_bokeh.webp"
    assert output_file(tmp_path / "a.heic", None) == tmp_path / "a_bokeh.jpg"
    assert output_file(tmp_path / "a.tif", None) == tmp_path / "a_bokeh.png"
    (tmp_path / "a_bokeh.png").touch()
    with pytest.raises(UserError, match="exists already"):
        output_file(tmp_path / "a.png", None)


def test_in_a_folder_the_picture_has_the_photos_name(tmp_path: Path) -> None:
    folder = tmp_path / "out"
    folder.mkdir()
    assert output_file(tmp_path / "a.jpg", folder) == folder / "a.jpg"
    (folder / "a.jpg").touch()
    with pytest.raises(UserError, match="exists already"):
        output_file(tmp_path / "a.jpg", folder)
    # A file that is named explicitly may be overwritten.
    assert output_file(tmp_path / "a.jpg", folder / "a.jpg") == folder / "a.jpg"
    with pytest.raises(UserError, match="the photo itself"):
        output_file(folder / "a.jpg", folder)


def test_a_missing_output_folder_is_created(tmp_path: Path) -> None:
    make_folder(tmp_path / "file.jpg", photos=1)
    assert not (tmp_path / "file.jpg").exists()
    make_folder(tmp_path / "one", photos=1)
    make_folder(tmp_path / "2024.05" / "two", photos=2)
    assert (tmp_path / "one").is_dir()
    assert (tmp_path / "2024.05" / "two").is_dir()
    (tmp_path / "taken").touch()
    with pytest.raises(UserError, match="is a file; name a folder"):
        make_folder(tmp_path / "taken", photos=1)
    with pytest.raises(UserError, match="its parent is a file"):
        make_folder(tmp_path / "taken" / "inner", photos=2)


@pytest.mark.slow
@pytest.mark.parametrize("size", [(3000, 4000), (4000, 3000), (3464, 3464), (2000, 6000)])
def test_12_megapixels_in_little_memory(tmp_path: Path, size: tuple[int, int]) -> None:
    photo, out = tmp_path / "large.jpg", tmp_path / "out.jpg"
    write_photo(photo, resize_photo(data.astronaut(), *size))
    program = (
        "import re, sys\n"
        "from pathlib import Path\n"
        "from pocket_bokeh.model import Model\n"
        "from pocket_bokeh.rendered_file import render_file\n"
        "class Doubled:\n"
        "    input_size, output_size = (192, 256), (384, 512)\n"
        "    input_channels, fourth_channel = 3, 'none'\n"
        "    run = staticmethod(lambda photo: photo.repeat(2, 0).repeat(2, 1))\n"
        "print(render_file(*map(Path, sys.argv[1:]), Model('stub', [Doubled()])))\n"
        # Not getrusage, which includes the parent's memory at the fork.
        "status = open('/proc/self/status').read()\n"
        "print(int(re.search(r'VmHWM:\\s+(\\d+)', status)[1]) // 1024)\n"
    )
    ended = subprocess.run(
        [sys.executable, "-c", program, str(photo), str(out)], capture_output=True, text=True
    )
    assert ended.returncode == 0, ended.stderr
    shape, megabytes = ended.stdout.splitlines()
    assert shape == str(size)
    assert read_photo(out).shape == (*size, 3)
    assert int(megabytes) < 400
