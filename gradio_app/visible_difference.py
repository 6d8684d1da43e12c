"""In how much of a picture a difference can be seen."""

import numpy as np
from skimage.color import rgb2lab

JUST_NOTICEABLE = 2.3
"""Euclidean distance in CIE L*a*b*; Mahy, Van Eycken, Oosterlinck, "Evaluation of uniform color
spaces developed after the adoption of CIELAB and CIELUV", 1994. Smaller distances are not seen even
side by side."""

_BAND = 256
"""Rows at a time: whole float planes of 50 megapixels would take gigabytes."""


def visible_share(one: np.ndarray, other: np.ndarray) -> float:
    """The share of pixels, 0…1, whose colours are at least just noticeably different.

    Args:
        one: height × width × 3, uint8, sRGB; may be a memory map.
        other: the same shape and type.
    """
    count = 0
    for top in range(0, len(one), _BAND):
        first, second = one[top : top + _BAND], other[top : top + _BAND]
        differs = (first != second).any(-1)
        # Most pixels are equal or nearly so; converting only the others saves most of the time.
        colours = (rgb2lab(pixels[differs].astype(np.float32) / 255) for pixels in (first, second))
        distance = np.linalg.norm(np.subtract(*colours), axis=-1)
        count += int((distance >= JUST_NOTICEABLE).sum())
    return count / (one.shape[0] * one.shape[1])
