"""Renders a photo file to another file."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from pocket_bokeh.errors import UserError
from pocket_bokeh.focus_map import Point
from pocket_bokeh.model import Model
from pocket_bokeh.photo import (
    WRITTEN_FORMATS,
    CameraPhoto,
    Size,
    check_depth_shape,
    read_camera_photo,
    read_depth,
    write_photo,
)

_LOSSLESS = (".png", ".tif", ".tiff", ".gif", ".bmp")


def render_file(
    file: Path,
    out: Path,
    model: Model,
    depth: Path | None = None,
    strength: float = 1.0,
    focus: Sequence[Point] = (),
) -> Size:
    """Renders a photo file to another with the same size, colour profile and EXIF.

    The network gets the pixels in the photo's own profile, although it was trained on sRGB; Display
    P3 looks a little paler to it (by 2.4/255 on average over 24 photographs). A conversion to sRGB
    and back would clip the most saturated colours.

    Args:
        file: the photo.
        out: the output file; `output_file` chooses one.
        model: the model.
        depth: the photo's depth map, for a network that takes one.
        strength: strength of the blur, 0…1; 0 leaves the photograph unchanged.
        focus: points to keep sharp, as in `Model.render`.

    Returns:
        Height and width, upright.

    Raises:
        UserError: a file cannot be read, rendered or written.
    """
    picture = _rendered(file, model, depth, strength, focus)
    write_photo(out, picture.pixels, profile=picture.profile, exif=picture.exif)
    return picture.pixels.shape[0], picture.pixels.shape[1]


def _rendered(
    file: Path, model: Model, depth: Path | None, strength: float, focus: Sequence[Point]
) -> CameraPhoto:
    """The rendering of a photo file.

    The photo's own pixels are gone when this returns. Otherwise 48 megapixels would take 144 MB
    beside the rendering and its encoder.
    """
    photo = read_camera_photo(file)
    depth_map = None if depth is None else read_depth_of(photo.pixels, depth)
    try:
        picture = model.render(photo.pixels, depth_map, strength, focus)
    except UserError as error:
        raise UserError(f"{file}: {error}") from error
    return replace(photo, pixels=picture)


def read_depth_of(photo: np.ndarray, file: Path) -> np.ndarray:
    """Reads the depth map of a photograph and resizes it to the photograph's size.

    Returns:
        height × width, uint8.

    Raises:
        UserError: it cannot be read, or its aspect ratio differs from the photograph's.
    """
    check_depth_shape(file, photo.shape[:2])
    return read_depth(file, photo.shape[:2])


def make_folder(out: Path, photos: int) -> None:
    """Creates the folder named by --out. For a single photo, a path with an ending is a file.

    Raises:
        UserError: --out is a file, but several photos need a folder.
    """
    if out.is_dir() or (photos == 1 and out.suffix):
        return
    if out.exists() or out.suffix.lower() in WRITTEN_FORMATS:
        raise UserError(f"{out}: is a file; name a folder for the pictures with --out")
    try:
        out.mkdir(parents=True, exist_ok=True)
    except NotADirectoryError as error:
        raise UserError(f"{out}: its parent is a file; choose another --out") from error


def output_file(photo: Path, out: Path | None) -> Path:
    """Chooses the output file of a photo.

    It never overwrites the photo, and another file only if `out` names it. Formats that cannot be
    written become PNG if they are lossless, otherwise JPEG.

    Args:
        photo: the photo's file.
        out: a folder or a file; None for a file beside the photo.

    Raises:
        UserError: the output would overwrite the photo, or a file that `out` does not name.
    """
    named = out is not None and not out.is_dir()
    suffix = ".png" if photo.suffix.lower() in _LOSSLESS else ".jpg"
    if photo.suffix.lower() in WRITTEN_FORMATS:
        suffix = photo.suffix
    if out is None:
        out = photo.with_name(f"{photo.stem}_bokeh{suffix}")
    elif not named:
        out = out / f"{photo.stem}{suffix}"
    if out.resolve() == photo.resolve():
        raise UserError(f"{out}: is the photo itself; choose another file with --out")
    if out.exists() and not named:
        raise UserError(f"{out}: exists already; choose another file with --out")
    return out
