"""What a user would pick instead of a network: a mask of the subject, and a lens blur behind it."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from train.data.lenses import LARGEST_BLUR
from train.data.pair_transforms import at_level
from train.data.pairs import Pair
from train.data.rendered_pairs import background_depth, blur_background
from train.data.thin_lens import Lens
from train.judge.candidates import Window

MASK_AND_LENS = "mask and lens blur"
"""The name of its row."""

OPENED = 0.5
"""How far the standard lens is opened, relative to the widest of `train.data.lenses`."""

Segment = Callable[[np.ndarray], np.ndarray]
"""Finds the mask of the subject: height × width × 3 to height × width, both uint8."""


@dataclass(frozen=True)
class MaskAndLensBlur:
    """The renderer of `train.render_pairs` with one standard lens for all photographs.

    Attributes:
        level: of the output; see `Candidate`.
        segment: finds the mask of a photograph that has none; None if all have one.
    """

    level: int = 1
    segment: Segment | None = None

    def picture(self, pair: Pair, window: Window, /) -> np.ndarray:
        mask = pair.subject
        if mask is None and self.segment is not None:
            mask = self.segment(pair.original)
        if mask is None:
            raise ValueError(f"{pair.name} has no mask, and there is no segmenter")
        return at_level(standard_lens_blur(pair.original, mask)[window], self.level, "bicubic")


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
