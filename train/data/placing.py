"""Places cut-out subjects on an empty canvas: on the ground, or close and anywhere.

A canvas is the frame of the picture with a margin around it, as wide as the largest blur. What its
photograph cut off is cut off again, by the frame's border.
"""

from dataclasses import dataclass

import numpy as np

from train.data.cut_out import CutOut
from train.data.lenses import expand_highlights
from train.data.planes import resize_planes
from train.data.scenery import Random

LARGEST_TINT = 0.15
"""Largest relative change of the light on a subject, in each channel."""

LARGEST_ENLARGEMENT = 1.6
"""A subject is not scaled up more than this, because it would look soft; one that is cut off on two
opposite sides is, if that is needed to reach both borders."""


GROUNDED_SHARE = 0.7
"""Share of the close subjects that reach to the frame's bottom or beyond it."""


@dataclass(frozen=True)
class Canvas:
    """Height and width of the frame in pixels, and of the margin around it."""

    height: int
    width: int
    margin: int

    @property
    def size(self) -> tuple[int, int]:
        """Height and width with the margin."""
        return self.height + 2 * self.margin, self.width + 2 * self.margin

    def frame(self, planes: np.ndarray) -> np.ndarray:
        """The last two axes of planes without the margin."""
        inside = slice(self.margin, -self.margin or None)
        return planes[..., inside, inside]


def place_standing(
    random: Random, subject: CutOut, canvas: Canvas, feet: float, height: float, left: float
) -> np.ndarray:
    """Places a subject on the ground.

    Args:
        random: draws the light and the width.
        subject: the cut-out subject.
        canvas: the frame.
        feet: the row of the feet as a fraction of the frame's height. A subject whose photograph
            cuts it off at the bottom is cut off at the bottom again, wherever its feet would be.
        height: of the subject at most, relative to the frame's.
        left: 0 is the frame's left side, 1 its right side.

    Returns:
        Planes 4 × height × width.
    """
    scale = _scale(subject, canvas, height, random.uniform(0.4, 0.95))
    planes = relight(random, subject, scale)
    tall = planes.shape[1]
    row = round(feet * canvas.height) - tall
    if subject.cut.bottom:
        row = _start(tall, canvas.height, subject.cut.top, True, 0.0)
    column = _start(planes.shape[2], canvas.width, subject.cut.left, subject.cut.right, left)
    return _lay(planes, subject, canvas, row, column)


def place_close(
    random: Random, subject: CutOut, canvas: Canvas, shares: tuple[float, float], left: float
) -> np.ndarray:
    """Places a large subject anywhere, up to a third of it outside the frame.

    Args:
        random: draws the light and the position.
        subject: the cut-out subject.
        canvas: the frame.
        shares: the largest height and width of the subject, relative to the frame's.
        left: 0 is the frame's left side, 1 its right side.

    Returns:
        Planes 4 × height × width.
    """
    planes = relight(random, subject, _scale(subject, canvas, *shares))
    height, width = planes.shape[1:]
    cut = subject.cut
    # Heads are at the top.
    down = random.random() ** 3 if cut.top else random.random()
    row = _start(height, canvas.height, cut.top, cut.bottom, down)
    if not cut.top and not cut.bottom:
        room, beyond = canvas.height - height, random.uniform(0, 1 / 3) * height
        # Feet in the air are rare: mostly the frame cuts them off.
        least = room if random.random() < GROUNDED_SHARE else -height / 10
        row = round(least + down * max(0.0, room + beyond - least))
    column = _start(width, canvas.width, cut.left, cut.right, left)
    return _lay(planes, subject, canvas, row, column)


def relight(random: Random, subject: CutOut, scale: float) -> np.ndarray:
    """Changes the light on a subject and its size.

    Returns:
        4 × height × width: radiance times coverage, and coverage.
    """
    tint = random.uniform(1 - LARGEST_TINT, 1 + LARGEST_TINT, 3)
    light = (random.uniform(0.75, 1.2) * tint).astype(np.float32)[:, None, None]
    radiance = expand_highlights(np.minimum(light * subject.colour, 1)) * subject.coverage
    planes = np.concatenate([radiance, subject.coverage[None]]).astype(np.float32)
    size = tuple(max(8, round(side * scale)) for side in subject.coverage.shape)
    planes = resize_planes(planes, (size[0], size[1]))
    planes[3] = np.minimum(planes[3], 1)
    return planes


def _scale(subject: CutOut, canvas: Canvas, height: float, width: float) -> float:
    """The scale at which a subject fits into shares of the frame and reaches what cuts it off."""
    rows, columns = subject.coverage.shape
    across, down = canvas.width / columns, canvas.height / rows
    scale = min(down * height, across * width, LARGEST_ENLARGEMENT)
    if subject.cut.left and subject.cut.right:
        scale = max(scale, across)
    if subject.cut.top and subject.cut.bottom:
        scale = max(scale, down)
    return scale


def _start(extent: int, frame: int, cut_low: bool, cut_high: bool, where: float) -> int:
    """Where a subject begins along one axis of the frame.

    Args:
        extent: of the subject, in pixels.
        frame: the frame's side, in pixels.
        cut_low, cut_high: whether it is cut off at the beginning and at the end.
        where: 0 is the beginning, 1 the end; a little less or more is beyond the frame.
    """
    room, inside = frame - extent, min(max(where, 0.0), 1.0)
    if cut_low and cut_high:
        return round(inside * min(room, 0))
    if cut_low:  # at the border, or up to a third beyond it
        return round(min(0.0, inside - 1 / 3) * extent)
    if cut_high:  # what is at the other end, mostly a head, is hardly cut off
        return round(max(room, -extent / 10) + max(0.0, inside - 2 / 3) * extent)
    return round(min(max(room * where, -extent / 3), frame - 2 * extent / 3))


def _lay(planes: np.ndarray, subject: CutOut, canvas: Canvas, row: int, column: int) -> np.ndarray:
    """Lays planes on an empty canvas and continues what is cut off into the margin."""
    top, left = row + canvas.margin, column + canvas.margin
    bottom, right = top + planes.shape[1], left + planes.shape[2]
    rows = slice(max(0, top), max(0, bottom))
    columns = slice(max(0, left), max(0, right))
    whole = np.zeros((4, *canvas.size), np.float32)
    target = whole[:, rows, columns]
    target[:] = planes[:, rows.start - top :, columns.start - left :][
        :, : target.shape[1], : target.shape[2]
    ]
    cut = subject.cut
    if cut.bottom and 0 < bottom < whole.shape[1]:
        whole[:, bottom:] = whole[:, bottom - 1 : bottom]
    if cut.top and 0 < top < whole.shape[1]:
        whole[:, :top] = whole[:, top : top + 1]
    if cut.left and 0 < left < whole.shape[2]:
        whole[..., :left] = whole[..., left : left + 1]
    if cut.right and 0 < right < whole.shape[2]:
        whole[..., right:] = whole[..., right - 1 : right]
    return whole
