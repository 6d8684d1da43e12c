"""Writes composite pairs, cut-out subjects in front of other backgrounds, as a dataset folder.

python -m train.composites --subjects DIR --backgrounds DIR --out composites --count 2000

A run that was stopped goes on where it was.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import tyro

from pocket_bokeh.errors import run_command
from train.data.composites import SEVERAL_SHARE, find_composites
from train.data.growing_folder import (
    open_growing_folder,
    write_contact_sheet,
    write_missing_pairs,
)


@dataclass(frozen=True)
class CompositesOptions:
    """Write composites as a dataset folder in the layout of EBB!."""

    subjects: tuple[Path, ...]
    """Folders with original/NAME.jpg and subject/NAME.png."""
    backgrounds: tuple[Path, ...]
    """Folders of photographs."""
    out: Path
    """The folder of pairs: original/, bokeh/ and subject/, the mask of what is in focus."""
    count: int = 2000
    """The number of pairs."""
    seed: int = 0
    """Another seed gives other pairs."""
    size: tuple[int, int] = (384, 512)
    """Height and width in pixels, multiples of 64; two of five pairs are upright."""
    several: float = SEVERAL_SHARE
    """Share of the scenes with two or three subjects, of which one is in focus, 0 to 1."""
    sheet: int = 24
    """The number of pairs on the contact sheet."""


def main() -> None:
    options = tyro.cli(CompositesOptions, description=__doc__)
    pairs = find_composites(
        options.subjects,
        options.backgrounds,
        options.count,
        options.seed,
        options.size,
        options.several,
    )
    settings: dict[str, Any] = {
        "seed": options.seed,
        "size": list(options.size),
        "several": options.several,
    }
    settings |= {"subjects": len(pairs.subjects), "backgrounds": len(pairs.backgrounds)}
    open_growing_folder(options.out, settings)
    written = write_missing_pairs(options.out, pairs)
    print(f"{options.out}: {len(pairs)} pairs, {written} of them new")
    if sheet := write_contact_sheet(options.out, pairs, options.sheet):
        print(f"{sheet}: look at it")


if __name__ == "__main__":
    run_command(main)
