"""How far two pictures of any size are apart, in bands of rows, with the memory of a few rows."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from pocket_bokeh.gaussian_filter import separable_filter

_BAND = 64
_RADIUS = 5
_OFFSETS = np.arange(-_RADIUS, _RADIUS + 1)
_WINDOW = np.exp(-(_OFFSETS**2) / (2 * 1.5**2))
_WINDOW /= _WINDOW.sum()
_C1, _C2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2


@dataclass(frozen=True)
class Figures:
    """How far a picture is from a reference.

    Attributes:
        psnr: in dB over all pixels and channels; 100 where they are equal.
        ssim: Gaussian window 11 × 11 with sigma 1.5, k1 = 0.01, k2 = 0.03; None where a side has
            fewer than 11 pixels.
        largest_step: the largest difference of a channel, in steps of 255.
    """

    psnr: float
    ssim: float | None
    largest_step: int


def compare_pictures(picture: np.ndarray, reference: np.ndarray) -> Figures:
    """Compares two pictures at their own size.

    Args:
        picture: height × width × 3, uint8; may be a memory map.
        reference: of the same shape.

    Raises:
        ValueError: the shapes differ.
    """
    if picture.shape != reference.shape:
        raise ValueError(f"pictures of shapes {picture.shape} and {reference.shape}")
    squares, largest = 0, 0
    for rows in _bands(picture.shape[0]):
        step = np.abs(picture[rows].astype(np.int16) - reference[rows])
        largest = max(largest, int(step.max()))
        squares += int(np.square(step, dtype=np.int32).sum(dtype=np.int64))
    psnr = 100.0 if squares == 0 else 10 * np.log10(255**2 * picture.size / squares)
    return Figures(min(100.0, float(psnr)), _ssim(picture, reference), largest)


def _ssim(picture: np.ndarray, reference: np.ndarray) -> float | None:
    """Mean structural similarity; only whole windows count, as published."""
    height, width, channels = picture.shape
    if min(height, width) <= 2 * _RADIUS:
        return None
    total = 0.0
    for rows in _bands(height - 2 * _RADIUS):
        seen = slice(rows.start, rows.stop + 2 * _RADIUS)
        for channel in range(channels):
            one = picture[seen, :, channel].astype(np.float32)
            other = reference[seen, :, channel].astype(np.float32)
            total += float(_similarity(one, other).sum(dtype=np.float64))
    return total / (channels * (height - 2 * _RADIUS) * (width - 2 * _RADIUS))


def _similarity(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    mean_one, mean_other = _window_mean(one), _window_mean(other)
    product = mean_one * mean_other
    covariance = _window_mean(one * other) - product
    means = mean_one * mean_one + mean_other * mean_other
    # Of the two variances the formula needs the sum alone.
    variances = _window_mean(one * one + other * other) - means
    return (2 * product + _C1) * (2 * covariance + _C2) / ((means + _C1) * (variances + _C2))


def _window_mean(plane: np.ndarray) -> np.ndarray:
    return separable_filter(plane, _WINDOW)[_RADIUS:-_RADIUS, _RADIUS:-_RADIUS]


def _bands(height: int) -> Iterator[slice]:
    for top in range(0, height, _BAND):
        yield slice(top, min(top + _BAND, height))
