"""Renders a photograph of any size at its own size. No TensorFlow.

A model works at one size. The photograph is fitted into it, rendered, and brought back to its own
size: the model decides where it is blurred, the camera keeps the detail of what is sharp.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
import tyro
from PIL import Image
from scipy.ndimage import gaussian_filter, uniform_filter

from quantize.bundle import read_bundle
from quantize.runtimes import LiteRTModel
from train.errors import UserError, run_command
from train.photo import (
    check_depth_shape,
    network_input,
    read_depth,
    read_photo,
    resize_photo,
    to_float,
    to_uint8,
    write_photo,
)

SHORTEST_SIDE = 32
"""Pixels at working size: of a narrower strip the coarsest level would see half a pixel."""

_HIGH_PASS_SIGMA = 1.6
_WINDOW_SIGMA = 2.0
_REGULARISER = 1e-5
_GATE = (0.5, 0.85)
_TONE_SIGMA = 2.0
"""In pixels of the working size, on values 0…1. Chosen on 24 pairs 1024 pixels high, rendered at
384×512; PSNR beside that of bicubic enlargement: 37.9 dB (31.3) with the reduced target for a
rendering; 38.6 dB (29.1) with the target halved and doubled, as sharp as a network that sees half
the size makes it; 44.7 dB (25.6), to the photograph, with what a network gives that changes
nothing."""


class Renderer(Protocol):
    """What turns a network input into a rendered photograph twice its size, float 0…1."""

    input_size: tuple[int, int]
    input_channels: int
    output_size: tuple[int, int]

    def run(self, photo: np.ndarray, /) -> np.ndarray: ...


def render_photo(
    photo: np.ndarray, models: Sequence[Renderer], depth: np.ndarray | None = None
) -> np.ndarray:
    """Gives a photograph the bokeh that a model learned, at the photograph's own size.

    Args:
        photo: height × width × 3, uint8, RGB, sRGB-encoded, upright.
        models: the same network at one or more working sizes; the nearest in shape renders.
        depth: height × width, uint8, for a network that sees a depth map.

    Returns:
        height × width × 3, uint8, RGB, sRGB-encoded.

    Raises:
        UserError: the photograph is far too long and narrow, or the network sees a depth map and
            there is none, or the other way round.
    """
    model = nearest_shape(photo.shape[:2], models)
    check_depth(model, given=depth is not None)
    framed = frame(photo, model.output_size)
    framed_depth = None if depth is None else frame(depth, model.output_size).photo
    rendered = model.run(network_input(framed.photo, framed_depth))
    return transfer_detail(photo, framed.cut(framed.photo), framed.cut(np.clip(rendered, 0, 1)))


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


def frame(photo: np.ndarray, size: tuple[int, int]) -> Framed:
    """Fits a photograph, or a depth map, into a size without squashing it.

    Raises:
        UserError: less than `SHORTEST_SIDE` pixels of its shorter side would be left.
    """
    scale = min(size[0] / photo.shape[0], size[1] / photo.shape[1])
    height, width = (max(1, round(side * scale)) for side in photo.shape[:2])
    if min(height, width) < SHORTEST_SIDE:
        raise UserError(
            f"a photo of {photo.shape[1]}×{photo.shape[0]} pixels is too long and narrow: at most "
            f"{min(size) // SHORTEST_SIDE} times as long as wide can be seen; crop it first"
        )
    top, left = (size[0] - height) // 2, (size[1] - width) // 2
    borders = ((top, size[0] - height - top), (left, size[1] - width - left), (0, 0))
    fitted = np.pad(resize_photo(photo, height, width), borders[: photo.ndim], mode="symmetric")
    return Framed(fitted, top, left, height, width)


def transfer_detail(photo: np.ndarray, small: np.ndarray, rendered: np.ndarray) -> np.ndarray:
    """Brings a rendering to the photograph's size, with the photograph's detail where it is sharp.

    up(y − m · fine(y − x)) + m · (photo − up(x)), where x is the photograph at working size, y its
    rendering and m, 0…1, how much of the detail that the network saw survives in y. Where m is 1
    this is the photograph in the tones of the rendering; where m is 0, the rendering alone. Works
    channel by channel: a 12-megapixel photograph takes about 300 MB.

    Args:
        photo: height × width × 3, uint8.
        small: h × w × 3, uint8, the photograph at working size.
        rendered: h × w × 3, float, 0…1.

    Returns:
        height × width × 3, uint8.
    """
    height, width = photo.shape[:2]
    small = to_float(small)
    survival = surviving_detail(small, rendered)
    # What fine detail the network has itself would come twice.
    rendered = rendered - survival[..., None] * _high_pass(rendered - small, _TONE_SIGMA)
    survival = _resize(survival, height, width)
    result = np.empty_like(photo)
    for channel in range(3):
        detail = to_float(photo[..., channel])
        detail -= _resize(small[..., channel], height, width)
        detail *= survival
        detail += _resize(rendered[..., channel], height, width)
        result[..., channel] = to_uint8(detail)
    return result


def surviving_detail(small: np.ndarray, rendered: np.ndarray) -> np.ndarray:
    """How much of the detail that the network saw is left in its rendering, 0…1, h × w.

    The local regression of one high-pass on the other, over all channels, smoothed; a smoothstep
    makes nearly sharp sharp and half blurred blurred. The network sees half the working size:
    held against the photograph itself, even an untouched picture would count as blurred.
    """
    before = _high_pass(_as_the_network_sees(small), _HIGH_PASS_SIGMA)
    after = _high_pass(rendered, _HIGH_PASS_SIGMA)
    common = _smooth((before * after).sum(axis=-1))
    energy = _smooth((before * before).sum(axis=-1))
    share = np.clip(_smooth(common / (energy + _REGULARISER)), 0.0, 1.0)
    step = np.clip((share - _GATE[0]) / (_GATE[1] - _GATE[0]), 0.0, 1.0)
    return step * step * (3.0 - 2.0 * step)


def _as_the_network_sees(picture: np.ndarray) -> np.ndarray:
    """A float picture halved, and doubled as the network doubles what it leaves alone."""
    height, width = picture.shape[:2]
    halves = (height + 1) // 2, (width + 1) // 2
    half = np.stack([_resize(picture[..., channel], *halves) for channel in range(3)], axis=-1)
    doubled = half.repeat(2, axis=0).repeat(2, axis=1)[:height, :width]
    return uniform_filter(doubled, (3, 3, 0))


def _high_pass(picture: np.ndarray, sigma: float) -> np.ndarray:
    return picture - gaussian_filter(picture, (sigma, sigma, 0))


def _smooth(plane: np.ndarray) -> np.ndarray:
    return gaussian_filter(plane, _WINDOW_SIGMA)


def _resize(plane: np.ndarray, height: int, width: int) -> np.ndarray:
    """A float plane at another size, bicubic."""
    image = Image.fromarray(np.ascontiguousarray(plane, dtype=np.float32))
    return np.array(image.resize((width, height), Image.Resampling.BICUBIC))


@dataclass(frozen=True)
class RenderOptions:
    """Renders a photo at its own size with a model of a bundle."""

    bundle: tyro.conf.Positional[Path]
    """A folder that quantize.export made."""
    photo: tyro.conf.Positional[Path]
    """A JPEG, PNG or WebP photo, any size."""
    depth: Path | None = None
    """Its depth map, for a network that sees one: a grey picture of the photo's shape."""
    recipe: str = "int8_qat"
    """Which of the bundle's models renders."""
    out: Path | None = None
    """The picture to write, .jpg, .png or .webp. Left out: PHOTO_bokeh beside the photo."""


