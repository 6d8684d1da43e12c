"""Tells whether a photograph's background was already soft when it was taken.

Fine detail relative to coarse detail is what a lens takes away: a plain wall has little of both, a
soft hedge only coarse detail.
"""

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import gaussian_filter

from pocket_bokeh.photo import resize_photo, to_float

SOFT_BELOW = 0.55
"""A background with a smaller share of its subject's sharpness is soft (docs/experiments.md)."""

MEASURED_SHORT_SIDE = 384
"""Photographs are compared at this size, in pixels."""


@dataclass(frozen=True)
class Sharpness:
    """Fine over coarse detail of a photograph, inside and outside its mask."""

    subject: float
    background: float

    @property
    def background_is_soft(self) -> bool:
        return self.background < SOFT_BELOW * self.subject


def measure_sharpness(photo: np.ndarray, mask: np.ndarray) -> Sharpness:
    """Measures the sharpness inside and outside a mask.

    Args:
        photo: height × width × 3, uint8.
        mask: height × width, uint8.
    """
    height, width = mask.shape
    scale = MEASURED_SHORT_SIDE / min(height, width)
    size = round(height * scale), round(width * scale)
    grey = to_float(resize_photo(photo, *size)).mean(-1)
    coverage = gaussian_filter(to_float(resize_photo(mask, *size)), 4, truncate=2)
    smooth = gaussian_filter(grey, 1)
    fine, coarse = np.abs(grey - smooth), np.abs(smooth - gaussian_filter(smooth, 3, truncate=3))

    def ratio(where: np.ndarray) -> float:
        return float(fine[where].mean() / (coarse[where].mean() + 1e-3)) if where.any() else 0.0

    return Sharpness(ratio(coverage > 0.98), ratio(coverage < 0.02))
