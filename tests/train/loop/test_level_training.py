"""The training of one small level: it learns, resumes, and reports a diverging loss."""

import dataclasses
import itertools
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from tensorboardX import SummaryWriter

from pocket_bokeh.errors import UserError
from tests.conftest import NARROW_POCKET
from train.loop import level_training as level_training_module
from train.loop import time_left
from train.loop.level_training import LevelTraining, start_level, trained_level
from train.loop.run_folder import Run, create_run
from train.loop.time_left import TimeLeft
from train.loop.validation import validate_level
from train.network.network_file import read_network
from train.network.precision import computing_in
from train.network.presets import LEVELS, LevelSchedule

MakeRun = Callable[..., Run]


@pytest.fixture
def few_layers(monkeypatch: pytest.MonkeyPatch) -> None:
    """A network of four layers in place of PyNET, for what does not depend on the network."""

    def build(*_: Any, **__: Any) -> Any:
        layers = keras.layers
        return keras.Sequential(
            [
                layers.Input((None, None, 3)),
                layers.AveragePooling2D(32),
                layers.Conv2D(8, 1, name="first"),
                layers.BatchNormalization(),
                layers.Conv2D(3, 1, name="last"),
            ]
        )

    monkeypatch.setattr(level_training_module, "build_pynet", build)
    costs = dict.fromkeys(LEVELS, 1.0)
    monkeypatch.setattr(time_left, "level_costs", lambda network, crop: costs)


def level_training(run: Run, level: int = 7) -> LevelTraining:
    if not run.folder.exists():
        create_run(run)
    schedule = next(s for s in run.train.schedules if s.level == level)
    events = SummaryWriter(str(run.folder))
    return LevelTraining(run, schedule, start_level(run, schedule), events, TimeLeft(run))


def fit_until_killed(run: Run, steps: int) -> None:
    """Takes some steps and stops as if the power failed."""
    training = level_training(run)
    step, taken = training.model.train_on_batch, itertools.count()

    def step_until_killed(*batch: Any, **options: Any) -> Any:
        if next(taken) == steps:
            raise SystemError("killed")
        return step(*batch, **options)

    training.model.train_on_batch = step_until_killed
    with pytest.raises(SystemError):
        training.fit()


def assert_same_weights(ours: Run, theirs: Run) -> None:
    pairs = zip(trained_level(ours, 7).weights, trained_level(theirs, 7).weights, strict=True)
    for mine, other in pairs:
        np.testing.assert_array_equal(mine, other)


def test_levels_go_on_from_the_network_that_the_run_starts_from(
    tiny_run: MakeRun, focus_file: Path
) -> None:
    """Levels 5 and 2 of a trained network: level 2 has what 5 learned, and 4 as it was."""
    levels = (LevelSchedule(5, 3, 1), LevelSchedule(2, 1, 1))
    run = dataclasses.replace(
        tiny_run(schedules=levels), network=NARROW_POCKET, start_from=str(focus_file)
    )
    started = read_network(focus_file).model
    training = level_training(run, 5)
    assert_layer_is("level_5_a_3x3_first", training.model, started)
    training.fit()
    finer = start_level(run, levels[1])
    assert_layer_is("level_5_a_3x3_first", finer, trained_level(run, 5))
    assert_layer_is("level_4_b_3x3_first", finer, started)
    with pytest.raises(AssertionError):
        assert_layer_is("level_5_a_3x3_first", finer, started)


def assert_layer_is(name: str, model: Any, expected: Any) -> None:
    for mine, other in zip(
        model.get_layer(name).get_weights(), expected.get_layer(name).get_weights(), strict=True
    ):
        np.testing.assert_array_equal(mine, other)


@pytest.mark.usefixtures("few_layers")
def test_a_level_killed_twice_ends_as_if_it_had_not_been(
    tiny_run: MakeRun, capsys: pytest.CaptureFixture[str]
) -> None:
    """Also where the last checkpoint is damaged, or the level is validated on the way."""
    whole = tiny_run("whole")
    level_training(whole).fit()
    killed = tiny_run("killed", checkpoint_seconds=0.0)
    fit_until_killed(killed, 5)
    assert len(list(killed.level_folder(7).glob("step_*"))) == 2
    fit_until_killed(killed, 4)
    *_, before, last = sorted(killed.level_folder(7).glob("step_*"))
    weights = last / "state.weights.h5"
    weights.write_bytes(weights.read_bytes()[:1000])
    resumed = level_training(killed)
    assert before.name == f"step_{resumed.resumed_at:06d}"
    resumed.fit()
    assert_same_weights(whole, killed)
    assert (whole.folder / "history.csv").read_text() == (killed.folder / "history.csv").read_text()

    capsys.readouterr()
    watched = tiny_run("watched", validations=3)
    level_training(watched).fit()
    assert_same_weights(whole, watched)
    assert capsys.readouterr().out.count("level 7: PSNR") == 2


