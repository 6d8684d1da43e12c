"""Composite pairs: subjects cut out and put in front of other backgrounds, blurred by a thin lens.

    python -m train.composites --subjects DIR --backgrounds DIR --out composites --count 2000

The subjects' folder holds original/N.jpg and subject/N.png, a soft 8-bit mask of the subject in
focus. Each subject is scaled, relit and maybe mirrored. In half of the scenes it stands on the
ground of a background photograph, and the blur grows from its feet towards a far wall. In the
others it is close, anywhere in the picture and partly outside it, in front of a wall without
ground; some of these walls are as plain as in a studio. Half of the apertures are smaller. The same
seed and index always give the same pair.
"""

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
from scipy.ndimage import gaussian_filter
from skimage.transform import resize

from pocket_bokeh.errors import UserError
from pocket_bokeh.photo import photo_size, read_photo, resize_photo, to_float
from train.data.pairs import Pair
from train.data.photo_folder import check_photos, photos_by_name
from train.data.scenery import Random, pick
from train.data.thin_lens import Lens, SceneLayer, decode_srgb, encode_srgb, expose

LARGEST_BLUR = 0.034
"""Radius of the circle of confusion at infinity, relative to the photograph's short side."""

WALL_INVERSE_DEPTH = 0.14
"""Inverse depth of the wall behind the ground; the subject's is 1."""

CLOSE_SHARE = 0.5
"""Share of the scenes without ground. If all scenes have ground, a network learns to blur whatever
is high up in a photograph, even faces (docs/experiments.md)."""

CLOSE_WALL_INVERSE_DEPTH = (0.1, 0.6)
"""Inverse depth of the wall in scenes without ground. As in captured pairs, some walls are only a
little behind the subject."""

PLAIN_SHARE = 0.3
"""Share of these walls that are nearly plain, so that only the subject has detail."""

PLAIN_SIGMA = (0.02, 0.2)
"""Sigma of the Gaussian that smooths a plain wall, relative to the photograph's short side."""

WIDE_SHARE = 0.5
"""Share of the lenses with an aperture as wide as in `bokeh_pairs`; captured pairs are much less
blurred (docs/experiments.md)."""

SMALLEST_APERTURE = 0.12
"""The smallest aperture of the other lenses, relative to a wide one."""

LARGEST_TINT = 0.15
"""Largest relative change of the light on a subject, in each channel."""

NEAREST_INVERSE_DEPTH = 1.6
"""Inverse depth of the nearest ground."""

HIGHLIGHT_KNEE, HIGHLIGHT_GAIN = 0.6, 12.0
"""Linear radiance above which highlights are expanded, and by how much. White becomes 2.9 times as
bright, closer to real lamps and skies, which the camera clipped."""


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


@dataclass(frozen=True)
class Composites:
    """Pairs that are composited on access; a `train.data.pairs.PairSource`.

    Attributes:
        subjects: photographs and the masks of their subjects.
        backgrounds: photographs.
        count: the number of pairs.
        seed: another seed gives other pairs.
        size: height and width of the photographs, multiples of 64; swapped for upright ones.
    """

    subjects: tuple[tuple[Path, Path], ...]
    backgrounds: tuple[Path, ...]
    count: int
    seed: int = 0
    size: tuple[int, int] = (384, 512)

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, index: int, /) -> Pair:
        if not 0 <= index < self.count:
            raise IndexError(f"composite {index} of {self.count}")
        random = np.random.default_rng([self.seed, index])
        # Two of five are upright, as many photographs of people and pets are.
        height, width = self.size if random.random() < 0.6 else self.size[::-1]
        subject = _read_cut_out(*pick(random, self.subjects))
        background = read_photo(pick(random, self.backgrounds))
        original, bokeh = compose(random, subject, background, (height, width))
        return Pair(f"composite_{index:05d}", original, bokeh)


