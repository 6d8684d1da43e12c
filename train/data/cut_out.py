"""Cuts subjects out of their photographs and fills the background behind them."""

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import gaussian_filter, grey_dilation

from pocket_bokeh.photo import to_float
from train.data.planes import double, fill, halve
from train.data.thin_lens import decode_srgb

CUT_AT_BORDER = 0.015
"""A subject that comes this near to the border, relative to the side, is cut off there."""


@dataclass(frozen=True)
class CutOut:
    """A subject without its background.

    Attributes:
        colour: height × width × 3, linear radiance.
        coverage: height × width, 0…1.
        is_cut: whether its photograph cuts it off at the bottom.
    """

    colour: np.ndarray
    coverage: np.ndarray
    is_cut: bool


def cut_out(photo: np.ndarray, mask: np.ndarray) -> CutOut:
    """Cuts a subject out of its photograph, cropped to the subject.

    Args:
        photo: height × width × 3, uint8.
        mask: height × width, uint8.
    """
    colour, coverage = decode_srgb(photo).transpose(2, 0, 1), to_float(mask)
    rows, columns = (np.flatnonzero((mask > 127).any(axis)) for axis in (1, 0))
    window = slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)
    freed = free_colours(colour, coverage)[:, window[0], window[1]]
    is_cut = bool(rows[-1] + 1 >= (1 - CUT_AT_BORDER) * len(mask))
    return CutOut(np.ascontiguousarray(freed.transpose(1, 2, 0)), coverage[window], is_cut)


def free_colours(colour: np.ndarray, coverage: np.ndarray) -> np.ndarray:
    """The subject's own colours, without the background that soft edges mix in.

    The local means of subject and background separate them (Forte, "Approximate fast foreground
    colour estimation", ICIP 2021). They are smooth, so they are computed at a quarter of the size.

    Args:
        colour: 3 × height × width, linear radiance of the photograph.
        coverage: height × width, 0…1.

    Returns:
        3 × height × width; the photograph itself where the coverage is 1.
    """
    size = coverage.shape
    sigma = max(1.0, min(size) / 60) / 4

    def local_mean(weight: np.ndarray) -> np.ndarray:
        both = np.concatenate([colour * weight, weight[None]])
        half = halve(both)
        small = gaussian_filter(halve(half), (0, sigma, sigma), truncate=3)
        whole = double(double(small, half.shape[1:]), size)
        return whole[:3] / np.maximum(whole[3], 1e-5)

    inside, outside = local_mean(coverage), local_mean(1 - coverage)
    unmixed = colour - coverage * inside - (1 - coverage) * outside
    return np.clip(inside + coverage * unmixed, 0, 1).astype(np.float32)


def fill_behind(colour: np.ndarray, coverage: np.ndarray, rim: int) -> np.ndarray:
    """The background alone, filled with its surroundings where the subject hides it.

    Args:
        colour: 3 × height × width, linear radiance of the photograph.
        coverage: height × width, 0…1.
        rim: pixels around the subject that are filled as well, because they show some of it.
    """
    side = 2 * rim + 1
    widened = grey_dilation(coverage, (side, 1))
    widened = grey_dilation(widened, (1, side))
    return fill(colour, np.clip(1 - 4 * widened, 0, 1))
