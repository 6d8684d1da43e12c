"""Each kind of file × how it says its colours and its turn, held against Chromium's decoder.

photos_in_chromium.json holds what Chromium showed, so that machines without it test as well. Of PQ
and HLG it holds twice that light; see `brightened`. Where Chromium shows something else, the test
marked browser fails and writes the new colours to photos_in_chromium.new.
"""

import base64
import io
import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageCms
from playwright.sync_api import Page

from pocket_bokeh.errors import UserError
from pocket_bokeh.photo import photo_size, read_camera_photo, read_photo
from pocket_bokeh.photo_file.colour import ColourEncoding, icc_profile, to_srgb
from tests.conftest import StartChromium

from .photo_files import (
    BT2020,
    FILES,
    P3,
    P3_PRIMARIES,
    PQ_CURVE,
    SRGB_CURVE,
    UNKNOWN_TO_BROWSERS,
    avif,
    chrm,
    cicp,
    gama,
    heic,
    linear_deep,
    middles,
    patches,
    png,
)

RECORDED = Path(__file__).with_name("photos_in_chromium.json")
TURNED_HERE_ALONE = ("png, eXIf 6 after its pixels", "webp, EXIF 6")
"""Chromium ignores EXIF in these two places, although the specifications allow it."""

SHOW = """async (content) => {
  const bytes = Uint8Array.from(atob(content), (character) => character.charCodeAt(0));
  const image = new Image();
  image.src = URL.createObjectURL(new Blob([bytes]));
  await image.decode();
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [image.naturalWidth, image.naturalHeight];
  const context = canvas.getContext("2d");
  context.fillStyle = "white";
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.drawImage(image, 0, 0);
  const pixels = context.getImageData(0, 0, canvas.width, canvas.height).data;
  return [canvas.height, canvas.width, Array.from(pixels)];
}"""


@pytest.fixture(scope="module")
def page(start_chromium: StartChromium) -> Iterator[Page]:
    """A blank page in a Chromium whose screen is sRGB."""
    browser = start_chromium("--force-color-profile=srgb")
    yield browser.new_page()
    browser.close()


def light(codes: np.ndarray) -> np.ndarray:
    return linear_deep(codes) / 65535


def brightened(codes: np.ndarray) -> np.ndarray:
    """Chromium shows high dynamic range at half its light on a screen that has none.

    So it was measured. The test holds the curves and primaries against it, not where white is.
    """
    doubled = np.clip(2 * light(codes), 0, 1)
    encoded = np.where(doubled <= 0.0031308, 12.92 * doubled, 1.055 * doubled ** (1 / 2.4) - 0.055)
    return encoded * 255


def recorded(name: str) -> np.ndarray:
    return np.array(json.loads(RECORDED.read_text())[name], np.float64)


def is_hdr(name: str) -> bool:
    return "PQ" in name or "HLG" in name


@pytest.mark.browser
def test_the_recorded_colours_are_those_of_chromium(page: Page) -> None:
    shown = {}
    for name, make in FILES.items():
        height, width, pixels = page.evaluate(SHOW, base64.b64encode(make()).decode())
        colours = middles(np.array(pixels, np.float64).reshape(height, width, 4))
        shown[name] = (brightened(colours) if is_hdr(name) else colours).round().astype(int)
    rows = [f"  {json.dumps(name)}: {json.dumps(shown[name].tolist())}" for name in shown]
    fresh = "{\n" + ",\n".join(rows) + "\n}\n"
    different = [
        name
        for name, colours in shown.items()
        if (colours.shape != recorded(name).shape or np.abs(colours - recorded(name)).max() > 1)
    ]
    if different:
        RECORDED.with_suffix(".new").write_text(fresh)
    assert not different, f"compare {RECORDED.with_suffix('.new')}"


@pytest.mark.parametrize("name", [name for name in FILES if name not in TURNED_HERE_ALONE])
def test_a_photo_looks_as_in_a_browser(name: str) -> None:
    content, expected = FILES[name](), recorded(name)
    pixels = read_photo(content)
    assert photo_size(content) == pixels.shape[:2]
    colours = middles(pixels)
    assert colours.shape == expected.shape
    np.testing.assert_allclose(colours, expected, atol=4 if is_hdr(name) else 2)


@pytest.mark.parametrize("name", UNKNOWN_TO_BROWSERS)
def test_an_unsupported_photo_looks_like_its_supported_counterpart(name: str) -> None:
    make, same = UNKNOWN_TO_BROWSERS[name]
    content, expected = make(), recorded(same)
    pixels = read_photo(content)
    assert photo_size(content) == pixels.shape[:2]
    colours = middles(pixels)
    assert colours.shape == expected.shape
    np.testing.assert_allclose(colours, expected, atol=6 if is_hdr(name) else 4)


