"""Cuts subjects out of their photographs and fills the background behind them."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from scipy.ndimage import gaussian_filter, grey_dilation

from pocket_bokeh.photo import to_float
from train.data.planes import fill, halve, resize_planes
from train.data.thin_lens import decode_srgb

CUT_AT_BORDER = 0.015
"""A subject that comes this near to the border, relative to the side, is cut off there."""


class CutSides(NamedTuple):
    """The sides where a photograph cuts its subject off."""

    left: bool = False
    right: bool = False
    top: bool = False
    bottom: bool = False


@dataclass(frozen=True)
class CutOut:
    """A subject without its background, cropped to the subject.

    Attributes:
        colour: 3 × height × width, linear radiance.
        coverage: height × width, 0…1.
        cut: where its photograph cuts it off.
    """

    colour: np.ndarray
    coverage: np.ndarray
    cut: CutSides

    def mirrored(self) -> "CutOut":
        """The subject with left and right exchanged."""
        cut = self.cut._replace(left=self.cut.right, right=self.cut.left)
        return CutOut(self.colour[..., ::-1], self.coverage[..., ::-1], cut)


def find_subject(mask: np.ndarray) -> tuple[slice, slice, CutSides]:
    """The rows and columns of a subject, and where the border cuts it off.

    Args:
        mask: height × width, uint8; its subject is not empty.
    """
    height, width = mask.shape
    rows, columns = (np.flatnonzero((mask > 127).any(axis)) for axis in (1, 0))
    top, bottom, left, right = (
        int(i) for i in (rows[0], rows[-1] + 1, columns[0], columns[-1] + 1)
    )
    near = CUT_AT_BORDER * height, CUT_AT_BORDER * width
    cut = CutSides(
        left=left <= near[1],
        right=right >= width - near[1],
        top=top <= near[0],
        bottom=bottom >= height - near[0],
    )
    return slice(top, bottom), slice(left, right), cut


def cut_out(photo: np.ndarray, mask: np.ndarray) -> CutOut:
    """Cuts a subject out of its photograph.

    Args:
        photo: height × width × 3, uint8.
        mask: height × width, uint8.
    """
    rows, columns, cut = find_subject(mask)
    # The surroundings show which colours the background mixes in.
    reach = max(8, min(mask.shape) // 20)
    top, left = max(0, rows.start - reach), max(0, columns.start - reach)
    around = slice(top, rows.stop + reach), slice(left, columns.stop + reach)
    colour, coverage = decode_srgb(photo[around]).transpose(2, 0, 1), to_float(mask[around])
    inside = (
        slice(rows.start - top, rows.stop - top),
        slice(columns.start - left, columns.stop - left),
    )
    freed = free_colours(colour, coverage, min(mask.shape))
    return CutOut(freed[:, *inside], coverage[inside], cut)


def free_colours(colour: np.ndarray, coverage: np.ndarray, short_side: int) -> np.ndarray:
    """The subject's own colours, without the background that soft edges mix in.

    The local means of subject and background separate them (Forte, "Approximate fast foreground
    colour estimation", ICIP 2021). They are smooth, so they are computed at a quarter of the size.

    Args:
        colour: 3 × height × width, linear radiance of the photograph.
        coverage: height × width, 0…1.
        short_side: of the whole photograph, in pixels; it sets how local the means are.

    Returns:
        3 × height × width; the photograph itself where the coverage is 0 or 1.
    """
    sigma = max(1.0, short_side / 60) / 4
    planes = np.concatenate([colour, colour * coverage, coverage[None]])
    small = gaussian_filter(halve(halve(planes)), (0, sigma, sigma), truncate=3)
    whole, subject, share = small[:3], small[3:6], small[6]
    inside = subject / np.maximum(share, 1e-5)
    outside = (whole - subject) / np.maximum(1 - share, 1e-5)
    mixed = (coverage > 0) & (coverage < 1)
    means = resize_planes(np.concatenate([inside, outside]), coverage.shape)[:, mixed]
    inside, outside, part = means[:3], means[3:], coverage[mixed]
    unmixed = colour[:, mixed] - part * inside - (1 - part) * outside
    freed = colour.copy()
    freed[:, mixed] = np.clip(inside + part * unmixed, 0, 1)
    return freed


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
