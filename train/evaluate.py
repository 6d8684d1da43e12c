"""Evaluates a network, a bundle or another program's results on whole photographs.

The plain protocol crops the photograph to multiples of 64 pixels, clips the output to 0…1, and
crops 32 pixels (--border) from each side of the output, the target and the untouched photograph. It
scores each picture and takes the mean over pictures.

The published protocol is for comparison with tables of the published evaluation. It differs in two
ways: the target is stretched to its own minimum and maximum, and the width is not cropped. How the
published script handles widths that are not multiples of 64 is unknown; here the photograph is
padded on the right by repeating its edge, and the output cropped.

Photographs keep their own size unless --short-side is given. `metrics.json` and `sheet.png` of an
earlier evaluation in the same folder are replaced.
"""

import dataclasses
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import tyro
from tqdm import tqdm

from pocket_bokeh.disk import write_atomically
from pocket_bokeh.errors import UserError, run_command
from pocket_bokeh.photo import photo_size, write_photo
from train.data.data_folders import BUILT_IN, Data
from train.data.named_pairs import describe_split, open_pairs
from train.data.pairs import (
    SIZE_MULTIPLE,
    FolderPairs,
    PairSource,
    Split,
    check_decodable,
    fingerprint,
)
from train.judge.candidates import CandidateSet, FolderOutput, open_candidates
from train.judge.evaluation import (
    BLURRED,
    BORDER,
    UNTOUCHED,
    Evaluation,
    MeasurementProtocol,
    PairScores,
    PictureScores,
    mean_scores,
    with_uniform_blur,
)
from train.loop.training_options import Flag, Folders


@dataclass(frozen=True)
class EvaluateOptions:
    """The command line's options."""

    judged: tyro.conf.Positional[Path]
    """A run, a network's .keras file, a bundle, or a folder of results: NAME.png or NAME.jpg for
    each pair, of the pair's size."""
    data: Folders = ()
    """Folders of pairs in the EBB! layout. Default: a run's own data, or the built-in pairs."""
    split: Split = "test"
    """Which part of the data."""
    limit: int | None = None
    """The most pairs to use. Default: all."""
    short_side: int | None = None
    """Scale the photographs so that the shorter side has this many pixels. Default: keep their
    size, whatever size a run was trained at."""
    protocol: MeasurementProtocol = "plain"
    """How to measure; use published only to compare with published tables."""
    recipe: str | None = None
    """A recipe of a bundle. Default: all recipes, a row each."""
    border: int = BORDER
    """Pixels to crop from each side of the photograph before measuring."""
    uniform_blur: Flag = False
    """Add a row for the whole photograph blurred by one Gaussian, the best one for these pairs."""
    out: Path | None = None
    """The folder for metrics.json and sheet.png. Default: evaluation/ and the last two parts of the
    evaluated path, such as evaluation/runs/mine."""


def main() -> None:
    options = tyro.cli(EvaluateOptions, description=__doc__)
    candidate_set = open_candidates(options.judged, options.recipe)
    pairs = find_judged_pairs(candidate_set, options)
    out = make_output_folder(options)
    evaluation = Evaluation(
        candidate_set, pairs, options.protocol, options.short_side, options.border
    )
    if options.uniform_blur:
        evaluation = with_uniform_blur(evaluation)
    scores = [
        evaluation.judge(index) for index in tqdm(range(len(pairs)), unit="pair", mininterval=2)
    ]
    write_photo(out / "sheet.png", evaluation.sheet(scores))
    report = describe(options, candidate_set, pairs, scores)
    write_atomically(out / "metrics.json", json.dumps(report, indent=2) + "\n")
    print(means_table(report))
    print(f"{out}: metrics.json and sheet.png")


def find_judged_pairs(candidate_set: CandidateSet, options: EvaluateOptions) -> PairSource:
    """Finds the pairs to evaluate on and checks them before anything is computed.

    Raises:
        UserError: there are no pairs or broken ones, photographs are too small, or results do not
            match the pairs.
    """
    if options.limit is not None and options.limit < 1:
        raise UserError(f"--limit {options.limit}: expected at least 1")
    if candidate_set.kind == "folder" and not options.data:
        raise UserError(f"{options.judged}: a folder of results needs --data, its folder of pairs")
    data = judged_data(candidate_set, options)
    pairs = open_pairs(
        data,
        options.split,
        candidate_set.sees_depth,
        options.limit,
        subjects=candidate_set.sees_focus,
    )
    check_sizes(pairs, options.short_side, options.border)
    for candidate in candidate_set.candidates.values():
        if isinstance(candidate, FolderOutput):
            every = open_pairs(data, options.split)
            if not isinstance(every, FolderPairs) or not isinstance(pairs, FolderPairs):
                raise UserError(f"{options.judged}: results need a folder of pairs as --data")
            candidate.check(every, pairs)
    check_decodable(pairs)
    return pairs


