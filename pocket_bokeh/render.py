"""Renders photographs of any size at their own size.

A model works at one size. The photograph is fitted into it and rendered. Detail transfer then
brings the rendering back to the photograph's own size: the model decides where the photograph is
blurred, and what stays sharp keeps the camera's own detail.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from pocket_bokeh.detail_transfer import (
    Overlay,
    at_strength,
    find_overlay,
    lay_over,
    mean_overlay,
)
from pocket_bokeh.errors import UserError
from pocket_bokeh.photo import network_input, resize_photo


@dataclass(frozen=True)
class View:
    """How a network is shown a photograph: its share of the working size; mirrored or not."""

    share: float
    is_mirrored: bool = False

    def turned(self, picture: np.ndarray) -> np.ndarray:
        """A photograph as it is shown, or what was found in it as the photograph is."""
        return picture[:, ::-1] if self.is_mirrored else picture


VIEWS = (View(1.0), View(0.96, is_mirrored=True))
"""A picture is the mean of these. Where a network guesses, it often guesses otherwise at another
size: two views gain 0.2 dB on held-out pairs, more hardly more (docs/experiments.md)."""

SHORTEST_SIDE = 32
"""Pixels at working size: of a narrower strip the coarsest level would see half a pixel."""


class Renderer(Protocol):
    """What turns a network input into a rendered photograph twice its size, float 0…1."""

    input_size: tuple[int, int]
    input_channels: int
    output_size: tuple[int, int]

    def run(self, photo: np.ndarray, /) -> np.ndarray: ...


def render_photo(
    photo: np.ndarray,
    models: Sequence[Renderer],
    depth: np.ndarray | None = None,
    strength: float = 1.0,
) -> np.ndarray:
    """Gives a photograph the bokeh that a model learned, at the photograph's own size.

    Args:
        photo: height × width × 3, uint8, RGB, sRGB-encoded, upright.
        models: the same network at one or more working sizes; the nearest in shape renders.
        depth: height × width, uint8, for a network that sees a depth map.
        strength: 0…1; 0 leaves the photograph as it is.

    Returns:
        height × width × 3, uint8, RGB, sRGB-encoded.

    Raises:
        UserError: the photograph is far too long and narrow, the network sees a depth map and
            there is none, or the other way round, or the strength is out of range.
    """
    check_strength(strength)
    model = nearest_shape(photo.shape[:2], models)
    check_depth(model, given=depth is not None)
    overlay = mean_overlay([_overlay(photo, depth, model, view) for view in VIEWS])
    return lay_over(photo, at_strength(overlay, strength))


def _overlay(photo: np.ndarray, depth: np.ndarray | None, model: Renderer, view: View) -> Overlay:
    """What a model does to a photograph in one view."""
    framed = frame(view.turned(photo), model.output_size, view.share)
    framed_depth = None
    if depth is not None:
        framed_depth = frame(view.turned(depth), model.output_size, view.share).photo
    rendered = np.clip(model.run(network_input(framed.photo, framed_depth)), 0, 1)
    found = find_overlay(framed.cut(framed.photo), framed.cut(rendered))
    return Overlay(view.turned(found.gain), view.turned(found.offset))


def check_depth(model: Renderer, given: bool) -> None:
    """Refuses a photograph without the depth map that a network sees, and one that none sees.

    Raises:
        UserError: says which it is and what to do.
    """
    if model.input_channels == 4 and not given:
        raise UserError(
            "the network sees a depth map beside the photo and there is none; name one with "
            "--depth FILE, grey, like those of the pairs it was trained on"
        )
    if model.input_channels == 3 and given:
        raise UserError("the network sees no depth map; leave --depth out")


def check_strength(strength: float) -> None:
    """Refuses a strength that is not from 0 to 1.

    Raises:
        UserError: it is not.
    """
    if not 0.0 <= strength <= 1.0:
        raise UserError(f"a strength of {strength}; expected 0 (the photo as it is) to 1")


def nearest_shape(size: Sequence[int], models: Sequence[Renderer]) -> Renderer:
    """The model whose working size has the most similar ratio of sides, the largest of equals."""

    def distance(model: Renderer) -> tuple[float, int]:
        height, width = model.output_size
        stretch = math.log(size[0] * width / (size[1] * height))
        return round(abs(stretch), 9), -height * width

    return min(models, key=distance)


@dataclass(frozen=True)
class Framed:
    """A photograph in the middle of a model's working size, mirrored outwards at its borders."""

    photo: np.ndarray
    top: int
    left: int
    height: int
    width: int

    def cut(self, picture: np.ndarray) -> np.ndarray:
        """The photograph's own part of a picture of the working size."""
        return picture[self.top : self.top + self.height, self.left : self.left + self.width]


def frame(photo: np.ndarray, size: tuple[int, int], share: float = 1.0) -> Framed:
    """Fits a photograph, or a depth map, into a share of a size without squashing it.

    Raises:
        UserError: less than `SHORTEST_SIDE` pixels of its shorter side would be left of the whole.
    """
    scale = min(size[0] / photo.shape[0], size[1] / photo.shape[1])
    height, width = (max(1, round(side * scale)) for side in photo.shape[:2])
    if min(height, width) < SHORTEST_SIDE:
        raise UserError(
            f"a photo of {photo.shape[1]}×{photo.shape[0]} pixels is too long and narrow: at most "
            f"{min(size) // SHORTEST_SIDE} times as long as wide can be seen; crop it first"
        )
    height, width = (max(1, round(side * scale * share)) for side in photo.shape[:2])
    top, left = (size[0] - height) // 2, (size[1] - width) // 2
    borders = ((top, size[0] - height - top), (left, size[1] - width - left), (0, 0))
    fitted = np.pad(resize_photo(photo, height, width), borders[: photo.ndim], mode="symmetric")
    return Framed(fitted, top, left, height, width)
