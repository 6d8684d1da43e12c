"""The training of one level: start from the level below, step, keep checkpoints."""

import dataclasses
import time
from typing import Any

import keras
from tensorboardX import SummaryWriter
from tqdm import tqdm

from train.checkpoints import latest_step, load_checkpoint, save_checkpoint
from train.errors import UserError
from train.history import History
from train.losses import LOSSES
from train.pairs import training_batches
from train.presets import LevelSchedule
from train.pynet import build_pynet, copy_weights
from train.run_folder import Run

STEPS_PER_RECORD = 10
"""Steps whose mean loss makes one row of `history.csv`."""


SETTLING_BATCHES = 6
SETTLING_CROPS = 6
"""Batches, and crops in each, that a trained level's normalization is settled on."""


def start_level(run: Run, schedule: LevelSchedule) -> Any:
    """A level's network, compiled, with the weights of the level below where there is one.

    The optimizer's moments start anew at every level, as published.
    """
    keras.utils.set_random_seed(run.seed + schedule.level)
    model = build_pynet(run.network, schedule.level)
    if latest_step(run.level_folder(schedule.level + 1)):
        copy_weights(trained_level(run, schedule.level + 1), model)
    rate: Any = schedule.learning_rate
    if schedule.decay == "cosine":
        rate = keras.optimizers.schedules.CosineDecay(rate, schedule.steps)
    model.compile(keras.optimizers.Adam(rate), loss=LOSSES[schedule.loss])
    model.optimizer.build(model.trainable_variables)
    return model


def trained_level(run: Run, level: int) -> Any:
    """The network cut at `level`, as it stood at the level's last checkpoint."""
    model = build_pynet(run.network, level)
    load_checkpoint(run.level_folder(level), model)
    return model


def fit_level(run: Run, schedule: LevelSchedule, model: Any, events: SummaryWriter) -> None:
    """Takes the steps that are left of a level.

    A checkpoint is written at least every `checkpoint_seconds`, at the end, and when Ctrl-C
    stops the level.

    Raises:
        UserError: the loss is no longer a number.
    """
    folder, steps = run.level_folder(schedule.level), schedule.steps
    batches = training_batches(
        run.pairs("train"),
        schedule.level,
        schedule.batch,
        run.train,
        seed=run.seed + schedule.level,
    )
    done = latest_step(folder)
    if done:
        batches.set_state(load_checkpoint(folder, model))
    history = History(run.folder / "history.csv", schedule.level, done)

    def checkpoint() -> None:
        save_checkpoint(folder, model, done, batches.get_state())
        history.write()

    with tqdm(total=steps, initial=done, desc=f"level {schedule.level}", unit="step") as progress:
        last_checkpoint = time.monotonic()
        try:
            while done < steps:
                loss = _step(model, next(batches), schedule, done)
                done += 1
                progress.set_postfix(loss=f"{loss:.3f}", refresh=False)
                progress.update()
                if done % STEPS_PER_RECORD == 0:
                    history.append(done, loss)
                    events.add_scalar(f"level_{schedule.level}/loss", loss, done)
                    model.reset_metrics()
                # Not after the last step: a level is done when its statistics are settled.
                due = time.monotonic() - last_checkpoint > run.train.checkpoint_seconds
                if due and done < steps:
                    checkpoint()
                    last_checkpoint = time.monotonic()
        except KeyboardInterrupt:
            if done < steps:
                checkpoint()
            raise
    if latest_step(folder) < steps:
        settle_normalization(run, schedule.level, model)
        checkpoint()


def settle_normalization(run: Run, level: int, model: Any) -> None:
    """Sets the statistics of a trained level's batch normalization to those of whole photographs.

    The moving averages come from a few small crops a step, which vary less than photographs
    do: with them a level can end below the untouched photograph though it has learned
    (docs/experiments.md). Here they become the mean over some large batches.
    """
    layers = [layer for layer in model.layers if isinstance(layer, keras.layers.BatchNormalization)]
    if not layers:
        return
    whole = dataclasses.replace(run.train, crop=run.train.short_side - run.train.short_side % 64)
    pairs, seed = run.pairs("train"), run.seed + level
    batches = training_batches(pairs, level, SETTLING_CROPS, whole, seed)
    for number in tqdm(range(SETTLING_BATCHES), desc=f"level {level} statistics", leave=False):
        for layer in layers:
            layer.momentum = number / (number + 1)  # the mean of all batches so far
        model(next(batches)["input"], training=True)


def _step(model: Any, batch: Any, schedule: LevelSchedule, done: int) -> float:
    """One optimizer step; the mean loss since the metrics were last reset."""
    loss = float(model.train_on_batch(batch["input"], batch["target"]))
    if loss != loss:
        names = ", ".join(str(name) for name in batch["name"])
        raise UserError(
            f"level {schedule.level}, step {done + 1}: the loss is not a number (batch: {names}); "
            "the last checkpoint is kept: look at these pairs, or lower the learning rate"
        )
    return loss