def find_composites(
    subjects: Path, backgrounds: Path, count: int, seed: int, size: tuple[int, int]
) -> Composites:
    """Finds subjects and backgrounds and checks them; see `Composites` for the arguments.

    Raises:
        UserError: a folder has no photographs, a mask has no photograph or another size, files are
            damaged, or a number is out of range.
    """
    originals, masks = (photos_by_name(subjects / kind) for kind in ("original", "subject"))
    without = sorted(masks.keys() - originals.keys())
    if not masks or without:
        what = f"no photograph for subject/{without[0]}" if without else "no masks in subject/"
        raise UserError(f"{subjects}: {what}; expected original/NAME.jpg and subject/NAME.png")
    behind = tuple(photos_by_name(backgrounds).values())
    if not behind:
        raise UserError(f"{backgrounds}: no photographs for backgrounds")
    if count < 1 or seed < 0:
        raise UserError(
            f"--count {count} --seed {seed}: expected a count of 1 or more and a seed of 0 or more"
        )
    if any(side < 64 or side % 64 for side in size):
        raise UserError(f"--size {size[0]} {size[1]}: expected multiples of 64")
    pairs = tuple((originals[name], masks[name]) for name in sorted(masks))
    check_photos(subjects, [file for pair in pairs for file in pair])
    check_photos(backgrounds, behind)
    with ThreadPoolExecutor(os.cpu_count()) as threads:
        found = threads.map(_mask_problem, *zip(*pairs, strict=True))
        problems = {mask: why for (_, mask), why in zip(pairs, found, strict=True) if why}
    if problems:
        check_photos(subjects, [mask for _, mask in pairs], problems)
    return Composites(pairs, behind, count, seed, size)


def compose(
    random: Random, subject: CutOut, background: np.ndarray, size: tuple[int, int]
) -> tuple[np.ndarray, np.ndarray]:
    """Puts a subject in front of a background and renders it sharp and with background blur.

    Args:
        random: draws position, scale, light and lens.
        subject: the cut-out subject.
        background: height × width × 3, uint8.
        size: height and width of the result.

    Returns:
        original, bokeh: height × width × 3, uint8, RGB, sRGB-encoded.
    """
    margin = int(np.ceil(1.4 * LARGEST_BLUR * min(size)))
    canvas = (size[0] + 2 * margin, size[1] + 2 * margin)
    if random.random() < CLOSE_SHARE:
        standing = place_close(random, subject, canvas, margin)
        radiance = crop_background(random, background, canvas)
        if random.random() < PLAIN_SHARE:
            radiance = smooth_detail(random, radiance, min(size))
        layers = [_layer(radiance, np.ones(canvas), random.uniform(*CLOSE_WALL_INVERSE_DEPTH))]
    else:
        standing, feet = place(random, subject, canvas, margin)
        radiance = crop_background(random, background, canvas)
        layers = ground_layers(radiance, ground_depth(random, feet, canvas))
    # The subject hides all ground that is farther than its feet.
    behind = [layer for layer in layers if layer.inverse_depth < 1.0]
    before = [layer for layer in layers if layer.inverse_depth >= 1.0]
    scene = [*behind, SceneLayer(standing, 1.0), *before]
    lens = random_lens(random, standing, size)
    return _develop(expose(scene), margin), _develop(expose(scene, lens), margin)


def cut_out(photo: np.ndarray, mask: np.ndarray) -> CutOut:
    """Cuts a subject out of its photograph.

    At the soft edge of the mask a pixel mixes subject and background. The local means on both sides
    separate them (Forte, "Approximate fast foreground colour estimation", ICIP 2021).

    Args:
        photo: height × width × 3, uint8.
        mask: height × width, uint8.
    """
    colour, coverage = decode_srgb(photo), to_float(mask)[..., None]
    sigma = max(1.0, min(mask.shape) / 60)

    def local_mean(weight: np.ndarray) -> np.ndarray:
        spread = (sigma, sigma, 0)
        total = gaussian_filter(weight, spread)
        return gaussian_filter(colour * weight, spread) / np.maximum(total, 1e-5)

    inside, outside = local_mean(coverage), local_mean(1 - coverage)
    unmixed = colour - coverage * inside - (1 - coverage) * outside
    freed = np.clip(inside + coverage * unmixed, 0, 1).astype(np.float32)
    rows, columns = (np.flatnonzero((mask > 127).any(axis)) for axis in (1, 0))
    window = slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)
    is_cut = bool(rows[-1] + 1 >= 0.985 * len(mask))
    return CutOut(freed[window], coverage[window][..., 0], is_cut)


def place(
    random: Random, subject: CutOut, canvas: tuple[int, int], margin: int
) -> tuple[np.ndarray, float]:
    """Places a subject on an empty canvas.

    A subject that its photograph cuts off at the bottom is cut off there again.

    Returns:
        Planes 4 × height × width, and the row of its feet as a fraction of the frame's height.
    """
    frame = canvas[0] - 2 * margin, canvas[1] - 2 * margin
    shares = random.uniform(0.45, 0.95), random.uniform(0.4, 0.95)
    planes = relight_and_scale(random, subject, frame, shares)
    height, width = planes.shape[:2]
    bottom = (
        margin + frame[0] - (0 if subject.is_cut else round(frame[0] * random.uniform(0, 0.15)))
    )
    left = margin + round((frame[1] - width) * random.uniform(-0.1, 1.1))
    standing = place_on_canvas(planes, bottom - height, left, canvas)
    if subject.is_cut:  # continue it below the frame
        standing[:, bottom:] = standing[:, bottom - 1 : bottom]
        return standing, 1.38
    return standing, (bottom - margin) / frame[0] - 0.02


