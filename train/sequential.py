"""Trains PyNET as published: level 7 first, then each finer level from the weights of the last.

Without --data it trains on the built-in pairs. A run that was stopped by Ctrl-C or killed continues
with the same command and --resume, and ends with the same weights as an uninterrupted run.
"""

import dataclasses
import json
import time
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import tyro
from tensorboardX import SummaryWriter

from pocket_bokeh.errors import UserError
from pocket_bokeh.photo import write_atomically, write_photo
from train.data.named_pairs import describe_split
from train.loop.devices import check_hosts_agree, is_first_host, on_first_host, run_on_hosts
from train.loop.level_training import LevelTraining, start_level, trained_level
from train.loop.run_folder import Run, lock_run
from train.loop.time_left import TimeLeft
from train.loop.training_options import TrainingOptions, open_run
from train.loop.validation import LevelReport, Quality, report_line, validate_level
from train.network.network_file import write_network
from train.network.presets import LevelSchedule


@dataclass(frozen=True)
class SequentialOptions(TrainingOptions):
    """The command line's options."""

    out: Path = Path("runs/sequential")
    """The run folder to create."""


def main() -> None:
    run = open_run(tyro.cli(SequentialOptions, description=__doc__))
    train_run(run)
    print(f"{run.model_file}: trained. Next: python -m quantize.export {run.folder}")


def train_run(run: Run) -> None:
    """Trains the remaining levels of a run one after the other, then writes `model.keras`.

    Raises:
        UserError: Ctrl-C, a diverging loss, or another process trains the run; checkpoints stay.
    """
    started = time.monotonic()
    with lock_run(run) if is_first_host() else nullcontext():
        _train_levels(run)
    model = trained_level(run, 1)
    on_first_host(
        lambda: write_network(
            run.model_file, model, run.preset, run.network, 1, gate_is_trained=run.trains_gate
        )
    )
    print(summary(run, time.monotonic() - started))


def _train_levels(run: Run) -> None:
    time_left = TimeLeft(run)
    try:
        with SummaryWriter(str(run.folder), write_to_disk=is_first_host()) as events:
            for schedule in run.train.schedules:
                train_level(run, schedule, events, time_left)
    except KeyboardInterrupt:
        raise UserError(
            f"stopped; continue with the same command and --resume ({run.folder})"
        ) from None


def train_level(
    run: Run, schedule: LevelSchedule, events: SummaryWriter, time_left: TimeLeft
) -> None:
    """Trains and validates one level; does nothing if the level is done."""
    metrics = read_metrics(run)
    check_hosts_agree("the number of finished levels", len(metrics))
    if str(schedule.level) in metrics:
        return
    model = start_level(run, schedule)
    LevelTraining(run, schedule, model, events, time_left).fit()
    report = validate_level(
        model, schedule.level, run.pairs("val"), run.train, run.network.sees_focus
    )
    on_first_host(lambda: record_level(run, metrics, report, events))
    print(report.line(), flush=True)


def record_level(
    run: Run, metrics: dict[str, Any], report: LevelReport, events: SummaryWriter
) -> None:
    """Writes a level's validation to `metrics.json`, `pictures.png` and TensorBoard."""
    write_photo(run.level_folder(report.level) / "pictures.png", report.pictures)
    steps = next(s.steps for s in run.train.schedules if s.level == report.level)
    name = f"level_{report.level}"
    events.add_image(f"{name}/pictures", report.pictures, steps, dataformats="HWC")
    events.add_scalar(f"{name}/validation_psnr", report.output.psnr, steps)
    events.add_scalar(f"{name}/untouched_psnr", report.untouched.psnr, steps)
    metrics[str(report.level)] = {
        "output": dataclasses.asdict(report.output),
        "untouched": dataclasses.asdict(report.untouched),
    }
    write_atomically(run.folder / "metrics.json", json.dumps(metrics, indent=2) + "\n")


def read_metrics(run: Run) -> dict[str, Any]:
    """The validation of the finished levels, by level number."""
    file = run.folder / "metrics.json"
    return json.loads(file.read_text()) if file.is_file() else {}


def summary(run: Run, seconds: float) -> str:
    """Summarizes for the terminal what was trained, how well, and where the files are."""
    pairs = len(run.pairs("train"))
    took = timedelta(seconds=round(seconds))
    judged = describe_split(run.data, "val")
    lines = [f"\n{run.preset}, {pairs} pairs, {took} this time; held out ({judged}):"]
    for level, quality in read_metrics(run).items():
        output, untouched = Quality(**quality["output"]), Quality(**quality["untouched"])
        lines.append(report_line(int(level), output, untouched))
    lines.append(
        f"curves: tensorboard --logdir {run.folder}; pictures: {run.folder}/level_*/pictures.png"
    )
    return "\n".join(lines)


if __name__ == "__main__":
    run_on_hosts(main)