def judged_data(candidate_set: CandidateSet, options: EvaluateOptions) -> Data:
    """The folders of pairs, or `built-in`."""
    return options.data or candidate_set.data or (BUILT_IN,)


def check_sizes(pairs: PairSource, short_side: int | None, border: int = BORDER) -> None:
    """Checks that photographs are large enough for the border.

    Raises:
        UserError: the border is negative, or a shorter side has too few pixels after scaling.
    """
    if border < 0:
        raise UserError(f"--border {border}: expected 0 or more pixels")
    least = 2 * border + SIZE_MULTIPLE
    why = f"expected at least {least}, because {border} are cropped from each side"
    if short_side is not None:
        if short_side < least:
            raise UserError(f"--short-side {short_side}: {why}")
        return
    for files in pairs.files if isinstance(pairs, FolderPairs) else ():
        height, width = photo_size(files.original)
        if min(height, width) < least:
            raise UserError(
                f"{files.original}: {width}×{height} pixels; {why}; "
                f"enlarge the pairs with --short-side {least}"
            )


def make_output_folder(options: EvaluateOptions) -> Path:
    """Creates the output folder; other files in it are left alone.

    Raises:
        UserError: the path is a file, or its metrics.json is not from an evaluation.
    """
    judged = options.judged.resolve()
    name = judged.stem if judged.is_file() else judged.name
    out = options.out or Path("evaluation") / judged.parent.name / name
    if out.exists() and not out.is_dir():
        raise UserError(f"{out}: a file; --out takes a folder")
    metrics = out / "metrics.json"
    if metrics.exists() and '"protocol"' not in metrics.read_text():
        raise UserError(
            f"{metrics}: not from an evaluation, and would be overwritten; choose another --out"
        )
    out.mkdir(parents=True, exist_ok=True)
    return out


def describe(
    options: EvaluateOptions,
    candidate_set: CandidateSet,
    pairs: PairSource,
    scores: Sequence[PairScores],
) -> dict[str, Any]:
    """The content of `metrics.json`: how it was measured, the means, the scores per picture."""
    names = list(scores[0].figures)
    return {
        "judged": str(options.judged),
        "kind": candidate_set.kind,
        "level": candidate_set.level,
        "data": " ".join(judged_data(candidate_set, options)),
        "data_fingerprint": fingerprint(pairs),
        "split": options.split,
        "split_is": describe_split(judged_data(candidate_set, options), options.split),
        "pairs": len(scores),
        "protocol": options.protocol,
        "border": options.border,
        "short_side": options.short_side,
        "trained_short_side": candidate_set.short_side,
        "options": json.loads(json.dumps(dataclasses.asdict(options), default=str)),
        "means": {
            name: dataclasses.asdict(mean_scores([one.figures[name] for one in scores]))
            for name in names
        },
        "pictures": [dataclasses.asdict(one) for one in scores],
    }


def means_table(report: Mapping[str, Any]) -> str:
    """The means of `describe` as a text table, the untouched photograph first."""
    size = f"scaled to a short side of {report['short_side']}"
    lines = [
        f"{report['judged']}: {report['pairs']} pairs of {report['data']} ({report['split_is']}), "
        f"{report['protocol']} protocol, "
        f"photographs {size if report['short_side'] else 'at their own size'}"
    ]
    trained = report["trained_short_side"]
    if trained not in (None, report["short_side"]):
        lines.append(f"(trained at a short side of {trained}; use --short-side {trained} for that)")
    means = {name: PictureScores(**mean) for name, mean in report["means"].items()}
    across = max(map(len, means))
    best_blur = means[BLURRED].psnr - means[UNTOUCHED].psnr if BLURRED in means else 0.0
    lines.append(f"{'':{across}}  {'PSNR':>8}  {'SSIM':>6}  MS-SSIM  detail  colour")
    for name, mean in means.items():
        structures = ["–" if x is None else f"{x:.4f}" for x in (mean.ssim, mean.ms_ssim)]
        detail = "–" if mean.detail is None else f"{mean.detail:.2f}"
        colour = max(mean.colour, key=abs)
        gain = mean.psnr - means[UNTOUCHED].psnr
        nothing_done = name in (UNTOUCHED, BLURRED)
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


if __name__ == "__main__":
    run_command(main)
