"""Built-in training pairs: photographs seen through a pinhole and through a thin lens.

    python -m train.synthetic --out pairs --count 50 --seed 0 --size 384 512

Each scene is two to four flat layers, one of them in focus, which train/thin_lens.py exposes twice.
The photographs ship inside the scikit-image wheel (folder skimage/data); nothing is downloaded.
Only those whose docstring in skimage.data frees them are used:

    astronaut           NASA, public domain
    chelsea             Stefan van der Walt, CC0
    coffee              Rachel Michetti, courtesy of Pikolo Espresso Bar, CC0
    rocket              SpaceX, released into the public domain
    hubble_deep_field   NASA, may be freely used in the public domain
    brick, gravel       CC0Textures, CC0
    grass               linolafett, CC0

The same seed, index and size give the same bytes, in any order and on any thread.
"""

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import as_file, files
from itertools import pairwise
from pathlib import Path
from typing import TypeVar

import numpy as np
import tyro
from PIL import Image, ImageDraw
from scipy.ndimage import gaussian_filter
from tqdm import tqdm

from train.errors import UserError, run_command
from train.pairs import Pair
from train.photo import read_photo, write_photo
from train.thin_lens import Layer, Lens, decode_srgb, encode_srgb, expose

Random = np.random.Generator
Option = TypeVar("Option")
Colour = tuple[int, int, int]  # sRGB, 0…255
Stroke = tuple[np.ndarray, Colour]  # a polygon, N × 2 (x, y) in pixels; its colour

LARGEST_BLUR = 0.034  # circle of confusion radius over the photograph's short side
OVERSAMPLING = 3  # of drawn silhouettes, per axis
NIGHTS = ("rocket", "hubble_deep_field")  # JPEG; the others are PNG
INDOORS = ("coffee", "astronaut", "chelsea")
VIEWS = NIGHTS + INDOORS
TEXTURES = ("grass", "gravel", "brick")
FOLIAGE = ((58, 92, 34), (84, 116, 40), (112, 134, 52), (46, 74, 40), (150, 128, 48), (142, 70, 36))
PETALS = ((214, 60, 84), (236, 186, 60), (226, 220, 228), (150, 92, 196), (236, 130, 66))
EARTH = ((150, 142, 130), (120, 96, 76), (104, 108, 112), (146, 120, 92), (92, 100, 84))
PAINTS = ((190, 182, 170), (206, 74, 54), (66, 104, 148), (214, 176, 84), (96, 140, 110))
LAMPS = (
    (255, 214, 150),
    (255, 236, 210),
    (255, 170, 90),
    (200, 220, 255),
    (255, 90, 70),
    (120, 230, 150),
)

# Subjects traced by hand, x,y in pixels of their photograph; cut_out() finds the fine edge.
OUTLINES = {
    "astronaut": """50,511 37,500 26,480 23,455 25,430 22,405 19,390 22,370 26,345 30,325 34,308
        40,285 48,268 58,252 70,240 85,230 98,220 110,208 116,200 113,190 118,184 124,172 132,162
        144,153 160,148 183,148 185,138 181,130 174,121 160,112 155,100 152,80 154,65 162,52 178,42
        190,35 200,25 215,18 232,15 250,18 268,27 283,38 294,52 300,70 301,90 298,105 290,118
        281,128 276,136 269,137 263,150 255,167 255,175 268,182 280,192 292,208 300,222 305,238
        320,243 335,256 344,270 350,285 355,305 360,325 361,345 372,348 388,344 405,343 425,348
        445,357 465,375 480,395 490,420 496,445 502,458 508,475 511,490 511,511""",
    "chelsea": """40,0 36,25 33,50 32,75 32,105 20,120 10,130 0,145 0,299 298,299 298,280 303,270
        311,255 313,235 319,220 330,205 342,190 350,178 358,160 362,140 360,118 352,100 346,85
        349,75 360,66 370,52 376,35 385,18 398,0""",
    "coffee": """181,72 160,80 135,96 115,115 97,140 85,165 78,195 77,225 81,255 90,280 103,305
        120,328 140,348 165,363 195,375 225,382 260,387 295,388 330,384 365,376 395,363 420,345
        440,325 458,300 470,272 477,245 479,220 475,190 465,162 452,140 438,122 420,107 418,100
        422,88 424,75 418,68 407,67 400,74 393,62 380,47 360,34 335,24 310,19 283,18 255,21 230,28
        210,38 195,50 184,63""",
}


