"""The focus map, which tells a network what to keep sharp.

It is the fourth channel of the network's input. All zeros mean that the network finds the subject
by itself. Each focus point adds a soft disc, and the network keeps sharp what lies there.

With a photograph whose shorter side has s pixels, a disc has the radius r = 0.04 · s. At the
distance d from the point its value is

    clip((1.25 · r − d) / (0.5 · r), 0, 1)

so it is 1 up to 0.75 · r and 0 from 1.25 · r on. Where discs overlap, the largest value counts.
The map is stored with 8 bits: value · 255, rounded to nearest.
"""

from collections.abc import Sequence

import numpy as np

from pocket_bokeh.errors import UserError
from pocket_bokeh.photo import Size

RADIUS = 0.04
"""Radius of a disc relative to the photograph's shorter side."""

Point = tuple[float, float]
"""x and y as fractions of the upright photograph's width and height, from its left and top."""


def focus_points(focus: Point | Sequence[Point]) -> tuple[Point, ...]:
    """One or several points as a tuple of points.

    Args:
        focus: a point (x, y), a sequence of points, or an empty sequence.

    Raises:
        UserError: it is neither, or a point is outside the photograph.
    """
    try:
        numbers = np.asarray(focus, np.float64)
        pairs = numbers.reshape(-1, 2).tolist()
    except (TypeError, ValueError):
        pairs, numbers = [], np.zeros(1)
    if numbers.size and (not pairs or numbers.shape[-1] != 2):
        raise UserError(
            f"focus {focus}: expected a point (x, y) or several, in fractions of the photo"
        )
    points = tuple((float(x), float(y)) for x, y in pairs)
    for x, y in points:
        # Written so that NaN is refused too.
        if not (0.0 <= x <= 1.0 and 0.0 <= y <= 1.0):
            raise UserError(
                f"focus {x:g},{y:g} is outside the photo; expected x from 0 (left) to 1 (right) "
                "and y from 0 (top) to 1 (bottom)"
            )
    return points


def parse_point(text: str) -> Point:
    """Parses a focus point such as `0.4,0.3`.

    Raises:
        UserError: it is not two numbers, or outside the photograph.
    """
    try:
        x, y = (float(number) for number in text.split(","))
    except ValueError:
        raise UserError(
            f"focus '{text}': expected X,Y such as 0.4,0.3, in fractions of the photo from its "
            "left and top"
        ) from None
    return focus_points((x, y))[0]


def mirrored(points: Sequence[Point]) -> tuple[Point, ...]:
    """The points in the photograph flipped left to right."""
    return tuple((1.0 - x, y) for x, y in points)


def focus_map(size: Size, points: Sequence[Point], short_side: float | None = None) -> np.ndarray:
    """The focus map of a picture that fills the network's input.

    Args:
        size: height and width of the network's input.
        points: in fractions of the picture.
        short_side: shorter side of the whole photograph at the map's scale, in pixels, if the
            picture is a crop of it.

    Returns:
        height × width, uint8.
    """
    height, width = size
    centres = [(x * width, y * height) for x, y in points]
    return draw_discs(size, centres, RADIUS * (short_side or min(size)))


def draw_discs(size: Size, centres: Sequence[Point], radius: float) -> np.ndarray:
    """A focus map with a soft disc at each centre.

    Args:
        size: height and width of the map, that of the network's input.
        centres: x and y in pixels from the map's left and top edge; the centre of the first pixel
            is at (0.5, 0.5). Discs may reach over the edges.
        radius: in pixels, `RADIUS` times the photograph's shorter side at the map's scale.

    Returns:
        height × width, uint8; zeros without centres.
    """
    rows, columns = np.ogrid[0.5 : size[0], 0.5 : size[1]]
    value = np.zeros(size)
    for x, y in centres:
        distance = np.hypot(columns - x, rows - y)
        value = np.maximum(value, (1.25 * radius - distance) / (0.5 * radius))
    return np.rint(255.0 * np.minimum(value, 1.0)).astype(np.uint8)
