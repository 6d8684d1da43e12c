"""Grey pictures of more than 8 bits: which value is white is said by the file, or by its type."""

import numpy as np
from PIL import Image

from pocket_bokeh.errors import UserError

DEEP_GREY = ("I", "I;16", "I;16B", "I;16L", "F")
"""Pillow's modes for 16-bit, 32-bit and floating-point grey."""

_BITS_PER_SAMPLE, _PHOTOMETRIC, _MAX_SAMPLE_VALUE = 258, 262, 281
_MIN_IS_WHITE = 0
_OVERSHOOT = 0.1
"""Sharpening and resizing leave floating-point values a little outside 0…1."""


def grey_photo(image: Image.Image, name: str) -> np.ndarray:
    """A picture of one of the `DEEP_GREY` modes as 8 bits.

    Floating-point values are expected in 0…1, integers from 0 to the type's or the file's largest.

    Args:
        image: decoded.
        name: of its file, for messages.

    Returns:
        height × width, uint8.

    Raises:
        UserError: the values have another range, or some are not finite.
    """
    values = np.asarray(image)
    if image.mode == "F":
        low, high = _finite_range(values, name)
        if low < -_OVERSHOOT or high > 1 + _OVERSHOOT:
            raise UserError(
                f"{name}: floating-point values from {low:.4g} to {high:.4g}; a photo has 0 to 1. "
                "Scale it, or save it with 8 or 16 bits"
            )
        return _eight_bit(image, values.astype(np.float32))
    return _eight_bit(image, _integers(image, values, name))


def grey_depth(image: Image.Image, name: str) -> np.ndarray:
    """A depth map of one of the `DEEP_GREY` modes as 8 bits.

    Floating-point and 32-bit maps, such as those in metres, are stretched so that their smallest
    value becomes 0 and their largest 255; infinity, which often stands for the sky, counts as the
    largest. Maps of 16 bits are scaled by their type, as a photo.

    Raises:
        UserError: a 16-bit map would come out nearly black; some values are not numbers; all are
            the same, or nearly all beside a few that are far away.
    """
    values = np.asarray(image)
    if image.mode not in ("F", "I") or _largest(image):
        return grey_photo(image, name)
    depth = values.astype(np.float64)
    finite = depth[np.isfinite(depth)]
    if finite.size:
        depth[depth == np.inf] = finite.max()
    low, high = _finite_range(depth, name)
    middle = np.percentile(depth, (1, 99)) if high > low else (0.0, 0.0)
    if high == low or (middle[1] - middle[0]) < (high - low) / 32:
        raise UserError(
            f"{name}: nearly all of its depths are the same in a range from {low:.4g} to "
            f"{high:.4g}; limit them to what can be seen, or save the map with 8 bits"
        )
    return _eight_bit(image, (depth - low) / (high - low))


def _integers(image: Image.Image, values: np.ndarray, name: str) -> np.ndarray:
    """0…1 of integers."""
    largest = _largest(image)
    if image.mode == "I" and not largest:
        raise UserError(
            f"{name}: 32-bit or signed integers, of which nothing says what is white; save it "
            "with 8 or 16 bits"
        )
    if not largest and 0 < values.max() < 4096:
        raise UserError(
            f"{name}: 16 bits, but no value above {values.max()}, so it would be nearly black; "
            "scale its values to 0…65535, or save it with 8 bits"
        )
    return values.astype(np.float32) / (largest or 65535)


def _largest(image: Image.Image) -> int | None:
    """White, where a TIFF says it: of 12 bits, or by MaxSampleValue."""
    tags = getattr(image, "tag_v2", {})

    def first(tag: int) -> int:
        value = tags.get(tag, 0)
        return int(value[0] if isinstance(value, tuple) else value)

    if first(_MAX_SAMPLE_VALUE) > 0:
        return first(_MAX_SAMPLE_VALUE)
    bits = first(_BITS_PER_SAMPLE)
    return 2**bits - 1 if 8 < bits < 16 else None


def _eight_bit(image: Image.Image, values: np.ndarray) -> np.ndarray:
    if getattr(image, "tag_v2", {}).get(_PHOTOMETRIC) == _MIN_IS_WHITE:
        values = 1 - values
    return np.rint(np.clip(values, 0, 1) * 255).astype(np.uint8)


def _finite_range(values: np.ndarray, name: str) -> tuple[float, float]:
    low, high = float(values.min()), float(values.max())
    if not np.isfinite([low, high]).all():
        raise UserError(
            f"{name}: some of its values are not numbers (NaN or infinite); replace them first"
        )
    return low, high