def pick(random: Random, options: Sequence[Option]) -> Option:
    return options[int(random.integers(len(options)))]


def linear(colour: Colour) -> np.ndarray:
    """An sRGB colour, 0…255, as linear radiance 3 × 1 × 1."""
    return decode_srgb(np.array(colour, np.uint8))[:, None, None]


# Photographs and the subjects cut out of them


@cache
def photograph(name: str) -> Image.Image:
    """One of VIEWS, RGB, or of TEXTURES, grey; 8 bit, sRGB. Cached: read it only."""
    file = f"{name}.jpg" if name in NIGHTS else f"{name}.png"
    with as_file(files("skimage") / "data" / file) as path:
        image = Image.fromarray(read_photo(path))
    return image.convert("L") if name in TEXTURES else image


@cache
def cut_out(name: str) -> Image.Image:
    """A subject of OUTLINES alone, RGBA, 8 bit, sRGB, cropped to it. Cached: read it only.

    Near the outline each pixel I is taken for a mixture of the local mean colours F inside and B
    outside, so its coverage is the projection (I - B)·(F - B) / |F - B|²; where F and B look alike
    the traced line decides. The colour is cleaned of B in the same measure.
    """
    image = photograph(name)
    outline = [tuple(map(int, point.split(","))) for point in OUTLINES[name].split()]
    traced = Image.new("L", image.size)
    ImageDraw.Draw(traced).polygon(outline, fill=255)
    soft = gaussian_filter(np.asarray(traced, np.float32) / 255, 1.5, mode="nearest")[..., None]
    colour = np.asarray(image, np.float32) / 255

    def local_mean(sure: np.ndarray) -> np.ndarray:
        weight = gaussian_filter(sure.astype(np.float32), (5, 5, 0))
        return gaussian_filter(colour * sure, (5, 5, 0)) / np.maximum(weight, 1e-6)

    inside, outside = local_mean(soft > 0.97), local_mean(soft < 0.03)
    contrast = ((inside - outside) ** 2).sum(-1, keepdims=True)
    mixture = ((colour - outside) * (inside - outside)).sum(-1, keepdims=True)
    mixture = np.clip(mixture / np.maximum(contrast, 1e-6), 0, 1)
    trust = contrast / (contrast + 0.03)
    coverage = gaussian_filter(trust * mixture + (1 - trust) * soft, (0.5, 0.5, 0), mode="nearest")
    coverage = np.where(soft > 0.97, 1, np.where(soft < 0.03, 0, coverage))
    clean = coverage * colour + (1 - coverage) * inside
    codes = np.round(np.concatenate([clean, coverage], -1) * 255).astype(np.uint8)
    return Image.fromarray(codes, "RGBA").crop(traced.getbbox())


def region(random: Random, name: str, height: int, width: int) -> np.ndarray:
    """A crop of a photograph, mirrored or not, scaled: 3 (grey: 1) × height × width, linear."""
    image = photograph(name)
    largest = min(image.width / width, image.height / height)
    scale = largest * random.uniform(0.65, 1)
    left, top = (
        random.uniform(0, room)
        for room in (image.width - width * scale, image.height - height * scale)
    )
    box = (left, top, left + width * scale, top + height * scale)
    codes = np.asarray(image.resize((width, height), Image.Resampling.BICUBIC, box))
    codes = codes[:, ::-1] if random.random() < 0.5 else codes
    return decode_srgb(codes.reshape(height, width, -1).transpose(2, 0, 1))


def cut_out_planes(random: Random, name: str, height: int, width: int) -> np.ndarray:
    """A photographed subject standing on the lower border: planes 4 × height × width."""
    image = cut_out(name)
    if name == "chelsea":  # cropped by its photograph at the top and the left: so it is here
        scale = height / image.height * random.uniform(1.02, 1.15)
        left = -image.width * scale * random.uniform(0.12, 0.36)
        top = height - image.height * scale
    else:
        share = (0.6, 0.9) if name == "coffee" else (0.75, 1.1)
        scale = height / image.height * random.uniform(*share)
        left = width * random.uniform(0.35, 0.65) - image.width * scale / 2
        top = height - image.height * scale * random.uniform(
            0.75 if name == "coffee" else 0.86, 0.92
        )
    subject = image.resize(
        (round(image.width * scale), round(image.height * scale)), Image.Resampling.BICUBIC
    )
    canvas = Image.new("RGBA", (width, height))
    canvas.paste(subject, (round(left), round(top)))
    codes = np.asarray(canvas)[:, :: pick(random, (1, -1))].transpose(2, 0, 1)
    coverage = np.float32(1 / 255) * codes[3:]
    return np.concatenate([decode_srgb(codes[:3]) * coverage, coverage])


