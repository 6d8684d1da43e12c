"""A picture of what each recipe makes of some pairs: python -m quantize.contact_sheet BUNDLE

    python -m quantize.contact_sheet BUNDLE --data DIR --split test
    python -m quantize.contact_sheet BUNDLE --photos cat.jpg dog.jpg --recipes int8_qat

Pairs are shown at working size beside their targets; photographs rendered at their own size.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import tyro
from tqdm import tqdm

from pocket_bokeh.bundle import Bundle, read_bundle
from pocket_bokeh.disk import check_can_write
from pocket_bokeh.errors import UserError, run_command
from pocket_bokeh.litert_model import LiteRTModel
from pocket_bokeh.photo import WRITTEN_FORMATS, read_photo, to_float, to_uint8, write_photo
from pocket_bokeh.picture_grid import picture_grid
from pocket_bokeh.render import nearest_shape, render_photo
from pocket_bokeh.transposed_model import in_every_shape
from quantize.proof.comparison import fill, pair_input, psnr, spread
from train.data.named_pairs import BUILT_IN, open_pairs
from train.data.pairs import Pair, Split

Models = Mapping[str, Sequence[LiteRTModel]]
"""By recipe, in the shapes of photographs."""


@dataclass(frozen=True)
class ContactSheetOptions:
    """Shows pairs, or photos, beside what each recipe of a bundle makes of them."""

    bundle: tyro.conf.Positional[Path]
    """A folder that quantize.export made."""
    data: str = BUILT_IN
    """A folder of pairs in the EBB! layout; left out: the built-in pairs."""
    split: Split = "val"
    """Which part of the data."""
    pairs: int = 4
    """How many pairs, evenly spread over the split."""
    photos: tuple[Path, ...] = ()
    """Photos to show instead of pairs."""
    recipes: tuple[str, ...] = ()
    """Which of the bundle's; left out: all."""
    height: int = 256
    """Of each picture in the sheet, in pixels."""
    out: Path = Path("contact_sheet.png")
    """The picture to write."""


def main() -> None:
    options = tyro.cli(ContactSheetOptions)
    if options.pairs < 1:
        raise UserError(f"--pairs {options.pairs}: expected at least 1")
    check_can_write(options.out, *WRITTEN_FORMATS)
    bundle = read_bundle(options.bundle)
    models = load_models(bundle, options.recipes or bundle.recipes)
    if options.photos:
        photos = [read_photo(file) for file in options.photos]
        sheet, shown = photo_sheet(models, photos, options.height), f"{len(photos)} photos"
    else:
        pairs = spread(open_pairs(options.data, options.split, bundle.sees_depth), options.pairs)
        sheet, shown = contact_sheet(models, pairs, options.height), f"{len(pairs)} pairs"
    write_photo(options.out, sheet)
    print(f"{options.out}: {shown}, {', '.join(models)}")


def load_models(bundle: Bundle, recipes: Sequence[str]) -> Models:
    """Each recipe's models, one for every shape of photograph.

    Raises:
        UserError: the bundle has no such recipe.
    """
    return {
        recipe: [shaped.load() for shaped in in_every_shape(bundle, recipe)] for recipe in recipes
    }


def photo_sheet(models: Models, photos: Sequence[np.ndarray], height: int) -> np.ndarray:
    """One column per photograph: itself, and below it what each recipe makes of it.

    Args:
        models: by recipe.
        photos: height × width × 3, uint8, sRGB.
        height: of each picture in the sheet, in pixels.

    Returns:
        height × width × 3, uint8, sRGB.

    Raises:
        UserError: a photograph is too narrow, or the network sees depth.
    """
    rendered = [
        [render_photo(photo, candidates) for photo in photos] for candidates in models.values()
    ]
    labels = [["photo"] * len(photos), *([recipe] * len(photos) for recipe in models)]
    return picture_grid([photos, *rendered], [""] * len(photos), labels, cell_height=height)


def contact_sheet(models: Models, pairs: Sequence[Pair], height: int) -> np.ndarray:
    """One row per pair: input, target, and the output of each recipe at working size.

    Returns:
        height × width × 3, uint8, sRGB.
    """
    rows, labels = [], []
    for pair in tqdm(pairs, desc="rendering", leave=False):
        size = nearest_shape(pair.original.shape[:2], next(iter(models.values()))).output_size
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
    return picture_grid(rows, ["input", "target", *models], labels, cell_height=height)


if __name__ == "__main__":
    run_command(main)
