"""Composite pairs: subjects cut out and put in front of other backgrounds, blurred by a thin lens.

    python -m train.composites --subjects DIR --backgrounds DIR --out composites --count 2000

The subjects' folder holds original/NAME.jpg and subject/NAME.png, a soft 8-bit mask of the subject
in focus. Each subject is scaled, relit and maybe mirrored. In half of the scenes it stands on the
ground of a background photograph, and the blur grows from its feet towards a far wall. In the
others it is close, anywhere in the picture and partly outside it, in front of a wall without
ground; some of these walls are as plain as in a studio. A third of the scenes, or the share that is
asked for, have two or three subjects of a kind, nearer or farther or side by side, and one of them
is in focus. Four of ten apertures are smaller. The same seed and index always give the same pair.
"""

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.ndimage import gaussian_filter

from pocket_bokeh.errors import UserError
from pocket_bokeh.photo import photo_size, read_mask, read_photo, resize_photo, to_uint8
from train.data.cut_out import CutOut, cut_out, find_subject
from train.data.ground import (
    FEET_BELOW_FRAME,
    WALL_ALONE_INVERSE_DEPTH,
    Ground,
    blur_layer,
    blur_rows,
    lay_over,
    random_ground,
)
from train.data.lenses import LARGEST_BLUR, compress_highlights, expand_highlights, random_lens
from train.data.masked_photos import MaskedPhoto, check_masks, find_masked_photos
from train.data.pairs import Pair
from train.data.photo_folder import check_photos, photos_by_name
from train.data.placing import Canvas, place_close, place_standing
from train.data.planes import double, halve
from train.data.scenery import Random, pick
from train.data.thin_lens import decode_srgb, encode_srgb

CLOSE_SHARE = 0.5
"""Share of the scenes without ground. If all scenes have ground, a network learns to blur whatever
is high up in a photograph, even faces (docs/experiments.md)."""

PLAIN_SHARE = 0.3
"""Share of these walls that are nearly plain, so that only the subject has detail."""

PLAIN_SIGMA = (0.02, 0.2)
"""Sigma of the Gaussian that smooths a plain wall, relative to the photograph's short side."""

UPRIGHT_SHARES = (0.25, 0.55)
"""Shares of the pairs that are upright: of those with a wide subject, and with a tall one."""

SEVERAL_SHARE = 0.34
"""Share of the scenes with two or three subjects, unless another is asked for."""

THREE_SHARE = 0.3
"""Share of these with three."""

BEHIND, BEFORE = (0.35, 0.8), (1.25, 1.8)
"""Inverse depths of the other subjects; the one in focus is at 1, and so are those beside it."""

BEHIND_SHARE, BEFORE_SHARE = 0.45, 0.3
"""Shares of the other subjects that are behind and before the one in focus."""

LEAST_VISIBLE = 0.65
"""The least share of the subject in focus that those before it leave visible."""

ALIKE = 1.5
"""Subjects of one scene differ in their height over width by no more than this factor."""


@dataclass(frozen=True)
class Subject:
    """A photograph with its mask, and what can be told of its subject without cutting it out.

    Attributes:
        files: the photograph and its mask.
        aspect: the subject's height over its width.
        is_cut: whether the photograph cuts it off at the bottom.
    """

    files: MaskedPhoto
    aspect: float
    is_cut: bool


@dataclass(frozen=True)
class Figure:
    """A subject on the canvas: planes 4 × height × width, at one depth."""

    planes: np.ndarray
    inverse_depth: float


@dataclass(frozen=True)
class Composites:
    """Pairs that are composited on access; a `train.data.pairs.PairSource`.

    Attributes:
        subjects: photographs and the masks of their subjects.
        backgrounds: photographs.
        count: the number of pairs.
        seed: another seed gives other pairs.
        size: height and width of the photographs, multiples of 64; swapped for upright ones.
        several: share of the scenes with two or three subjects, 0…1.
    """

    subjects: tuple[Subject, ...]
    backgrounds: tuple[Path, ...]
    count: int
    seed: int = 0
    size: tuple[int, int] = (384, 512)
    several: float = SEVERAL_SHARE

    def __len__(self) -> int:
        return self.count

    def name(self, index: int) -> str:
        """The name of a pair."""
        return f"composite_{index:05d}"

    def __getitem__(self, index: int, /) -> Pair:
        if not 0 <= index < self.count:
            raise IndexError(f"composite {index} of {self.count}")
        random = np.random.default_rng([self.seed, index])
        company = self._company(random)
        upright = UPRIGHT_SHARES[company[0].aspect > 1.3]
        size = self.size[::-1] if random.random() < upright else self.size
        subjects = [self._read(random, subject) for subject in company]
        background = read_photo(pick(random, self.backgrounds))
        original, bokeh, in_focus = compose(random, subjects, background, size)
        return Pair(self.name(index), original, bokeh, subject=in_focus)

    def _company(self, random: Random) -> list[Subject]:
        """The subjects of one scene: one, or several of like shape."""
        first = pick(random, self.subjects)
        if random.random() >= self.several:
            return [first]
        count = 2 if random.random() < THREE_SHARE else 1
        alike = [
            other
            for other in self.subjects
            if other.is_cut == first.is_cut and 1 / ALIKE < other.aspect / first.aspect < ALIKE
        ]
        others = random.choice(len(alike), min(count, len(alike)), replace=False)
        return [first, *(alike[other] for other in others)]

    def _read(self, random: Random, subject: Subject) -> CutOut:
        photo = read_photo(subject.files.photo)
        found = cut_out(photo, read_mask(subject.files.mask, photo.shape[:2]))
        return found.mirrored() if random.random() < 0.5 else found


