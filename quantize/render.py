"""Renders photographs of any size at their own size. No TensorFlow.

A model works at one size. The photograph is fitted into it, rendered, and brought back to its own
size: the model decides where it is blurred, the camera keeps the detail of what is sharp.

On the command line a photograph keeps its colour profile, and the network sees its codes as they
are: Display P3 looks a little paler to it than sRGB (2.4 steps of 255 on 24 photographs) and grey
the same, while conversion to sRGB and back would clip the most saturated colours.
"""

import math
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
import tyro
from tqdm import tqdm

from quantize.bundle import read_bundle
from quantize.detail import Overlay, find_overlay, lay_over, mean_overlay
from quantize.turned import in_every_shape
from train.errors import UserError, run_command
from train.photo import (
    WRITTEN_FORMATS,
    check_depth_shape,
    network_input,
    read_camera_photo,
    read_depth,
    resize_photo,
    write_photo,
)


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
    return lay_over(photo, mean_overlay([_overlay(photo, depth, model, view) for view in VIEWS]))


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


@dataclass(frozen=True)
class RenderOptions:
    """Renders photos at their own size with a model of a bundle."""

    bundle: tyro.conf.Positional[Path]
    """A folder that quantize.export made."""
    photos: tyro.conf.Positional[tuple[Path, ...]]
    """JPEG, PNG, WebP, AVIF, HEIC or TIFF photos of up to 200 megapixels."""
    depth: Path | None = None
    """The depth map of the one photo, for a network that sees one: grey, of the photo's shape."""
    recipe: str = "int8_qat"
    """Which of the bundle's models renders."""
    out: Path | None = None
    """A folder, made if missing; of one photo also a file, .jpg, .png or .webp. Left out:
    PHOTO_bokeh beside each photo."""


def main() -> None:
    options = tyro.cli(RenderOptions)
    _check(options)
    shapes = in_every_shape(read_bundle(options.bundle), options.recipe)
    models = [shaped.load() for shaped in shapes]
    if options.out is not None:
        make_folder(options.out, len(options.photos))
    failures = 0
    alone = len(options.photos) == 1
    for photo in tqdm(options.photos, desc="rendering", unit="photo", disable=alone):
        try:
            out = output_file(photo, options.out)
            height, width = render_file(photo, out, models, options.depth)
        except UserError as error:
            if alone:
                raise
            tqdm.write(f"error: {error}", file=sys.stderr)
            failures += 1
        else:
            tqdm.write(f"{out}: {width}×{height} pixels, rendered with {options.recipe}")
    if failures:
        raise UserError(
            f"{failures} of {len(options.photos)} photos could not be rendered, for the reasons "
            "above; the others are done"
        )


def _check(options: RenderOptions) -> None:
    if not options.photos:
        raise UserError("no photo; name at least one after the bundle")
    if options.depth is not None and len(options.photos) > 1:
        raise UserError("--depth is the map of one photo; render photos with depth one by one")


def render_file(
    file: Path, out: Path, models: Sequence[Renderer], depth: Path | None = None
) -> tuple[int, int]:
    """Renders a photo file to another, which keeps its size, colour profile, date and camera.

    Returns:
        height and width, upright.

    Raises:
        UserError: the photo or its depth map cannot be read or rendered, or the picture written.
    """
    photo = read_camera_photo(file)
    depth_map = None if depth is None else read_depth_of(photo.pixels, depth)
    try:
        picture = render_photo(photo.pixels, models, depth_map)
    except UserError as error:
        raise UserError(f"{file}: {error}") from error
    write_photo(out, picture, profile=photo.profile, exif=photo.exif)
    return picture.shape[0], picture.shape[1]


def read_depth_of(photo: np.ndarray, file: Path) -> np.ndarray:
    """A photograph's depth map, brought to its size.

    Raises:
        UserError: it cannot be read, or has another shape than the photograph.
    """
    check_depth_shape(file, photo.shape[:2])
    return read_depth(file, photo.shape[:2])


def make_folder(out: Path, photos: int) -> None:
    """Makes the folder that --out names; of one photo it may be a file, which has an ending.

    Raises:
        UserError: there is, or is to be, a file where several photos need a folder.
    """
    if out.is_dir() or (photos == 1 and out.suffix):
        return
    if out.exists() or out.suffix.lower() in WRITTEN_FORMATS:
        raise UserError(f"{out}: a file, expected a folder for the pictures; name one with --out")
    try:
        out.mkdir(parents=True, exist_ok=True)
    except NotADirectoryError as error:
        raise UserError(f"{out}: cannot be made inside a file; name another --out") from error


def output_file(photo: Path, out: Path | None) -> Path:
    """Where the rendering goes: never over the photograph, and over no file but a named one.

    Args:
        photo: where it comes from.
        out: a folder or a file; None for beside the photograph.

    Raises:
        UserError: the file is the photograph, or exists and was not named.
    """
    named = out is not None and not out.is_dir()
    suffix = photo.suffix if photo.suffix.lower() in (".jpg", ".jpeg") else ".png"
    if out is None:
        out = photo.with_name(f"{photo.stem}_bokeh{suffix}")
    elif not named:
        out = out / f"{photo.stem}{suffix}"
    if out.resolve() == photo.resolve():
        raise UserError(f"{out}: is the photo itself; name another place with --out")
    if out.exists() and not named:
        raise UserError(f"{out}: exists already; name another place with --out")
    return out


if __name__ == "__main__":
    run_command(main)
