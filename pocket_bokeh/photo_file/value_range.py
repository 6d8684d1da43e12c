"""Converts grey pictures with more than 8 bits; the file or its type determines the white value."""

import numpy as np
from PIL import Image

from pocket_bokeh.errors import UserError

DEEP_GREY = ("I", "I;16", "I;16B", "I;16L", "F")
"""Pillow's modes for 16-bit, 32-bit and floating-point grey."""

_BITS_PER_SAMPLE, _PHOTOMETRIC, _MAX_SAMPLE_VALUE = 258, 262, 281
_MIN_IS_WHITE = 0
_OVERSHOOT = 0.1
"""Tolerance, because sharpening and resizing move floating-point values a little outside 0…1."""


def grey_photo(image: Image.Image, name: str) -> np.ndarray:
    """Converts a picture in one of the `DEEP_GREY` modes to 8 bits.

    Floating-point values must be within 0…1. Integers are scaled by the type's largest value, or by
    the one in the file.

    Args:
        image: decoded.
        name: of its file, for messages.

    Returns:
        height × width, uint8.

    Raises:
        UserError: the values have an unknown range, or some are not finite.
    """
    values = np.asarray(image)
    if image.mode == "F":
        low, high = _finite_range(values, name)
        if low < -_OVERSHOOT or high > 1 + _OVERSHOOT:
            raise UserError(
                f"{name}: floating-point values from {low:.4g} to {high:.4g}, expected 0 to 1; "
                "scale it, or save it with 8 or 16 bits"
            )
        return _eight_bit(image, values.astype(np.float32))
    return _eight_bit(image, _integers(image, values, name))


def grey_depth(image: Image.Image, name: str) -> np.ndarray:
    """Converts a depth map in one of the `DEEP_GREY` modes to 8 bits.

    Floating-point and 32-bit maps, for example in metres, are scaled so that their smallest value
    becomes 0 and their largest 255. Infinity, which often means the sky, counts as the largest
    finite value. 16-bit maps are scaled by their type, as photos are.

    Raises:
        UserError: a 16-bit map would become nearly black, some values are not numbers, or all
            values except a few outliers are the same.
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
            f"{name}: nearly all depths are the same, in a range from {low:.4g} to {high:.4g}; "
            "clip the outliers, or save the map with 8 bits"
        )
    return _eight_bit(image, (depth - low) / (high - low))


def _integers(image: Image.Image, values: np.ndarray, name: str) -> np.ndarray:
    """Scales integers to 0…1."""
    largest = _largest(image)
    if image.mode == "I" and not largest:
        raise UserError(
            f"{name}: 32-bit or signed integers without a known white value; save it with 8 or 16 "
            "bits"
        )
    if not largest and 0 < values.max() < 4096:
        raise UserError(
            f"{name}: has 16 bits, but no value above {values.max()}, so it would be nearly black; "
            "scale its values to 0…65535, or save it with 8 bits"
        )
    return values.astype(np.float32) / (largest or 65535)


def _largest(image: Image.Image) -> int | None:
    """The white value if a TIFF gives one: by MaxSampleValue, or 9 to 15 bits per sample."""
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
