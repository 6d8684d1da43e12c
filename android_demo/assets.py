"""Writes the app's assets: the models of the recipes for phones, and the golden pairs.

`android_demo.build` does this itself. Android Studio needs: python -m android_demo.assets

A recipe's portrait and landscape models have the same weights. The second is stored as its XOR with
the first, which is mostly zeros and compresses to almost nothing.
"""

import dataclasses
import os
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import tyro

from android_demo.versions import SOURCES, read_app
from pocket_bokeh.bundle import SHIPPED_BUNDLE, Bundle, read_bundle, rewrite_description
from pocket_bokeh.errors import UserError, run_command

DIFFERENCE_SUFFIX = ".difference"


@dataclass(frozen=True)
class AssetOptions:
    """Copies a bundle to where Android Studio expects the app's assets."""

    bundle: tyro.conf.Positional[Path] = SHIPPED_BUNDLE
    """A bundle, as written by `quantize.export`."""


def main() -> None:
    options = tyro.cli(AssetOptions)
    folder = SOURCES / "assets" / "bundle"
    bundle = read_bundle(options.bundle)
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".bundle.", dir=folder.parent) as beside:
        write_assets(bundle, read_app().recipes, Path(beside) / "bundle")
        shutil.rmtree(folder, ignore_errors=True)
        os.rename(Path(beside) / "bundle", folder)
    print(f"{folder}: the models of {options.bundle}")


def write_assets(bundle: Bundle, recipes: Sequence[str], folder: Path) -> None:
    """Writes the files that the app reads.

    Args:
        bundle: as `read_bundle` gives it.
        recipes: whose models to include, as far as the bundle has them.
        folder: to create; becomes `bundle` in the app's assets.

    Raises:
        UserError: the bundle has none of the recipes, or its network takes a depth map.
    """
    if bundle.sees_depth:
        raise UserError(
            f"{bundle.folder}: its network takes a depth map, which photos on a phone do not have; "
            "name a bundle of a network without one"
        )
    kept = [recipe for recipe in recipes if recipe in bundle.recipes]
    if not kept:
        raise UserError(
            f"{bundle.folder}: has none of the recipes for phones ({', '.join(recipes)}); it has "
            f"{', '.join(bundle.recipes)}"
        )
    folder.mkdir(parents=True)
    models = bundle.models_of_all(kept)
    rewrite_description(dataclasses.replace(bundle, folder=folder, models=models, records={}))
    for pair in bundle.golden:
        for name in pair.checksums():
            (folder / name).write_bytes((bundle.folder / name).read_bytes())
    for recipe in kept:
        first, *others = (model.file for model in bundle.models_of(recipe))
        base = (bundle.folder / first).read_bytes()
        (folder / first).write_bytes(base)
        for other in others:
            difference = exclusive_or((bundle.folder / other).read_bytes(), base)
            (folder / (other + DIFFERENCE_SUFFIX)).write_bytes(difference)


def exclusive_or(content: bytes, base: bytes) -> bytes:
    """XORs the content with as much of the base; a second time restores the content."""
    base = base[: len(content)].ljust(len(content), b"\0")
    both = int.from_bytes(content, "little") ^ int.from_bytes(base, "little")
    return both.to_bytes(len(content), "little")


if __name__ == "__main__":
    run_command(main)
