"""Geometry and light of a pair: scale, crop, augment, and reduce to a level's size."""

import dataclasses
from typing import Literal

import numpy as np
from PIL import Image
from skimage.measure import block_reduce

from pocket_bokeh.photo import Size, network_input, resize_photo, to_float
from train.data.pairs import SIZE_MULTIPLE, Pair
from train.network.presets import Reduction, TrainConfig


def scale_pair(pair: Pair, short_side: int) -> Pair:
    """Scales a pair to a shorter side of `short_side` pixels, bicubic."""
    size = _scaled_size(pair, short_side)
    return pair.transform(lambda photo: resize_photo(photo, *size))


def _scaled_size(pair: Pair, short_side: int) -> Size:
    height, width = pair.original.shape[:2]
    factor = short_side / min(height, width)
    return max(short_side, round(height * factor)), max(short_side, round(width * factor))


def cut_to_multiple(pair: Pair, multiple: int = SIZE_MULTIPLE) -> Pair:
    """The largest centre crop of a pair whose sides are multiples of `multiple`."""
    height, width = (side - side % multiple for side in pair.original.shape[:2])
    top = (pair.original.shape[0] - height) // 2
    left = (pair.original.shape[1] - width) // 2
    window = (slice(top, top + height), slice(left, left + width))
    return pair.transform(lambda photo: photo[window])


def halve(pair: Pair) -> Pair:
    """The pair as large as the network sees it: half its size, bicubic, as `network_input` halves.

    Args:
        pair: uint8, with even sides.
    """
    height, width = (side // 2 for side in pair.original.shape[:2])
    return pair.transform(lambda photo: resize_photo(photo, height, width))


def at_level(photo: np.ndarray, level: int, reduction: Reduction) -> np.ndarray:
    """Reduces a photograph to the output size of a level.

    Args:
        photo: height × width × 3, uint8, sides multiples of 64.
        level: 7 … 1; level 1 has the photograph's own size.
        reduction: `bicubic` reduces in one step, as published. `average` halves the photograph as
            the network's input is halved, then averages blocks. A residual head adds its output
            to exactly that picture; with another reduction even a photograph without any blur
            would differ from its target.

    Returns:
        float32 0…1, height / 2^(level-1) × width / 2^(level-1) × 3.
    """
    if reduction == "bicubic" or level <= 2:
        factor = 2 ** (level - 1)
        return to_float(resize_photo(photo, photo.shape[0] // factor, photo.shape[1] // factor))
    return average_blocks(network_input(photo), level)


def average_blocks(seen: np.ndarray, level: int) -> np.ndarray:
    """Reduces a picture of the network's input size to the output size of a level, 7 … 2.

    Args:
        seen: height/2 × width/2 × 3, float32, for a photograph of height × width.
        level: each side of the result is 1 / 2^(level-1) of the photograph's.
    """
    size = 2 ** (level - 2)
    return block_reduce(seen, (size, size, 1), np.mean)


def scaled_crop(pair: Pair, short_side: int, side: int, random: np.random.Generator) -> Pair:
    """Crops a random square from a pair scaled as by `scale_pair`, without scaling the rest.

    Args:
        pair: the pair.
        short_side: of the scaled pair, in pixels.
        side: of the square, in pixels; the same square in both photographs.
        random: the source of randomness.
    """
    height, width = _scaled_size(pair, short_side)
    top, left = (int(random.integers(0, length - side + 1)) for length in (height, width))
    if pair.original.shape[:2] == (height, width):
        window = (slice(top, top + side), slice(left, left + side))
        return pair.transform(lambda photo: photo[window])
    down, across = pair.original.shape[0] / height, pair.original.shape[1] / width
    box = (left * across, top * down, (left + side) * across, (top + side) * down)

    # The filter also reads pixels outside the box, so the square has no edges of its own.
    def resized(photo: np.ndarray) -> np.ndarray:
        image = Image.fromarray(photo)
        return np.asarray(image.resize((side, side), Image.Resampling.BICUBIC, box))

    return pair.transform(resized)


def augment(pair: Pair, kind: Literal["mirror", "rotate"], random: np.random.Generator) -> Pair:
    """Randomly mirrors a pair left to right; `rotate` also turns it by a multiple of 90°."""
    mirrored = bool(random.integers(2))
    turns = int(random.integers(4)) if kind == "rotate" else 0

    def change(photo: np.ndarray) -> np.ndarray:
        photo = photo[:, ::-1] if mirrored else photo
        return np.ascontiguousarray(np.rot90(photo, turns))

    return pair.transform(change)


def random_short_side(config: TrainConfig, random: np.random.Generator) -> int:
    """Draws the shorter side, in pixels, that a photograph is scaled to for one crop."""
    if config.largest_zoom == 1:
        return config.short_side
    return round(config.short_side * random.uniform(1, config.largest_zoom))


def change_light(pair: Pair, largest_change: float, random: np.random.Generator) -> Pair:
    """Changes exposure, gamma and white balance at random, the same in both photographs.

    Args:
        pair: uint8; a depth map stays as it is.
        largest_change: of exposure and gamma, as a share; half of it for the white balance.
            0 changes nothing.
        random: the source of randomness.
    """
    if largest_change == 0:
        return pair
    exposure, gamma = 1 + random.uniform(-largest_change, largest_change, 2)
    balance = 1 + random.uniform(-largest_change, largest_change, 3) / 2
    codes = np.linspace(0, 1, 256)[:, None] ** gamma * exposure * balance
    table = np.clip(np.rint(255 * codes), 0, 255).astype(np.uint8).T.ravel().tolist()
    original, bokeh = (
        np.asarray(Image.fromarray(photo).point(table)) for photo in (pair.original, pair.bokeh)
    )
    return dataclasses.replace(pair, original=original, bokeh=bokeh)
