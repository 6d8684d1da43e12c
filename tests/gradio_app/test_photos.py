"""Visitors' photos are read correctly, or refused with a sentence."""

import io
from pathlib import Path

import numpy as np
import pillow_heif
import pytest
from PIL import Image

from gradio_app.handlers import take_photo
from gradio_app.photos import list_examples, read_upload
from pocket_bokeh.errors import UserError


def encoded(image: Image.Image, kind: str, **options: object) -> bytes:
    stream = io.BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()


def grey_ramp() -> Image.Image:
    return Image.fromarray(np.linspace(0, 65535, 64 * 48).reshape(48, 64).astype(np.uint16))


GREEN = Image.new("RGB", (64, 48), (60, 100, 60))


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("photo.jpg", encoded(GREEN, "JPEG", quality=95)),
        ("photo.webp", encoded(GREEN, "WEBP", lossless=True)),
        ("cmyk.jpg", encoded(GREEN.convert("CMYK"), "JPEG", quality=95)),
        ("deep.png", encoded(grey_ramp(), "PNG")),
        ("moving.gif", encoded(GREEN, "GIF", save_all=True, append_images=[grey_ramp()])),
        ("narrow.png", encoded(GREEN.resize((40, 8000)), "PNG")),
        ("dot.png", encoded(GREEN.resize((1, 1)), "PNG")),
    ],
)
def test_unusual_photos_are_read(tmp_path: Path, name: str, content: bytes) -> None:
    file = tmp_path / name
    file.write_bytes(content)
    pixels = read_upload(file).decode()
    assert pixels.dtype == np.uint8
    assert pixels.shape[2] == 3
    if name != "deep.png":
        np.testing.assert_allclose(pixels[0, 0], (60, 100, 60), atol=8)


@pytest.mark.parametrize("kind", ["GIF", "PNG", "WEBP", "AVIF"])
def test_of_an_animation_the_first_picture_is_taken_and_the_page_says_so(
    tmp_path: Path, kind: str
) -> None:
    others = [Image.new("RGB", GREEN.size, colour) for colour in ("red", "blue")]
    file = tmp_path / f"moving.{kind.lower()}"
    file.write_bytes(encoded(GREEN, kind, save_all=True, append_images=others))
    photo = read_upload(file)
    assert photo.note == "an animation: only the first of its 3 pictures is used"
    np.testing.assert_allclose(photo.decode()[5, 5], (60, 100, 60), atol=8)


def test_a_damaged_animation_is_a_photo_or_a_sentence(tmp_path: Path) -> None:
    """For every place where a GIF may be cut or a byte changed."""
    whole = encoded(
        GREEN, "GIF", save_all=True, append_images=[Image.new("RGB", GREEN.size, "red")]
    )
    file, broken = tmp_path / "moving.gif", []
    for place in range(6, len(whole)):
        changed = whole[:place] + bytes([whole[place] ^ 0xFF]) + whole[place + 1 :]
        for content in (whole[:place], changed):
            file.write_bytes(content)
            photo, said = take_photo(str(file))
            assert photo or "wrong" in said
            broken.append(photo is None)
    assert any(broken)
    assert not all(broken)


def test_a_phones_second_picture_is_no_animation(tmp_path: Path) -> None:
    """Gain maps and stereo pictures are stored in a JPEG this way."""
    file = tmp_path / "phone.jpg"
    file.write_bytes(encoded(GREEN, "MPO", save_all=True, append_images=[GREEN]))
    assert read_upload(file).note == ""


def test_heic_is_read_upright(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    heif = pillow_heif.from_pillow(GREEN)
    heif.info["exif"] = exif.tobytes()
    heif.save(tmp_path / "phone.heic", quality=-1)
    pixels = read_upload(tmp_path / "phone.heic").decode()
    assert pixels.shape == (64, 48, 3)
    np.testing.assert_allclose(pixels[5, 5], (60, 100, 60), atol=3)


def bomb() -> bytes:
    """A PNG of a few kilobytes with more than 200 megapixels."""
    return encoded(Image.new("1", (20_000, 10_001)), "PNG")


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("empty.jpg", b"", "an empty file"),
        ("text.jpg", b"Dear Sir or Madam", "expected a JPEG, PNG, WebP, AVIF, HEIC or TIFF photo"),
        ("cut.jpg", encoded(GREEN, "JPEG")[:60], "not an image"),
        ("bomb.png", bomb(), "20000×10001 pixels, more than 200 megapixels"),
    ],
)
def test_what_cannot_be_shown_is_a_sentence_on_the_page(
    tmp_path: Path, name: str, content: bytes, sentence: str
) -> None:
    file = tmp_path / name
    file.write_bytes(content)
    photo, status = take_photo(str(file))
    assert photo is None
    assert sentence in status
    assert str(tmp_path) not in status


@pytest.mark.parametrize(("kind", "mode"), [("JPEG", "L"), ("PNG", "1")])
def test_a_large_photo_is_compared_at_half_its_size_and_the_page_says_so(
    tmp_path: Path, kind: str, mode: str
) -> None:
    image = Image.new(mode, (9_000, 6_002))
    image.paste(1 if mode == "1" else 255, (0, 0, 4_500, 6_002))
    file = tmp_path / f"large.{kind.lower()}"
    file.write_bytes(encoded(image, kind))
    photo = read_upload(file)
    assert photo.note.startswith("54 megapixels: compared at 1/2 of its width and height")
    pixels = photo.decode()
    assert pixels.shape == (3_001, 4_500, 3)
    assert pixels[:, :2_200].min() == 255
    assert pixels[:, 2_300:].max() == 0


def test_a_photo_that_was_deleted_meanwhile_is_a_sentence(photo_file: Path) -> None:
    photo = read_upload(photo_file)
    photo_file.unlink()
    with pytest.raises(UserError, match="choose it again"):
        photo.decode()


def test_the_content_tells_photos_apart(tmp_path: Path, photo_file: Path) -> None:
    copy = tmp_path / "copy.png"
    copy.write_bytes(photo_file.read_bytes())
    other = tmp_path / "other.png"
    other.write_bytes(encoded(GREEN, "PNG"))
    assert read_upload(copy).key == read_upload(photo_file).key != read_upload(other).key


def test_the_examples_ship_and_a_failure_is_called_one() -> None:
    examples = list_examples()
    assert [name for name, photo in examples.items() if "failure" in photo.note] == ["failure"]
    assert len({photo.key for photo in examples.values()}) == len(examples) == 7
    for photo in examples.values():
        assert min(photo.decode().shape[:2]) >= 300
