"""Chooses where a network is told to focus, and makes its input for a pair.

In training, half of the examples have an empty focus map, so that the network finds the subject by
itself. The others have a disc somewhere on what is sharp in the pair. Pairs that are focused
elsewhere than a camera would focus by itself (`Pair.needs_focus`) always have one.
"""

from collections.abc import Sequence

import numpy as np
from scipy.ndimage import distance_transform_edt

from pocket_bokeh.focus_map import Point, focus_map
from pocket_bokeh.photo import to_float
from train.data.pair_transforms import halve
from train.data.pairs import Pair
from train.data.sharpness_target import sharpness_target

TOLD_SHARE = 0.5
"""Share of the examples with a focus point."""

TWO_POINTS_SHARE = 0.1
"""Share of these with two points."""

_INSIDE = 230
"""Values of a mask from here on, of 255, are inside the subject."""

_SHARP_SHARE, _TEXTURE_WEIGHT = 0.8, 0.5
"""Without a mask, a place is sharp where the bokeh photograph keeps this share of the photograph's
detail, and where there is as much detail (`train.data.sharpness_target`)."""


def random_points(pair: Pair, random: np.random.Generator) -> tuple[Point, ...]:
    """Draws the focus points of a training example.

    Args:
        pair: cropped, augmented, and as large as the network sees it (`pair_transforms.halve`).
        random: the source of randomness.

    Returns:
        No point, one or two, in fractions of the cropped pair; none where nothing is sharp.
    """
    if not pair.needs_focus and random.random() >= TOLD_SHARE:
        return ()
    count = 2 if random.random() < TWO_POINTS_SHARE else 1
    sharp = sharp_places(pair)
    places = np.flatnonzero(sharp)
    if not places.size:
        return ()
    drawn = random.choice(places, count)
    return tuple(_point(place, sharp.shape) for place in drawn)


def innermost_point(sharp: np.ndarray) -> Point | None:
    """The point that is farthest from all places that are not sharp; None if nothing is.

    Args:
        sharp: height × width, bool, such as a mask of the subject.

    Returns:
        x and y in fractions of the width and height.
    """
    if not sharp.any():
        return None
    # Zeros around it, so that a subject at the border has its point inside the picture.
    inside = distance_transform_edt(np.pad(sharp, 1))[1:-1, 1:-1]
    return _point(int(np.argmax(inside)), sharp.shape)


def needed_points(pair: Pair) -> tuple[Point, ...]:
    """The focus point without which a network cannot know the pair's target; usually none."""
    return fixed_points(pair) if pair.needs_focus else ()


def fixed_points(pair: Pair) -> tuple[Point, ...]:
    """The innermost point of what is sharp in a pair; none where nothing is."""
    point = innermost_point(sharp_places(halve(pair)))
    return () if point is None else (point,)


def sharp_places(pair: Pair) -> np.ndarray:
    """Where a pair is in focus: inside its mask, or else where its bokeh keeps detail.

    A pair without any blur is in focus nowhere in particular: a point there would teach the network
    that points change nothing.

    Args:
        pair: as large as the network sees it (`pair_transforms.halve`).

    Returns:
        The pair's height × width, bool.
    """
    if pair.subject is not None and (inside := pair.subject >= _INSIDE).any():
        return inside
    if np.array_equal(pair.original, pair.bokeh):
        return np.zeros(pair.original.shape[:2], bool)
    original, bokeh = to_float(pair.original), to_float(pair.bokeh)
    share, weight = np.moveaxis(sharpness_target(original, bokeh, level=2), -1, 0)
    return (share >= _SHARP_SHARE) & (weight >= _TEXTURE_WEIGHT)


def pair_input(pair: Pair, sees_focus: bool, points: Sequence[Point] | None = None) -> np.ndarray:
    """The network's input for a pair: half its size, float32, 0…1.

    Args:
        pair: uint8, with even sides.
        sees_focus: whether the network takes a focus map.
        points: where it is told to focus, in fractions of the pair. None tells it nothing, except
            for pairs that need it.

    Returns:
        height/2 × width/2 × 3, or × 4 with the pair's depth map or with a focus map.
    """
    if sees_focus and points is None:
        points = needed_points(pair)
    return halved_input(halve(pair), sees_focus, points or ())


def halved_input(
    pair: Pair, sees_focus: bool, points: Sequence[Point], short_side: float | None = None
) -> np.ndarray:
    """The network's input for a pair that is as large as the network sees it; see `pair_input`.

    Args:
        pair: uint8, height × width (`pair_transforms.halve`).
        sees_focus: whether the network takes a focus map.
        points: where it is told to focus, in fractions of the pair.
        short_side: of a crop, the whole photograph's shorter side at the crop's scale in pixels,
            by which the discs are as large as in the whole photograph.

    Returns:
        height × width × 3, or × 4 with the pair's depth map or with a focus map.
    """
    fourth = focus_map(pair.original.shape[:2], points, short_side) if sees_focus else pair.depth
    planes = (pair.original,) if fourth is None else (pair.original, fourth)
    return to_float(np.dstack(planes))


def _point(place: int, shape: tuple[int, ...]) -> Point:
    """The centre of a pixel by its number, in fractions of the picture."""
    row, column = np.unravel_index(place, shape)
    return (float(column) + 0.5) / shape[1], (float(row) + 0.5) / shape[0]
