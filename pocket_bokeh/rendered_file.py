"""A photo file in, a rendered photo file out."""

from pathlib import Path

import numpy as np

from pocket_bokeh.errors import UserError
from pocket_bokeh.model import Model
from pocket_bokeh.photo import (
    WRITTEN_FORMATS,
    check_depth_shape,
    read_camera_photo,
    read_depth,
    write_photo,
)

_LOSSLESS = (".png", ".tif", ".tiff", ".gif", ".bmp")


def render_file(
    file: Path, out: Path, model: Model, depth: Path | None = None, strength: float = 1.0
) -> tuple[int, int]:
    """Renders a photo file to another, which keeps its size, colour profile, date and camera.

    The network sees the colours in the photo's own profile. Display P3 looks a little paler to it
    than sRGB (2.4 steps of 255 on 24 photographs). Conversion to sRGB and back would clip the most
    saturated colours.

    Args:
        file: the photo.
        out: where to write, as `output_file` says.
        model: renders.
        depth: the photo's depth map, for a network that sees one.
        strength: 0…1; 0 leaves the photograph as it is.

    Returns:
        Height and width, upright.

    Raises:
        UserError: the photo or its depth map cannot be read or rendered, or the picture written.
    """
    photo = read_camera_photo(file)
    depth_map = None if depth is None else read_depth_of(photo.pixels, depth)
    try:
        picture = model.render(photo.pixels, depth_map, strength)
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
    """Where a rendering goes: never over the photo, and over another file only if it is named.

    A format that cannot be written becomes JPEG, or PNG where the photo's own is without loss.

    Args:
        photo: the photo's file.
        out: a folder or a file; None for a place beside the photo.

    Raises:
        UserError: the file is the photo itself, or exists and was not named.
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
        raise UserError(f"{out}: is the photo itself; name another place with --out")
    if out.exists() and not named:
        raise UserError(f"{out}: exists already; name another place with --out")
    return out