# Drawn subjects: lists of strokes


def shade(colour: Colour, factor: float) -> Colour:
    red, green, blue = (min(255, round(channel * factor)) for channel in colour)
    return red, green, blue


def leaf(
    random: Random, base: np.ndarray, tip: np.ndarray, width: float, colour: Colour
) -> list[Stroke]:
    """A bent leaf, petal or blade of grass: a light half, a dark half and a thin midrib."""
    along = np.linspace(0, 1, 24)[:, None]
    across = np.array([base[1] - tip[1], tip[0] - base[0]])
    spine = (
        base + along * (tip - base) + random.normal(0, 0.12) * along * (1 - along * 0.5) * across
    )
    side = across / max(np.hypot(*across), 1e-6) * width / 2
    half_width = np.sin(np.pi * along**0.8) ** 0.75 * side
    rib = (1 - along) * 0.06 * side
    light = random.uniform(0.85, 1.25)

    def band(right: np.ndarray, left: np.ndarray) -> np.ndarray:
        return np.concatenate([spine + right, (spine - left)[::-1]])

    return [
        (band(half_width, 0 * side), shade(colour, light)),
        (band(0 * side, half_width), shade(colour, light * 0.86)),
        (band(rib, rib), shade(colour, light * 1.25)),
    ]


def spray(random: Random, height: int, width: int) -> list[Stroke]:
    """A twig with leaves that reaches into the picture from a side or from above."""
    side = pick(random, (-1, 1))
    start = np.array([width * (0.5 + 0.52 * side), height * random.uniform(-0.05, 0.75)])
    end = np.array(
        [width * (0.5 + side * random.uniform(-0.1, 0.25)), height * random.uniform(0.1, 0.8)]
    )
    sag = np.array([0, random.uniform(-0.2, 0.2) * height])
    colour, size = pick(random, FOLIAGE), random.uniform(0.12, 0.26) * min(height, width)
    points = [start + t * (end - start) + 4 * t * (1 - t) * sag for t in np.linspace(0, 1, 12)]
    strokes: list[Stroke] = []
    for place, (point, following) in enumerate(pairwise(points)):
        strokes += leaf(
            random, point - 0.3 * (following - point), following, size / 10, (92, 72, 54)
        )
        heading = np.arctan2(*(following - point)[::-1])
        for turn in (-1, 1):
            angle = heading + turn * random.uniform(0.5, 1.1)
            reach = size * random.uniform(0.7, 1.2) * (1 - 0.03 * place)
            tip = following + reach * np.array([np.cos(angle), np.sin(angle)])
            tint = shade(colour, random.uniform(0.7, 1.25))
            strokes += leaf(random, following, tip, reach * random.uniform(0.35, 0.5), tint)
    return strokes


def grasses(random: Random, height: int, width: int) -> list[Stroke]:
    """Blades that grow from the lower border."""
    strokes: list[Stroke] = []
    colour, tall = pick(random, FOLIAGE[:5]), random.uniform(0.3, 0.75) * height
    centre = random.uniform(0.1, 0.9) * width
    for _ in range(random.integers(12, 45)):
        base = np.array([centre + random.normal(0, 0.25) * width, height * 1.03])
        tip = base + tall * random.uniform(0.5, 1.2) * np.array([random.normal(0, 0.35), -1])
        tint = shade(colour, random.uniform(0.6, 1.35))
        strokes += leaf(random, base, tip, random.uniform(0.012, 0.03) * height, tint)
    return strokes


