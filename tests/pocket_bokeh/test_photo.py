"""Reading and writing files of cameras, scanners and editors, and damaged files."""

import io
import struct
from pathlib import Path

import numpy as np
import pytest
from PIL import ExifTags, Image, ImageCms
from skimage.io import imread, imsave

from pocket_bokeh.errors import UserError
from pocket_bokeh.photo import (
    CameraPhoto,
    photo_size,
    read_camera_photo,
    read_photo,
    resize_photo,
    to_float,
    to_uint8,
    write_photo,
)

RED, GREEN = (250, 10, 10), (10, 250, 10)


@pytest.fixture
def halves() -> Image.Image:
    """40 × 20 pixels, red on the left and green on the right."""
    image = Image.new("RGB", (40, 20), RED)
    image.paste(GREEN, (20, 0, 40, 20))
    return image


def test_a_png_reads_back_unchanged(tmp_path: Path) -> None:
    photo = np.random.default_rng(0).integers(0, 256, (21, 34, 3), np.uint8)
    write_photo(tmp_path / "photo.png", photo)
    np.testing.assert_array_equal(read_photo(tmp_path / "photo.png"), photo)
    np.testing.assert_array_equal(imread(tmp_path / "photo.png"), photo)
    assert photo_size(tmp_path / "photo.png") == (21, 34)


def test_a_sideways_photo_is_turned_upright(tmp_path: Path, halves: Image.Image) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # turn by 90° clockwise to view
    halves.save(tmp_path / "sideways.jpg", exif=exif, quality=95, subsampling=0)
    photo = read_photo(tmp_path / "sideways.jpg")
    assert photo.shape == (40, 20, 3)
    assert photo_size(tmp_path / "sideways.jpg") == (40, 20)
    np.testing.assert_allclose(photo[5, 10], RED, atol=6)
    np.testing.assert_allclose(photo[35, 10], GREEN, atol=6)


def test_a_colour_profile_is_applied(tmp_path: Path) -> None:
    """Values are converted from the file's profile to sRGB."""
    lab = Image.merge("LAB", [Image.new("L", (8, 8), value) for value in (136, 208, 195)])
    to_srgb = ImageCms.profileToProfile(
        lab, ImageCms.createProfile("LAB"), ImageCms.createProfile("sRGB"), outputMode="RGB"
    )
    assert to_srgb is not None
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()
    lab.save(tmp_path / "profiled.tif", icc_profile=profile)
    expected = np.asarray(to_srgb)
    np.testing.assert_allclose(read_photo(tmp_path / "profiled.tif"), expected, atol=2)


SRGB_PROFILE = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
"""Created once, because it contains the time of its creation."""


@pytest.mark.parametrize("ending", ["jpg", "png", "webp"])
def test_profile_date_and_camera_are_kept(tmp_path: Path, ending: str) -> None:
    exif = Image.Exif()
    exif[ExifTags.Base.Make] = "Pocket"
    camera = exif.get_ifd(ExifTags.IFD.Exif)
    camera[ExifTags.Base.DateTimeOriginal] = "2024:05:01 12:30:00"
    camera[ExifTags.IFD.MakerNote] = b"addresses of another file"
    pixels = np.full((24, 32, 3), RED, np.uint8)
    file = tmp_path / f"photo.{ending}"
    write_photo(file, pixels, profile=SRGB_PROFILE, exif=exif.tobytes())
    photo = read_camera_photo(file)
    assert photo.profile == SRGB_PROFILE
    np.testing.assert_allclose(photo.pixels, pixels, atol=6)
    again = tmp_path / f"again.{ending}"
    write_photo(again, photo.pixels, profile=photo.profile, exif=photo.exif)
    with Image.open(again) as image:
        kept = image.getexif()
    assert kept[ExifTags.Base.Make] == "Pocket"
    assert kept[ExifTags.Base.Orientation] == 1
    camera = kept.get_ifd(ExifTags.IFD.Exif)
    assert camera[ExifTags.Base.DateTimeOriginal] == "2024:05:01 12:30:00"
    assert ExifTags.IFD.MakerNote not in camera


