"""Makes training pairs out of photographs with masks of their subjects; no DSLR is needed.

python -m train.render_pairs PHOTOS --out rendered --backgrounds DIR

PHOTOS holds original/NAME.jpg and subject/NAME.png. A run that was stopped goes on where it was.
"""

import time
from dataclasses import dataclass
from pathlib import Path

import tyro

from pocket_bokeh.errors import UserError, run_command
from train.data.growing_folder import (
    open_growing_folder,
    write_contact_sheet,
    write_missing_pairs,
)
from train.data.masked_photos import check_masks, find_masked_photos, sharpness_of
from train.data.pairs import hash_fraction
from train.data.photo_folder import check_photos, photos_by_name
from train.data.rendered_pairs import RenderedPairs, choose_photographs


@dataclass(frozen=True)
class RenderPairsOptions:
    """Make training pairs out of photographs with masks of their subjects."""

    photos: tyro.conf.Positional[Path]
    """A folder with original/NAME.jpg and subject/NAME.png, as `train.masks` makes it."""
    out: Path
    """The folder of pairs: original/NAME.jpg, bokeh/NAME.jpg, subject/NAME.png."""
    backgrounds: Path | None = None
    """A folder of photographs without a subject. Each becomes a pair whose target is itself."""
    scenes: int | None = None
    """The number of these photographs. Default: all."""
    count: int | None = None
    """The number of pairs with a subject. Photographs are used several times if it is larger than
    their number, each time with another lens. By default, each is used once."""
    short_side: int = 480
    """The pairs' shorter side in pixels. Smaller photographs keep their size."""
    soft_share: float = 0.1
    """How many of the photographs with a background that is already soft are used, from 0 to 1."""
    seed: int = 0
    """Another seed gives other lenses."""
    sheet: int = 24
    """The number of pairs on the contact sheet."""


def main() -> None:
    options = tyro.cli(RenderPairsOptions, description=__doc__)
    _check(options)
    pairs = _find_pairs(options)
    started = time.monotonic()
    written = write_missing_pairs(options.out, pairs)
    rate = written / (time.monotonic() - started)
    print(f"{options.out}: {len(pairs)} pairs, {written} of them new ({rate:.1f} a second)")
    if sheet := write_contact_sheet(options.out, pairs, options.sheet):
        print(f"{sheet}: look at it")


def _check(options: RenderPairsOptions) -> None:
    for name in ("count", "scenes"):
        value = getattr(options, name)
        if value is not None and value < 1:
            raise UserError(f"--{name} {value}: expected 1 or more")
    if options.seed < 0:
        raise UserError(f"--seed {options.seed}: expected 0 or more")
    if options.short_side < 64:
        raise UserError(f"--short-side {options.short_side}: expected 64 or more")
    if not 0 <= options.soft_share <= 1:
        raise UserError(f"--soft-share {options.soft_share}: expected 0 to 1")


def _find_pairs(options: RenderPairsOptions) -> RenderedPairs:
    """Finds, checks and chooses the photographs, and opens the output folder."""
    photographs = find_masked_photos(options.photos)
    behind = photos_by_name(options.backgrounds) if options.backgrounds else {}
    if options.backgrounds and not behind:
        raise UserError(f"{options.backgrounds}: no photographs for --backgrounds")
    settings = {
        "seed": options.seed,
        "short_side": options.short_side,
        "soft_share": options.soft_share,
        "photographs": len(photographs),
    }
    check_masks(options.photos, photographs)
    if options.backgrounds:
        check_photos(options.backgrounds, behind.values())
    open_growing_folder(options.out, settings)
    sharpness = sharpness_of(photographs, options.out / "sharpness.tsv")
    chosen = choose_photographs(photographs, sharpness, options.soft_share)
    soft = sum(each.background_is_soft for each in sharpness.values())
    print(f"{options.photos}: {len(photographs)} photographs; {soft} have a soft background")
    count = options.count or len(chosen)
    # A hash of the name chooses, so that a larger number only adds scenes.
    scenes = sorted(behind.values(), key=lambda file: hash_fraction(file.stem))[: options.scenes]
    return RenderedPairs(chosen, tuple(scenes), count, options.seed, options.short_side)


if __name__ == "__main__":
    run_command(main)