def place_close(
    random: Random, subject: CutOut, canvas: tuple[int, int], margin: int
) -> np.ndarray:
    """Places a large subject anywhere on an empty canvas, up to a third of it outside the frame.

    Returns:
        Planes 4 × height × width.
    """
    frame = canvas[0] - 2 * margin, canvas[1] - 2 * margin
    shares = random.uniform(0.5, 1.3), random.uniform(0.5, 1.3)
    planes = relight_and_scale(random, subject, frame, shares)
    (height, width), beyond = planes.shape[:2], random.uniform(0, 1 / 3)
    least, greatest = sorted((-beyond * height, frame[0] - height + beyond * height))
    top = margin + round(random.uniform(least, greatest))
    if subject.is_cut:
        top = max(top, margin + frame[0] - height)
    left = margin + round((frame[1] - width) * random.uniform(-0.1, 1.1))
    standing = place_on_canvas(planes, top, left, canvas)
    if subject.is_cut and top + height < canvas[0]:
        standing[:, top + height :] = standing[:, top + height - 1 : top + height]
    return standing


def relight_and_scale(
    random: Random, subject: CutOut, frame: tuple[int, int], shares: tuple[float, float]
) -> np.ndarray:
    """Relights a subject, maybe mirrors it, and scales it to fit into a share of the frame.

    Args:
        random: draws light, tint and mirroring.
        subject: the cut-out subject.
        frame: height and width of the picture.
        shares: the largest height and width of the subject, relative to the frame's.

    Returns:
        height × width × 4: radiance times coverage, and coverage.
    """
    height, width = subject.coverage.shape
    scale = min(frame[0] * shares[0] / height, frame[1] * shares[1] / width)
    size = max(8, round(height * scale)), max(8, round(width * scale))
    tint = random.uniform(1 - LARGEST_TINT, 1 + LARGEST_TINT, 3)
    light = (random.uniform(0.75, 1.2) * tint).astype(np.float32)
    radiance = (
        expand_highlights(np.minimum(light * subject.colour, 1)) * subject.coverage[..., None]
    )
    planes = np.dstack([radiance, subject.coverage])
    planes = resize(planes, size, order=1, anti_aliasing=True).astype(np.float32)
    return planes[:, ::-1] if random.random() < 0.5 else planes


def place_on_canvas(planes: np.ndarray, top: int, left: int, canvas: tuple[int, int]) -> np.ndarray:
    """Places height × width × 4 planes on an empty canvas, cropped to it: 4 × height × width."""
    height, width = planes.shape[:2]
    rows = slice(max(0, top), min(canvas[0], top + height))
    columns = slice(max(0, left), min(canvas[1], left + width))
    whole = np.zeros((4, *canvas), np.float32)
    part = planes[rows.start - top : rows.stop - top, columns.start - left : columns.stop - left]
    whole[:, rows, columns] = part.transpose(2, 0, 1)
    return whole


def ground_depth(random: Random, feet: float, canvas: tuple[int, int]) -> np.ndarray:
    """Inverse depth of ground in front of a wall, height × width.

    On the ground it is proportional to the distance below the horizon; at the feet it is 1.
    """
    rows = np.linspace(0, 1, canvas[0], dtype=np.float32)
    horizon = min(random.uniform(0.3, 0.5), feet - 0.26)
    plane = (rows - horizon) / (feet - horizon)
    wall, softness = WALL_INVERSE_DEPTH, 0.05  # softness of the corner between ground and wall
    depth = wall + softness * np.logaddexp(0, (plane - wall) / softness)
    depth = np.minimum(depth, NEAREST_INVERSE_DEPTH)
    return np.repeat(depth[:, None], canvas[1], axis=1).astype(np.float32)


