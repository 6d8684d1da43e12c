"""`--precision auto`: what it chooses and keeps, and that bfloat16 learns as well as float32."""

import dataclasses
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tensorboardX import SummaryWriter

from pocket_bokeh.errors import UserError
from pocket_bokeh.photo import read_photo, write_photo
from train.loop import faster_precision, level_training
from train.loop.level_training import LevelTraining, start_level, trained_level
from train.loop.run_folder import Run, create_run
from train.loop.time_left import TimeLeft
from train.loop.training_options import TrainingOptions, open_run
from train.loop.validation import validate_level
from train.network.presets import LevelSchedule, Precision

MakeRun = Callable[..., Run]


@pytest.fixture
def auto_run(tiny_run: MakeRun) -> Run:
    run = dataclasses.replace(tiny_run(steps=3), precision="auto")
    create_run(run)
    return run


def measure_as(monkeypatch: pytest.MonkeyPatch, float32: float, bfloat16: float) -> None:
    """Lets short levels be measured on any processor, with these seconds as the result."""
    monkeypatch.setattr(level_training, "has_bfloat16_instructions", lambda: True)
    for name, value in (("MEASURED_FROM", 1), ("TURNS", 1), ("UNTIMED_TURNS", 0)):
        monkeypatch.setattr(faster_precision, name, value)
    measured = faster_precision._step_seconds

    def pretend(models: dict[Precision, Any], batch: Any) -> dict[Precision, float]:
        assert measured(models, batch).keys() == models.keys()
        return {"float32": float32, "mixed_bfloat16": bfloat16}

    monkeypatch.setattr(faster_precision, "_step_seconds", pretend)


def chosen(run: Run) -> dict[str, str]:
    levels: dict[str, str] = json.loads((run.folder / "precision.json").read_text())["levels"]
    return levels


def computes_in(model: Any) -> str:
    return str(model.get_layer("encoder_3_3x3_first").compute_dtype)


@pytest.mark.usefixtures("eagerly")
def test_each_level_takes_the_faster_precision_and_keeps_it(
    auto_run: Run, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    level_7, level_6 = auto_run.train.schedules
    measure_as(monkeypatch, 0.3, 0.2)
    assert computes_in(start_level(auto_run, level_7)) == "bfloat16"
    said = "level 7: computes in mixed_bfloat16 (a step takes 0.300 s in float32, 0.200 s in"
    assert said in capsys.readouterr().out
    # Too little faster to be worth the accuracy.
    measure_as(monkeypatch, 0.202, 0.2)
    assert computes_in(start_level(auto_run, level_6)) == "float32"
    assert chosen(auto_run) == {"7": "mixed_bfloat16", "6": "float32"}
    # A resumed level is not measured again.
    monkeypatch.setattr(faster_precision, "_step_seconds", None)
    assert computes_in(start_level(auto_run, level_7)) == "bfloat16"
    assert computes_in(start_level(auto_run, level_6)) == "float32"


@pytest.mark.usefixtures("eagerly")
def test_measuring_leaves_no_trace_in_the_training(
    auto_run: Run, tiny_run: MakeRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    measure_as(monkeypatch, 0.3, 0.2)
    told = dataclasses.replace(tiny_run("told", steps=3), precision="mixed_bfloat16")
    create_run(told)
    for run in (auto_run, told):
        fit(run, run.train.schedules[0])
    pairs = zip(trained_level(auto_run, 7).weights, trained_level(told, 7).weights, strict=True)
    for mine, other in pairs:
        np.testing.assert_array_equal(mine, other)


@pytest.mark.parametrize("processor", [True, False])
def test_short_levels_and_other_processors_are_not_measured(
    auto_run: Run, monkeypatch: pytest.MonkeyPatch, processor: bool
) -> None:
    monkeypatch.setattr(level_training, "has_bfloat16_instructions", lambda: processor)
    monkeypatch.setattr(faster_precision, "_measured", None)
    (schedule, _) = auto_run.train.schedules
    if not processor:
        schedule = dataclasses.replace(schedule, steps=10_000)
    assert computes_in(start_level(auto_run, schedule)) == "float32"
    assert chosen(auto_run) == {"7": "float32"}


def test_a_damaged_choice_is_one_line(auto_run: Run) -> None:
    (auto_run.folder / "precision.json").write_text('{"levels": {"7": "float8"}}')
    with pytest.raises(UserError, match=r"precision\.json: damaged .*float8"):
        start_level(auto_run, auto_run.train.schedules[0])


def test_a_run_started_in_one_precision_resumes_in_it(pairs_folder: Path, tmp_path: Path) -> None:
    """As one that an older version started does, when its command is repeated with --resume."""
    options = TrainingOptions(
        data=(str(pairs_folder),), out=tmp_path / "run", schedule="smoke", precision="float32"
    )
    open_run(options)
    again = dataclasses.replace(options, precision="auto", resume=True)
    assert open_run(again).precision == "float32"
    other = dataclasses.replace(again, precision="mixed_bfloat16")
    with pytest.raises(UserError, match=re.escape("precision (was float32, asked for mixed")):
        open_run(other)


def fit(run: Run, schedule: LevelSchedule) -> None:
    events = SummaryWriter(str(run.folder))
    LevelTraining(run, schedule, start_level(run, schedule), events, TimeLeft(run)).fit()


def test_bfloat16_learns_as_much_as_float32(tiny_run: MakeRun, pairs_folder: Path) -> None:
    """Here a bokeh is its photograph at half the brightness, which a level soon finds out."""
    for original in (pairs_folder / "original").iterdir():
        write_photo(pairs_folder / "bokeh" / original.name, read_photo(original) // 2)
    schedule = LevelSchedule(5, 100, batch=4, learning_rate=1e-3, decay="cosine")
    quality = {}
    for precision in ("float32", "mixed_bfloat16"):
        run = tiny_run(precision, schedules=(schedule,))
        # Level 7 is one pixel here, too few for statistics.
        network = dataclasses.replace(run.network, normalized_levels=(), width=1 / 16)
        run = dataclasses.replace(run, network=network, precision=precision)
        create_run(run)
        fit(run, schedule)
        rows = (run.folder / "history.csv").read_text().splitlines()[1:]
        losses = [float(row.split(",")[2]) for row in rows]
        assert losses[-1] < 0.5 * losses[0]
        report = validate_level(trained_level(run, 5), 5, run.pairs("val"), run.train)
        quality[precision] = report.output.psnr
        assert report.output.psnr > report.untouched.psnr + 6
    assert quality["mixed_bfloat16"] == pytest.approx(quality["float32"], abs=0.5)
