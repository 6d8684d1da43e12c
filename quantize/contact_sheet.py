"""A picture of what each recipe makes of some pairs: python -m quantize.contact_sheet BUNDLE"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import tyro
from tqdm import tqdm

from quantize.bundle import Bundle, read_bundle
from quantize.compare import fill, pair_input, psnr, spread
from quantize.render import nearest_shape
from quantize.turned import in_every_shape
from train.errors import UserError, run_command
from train.pairs import Pair, Split
from train.photo import to_float, to_uint8, write_photo
from train.picture_grid import picture_grid
from train.run_folder import BUILT_IN, open_pairs


@dataclass(frozen=True)
class ContactSheetOptions:
    """Shows pairs beside what each recipe of a bundle makes of them, with PSNR to the target."""

    bundle: tyro.conf.Positional[Path]
    """A folder that quantize.export made."""
    data: str = BUILT_IN
    """A folder of pairs in the EBB! layout; left out: the built-in pairs."""
    split: Split = "val"
    """Which part of the data."""
    pairs: int = 4
    """How many pairs, evenly spread over the split."""
    height: int = 256
    """Of each picture in the sheet, in pixels."""
    out: Path = Path("contact_sheet.png")
    """The picture to write."""


def main() -> None:
    options = tyro.cli(ContactSheetOptions)
    if options.pairs < 1:
        raise UserError(f"--pairs {options.pairs}: expected at least 1")
    bundle = read_bundle(options.bundle)
    pairs = spread(open_pairs(options.data, options.split, bundle.sees_depth), options.pairs)
    write_photo(options.out, contact_sheet(bundle, pairs, options.height))
    print(f"{options.out}: {len(pairs)} pairs, {', '.join(bundle.recipes)}")


def contact_sheet(bundle: Bundle, pairs: list[Pair], height: int) -> np.ndarray:
    """One row per pair: input, target, and the output of each recipe at working size.

    Returns:
        height × width × 3, uint8, sRGB.
    """
    models = {
        recipe: [shaped.load() for shaped in in_every_shape(bundle, recipe)]
        for recipe in bundle.recipes
    }
    rows, labels = [], []
    for pair in tqdm(pairs, desc="rendering", leave=False):
        size = nearest_shape(pair.original.shape[:2], models[bundle.recipes[0]]).output_size
        pair = fill(pair, size)
        target = to_float(pair.bokeh)
        rows.append([pair.original, pair.bokeh])
        untouched = psnr(to_float(pair.original), target)
        labels.append([f"{pair.name}, untouched {untouched:.2f} dB", ""])
        for candidates in models.values():
            model = nearest_shape(size, candidates)
            output = to_uint8(model.run(pair_input(pair)))
            rows[-1].append(output)
            labels[-1].append(f"{psnr(to_float(output), target):.2f} dB")
    return picture_grid(rows, ["input", "target", *bundle.recipes], labels, cell_height=height)


if __name__ == "__main__":
    run_command(main)
