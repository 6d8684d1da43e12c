"""Makes the model that ships, from the data to the model card.

    python -m train.release --data DIR --out runs/release --bundle models/pocket

DIR holds bokeh_pairs/, captured_pairs/, real_pairs/, ebb_real/ and subjects/, or --subjects names
the last, which holds train/, val/, test/ and backgrounds/. The steps: render pairs of the subjects
in their own scenes; put them in front of other backgrounds, one or several in a scene; train on all
pairs; export the bundle; evaluate it on every set; write the card. Everything is built in --out,
and at the end the bundle is installed at --bundle. If stopped, the command continues when called
again. --only-judge evaluates a finished bundle again and rewrites its figures and card.
"""

import dataclasses
import json
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import tyro

from pocket_bokeh.bundle import SHIPPED_BUNDLE
from pocket_bokeh.disk import check_can_make
from pocket_bokeh.errors import UserError, run_command
from pocket_bokeh.photo import write_atomically
from train.data.data_folders import Data, resolved_data
from train.data.pairs import find_whole_folder, fingerprint
from train.data.photo_folder import check_photos, photos_by_name
from train.judge.bundle_installation import check_destination, install_bundle, other_files
from train.judge.model_card import CARD, FIGURES, figures_table, write_card
from train.loop.run_folder import Run, check_same_run, create_run
from train.loop.training_options import Flag
from train.network.presets import NETWORKS, SCHEDULES, TrainConfig, choose
from train.sequential import read_metrics, train_run

SEED = 0

RENDERED, SCENES, COMPOSITES, SEVERAL = 9_000, 500, 4_739, 2_444
"""The number of rendered pairs, of photographs without a subject among them, and of composites with
one and with several subjects."""

RENDERED_SHORT_SIDE = 416
"""The shorter side of rendered pairs in pixels: room to zoom."""

SOFT_SHARE = 0.3
"""How many photographs whose background is already soft are among the rendered pairs, 0…1."""

COMPOSITE_SIZE = (384, 512)

TRAINED_ON = {
    "bokeh_pairs/train": 3,
    "captured_pairs/train": 8,
    "real_pairs/train": 8,
    "ebb_real/train": 8,
}
"""The weight of each set; rendered pairs and composites with one subject have weight 1."""

SEVERAL_WEIGHT = 2
"""The weight of composites with several subjects. A network is always told which one is in focus,
since it cannot know."""

FOCUSED_ELSEWHERE = {"captured_pairs/far": 4}
"""Sets whose photographs are focused elsewhere than a camera would focus by itself."""

JUDGED_BY = "bokeh_pairs/val"

REPORTED_ON = (
    *("bokeh_pairs/val", "bokeh_pairs/test"),
    *("real_pairs/test", "ebb_real/test", "captured_pairs/test"),
)

SUBJECTS = "subjects/test"
"""Photographs with masks and without a target, measured by `train.judge.separation`."""

SUBJECT_RECIPES = ("float32", "int8_qat")
"""The recipes that are measured on them: the float network and the one that ships."""

FINGERPRINTS: Mapping[str, str] = {
    "bokeh_pairs/train": "24eb566425427a10f687b3c7eebbcdcc37e5afc7e0801d206edffd4dcddb0cbf",
    "real_pairs/train": "44eb65130bbe8e82a133f4b9f2be9ea7ab3ab7021c16729784b70b76e91d942d",
    "ebb_real/train": "3c025eb474ed015ff7296f4b5402dacab8d7fded81edd8fe3d2bf1ec1d7c4363",
    "bokeh_pairs/val": "19910258d51de927e2c106abadc8522e81208f5e1b10e9a067923f3241487875",
}
"""Fingerprints of the data that models/pocket was trained on; other data gives another model."""

SIZES = ("384x512", "512x384:float16,int8_qat")
"""Working sizes of the models."""

FOLDERS = ("rendered", "composites", "several", "bundle", "evaluation", "replaced")
"""The folders in --out next to the run, which is named like the bundle."""

SHORT_SIDE = 384
"""The shorter side, in pixels, that models are evaluated at: that of their working size."""


