"""New pairs out of old ones: cut-out subjects before other backgrounds, blurred by a thin lens.

    python -m train.composites --subjects DIR --backgrounds DIR --out composites --count 2000

DIR of the subjects is a folder of pairs with masks beside them: original/N.jpg and subject/N.png, a
soft 8-bit mask of the subject in focus. A subject, scaled, mirrored and lit a little differently,
stands on the ground of a background photograph, where the blur grows from its feet to a far wall;
or it is close, anywhere in the picture and partly beyond it, before a wall alone, some of them as
plain as a studio's. Half of the lenses are less wide. The same seed and index give the same pair.
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
from train.data.thin_lens import Layer, Lens, decode_srgb, encode_srgb, expose

LARGEST_BLUR = 0.034
"""Circle of confusion radius of a point infinitely far, over the photograph's short side."""

WALL = 0.14
"""Inverse depth of what stands behind the ground; the subject's is 1."""

CLOSE = 0.5
"""Share of the scenes without ground. With ground alone a network learns that what is high up in a
photograph is blurred, faces too (docs/experiments.md)."""

CLOSE_WALLS = (0.1, 0.6)
"""Inverse depth of the wall in these: some lie only a little behind, as in captured pairs."""

PLAIN = 0.3
"""Share of those walls that are nearly plain: there a face has all the detail that there is."""

PLAINNESS = (0.02, 0.2)
"""Sigma of the Gaussian that makes a wall plain, over the photograph's short side."""

WIDE = 0.5
"""Share of the lenses that are as wide as those of `bokeh_pairs`; in captured pairs much less is
blurred (docs/experiments.md)."""

LEAST_OPEN = 0.12
"""How wide the others are at least, as a share of a wide one."""

TINT = 0.15
"""By how much the light on a subject differs from its own at most, in each channel, as a share."""

NEAREST = 1.6
"""Inverse depth of the nearest ground."""

KNEE, RAISED = 0.6, 12.0
"""Linear radiance above which a photograph's highlights were clipped, and how steeply they rise
again: white becomes 2.9 times as bright, as lamps and the sky are in truth."""


@dataclass(frozen=True)
class CutOut:
    """A subject alone: colour height × width × 3, linear radiance; coverage height × width, 0…1;
    whether it leaves its photograph at the bottom."""

    colour: np.ndarray
    coverage: np.ndarray
    is_cut: bool


@dataclass(frozen=True)
class Composites:
    """Pairs made when they are asked for: len(), and [index] gives a train.data.pairs.Pair.

    Attributes:
        subjects: files of photographs and of their subjects' masks.
        backgrounds: files of photographs.
        count: how many pairs.
        seed: another seed, other pairs.
        size: height and width of the photographs, multiples of 64.
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
        # Two of five upright, as photographs of people and pets are.
        height, width = self.size if random.random() < 0.6 else self.size[::-1]
        subject = _read_cut_out(*pick(random, self.subjects))
        background = read_photo(pick(random, self.backgrounds))
        original, bokeh = compose(random, subject, background, (height, width))
        return Pair(f"composite_{index:05d}", original, bokeh)


def find_composites(
    subjects: Path, backgrounds: Path, count: int, seed: int, size: tuple[int, int]
) -> Composites:
    """Checks the two folders; decodes every file, unless it is remembered to be sound.

    Raises:
        UserError: a folder has no photographs, a mask has none or does not fit, files are damaged,
            or numbers out of range.
    """
    originals, masks = (photos_by_name(subjects / kind) for kind in ("original", "subject"))
    without = sorted(masks.keys() - originals.keys())
    if not masks or without:
        what = f"subject/{without[0]} has no photograph" if without else "no masks in subject/"
        raise UserError(f"{subjects}: {what}; expected original/NAME.jpg and subject/NAME.png")
    behind = tuple(photos_by_name(backgrounds).values())
    if not behind:
        raise UserError(f"{backgrounds}: no photographs for backgrounds")
    if count < 1 or seed < 0:
        raise UserError("--count: 1 or more; --seed: 0 or more")
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
    """A subject before a background, sharp, and with the blur of a wide aperture.

    Args:
        random: decides place, scale, light and lens.
        subject: who stands there.
        background: height × width × 3, uint8.
        size: height and width of the result.

    Returns:
        original, bokeh: height × width × 3, uint8, RGB, sRGB-encoded.
    """
    margin = int(np.ceil(1.4 * LARGEST_BLUR * min(size)))
    canvas = (size[0] + 2 * margin, size[1] + 2 * margin)
    if random.random() < CLOSE:
        standing = place_close(random, subject, canvas, margin)
        radiance = filled_with(random, background, canvas)
        if random.random() < PLAIN:
            radiance = made_plain(random, radiance, min(size))
        layers = [_layer(radiance, np.ones(canvas), random.uniform(*CLOSE_WALLS))]
    else:
        standing, feet = place(random, subject, canvas, margin)
        radiance = filled_with(random, background, canvas)
        layers = ground_layers(radiance, ground(random, feet, canvas))
    # The subject stands before all of the ground that is not nearer than its feet.
    behind = [layer for layer in layers if layer.inverse_depth < 1.0]
    before = [layer for layer in layers if layer.inverse_depth >= 1.0]
    scene = [*behind, Layer(standing, 1.0), *before]
    lens = lens_for(random, standing, size)
    return _developed(expose(scene), margin), _developed(expose(scene, lens), margin)


def cut_out(photo: np.ndarray, mask: np.ndarray) -> CutOut:
    """A subject freed of its background.

    In the soft rim of the mask a pixel is a mixture of both; the local means on either side tell
    them apart (Forte, "Approximate fast foreground colour estimation", ICIP 2021).

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
    """A subject on an empty canvas: planes 4 × height × width, and the row of its feet, in 0…1.

    One that its photograph cut off at the bottom is cut off there again.
    """
    room = canvas[0] - 2 * margin, canvas[1] - 2 * margin
    shares = random.uniform(0.45, 0.95), random.uniform(0.4, 0.95)
    planes = lit_and_scaled(random, subject, room, shares)
    height, width = planes.shape[:2]
    bottom = margin + room[0] - (0 if subject.is_cut else round(room[0] * random.uniform(0, 0.15)))
    left = margin + round((room[1] - width) * random.uniform(-0.1, 1.1))
    standing = on_canvas(planes, bottom - height, left, canvas)
    if subject.is_cut:  # below the frame it goes on
        standing[:, bottom:] = standing[:, bottom - 1 : bottom]
        return standing, 1.38
    return standing, (bottom - margin) / room[0] - 0.02


