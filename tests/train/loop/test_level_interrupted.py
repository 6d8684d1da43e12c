"""Ctrl-C anywhere in a level: resumed, it ends with the same weights."""

import contextlib
import shutil
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType
from typing import Any

import keras
import numpy as np
import pytest
from tensorboardX import SummaryWriter

from train.loop import batch_statistics, checkpoints, history, interruption, level_training
from train.loop.checkpoints import latest_step
from train.loop.level_training import LevelTraining
from train.loop.metrics import psnr
from train.loop.run_folder import Run, create_run
from train.loop.time_left import TimeLeft
from train.loop.validation import validate_level

MakeRun = Callable[..., Run]

WATCHED = {
    module.__file__
    for module in (checkpoints, history, interruption, level_training, batch_statistics)
}
"""Where Ctrl-C is pressed."""

Result = tuple[list[np.ndarray], str]


def once(function: Callable[..., Any]) -> Callable[..., Any]:
    """A function that is called a first time and then repeats its answer."""
    answers: list[Any] = []

    def call(*arguments: Any) -> Any:
        if not answers:
            answers.append(function(*arguments))
        return answers[0]

    return call


@pytest.fixture(autouse=True)
def as_in_a_terminal() -> Iterator[None]:
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


class CtrlC:
    """Sends this process SIGINT when the n-th line runs in the watched files, and at later ones."""

    def __init__(self, line: int, times: int):
        self.lines = range(line, line + times)
        self.places: list[str] = []

    def __enter__(self) -> "CtrlC":
        self._before = sys.gettrace()
        sys.settrace(self._trace)
        return self

    def __exit__(self, *_: object) -> None:
        sys.settrace(self._before)

    def _trace(self, frame: FrameType, event: str, _: Any) -> Any:
        if frame.f_code.co_filename not in WATCHED:
            return None
        if event == "line":
            self.places.append(f"{Path(frame.f_code.co_filename).name}:{frame.f_lineno}")
            if len(self.places) - 1 in self.lines:
                signal.raise_signal(signal.SIGINT)
        return self._trace


class Level:
    """Trains one level from the start again and again, on a network of two layers."""

    def __init__(self, run: Run):
        self.run, self.schedule = run, run.train.schedules[0]
        self.events = SummaryWriter(str(run.folder))
        keras.utils.set_random_seed(0)
        layers = keras.layers
        self.model = keras.Sequential(
            [
                layers.Input((None, None, 3)),
                layers.AveragePooling2D(32),
                layers.Conv2D(3, 1),
                layers.BatchNormalization(),
            ]
        )
        quality = keras.metrics.MeanMetricWrapper(psnr, name="psnr")
        self.model.compile(keras.optimizers.Adam(0.01), "mae", metrics=[quality])
        self.model.optimizer.build(self.model.trainable_variables)
        self.variables = self.model.variables + self.model.optimizer.variables
        self.first = [keras.ops.convert_to_numpy(variable) for variable in self.variables]

    def fit(self, interruption: contextlib.AbstractContextManager | None = None) -> None:
        """Trains as a new process would, from the last checkpoint or from the first weights."""
        for variable, value in zip(self.variables, self.first, strict=True):
            variable.assign(value)
        self.model.layers[-1].momentum = 0.99
        left = TimeLeft(self.run)
        training = LevelTraining(self.run, self.schedule, self.model, self.events, left)
        with interruption or contextlib.nullcontext():
            training.fit()

    def result(self) -> Result:
        """The weights, and what the history says."""
        weights = [keras.ops.convert_to_numpy(weight) for weight in self.model.weights]
        return weights, (self.run.folder / "history.csv").read_text()

    def forget(self) -> None:
        """Removes what was written."""
        shutil.rmtree(self.run.level_folder(7), ignore_errors=True)
        (self.run.folder / "history.csv").unlink(missing_ok=True)


@pytest.mark.slow
def test_a_level_interrupted_anywhere_ends_as_if_it_had_not_been(
    tiny_run: MakeRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batch_statistics, "CALIBRATION_BATCHES", 2)
    monkeypatch.setattr(batch_statistics, "CALIBRATION_CROPS", 1)
    monkeypatch.setattr(level_training, "STEPS_PER_RECORD", 2)
    monkeypatch.setattr(level_training, "validate_level", once(validate_level))
    run = tiny_run(steps=4, validations=2, validation_photos=1)
    create_run(run)
    level = Level(run)
    whole = CtrlC(0, times=0)
    level.fit(whole)
    weights, written = level.result()
    # Every line once, in the middle of the level where it runs there; now and then twice in a row.
    middle = sorted(range(len(whole.places)), key=lambda n: -abs(n - len(whole.places) // 2))
    lines = sorted({whole.places[line]: line for line in middle}.values())
    assert len(lines) > 80
    kept = set()
    for number, line in enumerate(lines):
        level.forget()
        pressed = CtrlC(line, times=2 if number % 3 == 0 else 1)
        with pytest.raises(KeyboardInterrupt):
            level.fit(pressed)
        kept.add(latest_step(run.level_folder(7)))
        level.fit()
        resumed, rewritten = level.result()
        where = f"Ctrl-C at {whole.places[line]}"
        for ours, theirs in zip(resumed, weights, strict=True):
            np.testing.assert_array_equal(ours, theirs, err_msg=where)
        assert rewritten == written, where
    assert len(kept) > 2
