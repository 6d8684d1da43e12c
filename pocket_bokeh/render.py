"""Renders photographs of any size with models of a fixed size.

The photograph is scaled to the model's working size and rendered there. Detail transfer then
enlarges the rendering to the photograph's size: the model decides where the photograph is blurred,
and where it stays sharp, it keeps the camera's detail.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from pocket_bokeh.detail_transfer import (
    at_strength,
    find_overlay,
    lay_over,
    mean_overlay,
    with_mean_sharpness,
)
from pocket_bokeh.errors import UserError
from pocket_bokeh.focus_map import RADIUS, Point, draw_discs, focus_points, mirrored
from pocket_bokeh.photo import FourthChannel, Size, network_input, resize_photo


@dataclass(frozen=True)
class View:
    """One test-time augmentation of the input.

    Attributes:
        scale: size of the photograph relative to the largest that fits the working size.
        is_mirrored: whether the photograph is flipped left to right.
    """

    scale: float
    is_mirrored: bool = False

    def flip(self, picture: np.ndarray) -> np.ndarray:
        """Flips a picture, or flips a result back, if the view is mirrored."""
        return picture[:, ::-1] if self.is_mirrored else picture


VIEWS = (View(1.0), View(0.96, is_mirrored=True))
"""The output is the mean over these views. Where a network is unsure, it often decides differently
at another size or mirrored: two views gain 0.2 dB on held-out pairs, more views hardly more
(docs/experiments.md)."""

SHORTEST_SIDE = 32
"""Shortest allowed side of the scaled photograph in pixels; in a narrower strip the coarsest level
would see half a pixel."""


class Renderer(Protocol):
    """A model: it maps a network input to a rendered photograph of twice its size, float 0…1.

    A fourth channel of it is predicted sharpness.

    `LiteRTModel` is one; its docstrings describe the shapes.
    """

    input_size: Size
    input_channels: int
    fourth_channel: FourthChannel
    output_size: Size

    def run(self, photo: np.ndarray, /) -> np.ndarray: ...


def render_photo(
    photo: np.ndarray,
    models: Sequence[Renderer],
    depth: np.ndarray | None = None,
    strength: float = 1.0,
    focus: Point | Sequence[Point] = (),
) -> np.ndarray:
    """Blurs the background of a photograph.

    Args:
        photo: height × width × 3, uint8, RGB, sRGB-encoded, upright.
        models: the same network at one or more working sizes; the one with the most similar aspect
            ratio is used.
        depth: height × width, uint8, only for a network that takes a depth map.
        strength: strength of the blur, 0…1; 0 leaves the photograph unchanged.
        focus: what to keep sharp, only for a network that takes a focus map: a point (x, y) or
            several, in fractions of the photograph's width and height from its left and top.
            Without points the network finds the subject by itself.

    Returns:
        height × width × 3, uint8, RGB, sRGB-encoded.

    Raises:
        UserError: the photograph is too narrow, `depth` is missing or not supported, a focus point
            is outside the photograph or not supported, or the strength is out of range.
    """
    check_strength(strength)
    points = focus_points(focus)
    model = nearest_shape(photo.shape[:2], models)
    check_depth(model, given=depth is not None)
    check_focus(model, given=bool(points))
    smalls, renderings = zip(
        *(_render_view(photo, depth, points, model, view) for view in VIEWS), strict=True
    )
    overlays = map(find_overlay, smalls, with_mean_sharpness(renderings))
    return lay_over(photo, at_strength(mean_overlay(list(overlays)), strength))


def _render_view(
    photo: np.ndarray,
    depth: np.ndarray | None,
    points: Sequence[Point],
    model: Renderer,
    view: View,
) -> tuple[np.ndarray, np.ndarray]:
    """The photograph at the view's size, and its rendering; neither is mirrored or padded."""
    framed = frame(photo, model.output_size, view)
    framed_depth = framed_focus = None
    if depth is not None:
        framed_depth = frame(depth, model.output_size, view).photo
    if model.fourth_channel == "focus":
        framed_focus = framed.focus_map(mirrored(points) if view.is_mirrored else points)
    seen = network_input(framed.photo, framed_depth, framed_focus)
    rendered = np.clip(model.run(seen), 0, 1)
    return view.flip(framed.crop(framed.photo)), view.flip(framed.crop(rendered))