def flowers(random: Random, height: int, width: int) -> list[Stroke]:
    """One to three flowers on leafy stems."""
    strokes: list[Stroke] = []
    colour = pick(random, PETALS)
    for _ in range(random.integers(1, 4)):
        head = np.array([random.uniform(0.2, 0.8) * width, random.uniform(0.2, 0.6) * height])
        foot = np.array([head[0] + random.normal(0, 0.08) * width, height * 1.1])
        size = random.uniform(0.13, 0.26) * min(height, width)
        strokes += leaf(random, foot, head, size * 0.12, (78, 112, 48))
        for rise in random.uniform(0.2, 0.6, 3):
            node = foot + rise * (head - foot)
            tip = node + size * np.array([pick(random, (-1, 1)), random.uniform(-0.7, 0.1)])
            strokes += leaf(
                random, node, tip, size * 0.35, shade((78, 112, 48), random.uniform(0.7, 1.2))
            )
        petals, turn, tilt = random.integers(5, 15), random.uniform(0, 6.3), random.uniform(0.65, 1)
        for ring, reach in ((0.5, 1.0), (0.0, 0.72)):
            for petal in range(petals):
                angle = turn + (petal + ring) * 2 * np.pi / petals
                tip = head + reach * size * np.array([np.cos(angle), tilt * np.sin(angle)])
                tint = shade(colour, random.uniform(0.85, 1.12) * (1.05 - 0.2 * ring))
                strokes += leaf(random, head, tip, min(0.5, 5.5 / petals) * reach * size, tint)
        for _ in range(60):
            seed = head + np.clip(random.normal(0, 0.08, 2), -0.2, 0.2) * size * np.array([1, tilt])
            strokes.append((seed + contour(random, 0.03 * size, 0.0, 8), pick(random, FOLIAGE[4:])))
    return strokes


def contour(random: Random, radius: float, roughness: float, corners: int = 90) -> np.ndarray:
    """A closed outline around (0, 0) from five random harmonics; roughness 0 gives a circle."""
    angle = np.linspace(0, 2 * np.pi, corners, endpoint=False)
    bulge = np.ones_like(angle)
    for harmonic in range(2, 7):
        phase = random.uniform(0, 2 * np.pi)
        bulge += roughness * random.normal() / harmonic * np.cos(harmonic * angle + phase)
    return radius * np.maximum(bulge, 0.3)[:, None] * np.stack([np.cos(angle), np.sin(angle)], -1)


def stones(random: Random, height: int, width: int) -> list[Stroke]:
    """A few round bodies (balls, fruit, pebbles) low in the picture, lit from above."""
    roughness = pick(random, (0.0, 0.06, 0.14))
    lamp = np.array([random.uniform(-0.4, 0.4), -0.45])
    strokes: list[Stroke] = []
    for _ in range(random.integers(1, 5)):
        radius = random.uniform(0.14, 0.3) * min(height, width)
        centre = np.array([random.uniform(0.15, 0.85) * width, height * random.uniform(0.5, 0.9)])
        outline, colour = contour(random, radius, roughness), pick(random, PAINTS)
        for inward in np.linspace(0, 1, 40):  # from the dark rim to where the light falls straight
            ring = centre + (1 - inward) * outline + inward * radius * lamp
            strokes.append((ring, shade(colour, 0.4 + 0.75 * inward**0.6)))
    return strokes


