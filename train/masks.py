"""Masks the subjects of photographs, so that they can become training pairs; no DSLR is needed.

python -m train.masks PHOTOS --segmenter FILE.onnx --out subjects

The segmenter is a salient-object network in ONNX, such as IS-Net or U²-Net. Photographs whose mask
cannot be believed are left out and listed with the reason. A run that was stopped goes on.
"""

from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Literal

import tyro

from pocket_bokeh.errors import UserError, run_command
from train.data.growing_folder import open_growing_folder
from train.data.mask_folder import mask_missing_photos, write_mask_sheet
from train.data.photo_folder import photos_by_name
from train.data.segmenter import PREPARATIONS, Colour, Preparation, open_segmenter


@dataclass(frozen=True)
class MasksOptions:
    """Mask the subjects of photographs with a segmentation network."""

    photos: tyro.conf.Positional[Path]
    """A folder of photographs."""
    segmenter: Path
    """The network, an ONNX file."""
    out: Path
    """The folder to write: original/NAME.jpg, subject/NAME.png and left_out.tsv."""
    network: Literal["isnet", "u2net"] = "isnet"
    """Which known network it is, or is like: it sets the input's size and normalization."""
    input_size: int | None = None
    """The input's height and width in pixels, if it is another."""
    mean: Colour | None = None
    """Mean of red, green and blue, 0 to 1, if it is another."""
    std: Colour | None = None
    """Standard deviation of red, green and blue, 0 to 1, if it is another."""
    short_side: int = 640
    """Photographs are shrunk to this shorter side in pixels; smaller ones keep their size."""
    sheet: int = 40
    """The number of masks on the contact sheet."""


def main() -> None:
    options = tyro.cli(MasksOptions, description=__doc__)
    preparation = _preparation(options)
    if not (photos := photos_by_name(options.photos)):
        raise UserError(f"{options.photos}: no photographs; name a folder of them")
    segmenter = open_segmenter(options.segmenter, preparation)
    size = list(segmenter.size)
    settings = asdict(preparation) | {"side": size, "short_side": options.short_side}
    open_growing_folder(options.out, settings | {"segmenter": options.segmenter.name})
    result = mask_missing_photos(options.out, photos, segmenter, options.short_side)
    print(f"{options.out}: {result.masked} subjects, {result.left_out} photographs left out")
    for reason, count in result.reasons.most_common():
        print(f"  {count:6d} {reason}")
    if sheet := write_mask_sheet(options.out, options.sheet):
        print(f"{sheet}: look at it")


def _preparation(options: MasksOptions) -> Preparation:
    known = PREPARATIONS[options.network]
    found = replace(
        known,
        side=options.input_size or known.side,
        mean=options.mean or known.mean,
        std=options.std or known.std,
    )
    if found.side < 32 or found.side % 32:
        raise UserError(f"--input-size {found.side}: expected a multiple of 32")
    if min(found.std) <= 0:
        raise UserError(f"--std {' '.join(map(str, found.std))}: expected values above 0")
    if options.short_side < 64:
        raise UserError(f"--short-side {options.short_side}: expected 64 or more")
    return found


if __name__ == "__main__":
    run_command(main)
