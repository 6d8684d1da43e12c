"""A training run small but real: two levels, stopped and resumed, judged against doing nothing."""

import dataclasses
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from tensorboardX import SummaryWriter

from train import sequential
from train.errors import UserError
from train.level_training import (
    SETTLING_BATCHES,
    SETTLING_CROPS,
    fit_level,
    settle_normalization,
    start_level,
    trained_level,
)
from train.pairs import training_batches
from train.photo import read_photo, write_photo
from train.presets import NETWORKS, LevelSchedule, PyNETConfig, TrainConfig
from train.run_folder import Run, check_same_run, create_run, read_run
from train.sequential import read_metrics, train_level

TINY = PyNETConfig(**{**vars(NETWORKS["mobile"]), "width": 1 / 32})


def tiny_run(folder: Path, data: Path, steps: int = 12, **changes: Any) -> Run:
    schedules = tuple(
        LevelSchedule(level, steps, batch=2, learning_rate=1e-3, decay="cosine") for level in (7, 6)
    )
    config = TrainConfig(64, 64, "mirror", "average", schedules, validation_photos=2, **changes)
    return Run(folder, "tiny", TINY, config, str(data), seed=0)


def train(run: Run) -> None:
    with SummaryWriter(str(run.folder)) as events:
        for schedule in run.train.schedules:
            train_level(run, schedule, events)


