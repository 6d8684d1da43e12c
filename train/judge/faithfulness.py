"""What a rendering must leave alone: the subject's fine detail, and the colours."""

import numpy as np
from scipy.ndimage import gaussian_filter
from skimage.color import rgb2gray
from skimage.filters import sobel

SHARP = 0.9
"""Share of the photograph's gradient energy that the target keeps where it counts as sharp."""

LEAST_DETAIL = 4 / 255
"""Root mean square gradient around a pixel below which there is no detail to keep."""


def sharp_area(original: np.ndarray, target: np.ndarray) -> np.ndarray:
    """Where the target is as sharp as the photograph, and there is something to see.

    Args:
        original, target: height × width × 3, 0…1.

    Returns:
        height × width, bool; what the lens had in focus.
    """
    sigma = max(2.0, min(target.shape[:2]) / 64)
    before, after = (gaussian_filter(gradient_energy(one), sigma) for one in (original, target))
    return (after >= SHARP * before) & (before >= LEAST_DETAIL**2)


def detail_kept(output: np.ndarray, original: np.ndarray, target: np.ndarray) -> float | None:
    """The output's gradient energy in the sharp area over the photograph's; None without one.

    Args:
        output, original, target: height × width × 3, 0…1.
    """
    area = sharp_area(original, target)
    if not area.any():
        return None
    return float(gradient_energy(output)[area].sum() / gradient_energy(original)[area].sum())


def gradient_energy(picture: np.ndarray) -> np.ndarray:
    """The squared gradient of the luminance at every pixel."""
    return np.square(sobel(rgb2gray(picture)))


def colour_shift(output: np.ndarray, target: np.ndarray) -> tuple[float, ...]:
    """By how many steps of 255 the mean of red, green and blue is above the target's."""
    return tuple(float(shift) for shift in 255 * (output - target).mean((0, 1)))