def unsureness(model: Any, batches: Sequence[Any]) -> float:
    """The mean cross entropy of the shares that stay sharp."""
    told = []
    for batch in batches:
        share = batch["target"][..., 3:4]
        logit = model(batch["input"], training=False)[..., 3:4]
        told.append(keras.ops.binary_crossentropy(share, logit, from_logits=True))
    return float(np.mean(told))


def test_a_level_learns_what_stays_sharp_and_hands_on_its_picture(tiny_run: MakeRun) -> None:
    run = tiny_run(steps=60, sharpness=2.0)
    before = start_level(run, run.train.schedules[0])
    training = level_training(run)
    batches = [next(training.batches) for _ in range(40)]
    training.fit()
    untrained, trained = (unsureness(model, batches) for model in (before, trained_level(run, 7)))
    assert trained < untrained - 0.02
    rows = [line.split(",") for line in (run.folder / "history.csv").read_text().splitlines()[1:]]
    assert all(5 < float(row[3]) < 60 for row in rows)
    report = validate_level(trained_level(run, 7), 7, run.pairs("val"), run.train)
    assert report.pictures.shape[-1] == 3
    assert level_training(run, 6).model.output.shape[-1] == 4


@pytest.mark.usefixtures("few_layers")
def test_history_has_a_row_every_ten_steps(tiny_run: MakeRun) -> None:
    run = tiny_run(steps=20)
    level_training(run).fit()
    header, *rows = (run.folder / "history.csv").read_text().splitlines()
    assert header == "level,step,loss,psnr,learning_rate"
    rows_read = [[float(value) for value in row.split(",")] for row in rows]
    assert [row[:2] for row in rows_read] == [[7, 10], [7, 20]]
    assert rows_read[0][4] == pytest.approx(0.5e-3, rel=1e-3)  # half of a cosine's way
    assert rows_read[1][4] == pytest.approx(0, abs=1e-9)
    assert all(5 < row[3] < 60 for row in rows_read)


@pytest.mark.usefixtures("few_layers")
def test_a_loss_that_is_no_number_names_step_batch_and_checkpoint(tiny_run: MakeRun) -> None:
    run = tiny_run(checkpoint_seconds=0.0)
    fit_until_killed(run, 3)
    training = level_training(run)
    head = training.model.get_layer("last")
    head.set_weights([weight * np.nan for weight in head.get_weights()])
    with pytest.raises(UserError, match=r"level 7, step 4 \(batch: \d+, \d+; .*step_000003\)"):
        training.fit()
    # What is on disk is from before.
    level_training(run).fit()


@pytest.mark.usefixtures("few_layers")
def test_weights_that_are_no_numbers_are_not_kept(tiny_run: MakeRun) -> None:
    run = tiny_run(checkpoint_seconds=0.0)
    training = level_training(run)
    step = training.model.train_on_batch

    def spoil(*batch: Any, **options: Any) -> Any:
        figures = step(*batch, **options)
        layer = training.model.get_layer("first")
        layer.set_weights([weight * np.nan for weight in layer.get_weights()])
        return figures

    training.model.train_on_batch = spoil
    with pytest.raises(UserError, match=r"first.* not finite"):
        training.fit()
    assert not list(run.level_folder(7).glob("step_*"))


@pytest.mark.parametrize("precision", ["mixed_bfloat16", "mixed_float16"])
def test_mixed_precision_learns_and_leaves_a_float32_network(
    tiny_run: MakeRun, precision: Any
) -> None:
    run = dataclasses.replace(tiny_run(), precision=precision)
    training = level_training(run)
    assert training.model.get_layer("level_7_a_3x3_first").compute_dtype == precision[6:]
    assert training.model.output.dtype == "float32"
    before = [np.array(weight) for weight in training.model.trainable_weights]
    training.fit()
    after = trained_level(run, 7)
    assert {layer.compute_dtype for layer in after.layers} == {"float32"}
    assert any(
        not np.array_equal(old, new)
        for old, new in zip(before, after.trainable_weights, strict=True)
    )
    assert keras.config.dtype_policy().name == "float32"


def test_precision_ends_with_the_block() -> None:
    with pytest.raises(ZeroDivisionError), computing_in("mixed_bfloat16"):
        raise ZeroDivisionError
    assert keras.config.dtype_policy().name == "float32"
