"""Writes composite pairs, cut-out subjects in front of other backgrounds, as a dataset folder.

python -m train.composites --subjects DIR --backgrounds DIR --out composites --count 2000
"""

from dataclasses import dataclass
from pathlib import Path

import tyro

from pocket_bokeh.errors import run_command
from train.data.composites import find_composites
from train.data.pairs import write_pairs


@dataclass(frozen=True)
class CompositesOptions:
    """Write composites as a dataset folder in the layout of EBB!."""

    subjects: Path
    """A folder with original/NAME.jpg and subject/NAME.png."""
    backgrounds: Path
    """A folder of photographs."""
    out: Path
    """The folder to create: original/composite_00000.png …, bokeh/composite_00000.png …"""
    count: int = 2000
    """The number of pairs."""
    seed: int = 0
    """Another seed gives other pairs."""
    size: tuple[int, int] = (384, 512)
    """Height and width in pixels, multiples of 64; two of five pairs are upright."""


def main() -> None:
    options = tyro.cli(CompositesOptions, description=__doc__)
    pairs = find_composites(
        options.subjects, options.backgrounds, options.count, options.seed, options.size
    )
    write_pairs(options.out, pairs)
    print(f"{options.out}: {len(pairs)} pairs")


if __name__ == "__main__":
    run_command(main)