def find_composites(
    subjects: Sequence[Path],
    backgrounds: Sequence[Path],
    count: int,
    seed: int,
    size: tuple[int, int],
    several: float = SEVERAL_SHARE,
) -> Composites:
    """Finds subjects and backgrounds and checks them; see `Composites` for the other arguments.

    Args:
        subjects: folders with original/ and subject/.
        backgrounds: folders of photographs.

    Raises:
        UserError: a folder has no photographs, a mask has no photograph or another size, files are
            damaged, or a number is out of range.
    """
    photographs = {folder: find_masked_photos(folder) for folder in subjects}
    behind = {folder: tuple(photos_by_name(folder).values()) for folder in backgrounds}
    for folder, photos in behind.items():
        if not photos:
            raise UserError(f"{folder}: no photographs for backgrounds")
    if count < 1 or seed < 0:
        raise UserError(
            f"--count {count} --seed {seed}: expected a count of 1 or more and a seed of 0 or more"
        )
    if not 0 <= several <= 1:
        raise UserError(f"--several {several:g}: expected a share from 0 to 1")
    if any(side < 64 or side % 64 for side in size):
        raise UserError(f"--size {size[0]} {size[1]}: expected multiples of 64")
    for folder, masked in photographs.items():
        check_masks(folder, masked)
    for folder, photos in behind.items():
        check_photos(folder, photos)
    with ThreadPoolExecutor(os.cpu_count()) as threads:
        found = tuple(threads.map(_look_at, [each for m in photographs.values() for each in m]))
    everywhere = tuple(photo for photos in behind.values() for photo in photos)
    return Composites(found, everywhere, count, seed, size, several)


