"""Trains PyNET as published: level 7 first, each finer level starting from the one below.

Without --data it trains on the built-in pairs. A run that was stopped goes on with --resume.
"""

import dataclasses
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import tyro
from tensorboardX import SummaryWriter

from train.checkpoints import save_model
from train.errors import UserError, run_command
from train.level_training import fit_level, start_level, trained_level
from train.photo import write_atomically, write_photo
from train.presets import NETWORKS, SCHEDULES, LevelSchedule, choose
from train.run_folder import BUILT_IN, Run, check_same_run, create_run
from train.validation import LevelReport, validate_level


@dataclass(frozen=True)
class SequentialOptions:
    """What the command line takes."""

    data: Path | None = None
    """A folder in the EBB! layout: original/NAME.jpg and bokeh/NAME.jpg, or train/ and val/ of
    these. Left out: the built-in pairs."""
    out: Path = Path("runs/sequential")
    """The run folder to make."""
    preset: str = "mobile"
    """The network: reference, report or mobile."""
    schedule: str = "quick"
    """Steps, batches and crops: published, quick or smoke."""
    seed: int = 0
    """Of the weights, the order of the pairs and the crops."""
    resume: Annotated[bool, tyro.conf.FlagCreatePairsOff] = False
    """Go on with the run in --out."""


def main() -> None:
    run = open_run(tyro.cli(SequentialOptions, description=__doc__))
    try:
        with SummaryWriter(str(run.folder), write_to_disk=True) as events:
            for schedule in run.train.schedules:
                train_level(run, schedule, events)
    except KeyboardInterrupt:
        raise UserError(
            f"stopped; go on with the same command and --resume ({run.folder})"
        ) from None
    save_model(run.model_file, trained_level(run, 1))
    print(f"{run.model_file}: trained. Next: python -m quantize.export {run.folder}")


def open_run(options: SequentialOptions) -> Run:
    """Makes the run folder, or with --resume checks that it is the same run.

    Raises:
        UserError: an unknown preset or schedule, broken pairs, a folder that exists.
    """
    network = choose("preset", options.preset, NETWORKS)
    run = Run(
        folder=options.out,
        preset=options.preset,
        # The published network also sees a depth map; a folder of pairs has none.
        network=dataclasses.replace(network, input_channels=3),
        train=choose("schedule", options.schedule, SCHEDULES),
        data=str(options.data.resolve()) if options.data else BUILT_IN,
        seed=options.seed,
    )
    run.pairs("val")
    if options.resume:
        check_same_run(run)
    else:
        create_run(run)
    return run


def train_level(run: Run, schedule: LevelSchedule, events: SummaryWriter) -> None:
    """Trains one level to the end of its schedule and judges it; done levels are left alone."""
    metrics = read_metrics(run)
    if str(schedule.level) in metrics:
        return
    model = start_level(run, schedule)
    fit_level(run, schedule, model, events)
    report = validate_level(model, schedule.level, run.pairs("val"), run.train)
    record_level(run, metrics, report, events)
    print(report.line(), flush=True)


def record_level(
    run: Run, metrics: dict[str, Any], report: LevelReport, events: SummaryWriter
) -> None:
    """A level's validation: `metrics.json`, `pictures.png` and TensorBoard."""
    write_photo(run.level_folder(report.level) / "pictures.png", report.pictures)
    name = f"level_{report.level}"
    events.add_image(f"{name}/pictures", report.pictures, dataformats="HWC")
    events.add_scalar(f"{name}/validation_psnr", report.output.psnr)
    events.add_scalar(f"{name}/untouched_psnr", report.untouched.psnr)
    metrics[str(report.level)] = {
        "output": dataclasses.asdict(report.output),
        "untouched": dataclasses.asdict(report.untouched),
    }
    write_atomically(run.folder / "metrics.json", json.dumps(metrics, indent=2) + "\n")


def read_metrics(run: Run) -> dict[str, Any]:
    """Validation of the levels that are done, by level number."""
    file = run.folder / "metrics.json"
    return json.loads(file.read_text()) if file.is_file() else {}


if __name__ == "__main__":
    run_command(main)
