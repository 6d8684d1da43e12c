"""A plain lens blur behind a mask, the same for every photograph."""

import numpy as np

from train.data.lenses import LARGEST_BLUR
from train.data.rendered_pairs import background_depth, blur_background
from train.data.thin_lens import Lens

OPENED = 0.5
"""How far the standard lens is opened, relative to the widest of `train.data.lenses`."""


def standard_lens_blur(photo: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """Blurs the background by a round aperture, the same for all photographs.

    Args:
        photo: height × width × 3, uint8.
        mask: height × width, uint8. If it marks nothing, the photograph is returned.
    """
    if not (mask > 127).any():
        return photo
    lens = Lens(OPENED * LARGEST_BLUR * min(mask.shape), focus=1.0)
    # The same draws for every photograph: one horizon, and one distance of walls without ground.
    inverse_depth = background_depth(np.random.default_rng(0), mask)
    return blur_background(photo, mask, inverse_depth, lens)