def dapple(random: Random, height: int, width: int, contrast: float) -> np.ndarray:
    """Smooth patches of light and shade around 1: height × width; contrast in e-folds."""
    coarse = random.normal(size=(max(3, height // 48), max(3, width // 48))).astype(np.float32)
    patches = Image.fromarray(coarse * np.float32(contrast))
    return np.exp(np.asarray(patches.resize((width, height), Image.Resampling.BICUBIC)))


def painted(random: Random, strokes: list[Stroke], height: int, width: int) -> np.ndarray:
    """Strokes with antialiased edges, the grain of a texture and dappled light: 4 × H × W."""
    corners = np.concatenate([outline for outline, _ in strokes])
    left, top = np.clip(np.floor(corners.min(0)).astype(int), 0, (width - 9, height - 9))
    right, bottom = np.clip(
        np.ceil(corners.max(0)).astype(int), (left + 9, top + 9), (width, height)
    )
    size = (int(right - left), int(bottom - top))
    fine = (size[0] * OVERSAMPLING, size[1] * OVERSAMPLING)
    colours, coverages = Image.new("RGB", fine, strokes[0][1]), Image.new("L", fine)
    on_colours, on_coverages = ImageDraw.Draw(colours), ImageDraw.Draw(coverages)
    for outline, colour in strokes:
        places = ((outline - (left, top)) * OVERSAMPLING).ravel().tolist()
        on_colours.polygon(places, fill=colour)
        on_coverages.polygon(places, fill=255)
    radiance = decode_srgb(np.asarray(colours.reduce(OVERSAMPLING)).transpose(2, 0, 1))
    coverage = np.float32(1 / 255) * np.asarray(coverages.reduce(OVERSAMPLING))
    grain = region(random, pick(random, ("grass", "gravel")), size[1], size[0])[0]
    grain = 0.7 + 0.3 * np.minimum(grain / grain.mean(), 3)
    planes = np.zeros((4, height, width), np.float32)
    planes[:3, top:bottom, left:right] = (
        radiance * grain * dapple(random, size[1], size[0], 0.25) * coverage
    )
    planes[3, top:bottom, left:right] = coverage
    return planes


# Backgrounds


def tinted(random: Random, height: int, width: int) -> np.ndarray:
    """A texture as a hedge, a wall or a gravel bank in broken sunlight: 3 × height × width."""
    name = pick(random, TEXTURES)
    tint = linear(pick(random, FOLIAGE if name == "grass" else EARTH))
    grain = region(random, name, height, width)[0]
    grain = grain / grain.mean()
    sunlight = dapple(random, height, width, random.uniform(0.3, 0.8))
    return tint * (grain * np.sqrt(grain) * sunlight * np.float32(random.uniform(0.7, 1.4)))


def lights(random: Random, planes: np.ndarray) -> None:
    """Adds small lamps, far brighter than white, to 3 × H × W radiance in place."""
    _, height, width = planes.shape
    count, colours = (
        random.integers(6, 45),
        [pick(random, LAMPS) for _ in range(random.integers(1, 4))],
    )
    hung = random.random() < 0.35  # on one sagging cord, or anywhere
    level, sag = random.uniform(0.1, 0.5), random.uniform(-0.2, 0.3)
    axis = np.arange(-5, 6)
    for lamp in range(count):
        across = (lamp + 0.5) / count if hung else random.random()
        down = level + sag * 4 * across * (1 - across) if hung else random.beta(1.5, 2)
        column, row = across * (width - 12) + 6, np.clip(down, 0, 1) * (height - 12) + 6
        sigma = min(height, width) / 384 * random.uniform(0.6, 1.2)
        y, x = (axis + round(place) - place for place in (row, column))
        spot = np.exp(-(y[:, None] ** 2 + x**2) / (2 * sigma**2))
        colour = linear(pick(random, colours))
        radiance = np.exp(random.uniform(np.log(8), np.log(110)))
        window = np.s_[:, round(row) - 5 : round(row) + 6, round(column) - 5 : round(column) + 6]
        planes[window] += (radiance * colour * spot).astype(np.float32)


def background(random: Random, taken: str, height: int, width: int) -> np.ndarray:
    """What fills the picture behind everything, but not the photograph `taken`: 4 × H × W."""
    name = pick(random, [view for view in VIEWS if view != taken] + list(TEXTURES))
    if name in TEXTURES:
        radiance = tinted(random, height, width)
    else:
        radiance = region(random, name, height, width)
        # What the photograph clipped was brighter than its white.
        radiance += (8 if name in NIGHTS else 2) * np.maximum(radiance - 0.7, 0) ** 2
    if name not in INDOORS and random.random() < 0.4:  # ground, up to a horizon
        horizon = int(height * random.uniform(0.5, 0.8))
        radiance[:, horizon:] = tinted(random, height - horizon, width)
    tint = np.exp(random.normal(0, 0.12, (3, 1, 1)))
    fall = np.linspace(random.uniform(0.6, 1.3), random.uniform(0.6, 1.3), height)[:, None]
    radiance *= (tint * fall).astype(np.float32)
    if name in NIGHTS or (name in TEXTURES and random.random() < 0.7):
        radiance *= np.float32(random.uniform(0.3, 0.9))  # dusk, when lamps are lit
        lights(random, radiance)
    return np.concatenate([radiance, np.ones((1, height, width), np.float32)])


# Scenes


def render_scene(seed: int, index: int, size: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    """One scene, sharp and with a shallow depth of field.

    Args:
        seed, index: not negative; together they name the scene.
        size: height and width in pixels.

    Returns:
        original, bokeh: height × width × 3, uint8, RGB, sRGB-encoded.
    """
    random = np.random.default_rng([seed, index])
    limit = LARGEST_BLUR * min(size)
    margin = int(np.ceil(limit * 1.2))
    canvas = (size[0] + 2 * margin, size[1] + 2 * margin)

    background_in_focus = random.random() < 0.18
    taken = ""
    if not background_in_focus and random.random() < 0.55:
        taken = pick(random, tuple(OUTLINES))
        subject = cut_out_planes(random, taken, *canvas)
    else:
        drawings = (spray, grasses) if background_in_focus else (flowers, stones, spray, grasses)
        subject = painted(random, pick(random, drawings)(random, *canvas), *canvas)
    subject[:3] *= np.float32(random.uniform(0.75, 1.2))

    layers = [Layer(background(random, taken, *canvas), random.uniform(0.02, 0.25))]
    if random.random() < 0.4:
        between = pick(random, (grasses, spray, stones))(random, *canvas)
        layers.append(Layer(painted(random, between, *canvas), random.uniform(0.4, 0.7)))
    layers.append(Layer(subject, 1.0))
    if random.random() < 0.3:
        near = pick(random, (grasses, spray))(random, *canvas)
        layers.append(Layer(painted(random, near, *canvas), random.uniform(1.4, 1.8)))

    focus = layers[0].inverse_depth if background_in_focus else 1.0
    widest = max(abs(layer.inverse_depth - focus) for layer in layers)
    blades = 0 if random.random() < 0.4 else int(random.integers(5, 10))
    strength = limit * random.uniform(0.7, 1) / widest
    lens = Lens(strength, focus, blades, random.uniform(0, 2 * np.pi))

    def developed(radiance: np.ndarray) -> np.ndarray:
        frame = radiance[:, margin:-margin, margin:-margin]
        return np.ascontiguousarray(encode_srgb(frame).transpose(1, 2, 0))

    return developed(expose(layers)), developed(expose(layers, lens))


@dataclass(frozen=True)
class SyntheticPairs:
    """Pairs made when they are asked for: len(), and [index] gives a train.pairs.Pair.

    size is height and width of the photograph, multiples of 64.
    """

    count: int = 240
    seed: int = 0
    size: tuple[int, int] = (384, 512)

    def __post_init__(self) -> None:
        if self.count < 1:
            raise UserError(f"count is {self.count}; expected 1 pair or more")
        if self.seed < 0:
            raise UserError(f"seed is {self.seed}; expected 0 or more")
        if any(side < 64 or side % 64 for side in self.size):
            height, width = self.size
            raise UserError(
                f"size is {height} {width}; expected height and width in multiples of 64"
            )

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, index: int) -> Pair:
        if not 0 <= index < self.count:
            raise IndexError(f"pair {index} of {self.count}")
        return Pair(f"{index:04d}", *render_scene(self.seed, int(index), self.size))


# Command line


@dataclass(frozen=True)
class SyntheticOptions:
    """Write built-in pairs as a dataset folder in the layout of EBB!."""

    out: Path
    """The folder to make: original/0000.png …, bokeh/0000.png …"""
    count: int = 50
    """How many pairs."""
    seed: int = 0
    """Another seed, other scenes."""
    size: tuple[int, int] = (384, 512)
    """Height and width in pixels, multiples of 64."""


def main() -> None:
    options = tyro.cli(SyntheticOptions)
    pairs = SyntheticPairs(options.count, options.seed, options.size)
    if options.out.exists():
        raise UserError(f"{options.out}: exists already; name a folder that does not, or remove it")
    options.out.parent.mkdir(parents=True, exist_ok=True)
    # Written beside and renamed at the end, so that a folder of pairs is whole or is not there.
    with tempfile.TemporaryDirectory(prefix=".pairs-", dir=options.out.parent) as beside:
        folder = Path(beside) / options.out.name
        for kind in ("original", "bokeh"):
            (folder / kind).mkdir(parents=True)
        for index in tqdm(range(len(pairs)), unit="pair"):
            pair = pairs[index]
            write_photo(folder / "original" / f"{pair.name}.png", pair.original)
            write_photo(folder / "bokeh" / f"{pair.name}.png", pair.bokeh)
        folder.rename(options.out)
    print(f"{options.out}: {len(pairs)} pairs of {options.size[1]}×{options.size[0]} pixels")


if __name__ == "__main__":
    run_command(main)