def place_close(
    random: Random, subject: CutOut, canvas: tuple[int, int], margin: int
) -> np.ndarray:
    """A subject anywhere on an empty canvas, large, up to a third of it beyond the frame: planes
    4 × height × width."""
    room = canvas[0] - 2 * margin, canvas[1] - 2 * margin
    shares = random.uniform(0.5, 1.3), random.uniform(0.5, 1.3)
    planes = lit_and_scaled(random, subject, room, shares)
    (height, width), beyond = planes.shape[:2], random.uniform(0, 1 / 3)
    least, greatest = sorted((-beyond * height, room[0] - height + beyond * height))
    top = margin + round(random.uniform(least, greatest))
    if subject.is_cut:
        top = max(top, margin + room[0] - height)
    left = margin + round((room[1] - width) * random.uniform(-0.1, 1.1))
    standing = on_canvas(planes, top, left, canvas)
    if subject.is_cut and top + height < canvas[0]:
        standing[:, top + height :] = standing[:, top + height - 1 : top + height]
    return standing


def lit_and_scaled(
    random: Random, subject: CutOut, room: tuple[int, int], shares: tuple[float, float]
) -> np.ndarray:
    """A subject as large as both shares of the room allow: height × width × 4, radiance times
    coverage, and coverage."""
    height, width = subject.coverage.shape
    scale = min(room[0] * shares[0] / height, room[1] * shares[1] / width)
    size = max(8, round(height * scale)), max(8, round(width * scale))
    tint = random.uniform(1 - TINT, 1 + TINT, 3)
    light = (random.uniform(0.75, 1.2) * tint).astype(np.float32)
    radiance = raised(np.minimum(light * subject.colour, 1)) * subject.coverage[..., None]
    planes = np.dstack([radiance, subject.coverage])
    planes = resize(planes, size, order=1, anti_aliasing=True).astype(np.float32)
    return planes[:, ::-1] if random.random() < 0.5 else planes


def on_canvas(planes: np.ndarray, top: int, left: int, canvas: tuple[int, int]) -> np.ndarray:
    """The part of height × width × 4 planes that lies on a canvas: 4 × height × width."""
    height, width = planes.shape[:2]
    rows = slice(max(0, top), min(canvas[0], top + height))
    columns = slice(max(0, left), min(canvas[1], left + width))
    whole = np.zeros((4, *canvas), np.float32)
    part = planes[rows.start - top : rows.stop - top, columns.start - left : columns.stop - left]
    whole[:, rows, columns] = part.transpose(2, 0, 1)
    return whole


