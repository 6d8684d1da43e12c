"""What an evaluation found, as the content of `metrics.json` and as tables of text."""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

from train.judge.evaluation import (
    BLURRED,
    UNTOUCHED,
    PairScores,
    PictureScores,
    mean_scores,
)
from train.judge.lens_blur import MASK_AND_LENS
from train.judge.subject_evaluation import separation_table


def describe_scores(scores: Sequence[PairScores]) -> dict[str, Any]:
    """The part of `metrics.json` about targets: the means, and the scores of each picture."""
    return {
        "means": {
            name: dataclasses.asdict(mean_scores([one.figures[name] for one in scores]))
            for name in scores[0].figures
        },
        "pictures": [dataclasses.asdict(one) for one in scores],
    }


def tables(report: Mapping[str, Any]) -> str:
    """What was measured as text: a heading, and a table for each measure."""
    size = f"scaled to a short side of {report['short_side']}"
    pairs, protocol = "pairs", f"{report['protocol']} protocol, "
    if "means" not in report:
        pairs, protocol = "photographs with masks", ""
    parts = [
        f"{report['judged']}: {report['pairs']} {pairs} of {report['data']} "
        f"({report['split_is']}), {protocol}"
        f"photographs {size if report['short_side'] else 'at their own size'}"
    ]
    trained = report["trained_short_side"]
    if trained not in (None, report["short_side"]):
        parts.append(f"(trained at a short side of {trained}; use --short-side {trained} for that)")
    if "means" in report:
        parts.append(means_table(report["means"]))
    if "separation" in report:
        parts.append(separation_table(report["separation"]["means"]))
    return "\n".join(parts)


def means_table(figures: Mapping[str, Any]) -> str:
    """The means of `describe_scores` as a text table, the untouched photograph first."""
    means = {name: PictureScores(**mean) for name, mean in figures.items()}
    lines = []
    across = max(map(len, means))
    best_blur = means[BLURRED].psnr - means[UNTOUCHED].psnr if BLURRED in means else 0.0
    lines.append(f"{'':{across}}  {'PSNR':>8}  {'SSIM':>6}  MS-SSIM  detail  colour")
    for name, mean in means.items():
        structures = ["–" if x is None else f"{x:.4f}" for x in (mean.ssim, mean.ms_ssim)]
        detail = "–" if mean.detail is None else f"{mean.detail:.2f}"
        colour = max(mean.colour, key=abs)
        gain = mean.psnr - means[UNTOUCHED].psnr
        nothing_done = name in (UNTOUCHED, BLURRED, MASK_AND_LENS)
        verdict = "" if name == UNTOUCHED else f"  {gain:+.2f} dB"
        if not nothing_done and gain <= max(0.0, best_blur):
            verdict += "  ← no better than doing nothing"
        lines.append(
            f"{name:{across}}  {mean.psnr:5.2f} dB  {structures[0]:>6}  {structures[1]:>7}"
            f"  {detail:>6}  {colour:+6.2f}{verdict}"
        )
    lines.append(
        "detail: share of the photograph's gradient energy that is kept where the target is sharp; "
        "colour: largest mean difference of a channel from the target, in units of 1/255"
    )
    return "\n".join(lines)
