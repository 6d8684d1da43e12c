"""Grey pictures with more than 8 bits keep their brightness or are refused."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from PIL import Image

from pocket_bokeh.errors import UserError
from pocket_bokeh.photo import read_camera_photo, read_depth, read_photo

RAMP = np.tile(np.linspace(0, 1, 32), (16, 1))
CODES = np.rint(RAMP * 255)
MIN_IS_WHITE, MAX_SAMPLE_VALUE = 0, 281


def saved(folder: Path, values: np.ndarray, **options: Any) -> Path:
    file = folder / "grey.tif"
    tifffile.imwrite(file, values, **{"photometric": "minisblack", **options})
    return file


@pytest.mark.parametrize(
    ("values", "options"),
    [
        (RAMP.astype(np.float32), {}),
        (RAMP.astype(np.float32), {"byteorder": ">"}),
        (1 - RAMP.astype(np.float32), {"photometric": "miniswhite"}),
        (np.rint(RAMP * 65535).astype(np.uint16), {}),
        (np.rint(RAMP * 65535).astype(np.uint16), {"byteorder": ">"}),
        (np.rint((1 - RAMP) * 65535).astype(np.uint16), {"photometric": "miniswhite"}),
        (
            np.rint(RAMP * 4095).astype(np.uint16),
            {"extratags": [(MAX_SAMPLE_VALUE, "H", 1, 4095, True)]},
        ),
        (
            np.rint(RAMP * 1_000_000).astype(np.int32),
            {"extratags": [(MAX_SAMPLE_VALUE, "I", 1, 1_000_000, True)]},
        ),
    ],
)
def test_grey_keeps_its_brightness(
    tmp_path: Path, values: np.ndarray, options: dict[str, Any]
) -> None:
    file = saved(tmp_path, values, **options)
    for pixels in (read_photo(file), read_camera_photo(file).pixels):
        np.testing.assert_allclose(pixels[..., 1], CODES, atol=1)
    np.testing.assert_allclose(read_depth(file, RAMP.shape), CODES, atol=1)


def test_twelve_bits_are_scaled_as_twelve(tmp_path: Path) -> None:
    """Two values in three bytes; all are white except the first."""
    packed = np.full((16, 48), 255, np.uint8)
    packed[0, 0], packed[0, 1] = 0x80, 0x0F
    tags = Image.Image()  # Pillow writes no 12 bits: the header is put together by hand.
    assert tags.mode == ""
    file = tmp_path / "twelve.tif"
    entries = [
        (256, 3, 32),
        (257, 3, 16),
        (258, 3, 12),
        (259, 3, 1),
        (262, 3, 1),
        (273, 4, 8),
        (277, 3, 1),
        (278, 3, 16),
        (279, 4, packed.nbytes),
    ]
    directory = b"".join(
        tag.to_bytes(2, "little")
        + kind.to_bytes(2, "little")
        + (1).to_bytes(4, "little")
        + value.to_bytes(4, "little")
        for tag, kind, value in entries
    )
    file.write_bytes(
        b"II*\0"
        + (8 + packed.nbytes).to_bytes(4, "little")
        + packed.tobytes()
        + len(entries).to_bytes(2, "little")
        + directory
        + bytes(4)
    )
    pixels = read_photo(file)
    assert pixels[0, 0, 0] == 128
    assert pixels[1:].min() == 255


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        (RAMP * 255, "floating-point values from 0 to 255, expected 0 to 1"),
        (RAMP * 7 - 3, "floating-point values from -3 to 4"),
        (np.where(RAMP > 0.5, np.nan, RAMP), "NaN or infinite"),
        (np.where(RAMP > 0.5, np.inf, RAMP), "NaN or infinite"),
    ],
)
def test_floats_without_a_known_white_are_refused(
    tmp_path: Path, values: np.ndarray, sentence: str
) -> None:
    with pytest.raises(UserError, match=sentence):
        read_photo(saved(tmp_path, values.astype(np.float32)))


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ((RAMP * 4095).astype(np.uint16), "16 bits, but no value above 4095"),
        ((RAMP * 255).astype(np.int32), "32-bit or signed integers"),
        ((RAMP * 255).astype(np.int16), "32-bit or signed integers"),
    ],
)
def test_integers_without_a_known_white_are_refused(
    tmp_path: Path, values: np.ndarray, sentence: str
) -> None:
    with pytest.raises(UserError, match=sentence):
        read_photo(saved(tmp_path, values))


def test_a_little_overshoot_is_clipped(tmp_path: Path) -> None:
    """As after sharpening."""
    file = saved(tmp_path, (RAMP * 1.1 - 0.05).astype(np.float32))
    assert read_photo(file).min() == 0
    assert read_photo(file).max() == 255


def test_black_stays_black(tmp_path: Path) -> None:
    assert read_photo(saved(tmp_path, np.zeros((8, 8), np.uint16))).max() == 0


@pytest.mark.parametrize("kind", [np.float32, np.int32])
def test_a_depth_map_in_metres_is_scaled(tmp_path: Path, kind: type) -> None:
    metres = (0.5 + 19.5 * RAMP) if kind is np.float32 else 500 + 19_500 * RAMP
    depth = read_depth(saved(tmp_path, metres.astype(kind)), RAMP.shape)
    np.testing.assert_allclose(depth, CODES, atol=1)


def test_infinity_counts_as_the_largest_depth(tmp_path: Path) -> None:
    metres = 0.5 + 19.5 * RAMP
    metres[0] = np.inf
    depth = read_depth(saved(tmp_path, metres.astype(np.float32)), RAMP.shape)
    assert (depth[0] == 255).all()
    np.testing.assert_allclose(depth[1:], CODES[1:], atol=1)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda metres: metres * 0 + 3, "nearly all depths are the same"),
        (lambda metres: np.where(metres > 19.9, 1e10, metres), "from 0.5 to 1e"),
        (lambda metres: np.where(metres > 10, np.nan, metres), "NaN or infinite"),
    ],
)
def test_a_depth_map_without_depths_is_refused(tmp_path: Path, change: Any, sentence: str) -> None:
    metres = np.tile(np.linspace(0.5, 20, 1000), (16, 1))
    with pytest.raises(UserError, match=sentence):
        read_depth(saved(tmp_path, change(metres).astype(np.float32)), metres.shape)
