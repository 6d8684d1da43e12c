"""Measures the quality of detail transfer: python -m quantize.detail_figures --data DIR

Each pair is reduced, a rendering with a known correct result is made at the small size, and detail
transfer enlarges it. Its PSNR is compared with that of simply enlarging the rendering. The
renderings are:

    true      the reduced target, as a lens would render it
    coarse    the same, halved and doubled: as sharp as the output of a network can be
    untouched the reduced photograph, halved and doubled; the correct result is the photograph
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import tyro
from tqdm import tqdm

from pocket_bokeh.detail_transfer import COARSE, FINE, as_the_network_sees, transfer_detail
from pocket_bokeh.errors import UserError, run_command
from pocket_bokeh.metrics import psnr
from pocket_bokeh.photo import resize_photo, to_float, to_uint8
from train.data.data_folders import BUILT_IN
from train.data.named_pairs import open_pairs
from train.data.pairs import Pair, Split
from train.loop.training_options import Folders

CASES = ("true", "coarse", "untouched")


@dataclass(frozen=True)
class DetailOptions:
    """Options of the command line."""

    data: Folders = (BUILT_IN,)
    """Folders of pairs in the EBB! layout. Default: the built-in pairs."""
    split: Split = "val"
    """Split of the data."""
    reduction: float = 3.0
    """Ratio of the photograph's sides to the rendering's."""
    pairs: int = 24
    """Number of pairs, from the start of the split."""


@dataclass(frozen=True)
class PairPSNR:
    """PSNR in dB of one pair for each of `CASES`: with detail transfer, and merely enlarged."""

    name: str
    transferred: tuple[float, ...]
    enlarged: tuple[float, ...]


def main() -> None:
    options = tyro.cli(DetailOptions, description=__doc__)
    if options.pairs < 1 or options.reduction < 1:
        raise UserError("--pairs and --reduction: at least 1")
    source = open_pairs(options.data, options.split)
    count = min(options.pairs, len(source))
    pairs = (source[index] for index in range(count))
    rows = [measure_pair(pair, options.reduction) for pair in tqdm(pairs, total=count, leave=False)]
    print(psnr_table(rows))


def measure_pair(pair: Pair, reduction: float) -> PairPSNR:
    """Measures all cases on one pair."""
    size = [max(8, round(side / reduction)) for side in pair.original.shape[:2]]
    small = resize_photo(pair.original, *size)
    target = to_float(resize_photo(pair.bokeh, *size))
    settings = FINE, COARSE, COARSE
    expected = to_float(pair.bokeh), to_float(pair.bokeh), to_float(pair.original)
    renderings = target, as_the_network_sees(target), as_the_network_sees(to_float(small))
    transferred, enlarged = [], []
    for rendering, setting, correct in zip(renderings, settings, expected, strict=True):
        detailed = transfer_detail(pair.original, small, rendering, setting)
        transferred.append(psnr(to_float(detailed), correct))
        larger = resize_photo(to_uint8(rendering), *correct.shape[:2])
        enlarged.append(psnr(to_float(larger), correct))
    return PairPSNR(pair.name, tuple(transferred), tuple(enlarged))


def psnr_table(rows: Sequence[PairPSNR]) -> str:
    """A table with a line per pair and the mean."""
    mean = PairPSNR(
        "mean",
        tuple(np.mean([row.transferred for row in rows], axis=0)),
        tuple(np.mean([row.enlarged for row in rows], axis=0)),
    )
    lines = [f"{'pair':24}" + "".join(f" {case:>10} {'enlarged':>9}" for case in CASES)]
    for row in [*rows, mean]:
        figures = zip(row.transferred, row.enlarged, strict=True)
        lines.append(
            f"{row.name:24}" + "".join(f" {ours:10.2f} {theirs:9.2f}" for ours, theirs in figures)
        )
    worse = sum(row.transferred[0] < row.enlarged[0] for row in rows)
    lines.append(
        f"PSNR in dB; of the true renderings, detail transfer is worse for {worse} of {len(rows)}"
    )
    return "\n".join(lines)


if __name__ == "__main__":
    run_command(main)
