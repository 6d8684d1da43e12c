"""Shows the output of each recipe side by side: python -m quantize.contact_sheet BUNDLE

    python -m quantize.contact_sheet BUNDLE --data DIR --split test
    python -m quantize.contact_sheet BUNDLE --photos cat.jpg dog.jpg --recipes int8_qat

Pairs are rendered at working size and shown with their targets, photographs at their own size.
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
from pocket_bokeh.metrics import psnr
from pocket_bokeh.photo import WRITTEN_FORMATS, read_photo, to_float, to_uint8, write_photo
from pocket_bokeh.picture_grid import picture_grid
from pocket_bokeh.render import nearest_shape, render_photo
from pocket_bokeh.shaped_model import in_every_shape
from quantize.convert.samples import crop_to_fill, evenly_spaced
from train.data.data_folders import BUILT_IN
from train.data.focus_points import pair_input
from train.data.named_pairs import open_pairs
from train.data.pairs import Pair, Split
from train.loop.training_options import Folders

Models = Mapping[str, Sequence[LiteRTModel]]
"""Models by recipe, each at several working sizes."""


@dataclass(frozen=True)
class ContactSheetOptions:
    """Shows pairs or photos with the output of each recipe of a bundle."""

    bundle: tyro.conf.Positional[Path]
    """Folder created by quantize.export."""
    data: Folders = (BUILT_IN,)
    """Folders of pairs in the EBB! layout. Default: the built-in pairs."""
    split: Split = "val"
    """Split of the data."""
    pairs: int = 4
    """Number of pairs, evenly distributed over the split."""
    photos: tuple[Path, ...] = ()
    """Photos to show instead of pairs."""
    recipes: tuple[str, ...] = ()
    """Recipes to show. Default: all."""
    height: int = 256
    """Height of each picture in the sheet, in pixels."""
    out: Path = Path("contact_sheet.png")
    """Picture to write."""


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
        pairs = evenly_spaced(
            open_pairs(options.data, options.split, bundle.sees_depth), options.pairs
        )
        sheet, shown = contact_sheet(models, pairs, options.height), f"{len(pairs)} pairs"
    write_photo(options.out, sheet)
    print(f"{options.out}: {shown}, {', '.join(models)}")


def load_models(bundle: Bundle, recipes: Sequence[str]) -> Models:
    """Loads the models of each recipe for landscape and portrait.

    Raises:
        UserError: the bundle does not have a recipe.
    """
    return {
        recipe: [shaped.load() for shaped in in_every_shape(bundle, recipe)] for recipe in recipes
    }


def photo_sheet(models: Models, photos: Sequence[np.ndarray], height: int) -> np.ndarray:
    """A sheet with one column per photograph: the photograph, below it the output of each recipe.

    Args:
        models: by recipe.
        photos: height × width × 3, uint8, sRGB.
        height: of each picture in the sheet, in pixels.

    Returns:
        height × width × 3, uint8, sRGB.

    Raises:
        UserError: a photograph is too narrow, or the network needs a depth map.
    """
    rendered = [
        [render_photo(photo, candidates) for photo in photos] for candidates in models.values()
    ]
    labels = [["photo"] * len(photos), *([recipe] * len(photos) for recipe in models)]
    return picture_grid([photos, *rendered], [""] * len(photos), labels, cell_height=height)


def contact_sheet(models: Models, pairs: Sequence[Pair], height: int) -> np.ndarray:
    """A sheet with one row per pair: input, target, and the output of each recipe.

    Returns:
        height × width × 3, uint8, sRGB.
    """
    rows, labels = [], []
    for pair in tqdm(pairs, desc="rendering", leave=False):
        size = nearest_shape(pair.original.shape[:2], next(iter(models.values()))).output_size
        pair = crop_to_fill(pair, size)
        target = to_float(pair.bokeh)
        rows.append([pair.original, pair.bokeh])
        untouched = psnr(to_float(pair.original), target)
        labels.append([f"{pair.name}, untouched {untouched:.2f} dB", ""])
        for candidates in models.values():
            model = nearest_shape(size, candidates)
            seen = pair_input(pair, sees_focus=model.fourth_channel == "focus")
            output = to_uint8(model.run(seen)[..., :3])
            rows[-1].append(output)
            labels[-1].append(f"{psnr(to_float(output), target):.2f} dB")
    return picture_grid(rows, ["input", "target", *models], labels, cell_height=height)


if __name__ == "__main__":
    run_command(main)