def test_each_level_starts_from_the_one_below_and_is_judged(
    pairs_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = tiny_run(tmp_path / "run", pairs_folder)
    create_run(run)
    train(run)
    metrics = read_metrics(run)
    assert list(metrics) == ["7", "6"]
    for level in (7, 6):
        assert metrics[str(level)]["untouched"]["psnr"] > 10
        pictures = read_photo(run.level_folder(level) / "pictures.png")
        assert pictures.shape[1] > pictures.shape[0] / 2 > 100
        assert len(list(run.level_folder(level).glob("step_*"))) == 1
    printed = capsys.readouterr().out
    assert "level 7: PSNR" in printed
    assert "untouched PSNR" in printed
    rows = (run.folder / "history.csv").read_text().splitlines()
    assert rows[0] == "level,step,loss"
    assert [row.split(",")[:2] for row in rows[1:]] == [["7", "10"], ["6", "10"]]
    assert list(run.folder.glob("events.*"))
    assert read_run(run.folder) == run

    name = "level_7_a_3x3_first"
    start = start_level(run, run.train.schedules[1])
    np.testing.assert_array_equal(
        start.get_layer(name).get_weights()[0],
        trained_level(run, 7).get_layer(name).get_weights()[0],
    )


def test_a_level_learns(pairs_folder: Path, tmp_path: Path) -> None:
    """Four by four pixels at level 5, to be made half as bright."""
    for file in (pairs_folder / "original").iterdir():
        write_photo(pairs_folder / "bokeh" / file.name, read_photo(file) // 2)
    run = tiny_run(tmp_path / "run", pairs_folder)
    # Level 7 is one pixel here, too few for statistics.
    network = dataclasses.replace(TINY, normalized_levels=(), width=1 / 16)
    schedule = LevelSchedule(5, 100, batch=4, learning_rate=1e-3, decay="cosine")
    config = dataclasses.replace(run.train, schedules=(schedule,))
    run = dataclasses.replace(run, network=network, train=config)
    create_run(run)
    with SummaryWriter(str(run.folder)) as events:
        train_level(run, schedule, events)
    rows = (run.folder / "history.csv").read_text().splitlines()[1:]
    losses = [float(row.split(",")[2]) for row in rows]
    assert losses[-1] < 0.7 * losses[0]
    quality = read_metrics(run)["5"]
    assert quality["output"]["psnr"] > quality["untouched"]["psnr"]


def test_a_killed_level_ends_as_if_it_had_not_been(
    pairs_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = tiny_run(tmp_path / "whole", pairs_folder)
    create_run(whole)
    schedule = whole.train.schedules[0]
    with SummaryWriter(str(whole.folder)) as events:
        fit_level(whole, schedule, start_level(whole, schedule), events)

    killed = tiny_run(tmp_path / "killed", pairs_folder, checkpoint_seconds=0.0)
    create_run(killed)
    with SummaryWriter(str(killed.folder)) as events:
        model = start_level(killed, schedule)
        step = model.train_on_batch
        steps_left = iter(range(5))

        def step_until_killed(*batch: Any) -> Any:
            if next(steps_left, None) is None:
                raise SystemError("killed")
            return step(*batch)

        monkeypatch.setattr(model, "train_on_batch", step_until_killed)
        with pytest.raises(SystemError):
            fit_level(killed, schedule, model, events)
        assert len(list(killed.level_folder(7).glob("step_*"))) == 2
        fit_level(killed, schedule, start_level(killed, schedule), events)
    for ours, theirs in zip(
        trained_level(whole, 7).weights, trained_level(killed, 7).weights, strict=True
    ):
        np.testing.assert_array_equal(ours, theirs)


def test_a_trained_level_is_normalized_as_whole_photographs_are(
    pairs_folder: Path, tmp_path: Path
) -> None:
    run = tiny_run(tmp_path / "run", pairs_folder)
    model = start_level(run, run.train.schedules[0])
    settle_normalization(run, 7, model)
    name = "encoder_3_3x3_first"
    convolved = keras.Model(model.input, model.get_layer(name).output)
    whole = training_batches(run.pairs("train"), 7, SETTLING_CROPS, run.train, seed=7)
    means = [
        np.mean(convolved(next(whole)["input"]), axis=(0, 1, 2)) for _ in range(SETTLING_BATCHES)
    ]
    settled = model.get_layer(f"{name}_normalization").moving_mean
    np.testing.assert_allclose(settled, np.mean(means, axis=0), rtol=1e-3, atol=1e-5)


def test_a_loss_that_is_no_number_stops_the_level_and_names_the_batch(
    pairs_folder: Path, tmp_path: Path
) -> None:
    run = tiny_run(tmp_path / "run", pairs_folder)
    create_run(run)
    schedule = run.train.schedules[0]
    model = start_level(run, schedule)
    head = model.get_layer("level_7_head")
    head.set_weights([weight * np.nan for weight in head.get_weights()])
    with (
        SummaryWriter(str(run.folder)) as events,
        pytest.raises(UserError, match=r"step 1: .*batch"),
    ):
        fit_level(run, schedule, model, events)


def test_runs_are_not_overwritten_nor_resumed_as_others(pairs_folder: Path, tmp_path: Path) -> None:
    run = tiny_run(tmp_path / "run", pairs_folder)
    create_run(run)
    with pytest.raises(UserError, match="--resume"):
        create_run(run)
    check_same_run(run)
    with pytest.raises(UserError, match="started with other train;"):
        check_same_run(tiny_run(tmp_path / "run", pairs_folder, steps=13))
    with pytest.raises(UserError, match="not a run folder"):
        read_run(tmp_path)
    (tmp_path / "other").mkdir()
    with pytest.raises(UserError, match="exists and is not a run"):
        create_run(tiny_run(tmp_path / "other", pairs_folder))
    for kind in ("original", "bokeh"):
        shutil.copy(pairs_folder / kind / "1.png", pairs_folder / kind / "more.png")
    with pytest.raises(UserError, match="data_fingerprint"):
        check_same_run(run)


def command(*arguments: str | Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "train.sequential", *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"},
        # A shell's background job ignores Ctrl-C and hands that on.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--preset", "huge"], "unknown preset 'huge': expected one of reference, report, mobile"),
        (["--data", "nowhere"], "no such folder"),
    ],
)
def test_the_command_says_what_is_wrong_and_makes_nothing(
    tmp_path: Path, arguments: list[str], message: str
) -> None:
    process = command(*arguments, "--out", tmp_path / "run")
    _, errors = process.communicate()
    assert process.returncode == 2
    assert message in errors.splitlines()[-1]
    assert "Traceback" not in errors
    assert not (tmp_path / "run").exists()


def test_a_damaged_photo_stops_the_command_in_one_line(pairs_folder: Path, tmp_path: Path) -> None:
    for file in (pairs_folder / "original").iterdir():
        whole = file.with_suffix(".jpg")
        write_photo(whole, read_photo(file))
        file.unlink()
        whole.write_bytes(whole.read_bytes()[:1200])
    process = command("--data", pairs_folder, "--schedule", "smoke", "--out", tmp_path / "run")
    _, errors = process.communicate()
    assert process.returncode == 2
    assert "damaged image" in errors.splitlines()[-1]
    assert "Traceback" not in errors


@pytest.mark.slow
def test_the_command_trains_all_levels_and_survives_ctrl_c(
    pairs_folder: Path, tmp_path: Path
) -> None:
    arguments = ["--data", str(pairs_folder), "--schedule", "smoke", "--out", str(tmp_path / "run")]
    process = command(*arguments)
    while not (tmp_path / "run" / "level_6").exists():
        assert process.poll() is None, process.communicate()[1]
        time.sleep(0.5)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate()
    assert process.returncode == 2, errors
    assert "--resume" in errors.splitlines()[-1]
    process = command(*arguments, "--resume")
    output, errors = process.communicate()
    assert process.returncode == 0, errors
    assert "quantize.export" in output
    assert (tmp_path / "run" / "model.keras").is_file()
    metrics = json.loads((tmp_path / "run" / "metrics.json").read_text())
    assert list(metrics) == ["7", "6", "5", "4", "3", "2", "1"]


def test_the_training_room_needs_no_tensorflow_to_be_read() -> None:
    """A machine with JAX alone can train: only Keras itself may import TensorFlow."""
    for file in Path(sequential.__file__).parent.glob("*.py"):
        assert "tensorflow" not in "\n".join(
            line for line in file.read_text().splitlines() if "import " in line
        )
