"""The focus map: where its discs lie, how they fade, and which points are refused."""

import numpy as np
import pytest
from PIL import Image, ImageDraw

from pocket_bokeh.errors import UserError
from pocket_bokeh.focus_map import (
    RADIUS,
    Point,
    draw_discs,
    focus_map,
    focus_points,
    mirrored,
    parse_point,
)
from pocket_bokeh.render import View, frame


def test_no_point_means_zeros() -> None:
    empty = focus_map((192, 256), ())
    assert empty.shape == (192, 256)
    assert empty.dtype == np.uint8
    assert not empty.any()


def test_a_disc_is_the_one_that_pillow_draws_with_a_soft_edge() -> None:
    """Pillow draws at 16 times the size the disc where the map is at least one half."""
    height, width, zoom = 160, 200, 16
    disc = focus_map((height, width), [(0.3, 0.7)])
    large = Image.new("L", (width * zoom, height * zoom))
    x, y, radius = 0.3 * width * zoom, 0.7 * height * zoom, RADIUS * height * zoom
    ImageDraw.Draw(large).ellipse([x - radius, y - radius, x + radius, y + radius], fill=255)
    hard = np.asarray(large.resize((width, height), Image.Resampling.BOX))
    inside, outside = hard == 255, hard == 0
    assert disc[inside].min() >= 120
    assert disc[outside].max() <= 135
    assert abs(disc.sum() / hard.sum() - 1) < 0.03
    assert disc[112, 60] == 255


def test_values_are_those_of_the_formula() -> None:
    """With a radius of 8 pixels the value falls from 1 at 6 pixels to 0 at 10."""
    disc = draw_discs((32, 32), [(16.5, 16.5)], 8.0)
    assert disc[16, 16:28].tolist() == [255] * 7 + [191, 128, 64, 0, 0]


def test_of_two_discs_the_larger_value_counts() -> None:
    points = [(0.4, 0.5), (0.45, 0.5)]
    one, other = (focus_map((96, 96), [point]) for point in points)
    assert ((one > 0) & (other > 0)).any()
    np.testing.assert_array_equal(focus_map((96, 96), points), np.maximum(one, other))


def test_a_padded_photo_has_its_disc_where_the_point_lies_in_it() -> None:
    """A photograph that is white at the point and black elsewhere, and the same mirrored."""
    photo = np.zeros((400, 200, 3), np.uint8)
    photo[90:110, 50:60] = 255
    point = (55 / 200, 100 / 400)
    for shown, points in ((photo, [point]), (photo[:, ::-1], mirrored([point]))):
        framed = frame(shown, (384, 512), View(0.96))
        seen = framed.photo[::2, ::2, 0]
        # The padding mirrors the photograph, so the white spot may come again.
        spot = np.zeros(seen.shape)
        rows = slice(framed.top // 2, (framed.top + framed.height) // 2)
        columns = slice(framed.left // 2, (framed.left + framed.width) // 2)
        spot[rows, columns] = seen[rows, columns]
        found = framed.focus_map(points)
        assert found.shape == (192, 256)
        for axis in (0, 1):
            places = np.arange(found.shape[axis])
            centres = [
                (one.sum(1 - axis) * places).sum() / one.sum()
                for one in (found.astype(float), spot)
            ]
            assert centres[0] == pytest.approx(centres[1], abs=0.6)
        # The radius is a share of the photograph's side, not of the padded picture's.
        expected = RADIUS * framed.width / 2
        assert np.sqrt((found / 255).sum() / np.pi) == pytest.approx(expected, rel=0.06)


@pytest.mark.parametrize(
    ("focus", "points"),
    [
        ((), ()),
        ((0.4, 0.3), ((0.4, 0.3),)),
        ([(0.4, 0.3)], ((0.4, 0.3),)),
        ([(0, 0), (1, 1)], ((0.0, 0.0), (1.0, 1.0))),
        (np.array([[0.5, 0.25]]), ((0.5, 0.25),)),
    ],
)
def test_one_point_or_several_are_taken(focus: Point, points: tuple[Point, ...]) -> None:
    assert focus_points(focus) == points


@pytest.mark.parametrize(
    ("focus", "sentence"),
    [
        ((1.4, 0.3), "focus 1.4,0.3 is outside the photo; expected x from 0 .left. to 1 .right."),
        ([(0.4, 0.3), (0.4, -0.1)], "focus 0.4,-0.1 is outside the photo"),
        ((float("nan"), 0.3), "focus nan,0.3 is outside the photo"),
        ((0.4, 0.3, 0.2), "expected a point .x, y. or several, in fractions of the photo"),
        ((0.4, 0.3, 0.2, 0.1), "expected a point .x, y. or several"),
        ("there", "expected a point .x, y. or several"),
        (0.5, "expected a point .x, y. or several"),
    ],
)
def test_other_points_are_refused_in_one_line(focus: Point, sentence: str) -> None:
    with pytest.raises(UserError, match=sentence):
        focus_points(focus)


def test_a_point_is_parsed() -> None:
    assert parse_point("0.4,0.3") == (0.4, 0.3)
    for text in ("0.4", "0.4,0.3,0.2", "left,top", "photo.jpg"):
        with pytest.raises(UserError, match=f"focus '{text}': expected X,Y such as 0.4,0.3"):
            parse_point(text)
