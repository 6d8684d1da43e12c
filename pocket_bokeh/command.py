"""The command `pocket-bokeh photo.jpg` renders photos."""

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro
from tqdm import tqdm

from pocket_bokeh.errors import UserError, run_command
from pocket_bokeh.focus_map import parse_point
from pocket_bokeh.model import SHIPPED_RECIPE, Model, load
from pocket_bokeh.render import check_strength
from pocket_bokeh.rendered_file import make_folder, output_file, render_file


@dataclass(frozen=True)
class RenderOptions:
    """Blurs the background of photos. The output has the size of the photo."""

    photos: tyro.conf.Positional[tuple[Path, ...]]
    """JPEG, PNG, WebP, HEIC or AVIF photos of any size."""
    out: Path | None = None
    """Output folder, created if missing. For a single photo also a .jpg, .png or .webp file.
    Default: PHOTO_bokeh beside each photo."""
    strength: float = 1.0
    """Strength of the blur, 0 to 1; 0 leaves the photo unchanged."""
    recipe: str = SHIPPED_RECIPE
    """Which of the bundle's models to use."""
    bundle: Path | None = None
    """Folder created by quantize.export. Default: the models that ship with Pocket Bokeh."""
    focus: Annotated[tuple[str, ...], tyro.conf.UseAppendAction] = ()
    """What to keep sharp in a single photo, for networks that take a focus map: X,Y such as
    0.4,0.3, in fractions of the photo from its left and top. Give it several times for several
    points. Default: the network finds the subject by itself."""
    depth: Path | None = None
    """Depth map of a single photo, for networks that take one: a grey image with the photo's aspect
    ratio."""


def start() -> None:
    """Entry point of `pocket-bokeh` and `python -m pocket_bokeh`."""
    run_command(main)


def main() -> None:
    options = tyro.cli(RenderOptions, prog="pocket-bokeh")
    _check(options)
    model = load(options.bundle, options.recipe)
    if options.out is not None:
        make_folder(options.out, len(options.photos))
    failures = _render_all(options, model)
    if failures:
        raise UserError(
            f"{failures} of {len(options.photos)} photos could not be rendered, see above; the "
            "others are done"
        )


def _check(options: RenderOptions) -> None:
    if not options.photos:
        raise UserError("no photo given; name at least one")
    if options.depth is not None and len(options.photos) > 1:
        raise UserError("--depth belongs to a single photo; render photos with depth one by one")
    if options.focus and len(options.photos) > 1:
        raise UserError("--focus belongs to a single photo; render such photos one by one")
    for point in options.focus:
        parse_point(point)
    check_strength(options.strength)


def _render_all(options: RenderOptions, model: Model) -> int:
    """Renders every photo. If one fails, prints the reason and goes on with the next.

    Returns:
        The number of photos that failed.
    """
    failures = 0
    focus = [parse_point(point) for point in options.focus]
    alone = len(options.photos) == 1
    for photo in tqdm(options.photos, desc="rendering", unit="photo", disable=alone):
        try:
            out = output_file(photo, options.out)
            height, width = render_file(photo, out, model, options.depth, options.strength, focus)
        except UserError as error:
            if alone:
                raise
            tqdm.write(f"error: {error}", file=sys.stderr)
            failures += 1
        else:
            tqdm.write(f"{out}: {width}×{height} pixels, rendered with {options.recipe}")
    return failures
