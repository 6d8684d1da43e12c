"""Drawn subjects for the built-in scenes: leaves, grasses, flowers and stones.

A drawing is a list of strokes, farthest first; `painted` turns it into the planes of a layer.
"""

from itertools import pairwise

import numpy as np
from PIL import Image, ImageDraw

from train.data.scenery import (
    FOLIAGE,
    OVERSAMPLING,
    Colour,
    Random,
    dapple,
    pick,
    region,
)
from train.data.thin_lens import decode_srgb

Stroke = tuple[np.ndarray, Colour]  # a polygon, N × 2 (x, y) in pixels; its colour

PETALS = ((214, 60, 84), (236, 186, 60), (226, 220, 228), (150, 92, 196), (236, 130, 66))
PAINTS = ((190, 182, 170), (206, 74, 54), (66, 104, 148), (214, 176, 84), (96, 140, 110))


def shade(colour: Colour, factor: float) -> Colour:
    red, green, blue = (min(255, round(channel * factor)) for channel in colour)
    return red, green, blue


def leaf(
    random: Random, base: np.ndarray, tip: np.ndarray, width: float, colour: Colour
) -> list[Stroke]:
    """A bent leaf, petal or blade of grass, with a light half, a dark half and a thin midrib."""
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
    """A leafy twig that reaches into the picture from one side or from above."""
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
    """Blades of grass that grow from the lower border."""
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
    """A closed outline around (0, 0) made of five random harmonics; roughness 0 gives a circle."""
    angle = np.linspace(0, 2 * np.pi, corners, endpoint=False)
    bulge = np.ones_like(angle)
    for harmonic in range(2, 7):
        phase = random.uniform(0, 2 * np.pi)
        bulge += roughness * random.normal() / harmonic * np.cos(harmonic * angle + phase)
    return radius * np.maximum(bulge, 0.3)[:, None] * np.stack([np.cos(angle), np.sin(angle)], -1)


def stones(random: Random, height: int, width: int) -> list[Stroke]:
    """A few round objects (balls, fruit, pebbles) low in the picture, lit from above."""
    roughness = pick(random, (0.0, 0.06, 0.14))
    lamp = np.array([random.uniform(-0.4, 0.4), -0.45])
    strokes: list[Stroke] = []
    for _ in range(random.integers(1, 5)):
        radius = random.uniform(0.14, 0.3) * min(height, width)
        centre = np.array([random.uniform(0.15, 0.85) * width, height * random.uniform(0.5, 0.9)])
        outline, colour = contour(random, radius, roughness), pick(random, PAINTS)
        for inward in np.linspace(0, 1, 40):  # from the dark rim to the brightest point
            ring = centre + (1 - inward) * outline + inward * radius * lamp
            strokes.append((ring, shade(colour, 0.4 + 0.75 * inward**0.6)))
    return strokes


def painted(random: Random, strokes: list[Stroke], height: int, width: int) -> np.ndarray:
    """Rasterizes strokes with antialiased edges, texture and dappled light: planes 4 × H × W."""
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
