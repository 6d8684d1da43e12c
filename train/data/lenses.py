"""The lenses of rendered pairs: how wide they are, and how they treat highlights."""

import numpy as np

from train.data.scenery import Random
from train.data.thin_lens import Lens

LARGEST_BLUR = 0.034
"""Radius of the circle of confusion at infinity, relative to the photograph's short side."""

WIDE_SHARE = 0.9
"""Share of the lenses with an aperture as wide as in `bokeh_pairs`; captured pairs are much less
blurred (docs/experiments.md)."""

SMALLEST_APERTURE = 0.12
"""The smallest aperture of the other lenses, relative to a wide one."""

HIGHLIGHT_KNEE, HIGHLIGHT_GAIN = 0.6, 12.0
"""Linear radiance above which highlights are expanded, and by how much. White becomes 2.9 times as
bright, closer to real lamps and skies, which the camera clipped."""


def random_lens(random: Random, area: float, short_side: int) -> Lens:
    """Draws a lens that is focused on a subject at inverse depth 1.

    Larger subjects get a wider aperture, since they are usually nearer to the camera. Three of four
    apertures are round, the others have seven blades.

    Args:
        random: draws aperture, blades and rotation.
        area: the subject's share of the picture.
        short_side: of the picture, in pixels.
    """
    share = float(np.clip((area / 0.15) ** 0.22, 0.72, 1.12))
    is_wide = random.random() < WIDE_SHARE
    opened = random.uniform(0.92, 1.08) if is_wide else SMALLEST_APERTURE ** random.uniform(0, 1)
    strength = LARGEST_BLUR * short_side * share * opened
    blades = 0 if random.random() < 0.75 else 7
    return Lens(strength, 1.0, blades, random.uniform(0, 2 * np.pi))


def expand_highlights(radiance: np.ndarray) -> np.ndarray:
    """Undoes the clipping of highlights in the linear radiance 0…1 of a photograph."""
    return radiance + HIGHLIGHT_GAIN * np.square(np.maximum(radiance - HIGHLIGHT_KNEE, 0))


def compress_highlights(radiance: np.ndarray) -> np.ndarray:
    """The inverse of `expand_highlights`, as a camera compresses them."""
    above = np.maximum(radiance - HIGHLIGHT_KNEE, 0)
    bent = HIGHLIGHT_KNEE + (np.sqrt(1 + 4 * HIGHLIGHT_GAIN * above) - 1) / (2 * HIGHLIGHT_GAIN)
    return np.where(above > 0, bent, radiance)
