"""Two recipes of one photograph, through real models."""

import dataclasses
import io

import numpy as np
import pytest
from PIL import Image

from gradio_app.comparison import ORIGINAL, Comparison, Render, describe
from quantize.bundle import Bundle
from train.errors import UserError


@pytest.fixture
def photo() -> bytes:
    """120 × 80 pixels of one grey-green, with a sideways flag: it stands upright."""
    encoded = io.BytesIO()
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.new("RGB", (80, 120), (60, 100, 60)).save(encoded, "PNG", exif=exif)
    return encoded.getvalue()


def test_each_side_shows_its_own_recipe_at_the_photos_size(bundle: Bundle, photo: bytes) -> None:
    comparison = Comparison(bundle)
    assert comparison.choices == [ORIGINAL, "float32", "float16"]
    expected = {ORIGINAL: (60, 100, 60), "float32": (60, 100, 60), "float16": (195, 155, 195)}
    for choice, colour in expected.items():
        picture = comparison.render(photo, choice).picture
        assert picture.shape == (80, 120, 3)
        np.testing.assert_allclose(picture, np.broadcast_to(colour, picture.shape), atol=1)


def test_the_same_photo_is_rendered_once(bundle: Bundle, photo: bytes) -> None:
    comparison = Comparison(bundle)
    first = comparison.render(photo, "float32")
    assert comparison.render(bytes(bytearray(photo)), "float32") is first
    assert comparison.render(photo, "float16") is not first


def test_figures_name_both_sides_and_their_difference() -> None:
    dark = np.full((10, 20, 3), 100, np.uint8)
    light = dark.copy()
    light[0, 0] = 110
    text = describe(Render(ORIGINAL, dark), Render("int8_qat", light, 0.25, 2_650_000))
    assert "| right | int8_qat | 2.65 MB | 0.25 s |" in text
    assert "20 × 10 pixels" in text
    assert "largest difference 10 of 255" in text
    assert "PSNR 51.1 dB" in text
    assert "identical" in describe(Render(ORIGINAL, dark), Render(ORIGINAL, dark))


def test_what_is_no_photo_is_refused(bundle: Bundle) -> None:
    with pytest.raises(UserError, match="not an image"):
        Comparison(bundle).render(b"hello", "float32")


def test_a_network_that_sees_depth_is_a_sentence(bundle: Bundle, photo: bytes) -> None:
    golden = dataclasses.replace(bundle.golden[0], depth="depth.png", depth_sha256="0")
    comparison = Comparison(dataclasses.replace(bundle, golden=(golden,)))
    assert comparison.render(photo, ORIGINAL).picture.shape == (80, 120, 3)
    with pytest.raises(UserError, match="see a depth map beside the photo"):
        comparison.render(photo, "float32")
