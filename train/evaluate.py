"""Judges a network, a bundle or another program's results on whole photographs.

The plain protocol cuts the photograph to multiples of 64 pixels, clips the output to 0…1 and cuts
32 pixels, or those of --border, from each side of output, target and untouched photograph alike;
figures per picture, then the mean over pictures.

The published protocol is for comparison with tables made by the published evaluation: as plain, but
the target is stretched to its own minimum and maximum, and the width is not cut. How the published
script got widths through that are no multiples of 64 is not known; here the photograph is padded on
the right by repeating its edge, and the output cut back.

Photographs keep their own size, unless --short-side says otherwise. `metrics.json` and `sheet.png`
of an earlier evaluation in the same folder are replaced.
"""

import dataclasses
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import tyro
from tqdm import tqdm

from train.candidates import (
    Candidate,
    FolderOutput,
    Subject,
    UniformBlur,
    Untouched,
    Window,
    open_subject,
)
from train.errors import UserError, run_command
from train.faithfulness import colour_shift, detail_kept
from train.metrics import MS_SSIM_LEAST_SIDE, SSIM_WINDOW, ms_ssim, psnr, ssim
from train.pairs import (
    SIZE_MULTIPLE,
    FolderPairs,
    Pair,
    PairSource,
    Split,
    at_level,
    check_decodable,
    fingerprint,
    scale_pair,
)
from train.photo import photo_size, to_uint8, write_atomically, write_photo
from train.picture_grid import picture_grid
from train.run_folder import BUILT_IN, open_pairs, split_words
from train.training_options import Flag

Protocol = Literal["plain", "published"]

BORDER = 32
"""Pixels of the photograph that are cut from each side before anything is measured."""

UNTOUCHED = "untouched"
"""The first row of every table: the photograph as it is."""

BLURRED = "uniform blur"
"""The second, where it is asked for: nothing clever done."""

BLUR_SIGMAS = tuple(0.001 * 2 ** (step / 2) for step in range(10))
"""Tried for it, over the photograph's short side: at 384 pixels 0.4 to 8.7."""

_SHEET_HEIGHT = 448
"""Of each picture, in pixels: figures fit under an upright one."""


@dataclass(frozen=True)
class EvaluateOptions:
    """What the command line takes."""

    judged: tyro.conf.Positional[Path]
    """A run, a network's .keras file, a bundle, or a folder of results: NAME.png or NAME.jpg of
    each pair, of the pair's size."""
    data: str | None = None
    """A folder of pairs in the EBB! layout. Left out: a run's own data, else the built-in pairs."""
    split: Split = "test"
    """Which part of the data."""
    limit: int | None = None
    """At most so many pairs. Left out: all."""
    short_side: int | None = None
    """Scale the photographs first, their shorter side to so many pixels. Left out: their own
    size, whatever size a run was trained at."""
    protocol: Protocol = "plain"
    """What is measured; published only compares with old tables."""
    recipe: str | None = None
    """Of a bundle. Left out: every recipe, a row each."""
    border: int = BORDER
    """Pixels of the photograph cut from each side before anything is measured."""
    uniform_blur: Flag = False
    """Add a row: the whole photograph blurred by one Gaussian, the best for these pairs."""
    out: Path | None = None
    """The folder for metrics.json and sheet.png. Left out: evaluation/ and the last two parts of
    what is judged, such as evaluation/runs/mine."""


def main() -> None:
    options = tyro.cli(EvaluateOptions, description=__doc__)
    subject = open_subject(options.judged, options.recipe)
    pairs = find_judged_pairs(subject, options)
    out = make_output_folder(options)
    evaluation = Evaluation(subject, pairs, options.protocol, options.short_side, options.border)
    if options.uniform_blur:
        evaluation = with_uniform_blur(evaluation)
    judgements = [
        evaluation.judge(index) for index in tqdm(range(len(pairs)), unit="pair", mininterval=2)
    ]
    write_photo(out / "sheet.png", evaluation.sheet(judgements))
    report = describe(options, subject, pairs, judgements)
    write_atomically(out / "metrics.json", json.dumps(report, indent=2) + "\n")
    print(table(report))
    print(f"{out}: metrics.json and sheet.png")


@dataclass(frozen=True)
class Figures:
    """Of one picture, or their means; None where the picture is too small.

    Attributes:
        psnr: in dB.
        ssim, ms_ssim: structural similarity.
        detail: gradient energy kept of the photograph's where the target is sharp.
        colour: steps of 255 that the mean of red, green and blue is above the target's.
    """

    psnr: float
    ssim: float | None
    ms_ssim: float | None
    detail: float | None
    colour: tuple[float, ...]

    def words(self) -> str:
        """For under a picture."""
        structure = "" if self.ssim is None else f", SSIM {self.ssim:.4f}"
        scales = "" if self.ms_ssim is None else f", MS-SSIM {self.ms_ssim:.4f}"
        return f"{self.psnr:.2f} dB{structure}{scales}"


@dataclass(frozen=True)
class Judgement:
    """The figures of one pair by candidate; size is the height and width that was measured."""

    name: str
    size: tuple[int, int]
    figures: Mapping[str, Figures]


