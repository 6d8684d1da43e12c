"""Photographs, cut-out subjects and backgrounds for the built-in scenes.

The photographs ship inside the scikit-image wheel (folder skimage/data); nothing is downloaded.
Only photographs that the docstrings of skimage.data declare free to use are taken:

    astronaut           NASA, public domain
    chelsea             Stefan van der Walt, CC0
    coffee              Rachel Michetti, courtesy of Pikolo Espresso Bar, CC0
    rocket              SpaceX, released into the public domain
    hubble_deep_field   NASA, may be freely used in the public domain
    brick, gravel       CC0Textures, CC0
    grass               linolafett, CC0

Planes are channels × height × width, float32 linear radiance.
"""

from collections.abc import Sequence
from functools import cache
from importlib.resources import as_file, files
from typing import TypeVar

import numpy as np
from PIL import Image, ImageDraw
from scipy.ndimage import gaussian_filter

from pocket_bokeh.photo import read_photo
from train.data.thin_lens import decode_srgb

Random = np.random.Generator
Option = TypeVar("Option")
Colour = tuple[int, int, int]  # sRGB, 0…255

OVERSAMPLING = 3  # of drawn silhouettes, per axis
NIGHTS = ("rocket", "hubble_deep_field")  # JPEG; the others are PNG
INDOORS = ("coffee", "astronaut", "chelsea")
VIEWS = NIGHTS + INDOORS
TEXTURES = ("grass", "gravel", "brick")
FOLIAGE = ((58, 92, 34), (84, 116, 40), (112, 134, 52), (46, 74, 40), (150, 128, 48), (142, 70, 36))
EARTH = ((150, 142, 130), (120, 96, 76), (104, 108, 112), (146, 120, 92), (92, 100, 84))
LAMPS = (
    (255, 214, 150),
    (255, 236, 210),
    (255, 170, 90),
    (200, 220, 255),
    (255, 90, 70),
    (120, 230, 150),
)
# Subjects traced by hand, x,y in pixels of the photograph; cut_out() refines the edge.
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


@cache
def photograph(name: str) -> Image.Image:
    """One of VIEWS (RGB) or TEXTURES (grey), 8-bit sRGB. Cached, so do not modify it."""
    file = f"{name}.jpg" if name in NIGHTS else f"{name}.png"
    with as_file(files("skimage") / "data" / file) as path:
        image = Image.fromarray(read_photo(path))
    return image.convert("L") if name in TEXTURES else image


@cache
def cut_out(name: str) -> Image.Image:
    """A subject of OUTLINES cut out of its photograph, RGBA, 8-bit sRGB, cropped to the subject.
    Cached, so do not modify it.

    Near the outline each pixel I is modelled as a mixture of the local mean colours F inside and B
    outside, so its coverage is the projection (I - B)·(F - B) / |F - B|². Where F and B are
    similar, the traced outline decides. The same share of B is removed from the colour.
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
    """A random crop, scaled and maybe mirrored: 3 (grey: 1) × height × width, linear."""
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
    """A cut-out subject that stands on the lower border: planes 4 × height × width."""
    image = cut_out(name)
    if name == "chelsea":  # its photograph crops it at the top and the left, so keep it there
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


def dapple(random: Random, height: int, width: int, contrast: float) -> np.ndarray:
    """Smooth patches of light and shade around 1, height × width.

    Args:
        contrast: standard deviation of the logarithm.
    """
    coarse = random.normal(size=(max(3, height // 48), max(3, width // 48))).astype(np.float32)
    patches = Image.fromarray(coarse * np.float32(contrast))
    return np.exp(np.asarray(patches.resize((width, height), Image.Resampling.BICUBIC)))


def tinted(random: Random, height: int, width: int) -> np.ndarray:
    """A texture tinted as a hedge, wall or gravel in dappled sunlight: 3 × height × width."""
    name = pick(random, TEXTURES)
    tint = linear(pick(random, FOLIAGE if name == "grass" else EARTH))
    grain = region(random, name, height, width)[0]
    grain = grain / grain.mean()
    sunlight = dapple(random, height, width, random.uniform(0.3, 0.8))
    return tint * (grain * np.sqrt(grain) * sunlight * np.float32(random.uniform(0.7, 1.4)))


def lights(random: Random, planes: np.ndarray) -> None:
    """Adds small lamps, much brighter than white, to 3 × H × W radiance in place."""
    _, height, width = planes.shape
    count, colours = (
        random.integers(6, 45),
        [pick(random, LAMPS) for _ in range(random.integers(1, 4))],
    )
    hung = random.random() < 0.35  # on one sagging cord; otherwise anywhere
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
    """A random background that fills the picture: 4 × H × W.

    Args:
        taken: the photograph of the subject, which is not used again.
    """
    name = pick(random, [view for view in VIEWS if view != taken] + list(TEXTURES))
    if name in TEXTURES:
        radiance = tinted(random, height, width)
    else:
        radiance = region(random, name, height, width)
        # Brighten clipped highlights, which were brighter than white.
        radiance += (8 if name in NIGHTS else 2) * np.maximum(radiance - 0.7, 0) ** 2
    if name not in INDOORS and random.random() < 0.4:  # ground, up to a horizon
        horizon = int(height * random.uniform(0.5, 0.8))
        radiance[:, horizon:] = tinted(random, height - horizon, width)
    tint = np.exp(random.normal(0, 0.12, (3, 1, 1)))
    fall = np.linspace(random.uniform(0.6, 1.3), random.uniform(0.6, 1.3), height)[:, None]
    radiance *= (tint * fall).astype(np.float32)
    if name in NIGHTS or (name in TEXTURES and random.random() < 0.7):
        radiance *= np.float32(random.uniform(0.3, 0.9))  # dusk, with lamps
        lights(random, radiance)
    return np.concatenate([radiance, np.ones((1, height, width), np.float32)])
