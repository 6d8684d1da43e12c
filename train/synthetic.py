"""Writes built-in pairs as a dataset folder.

python -m train.synthetic --out pairs --count 50 --seed 0 --size 384 512
"""

from dataclasses import dataclass
from pathlib import Path

import tyro

from pocket_bokeh.errors import run_command
from train.data.pairs import write_pairs
from train.data.synthetic_pairs import SyntheticPairs


@dataclass(frozen=True)
class SyntheticOptions:
    """Write built-in pairs as a dataset folder in the layout of EBB!."""

    out: Path
    """The folder to create: original/0000.png …, bokeh/0000.png …, original_depth/0000.png …"""
    count: int = 50
    """The number of pairs."""
    seed: int = 0
    """Another seed gives other scenes."""
    size: tuple[int, int] = (384, 512)
    """Height and width in pixels, multiples of 64."""


def main() -> None:
    options = tyro.cli(SyntheticOptions)
    pairs = SyntheticPairs(options.count, options.seed, options.size, depth=True)
    write_pairs(options.out, pairs)
    print(f"{options.out}: {len(pairs)} pairs of {options.size[1]}×{options.size[0]} pixels")


if __name__ == "__main__":
    run_command(main)