def check_depth(model: Renderer, given: bool) -> None:
    """Checks that a depth map is given exactly if the network takes one.

    Raises:
        UserError: it is missing or not supported.
    """
    if model.fourth_channel == "depth" and not given:
        raise UserError(
            "the network needs a depth map; name a grey image like those of its training pairs "
            "with --depth FILE"
        )
    if model.fourth_channel != "depth" and given:
        raise UserError("the network takes no depth map; leave --depth out")


def check_focus(model: Renderer, given: bool) -> None:
    """Checks that focus points are given only to a network that takes a focus map.

    Raises:
        UserError: they are not supported.
    """
    if model.fourth_channel != "focus" and given:
        raise UserError(
            "the network cannot be told where to focus; leave --focus out, or use a bundle of a "
            "network that takes a focus map"
        )


def check_strength(strength: float) -> None:
    """Checks that the strength is within 0…1.

    Raises:
        UserError: it is not.
    """
    if not 0.0 <= strength <= 1.0:
        raise UserError(f"strength {strength} is out of range; expected 0 (no blur) to 1")


def nearest_shape(size: Sequence[int], models: Sequence[Renderer]) -> Renderer:
    """The model with the aspect ratio nearest to a size; among equals the largest."""

    def distance(model: Renderer) -> tuple[float, int]:
        height, width = model.output_size
        stretch = math.log(size[0] * width / (size[1] * height))
        return round(abs(stretch), 9), -height * width

    return min(models, key=distance)


@dataclass(frozen=True)
class Framed:
    """A photograph centred in a model's working size and padded by reflection.

    Attributes:
        photo: the padded photograph, working size × 3, or working size for a depth map.
        top, left, height, width: where the photograph is in it, in pixels.
    """

    photo: np.ndarray
    top: int
    left: int
    height: int
    width: int

    def crop(self, picture: np.ndarray) -> np.ndarray:
        """Removes the padding from a picture of the working size."""
        return picture[self.top : self.top + self.height, self.left : self.left + self.width]

    def focus_map(self, points: Sequence[Point]) -> np.ndarray:
        """The focus map for the network's input, half the working size.

        Args:
            points: in fractions of the photograph inside the padding.

        Returns:
            height/2 × width/2, uint8.
        """
        size = (self.photo.shape[0] // 2, self.photo.shape[1] // 2)
        centres = [
            ((self.left + x * self.width) / 2, (self.top + y * self.height) / 2) for x, y in points
        ]
        return draw_discs(size, centres, RADIUS * min(self.height, self.width) / 2)


def frame(photo: np.ndarray, size: Size, view: View = VIEWS[0]) -> Framed:
    """Scales a photograph or depth map to fit into a size, keeps its aspect ratio and pads it.

    It is mirrored after it is scaled: a mirrored copy of 48 megapixels would take 144 MB.

    Args:
        photo: height × width (× 3), uint8.
        size: the working size.
        view: how large it is, relative to the largest that fits, and whether it is mirrored.

    Raises:
        UserError: the shorter side would have fewer than `SHORTEST_SIDE` pixels at scale 1.
    """
    scale = min(size[0] / photo.shape[0], size[1] / photo.shape[1])
    height, width = (max(1, round(side * scale)) for side in photo.shape[:2])
    if min(height, width) < SHORTEST_SIDE:
        raise UserError(
            f"a photo of {photo.shape[1]}×{photo.shape[0]} pixels is too narrow: the longer side "
            f"may be at most {min(size) // SHORTEST_SIDE} times the shorter one; crop it first"
        )
    height, width = (max(1, round(side * scale * view.scale)) for side in photo.shape[:2])
    top, left = (size[0] - height) // 2, (size[1] - width) // 2
    borders = ((top, size[0] - height - top), (left, size[1] - width - left), (0, 0))
    scaled = view.flip(resize_photo(photo, height, width))
    fitted = np.pad(scaled, borders[: photo.ndim], mode="symmetric")
    return Framed(fitted, top, left, height, width)