@dataclass(frozen=True)
class Measured:
    """What is compared of one pair: float32 0…1, the border cut off; pictures by candidate."""

    name: str
    target: np.ndarray
    pictures: Mapping[str, np.ndarray]


@dataclass(frozen=True)
class Evaluation:
    """A subject before its pairs, one photograph in memory at a time."""

    subject: Subject
    pairs: PairSource
    protocol: Protocol
    short_side: int | None = None
    border: int = BORDER
    blur: UniformBlur | None = None

    @property
    def candidates(self) -> dict[str, Candidate]:
        """By row; the untouched photograph first."""
        nothing_done: dict[str, Candidate] = {UNTOUCHED: Untouched(self.subject.level)}
        if self.blur:
            nothing_done[BLURRED] = self.blur
        return nothing_done | dict(self.subject.candidates)

    def judge(self, index: int) -> Judgement:
        """The figures of one pair.

        Raises:
            UserError: the photograph is too small, or a network's output not a number.
        """
        measured = self.measured(index)
        compared = {
            name: compare(picture, measured.target, measured.pictures[UNTOUCHED])
            for name, picture in measured.pictures.items()
        }
        height, width = measured.target.shape[:2]
        return Judgement(measured.name, (height, width), compared)

    def measured(self, index: int) -> Measured:
        """A pair's target and what each candidate makes of it, as the protocol measures them."""
        pair = self.pairs[index]
        if self.short_side is not None:
            pair = scale_pair(pair, self.short_side)
        window = measured_window(pair, self.protocol)
        target = at_level(pair.bokeh[window], self.subject.level, "bicubic")
        if self.protocol == "published":
            target = stretch(target)
        pictures = {name: one.picture(pair, window) for name, one in self.candidates.items()}
        for name, picture in pictures.items():
            if not np.isfinite(picture).all():
                raise UserError(
                    f"pair {pair.name}: the {name} is not a number; the model is broken"
                )
        border = self.border // 2 ** (self.subject.level - 1)
        inside = slice(border, -border or None)
        return Measured(
            pair.name,
            target[inside, inside],
            {name: np.clip(it, 0, 1)[inside, inside] for name, it in pictures.items()},
        )

    def sheet(self, judgements: Sequence[Judgement]) -> np.ndarray:
        """The best, the median and the worst pair by PSNR: input, outputs and target.

        Several recipes are ranked by the first of them.
        """
        first = next(iter(self.subject.candidates))
        order = sorted(range(len(judgements)), key=lambda i: -judgements[i].figures[first].psnr)
        ranks = {"best": order[0], "median": order[len(order) // 2], "worst": order[-1]}
        rows, labels = [], []
        # Rendered once more: all pictures of a data set do not fit into memory.
        for rank, index in ranks.items():
            measured, figures = self.measured(index), judgements[index].figures
            pictures = [*measured.pictures.values(), measured.target]
            rows.append([to_uint8(picture) for picture in pictures])
            words = [figures[name].words() for name in measured.pictures]
            labels.append([*words, f"{rank} of {len(judgements)}: {measured.name}"])
        columns = ["input", *list(self.candidates)[1:], "target"]
        return picture_grid(rows, columns, labels, cell_height=_SHEET_HEIGHT)


def with_uniform_blur(evaluation: Evaluation) -> Evaluation:
    """The evaluation with a row for the one Gaussian whose mean PSNR is best.

    Its width is a share of each photograph's short side, so that it suits photographs of any size.
    """
    level = evaluation.subject.level
    blurs = {str(share): UniformBlur(share, level) for share in BLUR_SIGMAS}
    subject = dataclasses.replace(evaluation.subject, candidates=blurs)
    tried = dataclasses.replace(evaluation, subject=subject)
    totals = dict.fromkeys(blurs, 0.0)
    for index in tqdm(range(len(tried.pairs)), "uniform blur", leave=False):
        measured = tried.measured(index)
        for name in blurs:
            totals[name] += float(psnr(measured.pictures[name][None], measured.target[None])[0])
    return dataclasses.replace(evaluation, blur=blurs[max(totals, key=lambda name: totals[name])])


def compare(picture: np.ndarray, target: np.ndarray, original: np.ndarray) -> Figures:
    """The figures of a picture, all three height × width × 3, float32 0…1."""
    both, least = (picture[None], target[None]), min(target.shape[:2])
    return Figures(
        float(psnr(*both)[0]),
        float(ssim(*both)[0]) if least >= SSIM_WINDOW else None,
        float(ms_ssim(*both)[0]) if least >= MS_SSIM_LEAST_SIDE else None,
        detail_kept(picture, original, target),
        colour_shift(picture, target),
    )


def measured_window(pair: Pair, protocol: Protocol) -> Window:
    """The middle of a photograph in whole multiples of 64 pixels; as published all its width."""
    height, width = pair.original.shape[:2]
    rows = _middle(height)
    return (rows, _middle(width)) if protocol == "plain" else (rows, slice(0, width))


def _middle(length: int) -> slice:
    kept = length - length % SIZE_MULTIPLE
    first = (length - kept) // 2
    return slice(first, first + kept)


def stretch(target: np.ndarray) -> np.ndarray:
    """A picture from its own minimum and maximum, over all channels, to 0 and 1."""
    low, high = target.min(), target.max()
    return (target - low) / (high - low) if high > low else target


def mean_figures(figures: Sequence[Figures]) -> Figures:
    """Means over pictures; None where a picture has no such figure, or it would be another set."""

    def mean(name: str) -> float | None:
        values = [getattr(one, name) for one in figures]
        return None if None in values else float(np.mean(values))

    with_detail = [one.detail for one in figures if one.detail is not None]
    return Figures(
        float(np.mean([one.psnr for one in figures])),
        mean("ssim"),
        mean("ms_ssim"),
        # A picture without a sharp area says nothing about it.
        float(np.mean(with_detail)) if with_detail else None,
        tuple(float(shift) for shift in np.mean([one.colour for one in figures], axis=0)),
    )


def find_judged_pairs(subject: Subject, options: EvaluateOptions) -> PairSource:
    """The pairs that the options name, checked before anything is computed.

    Raises:
        UserError: no pairs or broken ones, too small photographs, results that do not match.
    """
    if options.limit is not None and options.limit < 1:
        raise UserError(f"--limit {options.limit}: expected at least 1")
    if subject.kind == "folder" and options.data is None:
        raise UserError(f"{options.judged}: results of which pairs? Name their folder with --data")
    data = judged_data(subject, options)
    pairs = open_pairs(data, options.split, subject.sees_depth, options.limit)
    check_sizes(pairs, options.short_side, options.border)
    for candidate in subject.candidates.values():
        if isinstance(candidate, FolderOutput):
            every = open_pairs(data, options.split)
            if not isinstance(every, FolderPairs) or not isinstance(pairs, FolderPairs):
                raise UserError(f"{options.judged}: results are of a folder of pairs, name --data")
            candidate.check(every, pairs)
    check_decodable(pairs)
    return pairs


def judged_data(subject: Subject, options: EvaluateOptions) -> str:
    """The folder of pairs, or `built-in`."""
    return options.data or subject.data or BUILT_IN


def check_sizes(pairs: PairSource, short_side: int | None, border: int = BORDER) -> None:
    """Refuses photographs that the border would leave nothing of.

    Raises:
        UserError: the border is negative, or the shorter side has, or is scaled to, too few pixels.
    """
    if border < 0:
        raise UserError(f"--border {border}: expected 0 or more pixels")
    least = 2 * border + SIZE_MULTIPLE
    why = f"expected at least {least}, as {border} are cut from each side"
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
    """The folder of --out, or the one by default; what else lies there is left alone.

    Raises:
        UserError: it is a file, or its metrics.json is not an evaluation's.
    """
    judged = options.judged.resolve()
    name = judged.stem if judged.is_file() else judged.name
    out = options.out or Path("evaluation") / judged.parent.name / name
    if out.exists() and not out.is_dir():
        raise UserError(f"{out}: a file; --out takes a folder")
    metrics = out / "metrics.json"
    if metrics.exists() and '"protocol"' not in metrics.read_text():
        raise UserError(f"{metrics}: not an evaluation's, and would be lost; name another --out")
    out.mkdir(parents=True, exist_ok=True)
    return out


def describe(
    options: EvaluateOptions,
    subject: Subject,
    pairs: PairSource,
    judgements: Sequence[Judgement],
) -> dict[str, Any]:
    """What `metrics.json` says: how it was measured, the means, and the figures per picture."""
    names = list(judgements[0].figures)
    return {
        "judged": str(options.judged),
        "kind": subject.kind,
        "level": subject.level,
        "data": judged_data(subject, options),
        "data_fingerprint": fingerprint(pairs),
        "split": options.split,
        "split_is": split_words(judged_data(subject, options), options.split),
        "pairs": len(judgements),
        "protocol": options.protocol,
        "border": options.border,
        "short_side": options.short_side,
        "trained_short_side": subject.short_side,
        "options": json.loads(json.dumps(dataclasses.asdict(options), default=str)),
        "means": {
            name: dataclasses.asdict(mean_figures([one.figures[name] for one in judgements]))
            for name in names
        },
        "pictures": [dataclasses.asdict(one) for one in judgements],
    }


def table(report: Mapping[str, Any]) -> str:
    """The means of `describe` for people, the untouched photograph first."""
    size = f"scaled to a short side of {report['short_side']}"
    lines = [
        f"{report['judged']}: {report['pairs']} pairs of {report['data']} ({report['split_is']}), "
        f"{report['protocol']} protocol, "
        f"photographs {size if report['short_side'] else 'at their own size'}"
    ]
    trained = report["trained_short_side"]
    if trained not in (None, report["short_side"]):
        lines.append(f"(trained at a short side of {trained}: --short-side {trained} judges there)")
    means = {name: Figures(**mean) for name, mean in report["means"].items()}
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
        "detail: gradient energy of the photograph that is kept where the target is sharp; colour: "
        "steps of 255 that the channel furthest off is from the target's mean"
    )
    return "\n".join(lines)


if __name__ == "__main__":
    run_command(main)