def ground_layers(
    radiance: np.ndarray, inverse_depth: np.ndarray, steps: int = 10
) -> list[SceneLayer]:
    """Slices a continuous depth into flat layers, farthest first.

    Each layer holds everything at its depth or nearer, so layers behind it are complete and there
    are no gaps between two layers.

    Args:
        radiance: 3 × height × width.
        inverse_depth: height × width.
        steps: layers per unit of inverse depth.
    """
    least, greatest = float(inverse_depth.min()), float(inverse_depth.max())
    count = max(1, round(steps * (greatest - least)))
    depths = np.linspace(least, greatest, count + 1)
    layers = [_layer(radiance, np.ones_like(inverse_depth), least)]
    for before, depth in pairwise(depths):
        coverage = np.clip((inverse_depth - before) / (depth - before), 0, 1)
        layers.append(_layer(radiance, coverage, float(depth)))
    return layers


def random_lens(random: Random, standing: np.ndarray, size: tuple[int, int]) -> Lens:
    """Draws a lens for a scene.

    Larger subjects get a wider aperture, since they are usually nearer to the camera. Three of four
    apertures are round, the others have seven blades.
    """
    area = float(standing[3].sum()) / (size[0] * size[1])
    share = float(np.clip((area / 0.15) ** 0.22, 0.72, 1.12))
    is_wide = random.random() < WIDE_SHARE
    opened = random.uniform(0.92, 1.08) if is_wide else SMALLEST_APERTURE ** random.uniform(0, 1)
    strength = LARGEST_BLUR * min(size) * share * opened
    blades = 0 if random.random() < 0.75 else 7
    return Lens(strength, 1.0, blades, random.uniform(0, 2 * np.pi))


def crop_background(random: Random, photo: np.ndarray, canvas: tuple[int, int]) -> np.ndarray:
    """A random crop of a photograph that fills a canvas, maybe mirrored: 3 × height × width.

    The crop prefers the sides of the photograph. Many have a subject in the middle, and blurring it
    would teach the network to blur subjects.

    Returns:
        Linear radiance with expanded highlights.
    """
    height, width = photo.shape[:2]
    scale = max(canvas[0] / height, canvas[1] / width) * random.uniform(1.2, 2.0)
    scaled = max(canvas[0], round(height * scale)), max(canvas[1], round(width * scale))
    left = round((scaled[1] - canvas[1]) * random.beta(0.3, 0.3))
    # Prefer the lower half, where the ground is.
    top = round((scaled[0] - canvas[0]) * random.uniform(0.5, 1.0))
    codes = resize_photo(photo, *scaled)[top : top + canvas[0], left : left + canvas[1]]
    codes = codes[:, ::-1] if random.random() < 0.5 else codes
    return expand_highlights(decode_srgb(codes).transpose(2, 0, 1))


def smooth_detail(random: Random, radiance: np.ndarray, short_side: int) -> np.ndarray:
    """Smooths most detail out of 3 × height × width radiance and adds a little grain."""
    sigma = short_side * random.uniform(*PLAIN_SIGMA)
    grain = random.normal(0, random.uniform(0, 0.01), radiance.shape)
    plain = gaussian_filter(radiance, (0, sigma, sigma)) * (1 + grain)
    return np.maximum(plain, 0).astype(np.float32)


def expand_highlights(radiance: np.ndarray) -> np.ndarray:
    """Undoes the clipping of highlights in the linear radiance 0…1 of a photograph."""
    return radiance + HIGHLIGHT_GAIN * np.square(np.maximum(radiance - HIGHLIGHT_KNEE, 0))


def compress_highlights(radiance: np.ndarray) -> np.ndarray:
    """The inverse of `expand_highlights`, as a camera compresses them."""
    above = np.maximum(radiance - HIGHLIGHT_KNEE, 0)
    bent = HIGHLIGHT_KNEE + (np.sqrt(1 + 4 * HIGHLIGHT_GAIN * above) - 1) / (2 * HIGHLIGHT_GAIN)
    return np.where(above > 0, bent, radiance)


def _read_cut_out(photo: Path, mask: Path) -> CutOut:
    return cut_out(read_photo(photo), read_photo(mask)[..., 0])


def _mask_problem(photo: Path, mask: Path) -> str:
    """Why a mask does not fit its photograph; empty if it does."""
    coverage = read_photo(mask)[..., 0]
    if photo_size(photo) != coverage.shape:
        return "its size differs from its photograph's"
    return "" if (coverage > 127).any() else "it marks no subject"


def _layer(radiance: np.ndarray, coverage: np.ndarray, inverse_depth: float) -> SceneLayer:
    planes = np.concatenate([radiance * coverage, coverage[None]]).astype(np.float32)
    return SceneLayer(planes, inverse_depth)


def _develop(radiance: np.ndarray, margin: int) -> np.ndarray:
    frame = compress_highlights(radiance[:, margin:-margin, margin:-margin])
    return np.ascontiguousarray(encode_srgb(frame).transpose(1, 2, 0))
