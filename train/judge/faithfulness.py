"""Measures how well a rendering preserves the subject's fine detail and the colours."""

import numpy as np
from scipy.ndimage import gaussian_filter
from skimage.color import rgb2gray
from skimage.filters import sobel

SHARP = 0.9
"""The target counts as sharp where it keeps at least this share of the photograph's gradient
energy."""

LEAST_DETAIL = 4 / 255
"""Root mean square gradient around a pixel below which there is no detail to keep."""


def sharp_area(original: np.ndarray, target: np.ndarray) -> np.ndarray:
    """The area in focus: where the photograph has detail and the target keeps it.

    Args:
        original, target: height × width × 3, 0…1.

    Returns:
        height × width, bool.
    """
    sigma = max(2.0, min(target.shape[:2]) / 64)
    before, after = (gaussian_filter(gradient_energy(one), sigma) for one in (original, target))
    return (after >= SHARP * before) & (before >= LEAST_DETAIL**2)


def detail_kept(output: np.ndarray, original: np.ndarray, target: np.ndarray) -> float | None:
    """The output's share of the photograph's gradient energy in the area in focus.

    Args:
        output, original, target: height × width × 3, 0…1.

    Returns:
        The share, or None if nothing is in focus.
    """
    area = sharp_area(original, target)
    if not area.any():
        return None
    return float(gradient_energy(output)[area].sum() / gradient_energy(original)[area].sum())


def gradient_energy(picture: np.ndarray) -> np.ndarray:
    """The squared luminance gradient at every pixel."""
    return np.square(sobel(rgb2gray(picture)))


def colour_shift(output: np.ndarray, target: np.ndarray) -> tuple[float, ...]:
    """Mean difference of red, green and blue from the target, in units of 1/255."""
    return tuple(float(shift) for shift in 255 * (output - target).mean((0, 1)))
