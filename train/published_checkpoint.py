"""Converts the authors' TensorFlow 1 checkpoint to a network file of this project.

python -m train.published_checkpoint PREFIX --out published.keras
"""

from dataclasses import dataclass
from pathlib import Path

import tyro

from pocket_bokeh.errors import UserError, run_command
from train.network.network_file import check_writable, write_network
from train.network.presets import LEVELS, NETWORKS
from train.network.published_checkpoint import PRESET, read_checkpoint


@dataclass(frozen=True)
class CheckpointOptions:
    """Convert the authors' TensorFlow 1 checkpoint of PyNET to a .keras file."""

    prefix: tyro.conf.Positional[Path]
    """The checkpoint without its suffixes, such as pynet_bokeh_level_0."""
    level: int = 1
    """The level whose output the network gives: 7 (coarsest) to 1 (the photograph's size)."""
    out: Path = Path("model.keras")
    """The file to write; python -m quantize.export takes it at level 1."""


def main() -> None:
    options = tyro.cli(CheckpointOptions)
    if options.level not in LEVELS:
        raise UserError(f"--level {options.level}: PyNET has levels 7 (coarsest) to 1")
    if options.out.exists():
        raise UserError(f"{options.out}: already exists; remove it or choose another --out")
    check_writable(options.out)
    config = NETWORKS[PRESET]
    model = read_checkpoint(options.prefix, config, options.level)
    write_network(options.out, model, PRESET, config, options.level)
    following = f" Next: python -m quantize.export {options.out}" if options.level == 1 else ""
    print(f"{options.out}: level {options.level} of {options.prefix}.{following}")


if __name__ == "__main__":
    run_command(main)
