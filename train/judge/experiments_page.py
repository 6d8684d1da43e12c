"""The page that `train.experiments` writes: results, pictures and a verdict on each claim."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pocket_bokeh.photo import write_atomically, write_photo
from pocket_bokeh.picture_grid import picture_grid
from train.data.data_folders import BUILT_IN
from train.data.named_pairs import describe_split
from train.loop.run_folder import Run
from train.loop.validation import LevelReport

DECIDED_AT = 2.0
"""A mean difference counts from this many standard errors."""


@dataclass(frozen=True)
class Outcome:
    """The result of one training.

    Attributes:
        name: of the experiment.
        title: its row in the table.
        pairs: the number of training pairs.
        parameters: the number of the network's weights.
        steps: over all levels.
        unseen: level 1 on the test split, which may be the same pairs as val; the page says so.
        seen: level 1 on training pairs.
    """

    name: str
    title: str
    pairs: int
    parameters: int
    steps: int
    unseen: LevelReport
    seen: LevelReport


@dataclass(frozen=True)
class Claim:
    """A claim that one training beats another; both are row numbers in the table, from 1."""

    words: str
    better: int
    worse: int


CLAIMS = (
    Claim("Level by level beats all levels at once, even with fewer pairs", better=5, worse=1),
    Claim("Level by level beats all levels at once, a fifth of the pairs", better=3, worse=1),
    Claim("A network without level 3's filters is worse", better=3, worse=4),
    Claim("More pairs help the training level by level", better=5, worse=3),
    Claim("More pairs help the training of all levels at once", better=2, worse=1),
)


def write_page(folder: Path, scale: str, run: Run, outcomes: Sequence[Outcome]) -> None:
    """Writes `page.md` and `pictures.jpg` into a folder, each atomically."""
    write_photo(folder / "pictures.jpg", outcomes_grid(outcomes), quality=88)
    tables = [outcomes_table(outcomes), claims_table(outcomes)]
    parts = [_introduction(scale, run), *tables, "![pictures](pictures.jpg)"]
    write_atomically(folder / "page.md", "\n\n".join(parts) + "\n")


def outcomes_table(outcomes: Sequence[Outcome]) -> str:
    """A Markdown table with a row for the untouched photograph and one per training."""
    untouched = outcomes[0].unseen.untouched
    lines = [
        "| training | pairs | parameters | steps | unseen PSNR | SSIM | PSNR on training pairs |",
        "|---|---|---|---|---|---|---|",
        f"| untouched photograph | | | | {untouched.psnr:.2f} dB | {untouched.ssim:.4f} | |",
    ]
    for number, outcome in enumerate(outcomes, start=1):
        unseen, seen = outcome.unseen.output, outcome.seen
        lines.append(
            f"| {number}. {outcome.title} | {outcome.pairs} | {outcome.parameters / 1e6:.2f} M | "
            f"{outcome.steps} | {unseen.psnr:.2f} dB | {unseen.ssim:.4f} | "
            f"{seen.output.psnr:.2f} dB (untouched {seen.untouched.psnr:.2f}) |"
        )
    return "\n".join(lines)


def claims_table(outcomes: Sequence[Outcome]) -> str:
    """A Markdown table with a verdict on each of the report's claims."""
    lines = ["| claim | compared | mean difference | |", "|---|---|---|---|"]
    for claim in CLAIMS:
        difference, error = mean_difference(outcomes[claim.better - 1], outcomes[claim.worse - 1])
        lines.append(
            f"| {claim.words} | {claim.better} − {claim.worse} | "
            f"{difference:+.2f} ± {error:.2f} dB | {verdict(difference, error)} |"
        )
    return "\n".join(lines)


def mean_difference(better: Outcome, worse: Outcome) -> tuple[float, float]:
    """Mean and standard error of the PSNR difference per photograph, in dB."""
    difference = np.subtract(better.unseen.psnr_by_photo, worse.unseen.psnr_by_photo)
    error = difference.std(ddof=1) / np.sqrt(len(difference)) if len(difference) > 1 else np.inf
    return float(difference.mean()), float(error)


def verdict(difference: float, error: float) -> str:
    """`confirmed`, `refuted`, or `undecided` if the difference may be chance."""
    if abs(difference) < DECIDED_AT * error:
        return "undecided"
    return "confirmed" if difference > 0 else "refuted"


def outcomes_grid(outcomes: Sequence[Outcome]) -> np.ndarray:
    """A row per photograph: untouched, each training's output, target; uint8 sRGB."""
    rows, labels = [], []
    for index, (original, _, target) in enumerate(outcomes[0].unseen.rows):
        outputs = [outcome.unseen.rows[index][1] for outcome in outcomes]
        psnrs = [f"{outcome.unseen.psnr_by_photo[index]:.2f} dB" for outcome in outcomes]
        rows.append([original, *outputs, target])
        labels.append(["", *psnrs, ""])
    headings = [f"{number}. {o.title}" for number, o in enumerate(outcomes, start=1)]
    return picture_grid(rows, ["input", *headings, "target"], labels, cell_height=240)


def _introduction(scale: str, run: Run) -> str:
    widths = (
        f"{run.network.width:g} of its filters" if run.network.width != 1 else "all its filters"
    )
    built_in = run.data == (BUILT_IN,)
    data = "built-in scenes" if built_in else ", ".join(Path(name).name for name in run.data)
    unseen = describe_split(run.data, "test")
    return (
        "# The report's five trainings\n\n"
        f"Scale `{scale}`: a PyNET with {widths} and {run.network.head} heads, trained on crops "
        f"of {run.train.crop} pixels from photographs {run.train.short_side} pixels high "
        f"({data}). Training all levels at once used as many multiply-adds as training them one "
        "by one.\n\n"
        "Each claim compares two trainings on the same unseen photographs. It is confirmed or "
        f"refuted if the mean difference is at least {DECIDED_AT:g} standard errors, and undecided "
        "otherwise. Each training ran once, so the errors do not include differences between "
        f"seeds. The unseen photographs come from the split {unseen}.\n\n"
        f"Written by `python -m train.experiments --scale {scale} --seed {run.seed}`."
    )