@dataclass(frozen=True)
class ReleaseOptions:
    """The command line's options."""

    data: Path
    """The folder with bokeh_pairs/, captured_pairs/, real_pairs/ and ebb_real/."""
    subjects: Path | None = None
    """The folder with train/, val/, test/ (original/ and subject/ in each) and backgrounds/.
    Default: DATA/subjects."""
    kinds: Path | None = None
    """A table of the kinds of these photographs; see `train.evaluate`. Default:
    DATA/subjects/index.tsv, if it is there."""
    segmenter: Path | None = None
    """An ONNX network that finds masks where none are, for the row of a mask with a lens blur.
    Default: this row only for the subjects."""
    out: Path = Path("runs/release")
    """The folder for composites, runs and evaluations."""
    bundle: Path = SHIPPED_BUNDLE
    """The bundle to make."""
    schedule: str = "release"
    """The training schedule; use another one only to try the command."""
    rendered: int = RENDERED
    """The number of pairs rendered of the subjects in their own scenes."""
    scenes: int = SCENES
    """The number of photographs without a subject among them."""
    composites: int = COMPOSITES
    """The number of composites with one subject."""
    several: int = SEVERAL
    """The number of composites with two or three subjects."""
    fine_tune_steps: int = 200
    """The most steps of quantization-aware training."""
    replace: Flag = False
    """Replace the bundle that is already there; it moves to OUT/replaced."""
    only_judge: Flag = False
    """Train nothing: evaluate the bundle that is there already, and rewrite figures and card."""


def main() -> None:
    options = tyro.cli(ReleaseOptions, description=__doc__)
    if options.only_judge:
        judge_again(options)
        return
    check_options(options)
    fingerprints = check_data(options.data)
    check_subject_folder(options)
    record_inputs(options, fingerprints)
    make_pairs(options)
    run = train(options)
    export(options, run)
    judged = judge(options, made_bundle(options))
    write_figures(options, run, fingerprints, judged)
    install(options)
    print(figures_table(judged["figures"]))
    print(
        f"{options.bundle}: finished. Inspect its renderings and describe them at the end of {CARD}"
    )
    print(f"Next: python -m gradio_app --bundle {options.bundle}")


def judge_again(options: ReleaseOptions) -> None:
    """Evaluates a finished bundle, and rewrites its figures and its card.

    Raises:
        UserError: there is no bundle that a release made, or an evaluation failed.
    """
    file = options.bundle / FIGURES
    if not file.is_file():
        raise UserError(f"{file}: not found; --only-judge needs a bundle that a release made")
    check_subject_folder(options)
    stored = json.loads(file.read_text())
    judged = judge(options, options.bundle)
    write_atomically(file, json.dumps(stored | judged, indent=2) + "\n")
    write_card(options.bundle)
    print(figures_table(judged["figures"]))


def made_bundle(options: ReleaseOptions) -> Path:
    """The folder where the bundle is built before it is installed."""
    return options.out / "bundle" / options.bundle.name


def check_options(options: ReleaseOptions) -> None:
    """Checks before the training what would otherwise fail after it.

    Raises:
        UserError: names the option.
    """
    choose("schedule", options.schedule, SCHEDULES)
    if keras.backend.backend() != "tensorflow":
        raise UserError(
            f"KERAS_BACKEND={keras.backend.backend()}: this command needs tensorflow; unset the "
            "variable"
        )
    if options.fine_tune_steps < 0:
        raise UserError(f"--fine-tune-steps {options.fine_tune_steps}: expected 0 or more")
    for name in ("rendered", "scenes", "composites", "several"):
        if getattr(options, name) < 1:
            raise UserError(f"--{name} {getattr(options, name)}: expected 1 or more")
    if options.bundle.name in FOLDERS:
        raise UserError(
            f"{options.bundle}: {options.out} has a folder of that name; choose another --bundle"
        )
    if options.out.resolve() in options.bundle.resolve().parents:
        raise UserError(f"{options.bundle}: is inside {options.out}; choose a --bundle outside it")
    check_can_make(options.bundle)
    check_destination(options.bundle, made_bundle(options), options.replace)


def record_inputs(options: ReleaseOptions, fingerprints: Mapping[str, str]) -> None:
    """Records the settings and data of the output folder, or checks that they are still the same.

    Raises:
        UserError: the folder was started with other settings or data; they are named.
    """
    file = options.out / "release.json"
    backgrounds = photos_by_name(subject_folder(options) / "backgrounds").values()
    subjects = photos_by_name(subject_folder(options) / "train/subject").values()
    asked = {
        "schedule": options.schedule,
        "rendered": options.rendered,
        "scenes": options.scenes,
        "composites": options.composites,
        "several": options.several,
        "fine_tune_steps": options.fine_tune_steps,
        **fingerprints,
        "backgrounds": {photo.name: photo.stat().st_size for photo in backgrounds},
        "subjects": {mask.name: mask.stat().st_size for mask in subjects},
    }
    if not file.is_file():
        options.out.mkdir(parents=True, exist_ok=True)
        write_atomically(file, json.dumps(asked, indent=2) + "\n")
        return
    stored = json.loads(file.read_text())
    differing = [name for name in asked if asked[name] != stored.get(name)]
    if differing:
        raise UserError(
            f"{options.out}: started with other settings or data: {', '.join(differing)}; use the "
            "same, or choose another --out"
        )


