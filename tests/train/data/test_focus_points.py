"""Focus points lie on what is sharp in a pair, and the map has its discs there."""

import dataclasses

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from train.data.focus_points import (
    fixed_points,
    halved_input,
    innermost_point,
    pair_input,
    random_points,
    sharp_places,
)
from train.data.pair_transforms import halve
from train.data.pairs import Pair

NOISE = np.random.default_rng(0).integers(0, 256, (96, 128, 3), np.uint8)


def half_blurred(mask: bool = False) -> Pair:
    """A pair that is sharp in its right half."""
    bokeh = gaussian_filter(NOISE, (4, 4, 0))
    bokeh[:, 64:] = NOISE[:, 64:]
    subject = np.zeros((96, 128), np.uint8)
    subject[:, 64:] = 255
    return Pair("half", NOISE, bokeh, subject=subject if mask else None)


def drawn(pair: Pair, count: int = 400) -> list[tuple[tuple[float, float], ...]]:
    random = np.random.default_rng(1)
    return [random_points(halve(pair), random) for _ in range(count)]


@pytest.mark.parametrize("mask", [True, False])
def test_half_of_the_examples_have_a_point_and_a_few_have_two(mask: bool) -> None:
    points = drawn(half_blurred(mask))
    counts = np.bincount([len(some) for some in points], minlength=3)
    assert 160 < counts[0] < 240
    assert 5 < counts[2] < 45
    places = np.array([point for some in points for point in some])
    # Without a mask, the edge of what is sharp is found within the window of the sharpness.
    assert places[:, 0].min() > (0.5 if mask else 0.45)
    # They lie everywhere in it.
    assert places[:, 0].max() > 0.95
    assert places[:, 1].min() < 0.05
    assert places[:, 1].max() > 0.95


def test_a_pair_that_needs_a_focus_always_has_a_point() -> None:
    pair = dataclasses.replace(half_blurred(), needs_focus=True)
    assert all(drawn(pair, 50))
    seen = pair_input(pair, sees_focus=True)
    assert seen[..., 3].max() == 1
    assert not seen[:, :28, 3].any()
    automatic = pair_input(half_blurred(), sees_focus=True)
    assert not automatic[..., 3].any()
    np.testing.assert_array_equal(automatic[..., :3], pair_input(pair, sees_focus=False))


def test_where_nothing_is_sharp_or_nothing_blurred_there_is_no_point() -> None:
    blurred = gaussian_filter(NOISE, (4, 4, 0))
    for bokeh in (blurred, NOISE):
        for needs_focus in (False, True):
            pair = Pair("flat", NOISE, bokeh, needs_focus=needs_focus)
            assert not any(drawn(pair, 30))
            assert not pair_input(pair, sees_focus=True)[..., 3].any()


def test_a_mask_outside_of_the_crop_leaves_what_is_sharp_there() -> None:
    pair = dataclasses.replace(half_blurred(), subject=np.zeros((96, 128), np.uint8))
    there, without = (sharp_places(halve(one)) for one in (pair, half_blurred()))
    np.testing.assert_array_equal(there, without)


def test_the_innermost_point_is_the_middle_of_a_subject() -> None:
    mask = np.zeros((100, 200), bool)
    mask[20:81, 100:161] = True
    assert innermost_point(mask) == pytest.approx((130.5 / 200, 50.5 / 100))
    # At the border, not on it.
    assert innermost_point(np.ones((100, 100), bool)) == pytest.approx((0.5, 0.5), abs=0.02)
    assert innermost_point(np.zeros((10, 10), bool)) is None
    (point,) = fixed_points(half_blurred(mask=True))
    assert point[0] == pytest.approx(0.75, abs=0.15)


def test_a_crops_disc_is_as_large_as_the_whole_photos() -> None:
    pair = halve(half_blurred())
    areas = [
        halved_input(pair, True, [(0.5, 0.5)], short_side)[..., 3].sum()
        for short_side in (None, 96)
    ]
    assert areas[1] == pytest.approx(4 * areas[0], rel=0.1)