def main() -> None:
    options = tyro.cli(RenderOptions)
    models = read_bundle(options.bundle).models_of(options.recipe)
    photo = read_photo(options.photo)
    depth = None if options.depth is None else read_depth_of(photo, options.depth)
    out = output_file(options.photo, options.out)
    try:
        picture = render_photo(photo, [LiteRTModel(options.bundle / m.file) for m in models], depth)
    except UserError as error:
        raise UserError(f"{options.photo}: {error}") from error
    write_photo(out, picture)
    print(f"{out}: {photo.shape[1]}×{photo.shape[0]} pixels, rendered with {options.recipe}")


def read_depth_of(photo: np.ndarray, file: Path) -> np.ndarray:
    """A photograph's depth map, brought to its size.

    Raises:
        UserError: it cannot be read, or has another shape than the photograph.
    """
    check_depth_shape(file, photo.shape[:2])
    return read_depth(file, photo.shape[:2])


def output_file(photo: Path, out: Path | None) -> Path:
    """Where the rendering goes: never over the photograph, and by itself over nothing.

    Raises:
        UserError: the named file is the photograph, or the file by default exists.
    """
    if out is None:
        suffix = photo.suffix if photo.suffix.lower() in (".jpg", ".jpeg") else ".png"
        out = photo.with_name(f"{photo.stem}_bokeh{suffix}")
        if out.exists():
            raise UserError(f"{out}: exists already; name another file with --out")
    if out.resolve() == photo.resolve():
        raise UserError(f"{out}: is the photo itself; name another file with --out")
    return out


if __name__ == "__main__":
    run_command(main)
