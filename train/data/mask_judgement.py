"""Tidies the masks of a segmenter, and tells which of them cannot be believed.

A network always answers. Where there is no subject its mask is faint, patchy or everywhere, and a
pair made from it would teach that anything can be a subject.
"""

import numpy as np
from scipy.ndimage import binary_dilation, binary_erosion, gaussian_filter, label

from pocket_bokeh.guided_filter import guided_filter
from pocket_bokeh.photo import to_float, to_uint8

LEAST_AREA, LARGEST_AREA = 0.02, 0.92
"""Share of the picture that a subject covers. Faces close up cover most of it."""

LARGEST_DOUBT = 0.08
"""Share of the subject's area, away from its outline, where the mask is neither 0 nor 1."""

LEAST_IN_TWO_PARTS = 0.8
"""Share of the subject's area in its two largest parts."""

LONGEST_OUTLINE = 12.0
"""Outline over the square root of the area; 3.5 for a disc."""

BORDER_SHARE = 0.06
"""A subject that covers more than this of a border touches it."""

SPECK = 0.04
"""Parts smaller than this share of the largest part are dropped."""


def judge_mask(mask: np.ndarray) -> str:
    """Why a mask cannot be believed; empty if it can.

    Args:
        mask: height × width, uint8, as the segmenter gave it.
    """
    inside, size = mask > 127, mask.size
    area = int(inside.sum())
    if area < LEAST_AREA * size:
        return f"too small: {area / size:.1%} of the picture" if area else "no subject"
    if area > LARGEST_AREA * size:
        return f"too large: {area / size:.0%} of the picture"
    borders = (inside[0], inside[-1], inside[:, 0], inside[:, -1])
    if all(border.mean() > BORDER_SHARE for border in borders):
        return "touches all borders"
    reach = max(2, round(min(mask.shape) / 60))
    rim = binary_dilation(inside, iterations=reach) & ~binary_erosion(
        inside, iterations=reach, border_value=1
    )
    doubt = int(((mask > 30) & (mask < 225) & ~rim).sum())
    if doubt > LARGEST_DOUBT * area:
        return f"undecided: {doubt / area:.0%} of its area is neither in nor out"
    parts = np.sort(np.bincount(label(inside)[0].ravel())[1:])[::-1]
    if parts[:2].sum() < LEAST_IN_TWO_PARTS * area:
        return f"scattered: {len(parts)} parts"
    outline = int((inside & ~binary_erosion(inside, border_value=1)).sum())
    if outline > LONGEST_OUTLINE * np.sqrt(area):
        return "ragged"
    return ""


def tidy_mask(mask: np.ndarray, photo: np.ndarray) -> np.ndarray:
    """Makes a segmenter's mask a clean one: nearly 0 is 0, nearly 1 is 1, specks are gone, and the
    edge follows the photograph.

    Args:
        mask: height × width, uint8.
        photo: height × width × 3, uint8.

    Returns:
        height × width, uint8.
    """
    coverage = np.clip((to_float(mask) - 0.12) / 0.76, 0, 1)
    coverage *= _without_specks(coverage)
    edge = binary_dilation((coverage > 0.03) & (coverage < 0.97), iterations=2)
    trust = 0.6 * gaussian_filter(edge.astype(np.float32), 1.5)
    snapped = guided_filter(coverage, np.ones_like(coverage), to_float(photo))
    coverage += trust * (np.clip(snapped, 0, 1) - coverage)
    return to_uint8((coverage - 0.02) / 0.96)


def _without_specks(coverage: np.ndarray) -> np.ndarray:
    """1 on the large parts of a mask and around them, 0 elsewhere; soft between."""
    parts, count = label(coverage > 0.3)
    if count < 2:
        return np.ones_like(coverage)
    sizes = np.bincount(parts.ravel())
    kept = sizes >= SPECK * sizes[1:].max()
    kept[0] = False
    return gaussian_filter(binary_dilation(kept[parts], iterations=5).astype(np.float32), 1.5)
