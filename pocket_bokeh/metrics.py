"""PSNR and SSIM of pictures in NumPy. They work in bands of rows, so memory stays small.

`train.loop.metrics` has the same measures as differentiable Keras operations.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from pocket_bokeh.gaussian_filter import separable_filter

HIGHEST_PSNR = 100.0
"""In dB; the PSNR of equal pictures, which would be infinite."""

_BAND = 64
_RADIUS = 5
_OFFSETS = np.arange(-_RADIUS, _RADIUS + 1)
_WINDOW = np.exp(-(_OFFSETS**2) / (2 * 1.5**2))
_WINDOW /= _WINDOW.sum()


@dataclass(frozen=True)
class PictureMetrics:
    """How far an 8-bit picture is from a reference.

    Attributes:
        psnr: in dB, as `psnr`.
        ssim: as `ssim`; None if a side has fewer than 11 pixels.
        largest_step: the largest difference of a channel, 0…255.
    """

    psnr: float
    ssim: float | None
    largest_step: int


def compare_pictures(picture: np.ndarray, reference: np.ndarray) -> PictureMetrics:
    """Compares two 8-bit pictures of the same size.

    Args:
        picture: height × width × 3, uint8; may be a memory map.
        reference: the same shape and type.

    Raises:
        ValueError: the shapes differ.
    """
    error, largest = _mean_square_and_largest(picture, reference)
    has_whole_window = min(picture.shape[:2]) > 2 * _RADIUS
    similarity = ssim(picture, reference) if has_whole_window else None
    return PictureMetrics(_decibels(error, _peak(picture)), similarity, int(largest))


def psnr(picture: np.ndarray, reference: np.ndarray) -> float:
    """Peak signal-to-noise ratio in dB over all pixels and channels, at most `HIGHEST_PSNR`.

    Args:
        picture: height × width × 3, uint8, or float with values 0…1.
        reference: the same shape and range.

    Raises:
        ValueError: the shapes differ.
    """
    error, _ = _mean_square_and_largest(picture, reference)
    return _decibels(error, _peak(picture))


def ssim(picture: np.ndarray, reference: np.ndarray) -> float:
    """Structural similarity, the mean over positions and channels.

    Wang et al., "Image quality assessment: from error visibility to structural similarity", 2004:
    Gaussian window 11 × 11 with sigma 1.5, k1 = 0.01, k2 = 0.03. Only whole windows count.

    Args:
        picture: height × width × 3, uint8, or float with values 0…1.
        reference: the same shape and range.

    Raises:
        ValueError: the shapes differ, or a side has fewer than 11 pixels.
    """
    _check_shapes(picture, reference)
    height, width, channels = picture.shape
    if min(height, width) <= 2 * _RADIUS:
        raise ValueError(f"pictures of shape {picture.shape}: SSIM needs at least 11 pixels a side")
    total = 0.0
    for rows in _bands(height - 2 * _RADIUS):
        padded = slice(rows.start, rows.stop + 2 * _RADIUS)
        for channel in range(channels):
            one = picture[padded, :, channel].astype(np.float32)
            other = reference[padded, :, channel].astype(np.float32)
            total += float(_similarity(one, other, _peak(picture)).sum(dtype=np.float64))
    return total / (channels * (height - 2 * _RADIUS) * (width - 2 * _RADIUS))


def _mean_square_and_largest(picture: np.ndarray, reference: np.ndarray) -> tuple[float, float]:
    """Mean squared and largest absolute difference."""
    _check_shapes(picture, reference)
    # int32 and float64 hold every square exactly, or as good as exactly.
    wide = np.int32 if picture.dtype == np.uint8 else np.float64
    squares, largest = 0.0, 0.0
    for rows in _bands(picture.shape[0]):
        difference = np.abs(picture[rows].astype(wide) - reference[rows])
        largest = max(largest, float(difference.max()))
        squares += float(np.square(difference).sum(dtype=np.float64))
    return squares / picture.size, largest


def _decibels(mean_square: float, peak: float) -> float:
    if mean_square == 0:
        return HIGHEST_PSNR
    return min(HIGHEST_PSNR, float(10 * np.log10(peak**2 / mean_square)))


def _similarity(one: np.ndarray, other: np.ndarray, peak: float) -> np.ndarray:
    c1, c2 = (0.01 * peak) ** 2, (0.03 * peak) ** 2
    mean_one, mean_other = _window_mean(one), _window_mean(other)
    product = mean_one * mean_other
    covariance = _window_mean(one * other) - product
    means = mean_one * mean_one + mean_other * mean_other
    # The formula needs only the sum of the two variances.
    variances = _window_mean(one * one + other * other) - means
    return (2 * product + c1) * (2 * covariance + c2) / ((means + c1) * (variances + c2))


def _window_mean(plane: np.ndarray) -> np.ndarray:
    return separable_filter(plane, _WINDOW)[_RADIUS:-_RADIUS, _RADIUS:-_RADIUS]


def _peak(picture: np.ndarray) -> float:
    return 255.0 if picture.dtype == np.uint8 else 1.0


def _check_shapes(picture: np.ndarray, reference: np.ndarray) -> None:
    if picture.shape != reference.shape:
        raise ValueError(f"pictures of different shapes, {picture.shape} and {reference.shape}")


def _bands(height: int) -> Iterator[slice]:
    for top in range(0, height, _BAND):
        yield slice(top, min(top + _BAND, height))
