"""What a user would pick instead of a network: a mask of the subject, and a lens blur behind it."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from train.data.pair_transforms import at_level
from train.data.pairs import Pair
from train.data.standard_lens import standard_lens_blur
from train.judge.candidates import Window

MASK_AND_LENS = "mask and lens blur"
"""The name of its row."""

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