def ground(random: Random, feet: float, canvas: tuple[int, int]) -> np.ndarray:
    """Inverse depth of the background, height × width: a plane before a wall.

    On a plane it grows in proportion to the distance from the horizon; at the feet it is 1.
    """
    rows = np.linspace(0, 1, canvas[0], dtype=np.float32)
    horizon = min(random.uniform(0.3, 0.5), feet - 0.26)
    plane = (rows - horizon) / (feet - horizon)
    softness = 0.05  # where ground and wall meet
    depth = WALL + softness * np.logaddexp(0, (plane - WALL) / softness)
    return np.repeat(np.minimum(depth, NEAREST)[:, None], canvas[1], axis=1).astype(np.float32)


def ground_layers(radiance: np.ndarray, inverse_depth: np.ndarray, steps: int = 10) -> list[Layer]:
    """A continuous depth as flat layers, farthest first.

    Each layer holds all that is at its depth or nearer, so that those behind are whole and
    nothing is missing between two of them.

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


def lens_for(random: Random, standing: np.ndarray, size: tuple[int, int]) -> Lens:
    """Wider for larger subjects, as a photographer steps back for a small one, and often less than
    it could be; round 3 times of 4, else of seven blades."""
    area = float(standing[3].sum()) / (size[0] * size[1])
    share = float(np.clip((area / 0.15) ** 0.22, 0.72, 1.12))
    is_wide = random.random() < WIDE
    opened = random.uniform(0.92, 1.08) if is_wide else LEAST_OPEN ** random.uniform(0, 1)
    strength = LARGEST_BLUR * min(size) * share * opened
    blades = 0 if random.random() < 0.75 else 7
    return Lens(strength, 1.0, blades, random.uniform(0, 2 * np.pi))


def filled_with(random: Random, photo: np.ndarray, canvas: tuple[int, int]) -> np.ndarray:
    """A part of a photograph that fills a canvas, mirrored or not: radiance 3 × height × width.

    It is from the photograph's side and not all of it: many have a subject of their own in the
    middle, and a network that sees it blurred learns to blur subjects.
    """
    height, width = photo.shape[:2]
    scale = max(canvas[0] / height, canvas[1] / width) * random.uniform(1.2, 2.0)
    scaled = max(canvas[0], round(height * scale)), max(canvas[1], round(width * scale))
    left = round((scaled[1] - canvas[1]) * random.beta(0.3, 0.3))
    # The ground is at the bottom of a photograph.
    top = round((scaled[0] - canvas[0]) * random.uniform(0.5, 1.0))
    codes = resize_photo(photo, *scaled)[top : top + canvas[0], left : left + canvas[1]]
    codes = codes[:, ::-1] if random.random() < 0.5 else codes
    return raised(decode_srgb(codes).transpose(2, 0, 1))


def made_plain(random: Random, radiance: np.ndarray, short_side: int) -> np.ndarray:
    """Radiance 3 × height × width with little of its detail left, and a faint grain."""
    sigma = short_side * random.uniform(*PLAINNESS)
    grain = random.normal(0, random.uniform(0, 0.01), radiance.shape)
    plain = gaussian_filter(radiance, (0, sigma, sigma)) * (1 + grain)
    return np.maximum(plain, 0).astype(np.float32)


def raised(radiance: np.ndarray) -> np.ndarray:
    """Linear radiance 0…1 of a photograph with its highlights as bright as they were."""
    return radiance + RAISED * np.square(np.maximum(radiance - KNEE, 0))


def lowered(radiance: np.ndarray) -> np.ndarray:
    """The inverse of `raised`: what a camera makes of it."""
    above = np.maximum(radiance - KNEE, 0)
    bent = KNEE + (np.sqrt(1 + 4 * RAISED * above) - 1) / (2 * RAISED)
    return np.where(above > 0, bent, radiance)


def _read_cut_out(photo: Path, mask: Path) -> CutOut:
    return cut_out(read_photo(photo), read_photo(mask)[..., 0])


def _mask_problem(photo: Path, mask: Path) -> str:
    """Why a mask cannot be a photograph's; empty where it can."""
    coverage = read_photo(mask)[..., 0]
    if photo_size(photo) != coverage.shape:
        return "not of its photograph's size"
    return "" if (coverage > 127).any() else "no subject in it"


def _layer(radiance: np.ndarray, coverage: np.ndarray, inverse_depth: float) -> Layer:
    planes = np.concatenate([radiance * coverage, coverage[None]]).astype(np.float32)
    return Layer(planes, inverse_depth)


def _developed(radiance: np.ndarray, margin: int) -> np.ndarray:
    frame = lowered(radiance[:, margin:-margin, margin:-margin])
    return np.ascontiguousarray(encode_srgb(frame).transpose(1, 2, 0))
