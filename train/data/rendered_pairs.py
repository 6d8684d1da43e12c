"""Pairs out of plain photographs: each keeps its own scene, and its background is blurred.

    python -m train.render_pairs PHOTOS --out rendered --backgrounds DIR

The folder holds original/NAME.jpg and subject/NAME.png, a soft 8-bit mask of the subject in focus.
The subject is freed of the background, the background filled behind it, so that nothing of the
subject bleeds outwards, and blurred by a thin lens over ground before a wall. A photograph without
a subject is a pair whose target is the photograph itself. The same seed and index always give the
same pair.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pocket_bokeh.errors import UserError
from pocket_bokeh.photo import read_mask, read_photo, resize_photo, to_float
from train.data.cut_out import CUT_AT_BORDER, fill_behind, free_colours
from train.data.ground import (
    FEET_BELOW_FRAME,
    WALL_ALONE_INVERSE_DEPTH,
    blur_rows,
    random_ground,
)
from train.data.lenses import compress_highlights, expand_highlights, random_lens
from train.data.masked_photos import MaskedPhoto
from train.data.pairs import Pair, hash_fraction
from train.data.scenery import Random
from train.data.softness import Sharpness
from train.data.thin_lens import Lens, decode_srgb, encode_srgb

WALL_SHARE = 0.5
"""Share of the subjects, cut off by the frame, that are before a wall without ground."""

IN_FOCUS_RADIUS = 1.2
"""Ground with a smaller circle of confusion, in pixels, is taken from the photograph."""


def choose_photographs(
    photographs: Sequence[MaskedPhoto], sharpness: Mapping[str, Sharpness], soft_share: float
) -> tuple[MaskedPhoto, ...]:
    """Leaves out most photographs whose background is already soft: little is left to blur.

    Args:
        photographs: all photographs.
        sharpness: of each, by name.
        soft_share: how many of the photographs with a soft background are kept, 0…1. A hash of the
            name chooses them.

    Raises:
        UserError: none is left.
    """
    chosen = tuple(
        each
        for each in photographs
        if not sharpness[each.name].background_is_soft or hash_fraction(each.name) < soft_share
    )
    if not chosen:
        raise UserError(
            f"all {len(photographs)} photographs have a soft background; --soft-share 1 takes them"
        )
    return chosen


@dataclass(frozen=True)
class RenderedPairs:
    """Pairs that are rendered on access; a `train.data.pairs.PairSource`.

    Attributes:
        photographs: photographs and the masks of their subjects.
        backgrounds: photographs without a subject, which come after the others.
        count: the number of pairs with a subject. All photographs are used once before any is used
            again, with another lens.
        seed: another seed gives another order and other lenses.
        short_side: of the pairs, in pixels; smaller photographs keep their size.
    """

    photographs: tuple[MaskedPhoto, ...]
    backgrounds: tuple[Path, ...]
    count: int
    seed: int = 0
    short_side: int = 480

    def __len__(self) -> int:
        return self.count + len(self.backgrounds)

    def name(self, index: int) -> str:
        """The name of a pair: the round, or "scene", and the photograph."""
        if index >= self.count:
            return f"scene_{self.backgrounds[index - self.count].stem}"
        return f"{index // len(self.photographs):02d}_{self._photograph(index).name}"

    def __getitem__(self, index: int, /) -> Pair:
        if not 0 <= index < len(self):
            raise IndexError(f"pair {index} of {len(self)}")
        if index >= self.count:
            photo = self._at_size(read_photo(self.backgrounds[index - self.count], self.short_side))
            return Pair(self.name(index), photo, photo)
        random = np.random.default_rng([self.seed, index])
        files = self._photograph(index)
        photo = read_photo(files.photo, self.short_side)
        mask = read_mask(files.mask, photo.shape[:2])
        photo, mask = self._at_size(photo), self._at_size(mask)
        return Pair(self.name(index), photo, render_bokeh(random, photo, mask), subject=mask)

    def _photograph(self, index: int) -> MaskedPhoto:
        turn, place = divmod(index, len(self.photographs))
        # A generator of its own: a run that is stopped early has seen a fair sample.
        order = np.random.default_rng([self.seed, turn, 1]).permutation(len(self.photographs))
        return self.photographs[order[place]]

    def _at_size(self, photo: np.ndarray) -> np.ndarray:
        """A photograph or mask with even sides, the shorter one at most `short_side`."""
        scale = min(1.0, self.short_side / min(photo.shape[:2]))
        height, width = (2 * round(side * scale / 2) for side in photo.shape[:2])
        return resize_photo(photo, height, width)


def render_bokeh(random: Random, photo: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """Blurs a photograph's background as a random lens would that is focused on its subject.

    Args:
        random: draws the lens and the depth of the background.
        photo: height × width × 3, uint8.
        mask: height × width, uint8: 255 on the subject.

    Returns:
        height × width × 3, uint8; the photograph itself where the mask is 255.
    """
    inverse_depth = background_depth(random, mask)
    lens = random_lens(random, float(to_float(mask).mean()), min(mask.shape))
    return blur_background(photo, mask, inverse_depth, lens)


def blur_background(
    photo: np.ndarray, mask: np.ndarray, inverse_depth: np.ndarray, lens: Lens
) -> np.ndarray:
    """Blurs a photograph's background.

    Args:
        photo: height × width × 3, uint8.
        mask: height × width, uint8: 255 on the subject.
        inverse_depth: of the background in each row; the subject's is 1.
        lens: focused on the subject.

    Returns:
        height × width × 3, uint8; the photograph itself where the mask is 255.
    """
    colour, coverage = decode_srgb(photo).transpose(2, 0, 1), to_float(mask)
    radii = np.array([abs(lens.circle_of_confusion(float(depth))) for depth in inverse_depth])
    background = fill_behind(colour, coverage, _rim(radii, min(mask.shape)))
    blurred = compress_highlights(blur_rows(expand_highlights(background), inverse_depth, lens))
    subject = free_colours(colour, coverage, min(mask.shape))
    picture = coverage * subject + (1 - coverage) * blurred
    in_focus = np.clip(1 - radii / IN_FOCUS_RADIUS, 0, 1).astype(np.float32)[:, None]
    codes = encode_srgb(picture + in_focus * (colour - picture)).transpose(1, 2, 0)
    return np.where(mask[..., None] == 255, photo, codes)


def background_depth(random: Random, mask: np.ndarray) -> np.ndarray:
    """Inverse depth of the background in each row; the subject's is 1.

    A subject stands on ground that reaches from its feet to a far wall. One that is in the upper
    half has no ground, and one that the frame cuts off at the bottom only sometimes: if all scenes
    had ground, a network would learn to blur what is high up (docs/experiments.md).
    """
    height, width = mask.shape
    rows = np.flatnonzero((mask > 127).sum(axis=1) > max(2, 0.004 * width))
    top, bottom = (rows[0] / height, (rows[-1] + 1) / height) if rows.size else (0.0, 0.0)
    is_cut = bottom >= 1 - CUT_AT_BORDER
    if bottom < 0.5 or (is_cut and random.random() < WALL_SHARE):
        return np.full(height, random.uniform(*WALL_ALONE_INVERSE_DEPTH), np.float32)
    feet = FEET_BELOW_FRAME if is_cut else bottom - 0.05 * (bottom - top)
    return random_ground(random, feet).inverse_depth((np.arange(height) + 0.5) / height)


def _rim(radii: np.ndarray, short_side: int) -> int:
    """How far around the subject the background is filled, in pixels: hair that the mask misses
    would be smeared by a wide lens, but a mild one would show the filling."""
    return round(float(np.clip(radii.max() / 2, 2, short_side / 60)))
