"""Evaluates a network, a bundle or another program's results on whole photographs.

The plain protocol crops the photograph to multiples of 64 pixels, clips the output to 0…1, and
crops 32 pixels (--border) from each side of the output, the target and the untouched photograph. It
scores each picture and takes the mean over pictures.

The published protocol is for comparison with tables of the published evaluation. It differs in two
ways: the target is stretched to its own minimum and maximum, and the width is not cropped. How the
published script handles widths that are not multiples of 64 is unknown; here the photograph is
padded on the right by repeating its edge, and the output cropped.

Where masks of subjects stand beside the photographs (subject/NAME.png), it also measures whether
the subject is sharp and the background soft (`train.judge.separation`), for each kind of photograph
if --kinds names a table. This needs no target: a folder with original/ and subject/ is enough.

Photographs keep their own size unless --short-side is given. `metrics.json`, `sheet.png` and
`worst.png` of an earlier evaluation in the same folder are replaced.
"""

import dataclasses
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

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
    limit_pairs,
)
from train.data.segmenter import PREPARATIONS, Segmenter, open_segmenter
from train.data.subject_photos import (
    check_subjects,
    find_subject_photos,
    have_targets,
    read_kinds,
    subject_folder,
    with_subject,
)
from train.judge.candidates import CandidateSet, FolderOutput, TappedOutput, open_candidates
from train.judge.evaluation import (
    BORDER,
    Evaluation,
    MeasurementProtocol,
    with_uniform_blur,
)
from train.judge.evaluation_tables import describe_scores, tables
from train.judge.lens_blur import MaskAndLensBlur
from train.judge.subject_evaluation import SubjectEvaluation, describe_separation
from train.loop.training_options import Flag, Folders

SHEET, WORST_SHEET = "sheet.png", "worst.png"


@dataclass(frozen=True)
class EvaluateOptions:
    """The command line's options."""

    judged: tyro.conf.Positional[Path]
    """A run, a network's .keras file, a bundle, or a folder of results: NAME.png or NAME.jpg for
    each pair, of the pair's size."""
    data: Folders = ()
    """Folders of pairs in the EBB! layout, or one of photographs with masks and without bokeh/.
    Default: a run's own data, or the built-in pairs."""
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
    lens_blur: Flag = False
    """Add a row for a lens blur behind the mask of the subject, one lens for all photographs."""
    segmenter: Path | None = None
    """An ONNX network that finds the masks for --lens-blur where there are none beside the
    photographs; see `train.masks`."""
    segmenter_network: Literal["isnet", "u2net"] = "isnet"
    """Which known network the segmenter is, or is like."""
    kinds: Path | None = None
    """A tab-separated table with the columns name and kind, for means by kind of photograph."""
    out: Path | None = None
    """The folder for metrics.json and the sheets. Default: evaluation/ and the last two parts of
    the evaluated path, such as evaluation/runs/mine."""


def main() -> None:
    options = tyro.cli(EvaluateOptions, description=__doc__)
    candidate_set = open_candidates(options.judged, options.recipe)
    pairs = find_judged_pairs(candidate_set, options)
    kinds = {} if options.kinds is None else read_kinds(options.kinds, pairs)
    segmenter = find_segmenter(options)
    out = make_output_folder(options)
    measured = Evaluation(
        candidate_set, pairs, options.protocol, options.short_side, options.border
    )
    evaluation = with_baselines(measured, options, segmenter)
    report = describe(options, candidate_set, pairs)
    if have_targets(pairs):
        report |= compare_with_targets(evaluation, out)
    if measures_subjects(candidate_set, pairs):
        report["separation"] = measure_subjects(evaluation, kinds, out)
    write_atomically(out / "metrics.json", json.dumps(report, indent=2) + "\n")
    print(tables(report))
    sheets = [name for name in (SHEET, WORST_SHEET) if (out / name).is_file()]
    print(f"{out}: metrics.json, {', '.join(sheets)}")


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
    every = open_photographs(data, options.split, candidate_set.sees_depth)
    pairs = every
    if options.limit is not None and isinstance(every, FolderPairs):
        pairs = limit_pairs(every, options.limit)
    elif options.limit is not None:
        pairs = open_pairs(data, options.split, candidate_set.sees_depth, options.limit)
    check_sizes(pairs, options.short_side, options.border if have_targets(pairs) else 0)
    for candidate in candidate_set.candidates.values():
        if isinstance(candidate, FolderOutput):
            if not isinstance(every, FolderPairs) or not isinstance(pairs, FolderPairs):
                raise UserError(f"{options.judged}: results need a folder of pairs as --data")
            candidate.check(every, pairs)
    check_decodable(pairs)
    check_subjects(pairs)
    check_baselines(pairs, options)
    return pairs