def test_the_thumbnail_of_the_sharp_photo_is_removed(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[ExifTags.Base.Make] = "Pocket"
    notes = bytearray(exif.tobytes())
    # The offset of the thumbnail's directory follows the directory's only entry.
    tiff, thumbnail = len(b"Exif\0\0"), b"pixels of the sharp photo"
    start = len(notes) - tiff
    notes[tiff + 22 : tiff + 26] = struct.pack(">I", start)
    entries = ((0x0201, 4, 1, start + 30), (0x0202, 4, 1, len(thumbnail)))
    directory = b"".join(struct.pack(">HHII", *entry) for entry in entries)
    notes += struct.pack(">H", len(entries)) + directory + bytes(4) + thumbnail
    photo, again = tmp_path / "photo.jpg", tmp_path / "again.jpg"
    write_photo(photo, np.zeros((8, 8, 3), np.uint8), exif=bytes(notes))
    with Image.open(photo) as image:
        assert image.getexif().get_ifd(ExifTags.IFD.IFD1)[0x0202] == len(thumbnail)
    read = read_camera_photo(photo)
    write_photo(again, read.pixels, exif=read.exif)
    assert thumbnail not in again.read_bytes()
    with Image.open(again) as image:
        assert image.getexif()[ExifTags.Base.Make] == "Pocket"


@pytest.mark.parametrize("profile", [None, b"no profile at all"])
def test_without_a_valid_profile_a_camera_photo_is_srgb(
    tmp_path: Path, halves: Image.Image, profile: bytes | None
) -> None:
    halves.save(tmp_path / "photo.png", icc_profile=profile)
    photo = read_camera_photo(tmp_path / "photo.png")
    assert photo.profile is None
    assert photo.exif == b""
    np.testing.assert_array_equal(photo.pixels, np.asarray(halves))


def test_a_camera_photo_that_is_not_rgb_becomes_srgb(tmp_path: Path) -> None:
    lab = Image.merge("LAB", [Image.new("L", (8, 8), value) for value in (136, 208, 195)])
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()
    lab.save(tmp_path / "lab.tif", icc_profile=profile)
    photo = read_camera_photo(tmp_path / "lab.tif")
    assert photo.profile is None
    np.testing.assert_array_equal(photo.pixels, read_photo(tmp_path / "lab.tif"))


def test_a_photo_with_damaged_exif_is_accepted(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6
    exif.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.ExposureTime] = 1 / 3
    notes = bytearray(exif.tobytes())
    for index in range(8, len(notes), 3):
        notes[index] ^= 0x5A
        (tmp_path / "photo.jpg").unlink(missing_ok=True)
        write_photo(tmp_path / "photo.jpg", np.zeros((8, 8, 3), np.uint8), exif=bytes(notes))
        photo = read_camera_photo(tmp_path / "photo.jpg")
        assert isinstance(photo, CameraPhoto)
        assert photo.pixels.shape == (8, 8, 3)


@pytest.mark.parametrize("mode", ["L", "RGB", "CMYK", "P", "1", "LA", "RGBA"])
def test_every_colour_mode_becomes_rgb(tmp_path: Path, halves: Image.Image, mode: str) -> None:
    file = tmp_path / ("photo.jpg" if mode == "CMYK" else "photo.png")
    halves.convert(mode).save(file, quality=95)
    photo = read_photo(file)
    assert photo.shape == (20, 40, 3)
    assert photo.dtype == np.uint8
    expected = np.asarray(halves.convert(mode).convert("RGB"), np.int64)
    assert np.abs(photo - expected).mean() < 6


def test_sixteen_bits_keep_their_brightness(tmp_path: Path) -> None:
    ramp = np.linspace(0, 65535, 256).astype(np.uint16)[None].repeat(16, axis=0)
    imsave(tmp_path / "grey.png", ramp, check_contrast=False)
    np.testing.assert_array_equal(read_photo(tmp_path / "grey.png")[0, :, 0], np.arange(256))


def test_transparency_becomes_white(tmp_path: Path) -> None:
    image = Image.new("RGBA", (16, 16), (0, 0, 0, 128))
    image.save(tmp_path / "glass.png")
    np.testing.assert_allclose(read_photo(tmp_path / "glass.png"), 127, atol=1)


def test_a_jpeg_has_no_chroma_subsampling(tmp_path: Path) -> None:
    stripes = np.zeros((32, 32, 3), np.uint8)
    stripes[:, ::2], stripes[:, 1::2] = RED, GREEN
    write_photo(tmp_path / "stripes.jpg", stripes)
    assert np.abs(read_photo(tmp_path / "stripes.jpg").astype(int) - stripes).mean() < 8


def test_other_files_are_refused_in_one_line(tmp_path: Path, halves: Image.Image) -> None:
    whole = io.BytesIO()
    halves.resize((400, 200)).save(whole, "JPEG")
    broken = {
        "empty.jpg": b"",
        "text.jpg": b"this is no picture\n",
        "cut.jpg": whole.getvalue()[: len(whole.getvalue()) // 2],
        "cut_in_its_header.jpg": whole.getvalue()[:60],
    }
    for name, content in broken.items():
        (tmp_path / name).write_bytes(content)
        with pytest.raises(UserError, match=name) as refusal:
            read_photo(tmp_path / name)
        assert "\n" not in str(refusal.value)
    with pytest.raises(UserError, match="no such file"):
        read_photo(tmp_path / "missing.jpg")
    with pytest.raises(UserError, match="the photo: an empty file"):
        read_photo(b"")


def test_a_decompression_bomb_is_refused_before_it_is_decoded(tmp_path: Path) -> None:
    Image.new("1", (20_000, 10_001)).save(tmp_path / "bomb.png")
    assert (tmp_path / "bomb.png").stat().st_size < 100_000
    for read in (read_photo, photo_size):
        with pytest.raises(UserError, match="20000×10001 pixels, more than 200 megapixels"):
            read(tmp_path / "bomb.png")


def test_a_failed_write_leaves_nothing(tmp_path: Path) -> None:
    photo = np.zeros((8, 8, 3), np.uint8)
    with pytest.raises(UserError, match=r"\.gif"):
        write_photo(tmp_path / "photo.gif", photo)
    with pytest.raises(UserError, match="no such folder"):
        write_photo(tmp_path / "nowhere" / "photo.png", photo)
    assert list(tmp_path.iterdir()) == []


def test_floats_and_bytes_convert_both_ways() -> None:
    codes = np.arange(256, dtype=np.uint8)
    np.testing.assert_array_equal(to_uint8(to_float(codes)), codes)
    np.testing.assert_array_equal(to_uint8(np.array([-0.5, 1.5])), [0, 255])


def test_resize_keeps_a_flat_colour_and_gives_the_size() -> None:
    photo = np.full((30, 40, 3), (10, 128, 240), np.uint8)
    smaller = resize_photo(photo, 7, 9)
    assert smaller.shape == (7, 9, 3)
    np.testing.assert_array_equal(smaller, np.broadcast_to((10, 128, 240), (7, 9, 3)))
