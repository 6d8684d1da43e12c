"""Where a pair stays sharp: a second target that says plainly what blur hides in small changes.

At a coarse level a blurred background differs from the photograph by a few steps, and half of the
photograph has no texture to show any blur. A network that must also say what stays sharp learns
what a subject is from every pixel that can tell.
"""

import numpy as np
from scipy.ndimage import gaussian_filter
from skimage.measure import block_reduce

_HIGH_PASS_SIGMA = 1.0
_WINDOW_SIGMA = 2.0
_FAINT = 1e-4
"""Pixels of the network's input, and the squared high-pass below which noise outweighs texture."""


def sharpness(original: np.ndarray, bokeh: np.ndarray, level: int) -> np.ndarray:
    """How much of the photograph's detail its bokeh keeps, and how far that can be told.

    The share is the regression of one high-pass on the other in a window.

    Args:
        original, bokeh: height × width × 3, float32, 0…1, as large as the network's input.
        level: 7 … 2, whose size the result has.

    Returns:
        float32, height / 2^(level-2) × width / 2^(level-2) × 2: the share, 0 where all is blurred
        and 1 where nothing is; its weight, 0 without texture, towards 1 with much.
    """
    before, after = (_high_pass(one) for one in (original, bokeh))
    energy = _local_sum(before * before)
    share = np.clip(_local_sum(before * after) / (energy + 1e-8), 0, 1)
    weight = energy / (energy + _FAINT)
    size = (2 ** (level - 2),) * 2
    weights = block_reduce(weight, size, np.mean)
    shares = block_reduce(weight * share, size, np.mean) / np.maximum(weights, 1e-8)
    return np.dstack([shares, weights]).astype(np.float32)


def _high_pass(picture: np.ndarray) -> np.ndarray:
    return picture - gaussian_filter(picture, (_HIGH_PASS_SIGMA, _HIGH_PASS_SIGMA, 0))


def _local_sum(planes: np.ndarray) -> np.ndarray:
    return gaussian_filter(planes.sum(axis=-1), _WINDOW_SIGMA)