def open_photographs(data: Data, split: Split, depth: bool) -> PairSource:
    """Opens pairs, or photographs with masks that have no target.

    Raises:
        UserError: there are none or broken ones, or a network needs depth maps that they lack.
    """
    folder = subject_folder(Path(data[0]), split) if len(data) == 1 else None
    if folder is None:
        return open_pairs(data, split, depth, subjects=True)
    if depth:
        raise UserError(
            f"{folder}: photographs without a target have no depth maps, which this network needs; "
            "use pairs"
        )
    return find_subject_photos(folder)


def check_baselines(pairs: PairSource, options: EvaluateOptions) -> None:
    """Checks that the rows that were asked for can be made.

    Raises:
        UserError: the photographs have no targets, or no masks.
    """
    if options.uniform_blur and not have_targets(pairs):
        raise UserError(
            "--uniform-blur: the best blur is the one nearest to the targets, and these "
            "photographs have none; leave it out"
        )
    masked = with_subject(pairs)
    if options.kinds is not None and not masked:
        raise UserError(
            "--kinds: these photographs have no masks in subject/, so there are no means by kind; "
            "leave it out"
        )
    if options.segmenter is not None and not options.lens_blur:
        raise UserError("--segmenter: only --lens-blur needs its masks; add that or leave it out")
    if options.lens_blur and options.segmenter is None and len(masked) < len(pairs):
        raise UserError(
            f"--lens-blur: {len(masked)} of {len(pairs)} photographs have a mask in subject/; "
            "--segmenter FILE.onnx finds the others"
        )


def find_segmenter(options: EvaluateOptions) -> Segmenter | None:
    """Opens the segmenter, if one is named.

    Raises:
        UserError: ONNX Runtime is missing, or the file is no segmenter.
    """
    if options.segmenter is None:
        return None
    return open_segmenter(options.segmenter, PREPARATIONS[options.segmenter_network])


def with_baselines(
    evaluation: Evaluation, options: EvaluateOptions, segmenter: Segmenter | None
) -> Evaluation:
    """Adds the rows that the options ask for."""
    if options.uniform_blur:
        evaluation = with_uniform_blur(evaluation)
    if options.lens_blur:
        segment = None if segmenter is None else segmenter.mask
        lens_blur = MaskAndLensBlur(evaluation.candidate_set.level, segment)
        evaluation = dataclasses.replace(evaluation, lens_blur=lens_blur)
    return evaluation


def measures_subjects(candidate_set: CandidateSet, pairs: PairSource) -> bool:
    """Whether subjects can be measured: at the photograph's own size, where there are masks."""
    return candidate_set.level == 1 and bool(with_subject(pairs))


def compare_with_targets(evaluation: Evaluation, out: Path) -> dict[str, Any]:
    """Scores every pair by its target, and writes the sheet of the best and worst."""
    scores = [evaluation.judge(index) for index in progress(range(len(evaluation.pairs)), "pair")]
    write_photo(out / SHEET, evaluation.sheet(scores))
    return describe_scores(scores)


def measure_subjects(evaluation: Evaluation, kinds: Mapping[str, str], out: Path) -> dict[str, Any]:
    """Measures every photograph that has a mask, and writes the sheet of the worst."""
    candidates = evaluation.candidates
    if evaluation.candidate_set.sees_focus:
        automatic = evaluation.candidate_set.candidates
        candidates |= {f"{row}, one tap": TappedOutput(it) for row, it in automatic.items()}
    subjects = SubjectEvaluation(
        candidates,
        evaluation.pairs,
        with_subject(evaluation.pairs),
        kinds,
        evaluation.short_side,
    )
    scores = [subjects.judge(index) for index in progress(subjects.indices, "photo")]
    first = next(iter(evaluation.candidate_set.candidates))
    write_photo(out / WORST_SHEET, subjects.worst_sheet(scores, first))
    return describe_separation(scores)


def progress(indices: Sequence[int], unit: str) -> Iterable[int]:
    """Shows how far an evaluation is."""
    return tqdm(indices, unit=unit, mininterval=2)


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
    for sheet in (SHEET, WORST_SHEET):
        (out / sheet).unlink(missing_ok=True)
    return out


def describe(
    options: EvaluateOptions, candidate_set: CandidateSet, pairs: PairSource
) -> dict[str, Any]:
    """The first part of `metrics.json`: what was measured, and how."""
    data = judged_data(candidate_set, options)
    whole = not have_targets(pairs) and not (Path(data[0]) / options.split).is_dir()
    return {
        "judged": str(options.judged),
        "kind": candidate_set.kind,
        "level": candidate_set.level,
        "data": " ".join(data),
        "data_fingerprint": fingerprint(pairs),
        "split": options.split,
        "split_is": "all" if whole else describe_split(data, options.split),
        "pairs": len(pairs),
        "protocol": options.protocol,
        "border": options.border,
        "short_side": options.short_side,
        "trained_short_side": candidate_set.short_side,
        "options": json.loads(json.dumps(dataclasses.asdict(options), default=str)),
    }


if __name__ == "__main__":
    run_command(main)
