"""Repeats the five trainings of the EE769 student report on a Keras PyNET and tests its claims.

If stopped, it continues when called again. The result is a page, OUT/page.md, with a table,
pictures and a verdict on each claim.
"""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import tyro

from pocket_bokeh.errors import run_command
from train.data.data_folders import resolved_data
from train.data.pairs import check_decodable
from train.joint import joint_run
from train.judge.experiments_page import Outcome, write_page
from train.loop.level_training import trained_level
from train.loop.run_folder import Run, check_same_run, create_run
from train.loop.training_options import Flag, Folders
from train.loop.validation import validate_level
from train.network.presets import NETWORKS, SCHEDULES, LevelSchedule, TrainConfig
from train.sequential import train_run

JUDGED_PHOTOS = 32
"""The number of test pairs, and of training pairs, that a training is evaluated on."""


@dataclass(frozen=True)
class Experiment:
    """One of the report's trainings.

    Attributes:
        name: of its run folder.
        title: its row in the table.
        pairs: training pairs in the report.
        joint: trains all levels at once instead of level by level.
        level_3_blocks: False removes level 3's own filters.
    """

    name: str
    title: str
    pairs: int
    joint: bool = False
    level_3_blocks: bool = True


EXPERIMENTS = (
    Experiment("1_joint_500", "all levels at once", 500, joint=True),
    Experiment("2_joint_1500", "all levels at once, more pairs", 1500, joint=True),
    Experiment("3_sequential_100", "level by level", 100),
    Experiment("4_sequential_100_smaller", "the same without level 3's filters", 100, False, False),
    Experiment("5_sequential_400", "level by level, more pairs", 400),
)


@dataclass(frozen=True)
class Scale:
    """How much of the report is repeated.

    Attributes:
        width: factor on the network's filters.
        pairs: factor on the number of pairs.
        head: the report uses tanh, which has to learn to reproduce the photograph. Minutes are too
            short for that; the residual head starts from the photograph.
        train: the sequential schedule; joint training takes as many multiply-adds.
    """

    width: float
    pairs: float
    head: Literal["tanh", "residual"]
    train: TrainConfig


def _schedule(*steps_and_batches: tuple[int, int, int]) -> tuple[LevelSchedule, ...]:
    """Schedules at 3e-4: at 1e-3 the few ReLU filters of a small level 3 died and the output was
    grey."""
    return tuple(
        LevelSchedule(level, steps, batch, 3e-4, "cosine", loss="l1_ssim" if level == 1 else "l1")
        for level, steps, batch in steps_and_batches
    )


SCALES: Mapping[str, Scale] = {
    # Seconds, to check that everything runs.
    "smoke": Scale(
        1 / 32,
        0.02,
        "tanh",
        dataclasses.replace(
            SCHEDULES["smoke"],
            schedules=_schedule(*((level, 2, 2) for level in range(7, 0, -1))),
            reduction="bicubic",
        ),
    ),
    # An hour and a half on two cores. Crops are as high as the photographs: with smaller ones
    # level 7 has 3×3 pixels, and instance normalization removes their brightness.
    "laptop": Scale(
        0.25,
        0.2,
        "residual",
        TrainConfig(
            short_side=384,
            crop=384,
            augmentation="mirror",
            reduction="average",
            schedules=_schedule(
                (7, 200, 8), (6, 200, 8), (5, 150, 6), (4, 150, 3), (3, 200, 1), (2, 60, 1),
                (1, 120, 1),
            ),
            validation_photos=8,
        ),
    ),
    # The report's own numbers, days on a laptop's GPU.
    "full": Scale(
        1.0,
        1.0,
        "tanh",
        TrainConfig(
            short_side=1024,
            crop=512,
            augmentation="rotate",
            reduction="bicubic",
            schedules=_schedule(
                (7, 5_000, 32), (6, 5_000, 32), (5, 10_000, 16), (4, 10_000, 8), (3, 15_000, 4),
                (2, 10_000, 4), (1, 20_000, 4),
            ),
        ),
    ),
}  # fmt: skip


@dataclass(frozen=True)
class ExperimentsOptions:
    """The command line's options."""

    data: Folders = ()
    """Folders of pairs in the EBB! layout, one of them with test/. Default: the built-in pairs."""
    out: Path = Path("runs/experiments")
    """The folder for the five runs and the page."""
    scale: Literal["smoke", "laptop", "full"] = "laptop"
    """How much to repeat: smoke (minutes, learns nothing), laptop (a fifth of the pairs, a quarter
    of the filters, residual heads; an hour and a half on two cores) or full (as in the report, days
    on a GPU)."""
    seed: int = 0
    """The seed of the initial weights, the order of the pairs and the crops."""
    accept_data_changes: Flag = False
    """Continue although data files were changed, removed or added since the start."""


def main() -> None:
    options = tyro.cli(ExperimentsOptions, description=__doc__)
    runs = [experiment_run(experiment, options) for experiment in EXPERIMENTS]
    # Check now what the page will need after days of training.
    check_decodable(*(run.pairs(split) for run in runs for split in ("train", "val", "test")))
    for run in runs:
        train_or_go_on(run, options.accept_data_changes)
    outcomes = [judge(experiment, run) for experiment, run in zip(EXPERIMENTS, runs, strict=True)]
    write_page(options.out, options.scale, runs[0], outcomes)
    print(f"{options.out / 'page.md'}: results and verdicts on the report's claims")


def experiment_run(experiment: Experiment, options: ExperimentsOptions) -> Run:
    """The run of an experiment at the chosen scale."""
    scale = SCALES[options.scale]
    network = dataclasses.replace(
        NETWORKS["report"],
        width=scale.width,
        head=scale.head,
        level_3_blocks=experiment.level_3_blocks,
    )
    run = Run(
        folder=options.out / experiment.name,
        preset="report",
        network=network,
        train=scale.train,
        data=resolved_data(options.data),
        seed=options.seed,
        limit=max(2, round(scale.pairs * experiment.pairs)),
    )
    return joint_run(run) if experiment.joint else run


def train_or_go_on(run: Run, accept_data_changes: bool = False) -> None:
    """Starts a run or continues it, and trains it to the end."""
    if run.folder.exists():
        check_same_run(run, accept_data_changes)
    else:
        create_run(run)
    if not run.model_file.is_file():
        print(f"\n{run.folder.name}")
        train_run(run)


def judge(experiment: Experiment, run: Run) -> Outcome:
    """Evaluates a finished training on unseen photographs and on training photographs."""
    model = trained_level(run, 1)
    config = dataclasses.replace(run.train, validation_photos=JUDGED_PHOTOS)
    return Outcome(
        name=experiment.name,
        title=experiment.title,
        pairs=len(run.pairs("train")),
        parameters=model.count_params(),
        steps=sum(schedule.steps for schedule in run.train.schedules),
        unseen=validate_level(model, 1, run.pairs("test"), config, run.network.sees_focus),
        seen=validate_level(model, 1, run.pairs("train"), config, run.network.sees_focus),
    )


if __name__ == "__main__":
    run_command(main)
