"""How much of a photograph's detail comes back: python -m quantize.detail_figures --data DIR

A pair is made small, rendered by something whose answer is known, and brought back to its size.
Beside it stands the same rendering enlarged, which is what detail transfer has to beat:

    true      the target made small: as a lens would render it
    coarse    the same halved and doubled, as sharp as a network that sees half the size makes it
    untouched the photograph as such a network leaves it alone; the answer is the photograph
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import tyro
from tqdm import tqdm

from pocket_bokeh.detail_transfer import COARSE, FINE, as_the_network_sees, transfer_detail
from pocket_bokeh.errors import UserError, run_command
from pocket_bokeh.photo import resize_photo, to_float, to_uint8
from quantize.proof.comparison import psnr
from train.data.named_pairs import BUILT_IN, open_pairs
from train.data.pairs import Pair, Split

CASES = ("true", "coarse", "untouched")


@dataclass(frozen=True)
class DetailOptions:
    """What the command line takes."""

    data: str = BUILT_IN
    """A folder of pairs in the EBB! layout. Left out: the built-in pairs."""
    split: Split = "val"
    """Which part of the data."""
    reduction: float = 3.0
    """How much smaller the rendering is than the photograph."""
    pairs: int = 24
    """How many pairs, the first of the split."""


@dataclass(frozen=True)
class Row:
    """PSNR in dB of one pair: by case, with the photograph's detail and merely enlarged."""

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
    print(table(rows))


def measure_pair(pair: Pair, reduction: float) -> Row:
    """One pair in all cases."""
    size = [max(8, round(side / reduction)) for side in pair.original.shape[:2]]
    small = resize_photo(pair.original, *size)
    target = to_float(resize_photo(pair.bokeh, *size))
    measures = FINE, COARSE, COARSE
    answers = to_float(pair.bokeh), to_float(pair.bokeh), to_float(pair.original)
    renderings = target, as_the_network_sees(target), as_the_network_sees(to_float(small))
    transferred, enlarged = [], []
    for rendering, measure, answer in zip(renderings, measures, answers, strict=True):
        brought_back = transfer_detail(pair.original, small, rendering, measure)
        transferred.append(psnr(to_float(brought_back), answer))
        larger = resize_photo(to_uint8(rendering), *answer.shape[:2])
        enlarged.append(psnr(to_float(larger), answer))
    return Row(pair.name, tuple(transferred), tuple(enlarged))


def table(rows: Sequence[Row]) -> str:
    """The pairs and their mean, for people."""
    mean = Row(
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
        f"PSNR in dB; of true renderings {worse} of {len(rows)} are below the enlarged one"
    )
    return "\n".join(lines)


if __name__ == "__main__":
    run_command(main)