def check_data(data: Path) -> dict[str, str]:
    """Checks the data and warns where it differs from the data of models/pocket.

    Returns:
        The fingerprints of all pairs, by folder.

    Raises:
        UserError: a folder is missing or broken, or photographs are damaged.
    """
    folders = dict.fromkeys((*TRAINED_ON, *FOCUSED_ELSEWHERE, JUDGED_BY, *REPORTED_ON))
    pairs = {name: find_whole_folder(data / name) for name in folders}
    found = {name: fingerprint(some) for name, some in pairs.items()}
    check_photos(data, [path for some in pairs.values() for path in some.paths()])
    for name, expected in FINGERPRINTS.items():
        if found[name] != expected:
            print(f"{data / name}: not the pairs that models/pocket was made from", file=sys.stderr)
    return found


def make_pairs(options: ReleaseOptions) -> None:
    """Renders the subjects in their own scenes and in front of others; what is there is kept."""
    subjects, rendered = subject_folder(options), options.out / "rendered"
    backgrounds = str(subjects / "backgrounds")
    lenses = ("--short-side", str(RENDERED_SHORT_SIDE), "--soft-share", str(SOFT_SHARE))
    scenes = ("--backgrounds", backgrounds, "--scenes", str(options.scenes))
    counted = ("--count", str(options.rendered))
    for split, more in (("train", (*scenes, *counted)), ("val", ())):
        out = ("--out", str(rendered / split))
        _command("train.render_pairs", str(subjects / split), *out, *lenses, *more)
    size = ("--size", *map(str, COMPOSITE_SIZE))
    cut_out = ("--subjects", str(subjects / "train"), "--backgrounds", backgrounds)
    for name, count, share in (
        ("composites", options.composites, 0),
        ("several", options.several, 1),
    ):
        numbers = ("--count", str(count), "--several", str(share), "--seed", str(SEED + share))
        _command("train.composites", *cut_out, "--out", str(options.out / name), *size, *numbers)


def train(options: ReleaseOptions) -> Run:
    """Trains all levels on the sets, the rendered pairs and the composites."""
    schedule = choose("schedule", options.schedule, SCHEDULES)
    # The bundle takes the name of its run.
    run = release_run(options, options.bundle.name, training_data(options), schedule)
    if not run.model_file.is_file():
        train_run(run)
    return run


def training_data(options: ReleaseOptions) -> Data:
    """All pairs with their weights; the folders with a `val/` are validated on."""
    sets = [f"{(options.data / name).parent}:{weight}" for name, weight in TRAINED_ON.items()]
    far = [f"{options.data / name}:{weight}:focus" for name, weight in FOCUSED_ELSEWHERE.items()]
    made = [str(options.out / name) for name in ("rendered", "composites")]
    several = f"{options.out / 'several'}:{SEVERAL_WEIGHT}:focus"
    return resolved_data([*made, several, *sets, *far])


def release_run(options: ReleaseOptions, name: str, data: Data, train: TrainConfig) -> Run:
    """Creates a run folder, or checks that an existing one has the same configuration."""
    run = Run(
        folder=options.out / name,
        preset="pocket",
        network=NETWORKS["pocket"],
        train=train,
        data=data,
        seed=SEED,
        precision="auto",
    )
    if run.folder.exists():
        check_same_run(run)
    else:
        create_run(run)
    return run


def export(options: ReleaseOptions, run: Run) -> None:
    """Exports the bundle: all recipes for landscapes, and for portraits the two that phones use."""
    made = made_bundle(options)
    # An existing bundle is up to date, since `record_inputs` keeps the inputs the same.
    if made.exists():
        return
    steps = str(options.fine_tune_steps)
    arguments = ("--working-sizes", *SIZES, "--fine-tune-steps", steps, "--compared-pairs", "24")
    _command("quantize.export", str(run.folder), "--out", str(made), *arguments)


def install(options: ReleaseOptions) -> None:
    """Writes the card and installs the bundle.

    Raises:
        UserError: another bundle appeared there since the start, and --replace was not given.
    """
    made, before = made_bundle(options), options.bundle
    for file in other_files(before):
        if not (made / file.name).exists():
            shutil.copy(file, made)
    write_card(made, before)
    install_bundle(made, options.bundle, options.replace, options.out / "replaced")


