"""Merges folders of pairs into one; a folder may be repeated to give its pairs more weight.

python -m train.merge_folders --train photos/train:4 composites --val photos/val --out merged
"""

from dataclasses import dataclass
from pathlib import Path

import tyro

from pocket_bokeh.errors import run_command
from train.data.merged_folders import merge_folders


@dataclass(frozen=True)
class MergeOptions:
    """The command line's options."""

    train: tuple[str, ...]
    """Folders with original/ and bokeh/ for training; FOLDER:N is taken N times."""
    out: Path
    """The folder to create: train/original/…, train/bokeh/… and the same in val/."""
    val: tuple[str, ...]
    """Folders for validation."""


def main() -> None:
    options = tyro.cli(MergeOptions, description=__doc__)
    counts = merge_folders({"train": options.train, "val": options.val}, options.out)
    words = ", ".join(f"{count} for {split}" for split, count in counts.items())
    print(f"{options.out}: pairs: {words}")


if __name__ == "__main__":
    run_command(main)