@pytest.mark.parametrize("name", [*FILES, *UNKNOWN_TO_BROWSERS])
def test_a_camera_photo_means_the_same_colours(name: str) -> None:
    """Converting the pixels through the profile with LittleCMS gives the result of `read_photo`."""
    content = (FILES.get(name) or UNKNOWN_TO_BROWSERS[name][0])()
    photo = read_camera_photo(content)
    pixels = photo.pixels
    if photo.profile:
        profile = ImageCms.ImageCmsProfile(io.BytesIO(photo.profile))
        converted = ImageCms.profileToProfile(
            Image.fromarray(pixels), profile, ImageCms.createProfile("sRGB")
        )
        assert converted is not None
        pixels = np.asarray(converted)
    np.testing.assert_allclose(middles(pixels), middles(read_photo(content)), atol=2)
    assert photo.pixels.shape[:2] == photo_size(content)


def test_a_camera_photo_keeps_its_wide_gamut() -> None:
    for content in (avif(P3, SRGB_CURVE), heic(P3, SRGB_CURVE), png(None, cicp(P3, SRGB_CURVE))):
        photo = read_camera_photo(content)
        assert photo.profile
        np.testing.assert_allclose(middles(photo.pixels), middles(patches()), atol=3)


def test_a_linear_or_high_dynamic_range_camera_photo_becomes_srgb() -> None:
    """8 bits would be too few for them."""
    for chunk in (gama(1.0), cicp(1, 8), cicp(BT2020, PQ_CURVE)):
        assert read_camera_photo(png(None, chunk)).profile is None


def test_what_is_brighter_than_white_keeps_its_hue() -> None:
    """Orange light at 4 times reference white, the maximum of its red."""
    codes = np.full((32, 32, 3), (200, 170, 140), np.uint8)
    orange = middles(read_photo(png(codes, cicp(1, PQ_CURVE))))[0, 0]
    assert orange[0] == 255
    assert 150 < orange[1] < 230
    assert 80 < orange[2] < orange[1] - 40


def test_every_code_is_converted_as_littlecms_does() -> None:
    """A grey ramp and colours of the RGB cube, through the equivalent profile."""
    steps = np.arange(0, 256, 15, dtype=np.uint8)
    cube = np.stack(np.meshgrid(steps, steps, steps), -1).reshape(-1, len(steps), 3)
    encodings = (
        ColourEncoding(2.2, P3_PRIMARIES),
        ColourEncoding("srgb", P3_PRIMARIES),
        ColourEncoding(1.8),
    )
    for encoding in encodings:
        profile = ImageCms.ImageCmsProfile(io.BytesIO(icc_profile(encoding)))
        expected = ImageCms.profileToProfile(
            Image.fromarray(cube), profile, ImageCms.createProfile("sRGB")
        )
        assert expected is not None
        difference = to_srgb(cube, encoding).astype(int) - np.asarray(expected)
        assert np.abs(difference).max() <= 2


def test_sixteen_bits_of_linear_light_leave_no_bands() -> None:
    """All 256 sRGB codes are kept; 8 bits of linear light would only give 184."""
    ramp = np.arange(256, dtype=np.uint8)[None, :, None].repeat(8, 0).repeat(3, 2)
    np.testing.assert_array_equal(read_photo(png(linear_deep(ramp), gama(1.0))), ramp)


def test_sixteen_bits_are_rounded() -> None:
    codes = np.full((16, 16, 3), 0x00FF, np.uint16)
    codes[:, 8:] = 0xFF00
    np.testing.assert_array_equal(read_photo(png(codes))[0, ::8, 0], [1, 254])


def test_unsupported_colour_codes_are_refused() -> None:
    for content in (png(None, cicp(1, 10)), avif(3, 13), heic(1, 17)):
        with pytest.raises(UserError, match=r"transfer .* convert it to sRGB first"):
            read_photo(content)


def test_a_photo_with_an_invalid_chunk_is_accepted() -> None:
    for chunk in ((b"gAMA", bytes(4)), (b"cICP", b"\1"), (b"cHRM", bytes(32))):
        np.testing.assert_array_equal(read_photo(png(None, chunk)), patches())
    for zeros in (bytes(32), b"\xff" * 32):
        pixels = read_photo(png(None, gama(1 / 1.8), (chrm()[0], zeros)))
        assert pixels.shape == (32, 64, 3)