def judge(options: ReleaseOptions, bundle: Path) -> dict[str, Any]:
    """Evaluates a bundle on every set.

    Returns:
        `figures`, the scores of every recipe on the sets with targets, and `separation`, how two
        recipes tell subjects from backgrounds.
    """
    return {
        "figures": {name: evaluate(options, bundle, name) for name in REPORTED_ON},
        "separation": {SUBJECTS: evaluate_subjects(options, bundle)},
    }


def evaluate(options: ReleaseOptions, bundle: Path, name: str) -> dict[str, Any]:
    """Evaluates every recipe on a set, and what users could do without a network."""
    folder, split = (options.data / name).parent, name.rpartition("/")[2]
    measured = ["--short-side", str(SHORT_SIDE), "--border", "0", "--uniform-blur"]
    if options.segmenter:
        measured += ["--lens-blur", "--segmenter", str(options.segmenter)]
    pairs = ("--data", str(folder), "--split", split)
    report = _report(bundle, options.out / "evaluation" / name, *pairs, *measured)
    return {"pairs": report["pairs"], "means": report["means"]}


def evaluate_subjects(options: ReleaseOptions, bundle: Path) -> dict[str, Any]:
    """Measures on photographs with masks, at their own size, what is sharp and what is soft."""
    arguments = ["--data", str(subject_folder(options)), "--split", "test"]
    kinds = options.kinds or options.data / "subjects" / "index.tsv"
    if kinds.is_file() or options.kinds:
        arguments += ["--kinds", str(kinds)]
    found: dict[str, Any] = {"means": {}}
    for recipe in SUBJECT_RECIPES:
        out = options.out / "evaluation" / SUBJECTS / recipe
        # A mask with a lens blur takes longest, and is the same beside every recipe.
        once = ["--lens-blur"] if recipe == SUBJECT_RECIPES[0] else []
        report = _report(bundle, out, "--recipe", recipe, *arguments, *once)["separation"]
        found["photographs"] = report["photographs"]
        found["means"] |= report["means"]
    return found


def subject_folder(options: ReleaseOptions) -> Path:
    """The folder with the subjects' splits and the backgrounds."""
    return options.subjects or options.data / "subjects"


def check_subject_folder(options: ReleaseOptions) -> None:
    """Checks that there are photographs with masks to measure on.

    Raises:
        UserError: there are none.
    """
    folder = subject_folder(options) / "test"
    if not (folder / "original").is_dir() or not (folder / "subject").is_dir():
        raise UserError(
            f"{folder}: expected original/NAME.jpg and subject/NAME.png; --subjects names the "
            "folder that holds test/"
        )


def _report(bundle: Path, out: Path, *arguments: str) -> Mapping[str, Any]:
    """Runs `train.evaluate` and returns what it found."""
    _command("train.evaluate", str(bundle), *arguments, "--out", str(out))
    report: Mapping[str, Any] = json.loads((out / "metrics.json").read_text())
    return report


def write_figures(
    options: ReleaseOptions, run: Run, fingerprints: Mapping[str, str], judged: Mapping[str, Any]
) -> None:
    """Writes the training data, the training and all scores into the bundle.

    Args:
        options: of the release.
        run: the training.
        fingerprints: of the data.
        judged: from `judge`.
    """
    content = {
        "short_side": SHORT_SIDE,
        "seed": SEED,
        "rendered": options.rendered,
        "scenes": options.scenes,
        "composites": options.composites,
        "several": options.several,
        "subjects": len(photos_by_name(subject_folder(options) / "train" / "subject")),
        "fine_tune_steps": options.fine_tune_steps,
        "trained_on": TRAINED_ON | FOCUSED_ELSEWHERE,
        "fingerprints": dict(fingerprints),
        "schedule": dataclasses.asdict(run.train),
        "levels": read_metrics(run),
        **judged,
    }
    write_atomically(made_bundle(options) / FIGURES, json.dumps(content, indent=2) + "\n")


def _command(*arguments: str) -> None:
    """Runs a command of this project in its own process and shows its output.

    Raises:
        UserError: the command failed; its own message says why.
    """
    ended = subprocess.run([sys.executable, "-m", *arguments])
    if ended.returncode:
        raise UserError(f"python -m {' '.join(arguments)}: failed; see the message above")


if __name__ == "__main__":
    run_command(main)
