"""Scaling, cropping, augmentation and reduction treat everything in a pair alike."""

import dataclasses
from collections.abc import Callable
from pathlib import Path

import numpy as np
import tensorflow as tf

from pocket_bokeh.photo import network_input
from train.data.pair_transforms import (
    at_level,
    augment,
    change_light,
    cut_to_multiple,
    random_short_side,
    scale_pair,
    scaled_crop,
)
from train.data.pairs import Pair, find_pairs
from train.network.presets import SCHEDULES


def test_a_reduced_photo_is_that_of_tensorflow() -> None:
    photo = np.random.default_rng(0).integers(0, 256, (128, 192, 3), np.uint8)
    for level in (2, 4, 7):
        size = (128 // 2 ** (level - 1), 192 // 2 ** (level - 1))
        reference = tf.image.resize(photo / 255, size, method="bicubic", antialias=True).numpy()
        ours = at_level(photo, level, "bicubic")
        # Pillow rounds to bytes between rows and columns, as TensorFlow does not.
        assert np.abs(ours - np.clip(reference, 0, 1)).max() < 6 / 255
    np.testing.assert_allclose(at_level(photo, 1, "bicubic") * 255, photo, atol=1e-4)
    np.testing.assert_array_equal(at_level(photo, 2, "average"), network_input(photo))
    pooled = tf.nn.avg_pool2d(network_input(photo)[None], 8, 8, "VALID")[0]
    np.testing.assert_allclose(at_level(photo, 5, "average"), pooled, atol=1e-6)


def test_both_photographs_are_cut_turned_and_scaled_alike() -> None:
    photo = np.random.default_rng(0).integers(0, 256, (150, 210, 3), np.uint8)
    pair = Pair("same", photo, photo)
    random = np.random.default_rng(1)
    seen = set()
    for _ in range(40):
        example = augment(scaled_crop(pair, 96, 64, random), "rotate", random)
        assert example.original.shape == (64, 64, 3)
        np.testing.assert_array_equal(example.original, example.bokeh)
        seen.add(example.original.tobytes())
    assert len(seen) > 20
    assert cut_to_multiple(pair).original.shape == (128, 192, 3)
    assert scale_pair(pair, 96).original.shape == (96, 134, 3)


def test_mirroring_keeps_a_subject_on_its_feet() -> None:
    photo = np.zeros((64, 64, 3), np.uint8)
    photo[32:] = 255
    random = np.random.default_rng(0)
    for _ in range(10):
        np.testing.assert_array_equal(
            augment(Pair("standing", photo, photo), "mirror", random).original, photo
        )


def test_another_light_falls_on_both_photographs_alike() -> None:
    codes = np.arange(256, dtype=np.uint8)
    photo = np.broadcast_to(codes[None, :, None], (1, 256, 3))
    pair = Pair("same", photo, photo, np.zeros((1, 256), np.uint8))
    assert change_light(pair, 0.0, np.random.default_rng(0)) is pair
    seen = []
    for seed in range(20):
        lit = change_light(pair, 0.15, np.random.default_rng(seed))
        np.testing.assert_array_equal(lit.original, lit.bokeh)
        assert lit.depth is pair.depth
        assert (np.diff(lit.original.astype(int), axis=1) >= 0).all()
        seen.append(lit.original[0, 128])
    # A middle grey gets lighter, darker, warmer and cooler, and by no more than asked for.
    light = np.array(seen, float) / 128
    assert 0.7 < light.min() < 0.9
    assert 1.1 < light.max() < 1.35
    warmth = light[:, 0] / light[:, 2]
    assert warmth.min() < 0.95
    assert warmth.max() > 1.05


def test_a_photograph_is_enlarged_by_no_more_than_asked_for() -> None:
    config = dataclasses.replace(SCHEDULES["hundreds"], short_side=200, largest_zoom=1.2)
    sides = {random_short_side(config, np.random.default_rng(seed)) for seed in range(200)}
    assert min(sides) in (200, 201)
    assert max(sides) in (239, 240)
    assert (
        random_short_side(dataclasses.replace(config, largest_zoom=1.0), np.random.default_rng(0))
        == 200
    )


def test_a_scaled_crop_is_a_part_of_the_scaled_photograph() -> None:
    coarse = np.random.default_rng(0).integers(0, 256, (15, 21, 3), np.uint8)
    photo = coarse.repeat(10, 0).repeat(10, 1)
    pair = Pair("a", photo, photo)
    for short_side in (150, 96, 173):
        scaled = scale_pair(pair, short_side).original.astype(int)
        tall, wide = scaled.shape[:2]
        for seed in range(4):
            random = np.random.default_rng(seed)
            top, left = (int(random.integers(0, side - 64 + 1)) for side in (tall, wide))
            cut = scaled_crop(pair, short_side, 64, np.random.default_rng(seed)).original
            # Pillow keeps the corners of the part in single precision.
            difference = np.abs(cut - scaled[top : top + 64, left : left + 64])
            assert difference.max() <= 3


def test_depth_follows_its_photograph_through_every_change(
    pairs_folder: Path, add_depth: Callable[[], None]
) -> None:
    add_depth()
    pairs = find_pairs(pairs_folder, "train", depth=True)
    pair = pairs[0]
    assert pair.depth is not None
    assert pair.depth.shape == (96, 128)
    # A photograph that shows the depth: what is done to the one must be done to the other.
    pair = dataclasses.replace(pair, original=np.dstack([pair.depth] * 3))
    random = np.random.default_rng(3)
    for kind in ("mirror", "rotate"):
        changed = augment(scaled_crop(pair, 80, 64, random), kind, random)
        assert changed.depth is not None
        np.testing.assert_array_equal(changed.original[..., 0], changed.depth)
    seen = network_input(changed.original, changed.depth)
    assert seen.shape == (32, 32, 4)
    np.testing.assert_array_equal(seen[..., 0], seen[..., 3])
