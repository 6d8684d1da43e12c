"""A second training target for coarse levels: how sharp each part of the bokeh photograph is.

At a coarse level a blurred background differs from the photograph by only a few grey levels, and
half of the photograph has no texture that could show blur. Predicting sharpness as well teaches
the network what a subject is, from every textured pixel.
"""

import numpy as np
from scipy.ndimage import gaussian_filter
from skimage.measure import block_reduce

from pocket_bokeh.photo import to_float

_HIGH_PASS_SIGMA = 1.0
_WINDOW_SIGMA = 2.0
_FAINT = 1e-4
"""The sigmas are in pixels of the network's input. Where the local sum of the squared high-pass is
below `_FAINT`, noise outweighs texture."""


def mask_target(subject: np.ndarray, level: int) -> np.ndarray:
    """The same target from a mask of what is in focus, which also knows places without texture.

    Args:
        subject: height × width, uint8, 255 in focus, at the size of the network's input; both
            sides multiples of 2^(level-2).
        level: 7 … 2; the result has its output size.

    Returns:
        float32, height / 2^(level-2) × width / 2^(level-2) × 2: the mask, 0…1, and ones.
    """
    size = 2 ** (level - 2)
    shares = block_reduce(to_float(subject), (size, size), np.mean)
    return np.dstack([shares, np.ones_like(shares)]).astype(np.float32)


def sharpness_target(original: np.ndarray, bokeh: np.ndarray, level: int) -> np.ndarray:
    """The share of the photograph's detail that its bokeh keeps, with a confidence weight.

    The share is the regression coefficient of the bokeh's high-pass on the photograph's, in a
    Gaussian window.

    Args:
        original, bokeh: height × width × 3, float32, 0…1, at the size of the network's input.
        level: 7 … 2; the result has its output size.

    Returns:
        float32, height / 2^(level-2) × width / 2^(level-2) × 2. Channel 0 is the share, from 0
        (blurred) to 1 (sharp); channel 1 its weight, from 0 (no texture) towards 1.
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