def compose(
    random: Random, subjects: Sequence[CutOut], background: np.ndarray, size: tuple[int, int]
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Puts subjects in front of a background and renders them sharp and as a lens would.

    Args:
        random: draws positions, scales, light and lens.
        subjects: the cut-out subjects; the first is in focus.
        background: height × width × 3, uint8.
        size: height and width of the result.

    Returns:
        original, bokeh: height × width × 3, uint8, RGB, sRGB-encoded.
        in focus: height × width, uint8: 255 on what is in focus and not hidden.
    """
    canvas = Canvas(*size, margin=int(np.ceil(1.4 * LARGEST_BLUR * min(size))))
    radiance = crop_background(random, background, canvas.size)
    is_close = random.random() < CLOSE_SHARE
    if is_close or any(subject.cut.top for subject in subjects):
        figures = close_figures(random, subjects, canvas)
        if random.random() < PLAIN_SHARE:
            radiance = smooth_detail(random, radiance, min(size))
        wall = random.uniform(*WALL_ALONE_INVERSE_DEPTH)
        depth = np.full(canvas.size[0], wall, np.float32)
    else:
        figures, ground = standing_figures(random, subjects, canvas)
        for figure in figures:
            shade_ground(random, radiance, figure)
        rows = (np.arange(canvas.size[0]) + 0.5 - canvas.margin) / canvas.height
        depth = ground.inverse_depth(rows)
    area = float(canvas.frame(figures[0].planes[3]).mean())
    in_focus = to_uint8(canvas.frame(coverage_in_focus(figures)))
    figures = sorted(figures, key=lambda figure: figure.inverse_depth)
    lens = random_lens(random, area, min(size))
    bokeh = blur_rows(radiance, depth, lens)
    for figure in figures:
        lay_over(radiance, figure.planes)
        lay_over(bokeh, blur_layer(figure.planes, lens, figure.inverse_depth))
    return _develop(radiance, canvas), _develop(bokeh, canvas), in_focus


def close_figures(random: Random, subjects: Sequence[CutOut], canvas: Canvas) -> list[Figure]:
    """Subjects close to the camera, the first of them in focus."""
    height = random.uniform(0.5, 1.3)
    width = random.uniform(0.5, 1.3) / len(subjects) ** 0.5
    figures: list[Figure] = []
    for subject, left in zip(subjects, _places(random, len(subjects)), strict=True):
        depth = _relative_depth(random) if figures else 1.0
        size = depth**0.5 if subject.cut.bottom else depth
        shares = height * size, width * size
        _add(figures, Figure(place_close(random, subject, canvas, shares, left), depth))
    return figures


def standing_figures(
    random: Random, subjects: Sequence[CutOut], canvas: Canvas
) -> tuple[list[Figure], Ground]:
    """Subjects on the ground, the first of them in focus, and that ground."""
    feet = FEET_BELOW_FRAME if subjects[0].cut.bottom else 1 - random.uniform(0, 0.15)
    ground, height = random_ground(random, feet), random.uniform(0.45, 0.95)
    figures: list[Figure] = []
    for subject, left in zip(subjects, _places(random, len(subjects)), strict=True):
        depth = _relative_depth(random) if figures else 1.0
        # The feet that are seen are the nearest part of what stands.
        row = ground.row(depth) + 0.02
        # Of somebody farther away the frame cuts off less, so what is cut off shrinks less.
        size = height * (depth**0.5 if subject.cut.bottom else depth)
        planes = place_standing(random, subject, canvas, row, size, left)
        _add(figures, Figure(planes, depth))
    return figures, ground


def coverage_in_focus(figures: Sequence[Figure]) -> np.ndarray:
    """How far a subject in focus covers each pixel of the canvas, where nothing nearer hides it."""
    covered = np.zeros_like(figures[0].planes[3])
    for figure in sorted(figures, key=lambda figure: figure.inverse_depth):
        coverage = figure.planes[3]
        covered = (1 - coverage) * covered + coverage * (figure.inverse_depth == 1)
    return covered


def _add(figures: list[Figure], figure: Figure) -> None:
    """Adds a figure, unless it would hide too much of the first."""
    together = [*figures, figure]
    first = together[0].planes[3]
    visible = first.copy()
    for other in together[1:]:
        if other.inverse_depth >= 1:
            visible *= 1 - other.planes[3]
    if visible.sum() >= LEAST_VISIBLE * first.sum():
        figures.append(figure)


def _relative_depth(random: Random) -> float:
    """The inverse depth of another subject; 1 is beside the one in focus."""
    kind = random.random()
    if kind < BEHIND_SHARE:
        return float(random.uniform(*BEHIND))
    return float(random.uniform(*BEFORE)) if kind < BEHIND_SHARE + BEFORE_SHARE else 1.0


def _places(random: Random, count: int) -> np.ndarray:
    """Where subjects are from left (0) to right (1), a little beyond the frame at most."""
    if count == 1:
        return random.uniform(-0.1, 1.1, 1)
    places = np.linspace(0, 1, count) + random.uniform(-0.15, 0.15, count)
    return random.permutation(places)


def crop_background(random: Random, photo: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """A random crop of a photograph that fills a height and width, maybe mirrored.

    The crop prefers the sides of the photograph. Many have a subject in the middle, and blurring it
    would teach the network to blur subjects.

    Returns:
        3 × height × width, linear radiance with expanded highlights.
    """
    height, width = photo.shape[:2]
    scale = max(size[0] / height, size[1] / width) * random.uniform(1.2, 2.0)
    scaled = max(size[0], round(height * scale)), max(size[1], round(width * scale))
    left = round((scaled[1] - size[1]) * random.beta(0.3, 0.3))
    # Prefer the lower half, where the ground is.
    top = round((scaled[0] - size[0]) * random.uniform(0.5, 1.0))
    codes = resize_photo(photo, *scaled)[top : top + size[0], left : left + size[1]]
    codes = codes[:, ::-1] if random.random() < 0.5 else codes
    return expand_highlights(decode_srgb(codes).transpose(2, 0, 1))


def smooth_detail(random: Random, radiance: np.ndarray, short_side: int) -> np.ndarray:
    """Smooths most detail out of 3 × height × width radiance and adds a little grain."""
    sigma = short_side * random.uniform(*PLAIN_SIGMA) / 4
    grain = 1 + random.normal(0, random.uniform(0, 0.01), radiance.shape).astype(np.float32)
    small = gaussian_filter(halve(halve(radiance)), (0, sigma, sigma), truncate=3)
    half = -(-radiance.shape[1] // 2), -(-radiance.shape[2] // 2)
    return np.maximum(double(double(small, half), radiance.shape[1:]) * grain, 0)


def shade_ground(random: Random, radiance: np.ndarray, figure: Figure) -> None:
    """Darkens 3 × height × width radiance in place under the feet of what stands there.

    Without its shadow a subject would float.
    """
    coverage = figure.planes[3]
    rows = np.flatnonzero(coverage.max(axis=1) > 0.5)
    if not rows.size:
        return
    feet, reach = int(rows[-1]), max(2.0, 0.06 * rows.size)
    profile = coverage[max(0, feet - int(reach)) : feet + 1].max(axis=0)
    across = gaussian_filter(profile, 0.7 * reach, truncate=3)
    down = np.exp(-0.5 * ((np.arange(len(coverage)) - feet + 0.3 * reach) / (0.45 * reach)) ** 2)
    radiance *= 1 - random.uniform(0.3, 0.7) * (down[:, None] * across).astype(np.float32)


def _look_at(files: MaskedPhoto) -> Subject:
    rows, columns, cut = find_subject(read_mask(files.mask, photo_size(files.photo)))
    aspect = (rows.stop - rows.start) / (columns.stop - columns.start)
    return Subject(files, aspect, cut.bottom)


def _develop(radiance: np.ndarray, canvas: Canvas) -> np.ndarray:
    frame = compress_highlights(canvas.frame(radiance))
    return np.ascontiguousarray(encode_srgb(frame).transpose(1, 2, 0))
