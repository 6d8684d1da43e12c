"""Trains one level: starts from the weights of the level below, takes steps, saves checkpoints."""

import time
from functools import partial
from pathlib import Path
from typing import Any

import keras
import numpy as np
from tensorboardX import SummaryWriter
from tqdm import tqdm

from pocket_bokeh.errors import UserError
from train.data.batches import HostShare, training_batches
from train.loop.batch_statistics import recalibrate_batch_statistics, recalibrated
from train.loop.checkpoints import latest_step, load_checkpoint, save_checkpoint
from train.loop.devices import (
    check_hosts_agree,
    host_count,
    host_index,
    is_first_host,
    on_first_host,
    without_distribution,
)
from train.loop.divergence import DivergenceWatch
from train.loop.faster_precision import start_in_faster_precision
from train.loop.graph_optimization import optimize_graphs
from train.loop.history import History, Record
from train.loop.interruption import uninterrupted
from train.loop.losses import make_loss, with_sharpness
from train.loop.metrics import psnr
from train.loop.run_folder import Run
from train.loop.time_left import TimeLeft
from train.loop.validation import validate_level
from train.network.network_file import read_network
from train.network.precision import (
    computing_in,
    has_bfloat16_instructions,
    is_tensorflow_on_cpu,
)
from train.network.presets import LevelSchedule, Precision
from train.network.pynet import build_pynet, copy_weights

STEPS_PER_RECORD = 10
"""The number of steps that each row of `history.csv` averages."""


def start_level(run: Run, schedule: LevelSchedule) -> Any:
    """Builds and compiles a level's network, with the weights of the level below if there is one.

    All other weights are random, or those of `run.start_from`.

    The optimizer's moments start from zero at every level, as published.
    """
    optimize_graphs(schedule.steps)
    if run.precision != "auto":
        return _compiled_level(run, schedule, run.precision)
    can_gain = is_tensorflow_on_cpu() and has_bfloat16_instructions()
    build = partial(_compiled_level, run, schedule)
    return start_in_faster_precision(run, schedule, build, can_gain)


def _compiled_level(run: Run, schedule: LevelSchedule, precision: Precision) -> Any:
    """The level's network in a precision, ready to take steps; the same weights in all of them."""
    keras.utils.set_random_seed(run.seed + schedule.level)
    with computing_in(precision):
        model = _level_network(run, schedule.level)
    if run.start_from:
        copy_weights(read_network(run.start_file).model, model)
    if coarser := _coarser_level(run, schedule.level):
        copy_weights(trained_level(run, coarser), model)
    loss = make_loss(schedule.loss, Path(run.vgg_weights) if run.vgg_weights else None)
    if run.train.asks_sharpness(schedule.level):
        loss = with_sharpness(loss, run.train.sharpness)
    # Create the metric's and the optimizer's variables now. If the first step created them, the
    # graph would be traced twice.
    quality = keras.metrics.MeanMetricWrapper(_picture_psnr, name="psnr")
    # On TensorFlow's CPU, XLA is 1.8 times slower than plain graphs (docs/experiments.md).
    jit_compile: bool | str = False if is_tensorflow_on_cpu() else "auto"
    with computing_in(precision):
        optimizer = make_optimizer(schedule)
        model.compile(optimizer, loss=loss, metrics=[quality], jit_compile=jit_compile)
    model.optimizer.build(model.trainable_variables)
    return model


def _coarser_level(run: Run, level: int) -> int | None:
    """The level that the run trained last before this one; a fine-tuning leaves some out."""
    trained = [s.level for s in run.train.schedules if s.level > level]
    return min((each for each in trained if latest_step(run.level_folder(each))), default=None)


def make_optimizer(schedule: LevelSchedule) -> Any:
    """The level's optimizer with its learning-rate schedule; its variables are not built yet."""
    rate: Any = schedule.learning_rate
    if schedule.decay == "cosine":
        rate = keras.optimizers.schedules.CosineDecay(rate, schedule.steps)
    return keras.optimizers.Adam(rate)


def trained_level(run: Run, level: int) -> Any:
    """The network cut at `level`, in float32, with the weights of the level's last checkpoint."""
    model = _level_network(run, level)
    load_checkpoint(run.level_folder(level), model)
    return model


def _level_network(run: Run, level: int) -> Any:
    return build_pynet(run.network, level, sharpness=run.train.asks_sharpness(level))


def _picture_psnr(target: Any, output: Any) -> Any:
    """PSNR of the pictures, without the sharpness channels."""
    return psnr(target[..., :3], output[..., :3])


class LevelTraining:
    """The training of one level, with its network, batches, checkpoints and progress.

    Each host has its own instance, with its share of the batches. Only the first host writes.
    """

    def __init__(
        self,
        run: Run,
        schedule: LevelSchedule,
        model: Any,
        events: SummaryWriter,
        time_left: TimeLeft,
    ):
        """Continues the level from its last checkpoint, if there is one.

        Args:
            run: the training that the level belongs to.
            schedule: the schedule of the level.
            model: from `start_level`.
            events: the TensorBoard log.
            time_left: estimates the time left of the whole run.
        """
        self.run, self.schedule, self.model, self.events = run, schedule, model, events
        self.time_left = time_left
        self.folder = run.level_folder(schedule.level)
        self.done = latest_step(self.folder)
        check_hosts_agree(f"the last checkpoint of level {schedule.level}", self.done)
        self._recent: list[tuple[float, float]] = []
        if self.done:
            self._recent = [tuple(figures) for figures in load_checkpoint(self.folder, model)]
        self.resumed_at = self.done
        self.batches = training_batches(
            run.pairs("train"),
            schedule.level,
            schedule.batch,
            run.train,
            seed=run.seed + schedule.level,
            start=self.done,
            share=HostShare(host_index(), host_count()),
            sees_focus=run.network.sees_focus,
        )
        self.history = History(run.folder / "history.csv", schedule.level, self.done)
        self.watch = DivergenceWatch()
        self._last_checkpoint = time.monotonic()
        # False while the weights are not those after `done` steps, so no checkpoint may be saved.
        self._can_save = True

    def fit(self) -> None:
        """Takes the remaining steps.

        Checkpoints are saved every `checkpoint_seconds`, before each validation, at the end, and
        when Ctrl-C stops the level between two steps.

        Raises:
            UserError: the loss is not finite, or explodes.
        """
        level, steps = self.schedule.level, self.schedule.steps
        if self.done >= steps:
            return
        with tqdm(total=steps, initial=self.done, desc=f"level {level}", unit="step") as progress:
            try:
                while self.done < steps:
                    self._step()
                    self._update_progress(progress)
                    # After the last step, the batch statistics come before the checkpoint.
                    if self.done < steps:
                        self._save_and_validate_if_due()
            except KeyboardInterrupt:
                if self._can_save and self.done < steps:
                    self._save_on_first_host()
                raise
        recalibrate_batch_statistics(self.run, level, self.model)
        on_first_host(self._save)

    def _step(self) -> None:
        """Takes one optimizer step, checks its loss, and adds a record every few steps."""
        batch = next(self.batches)
        self.model.reset_metrics()
        # Update weights and step count together: a checkpoint in between would repeat a batch.
        with uninterrupted():
            self._can_save = False
            figures = self.model.train_on_batch(batch["input"], batch["target"], return_dict=True)
            loss = float(figures["loss"])
            self.watch.check(loss, self._describe_step(batch))
            self.done += 1
            self._recent.append((loss, float(figures["psnr"])))
            if self.done % STEPS_PER_RECORD == 0:
                self._record()
            self._can_save = True

    def _describe_step(self, batch: Any) -> str:
        """The current step and the last checkpoint, for an error message."""
        names = ", ".join(str(name) for name in batch["name"])
        saved = latest_step(self.folder)
        checkpoint = f"the last good checkpoint is {self.folder}/step_{saved:06d}"
        return (
            f"level {self.schedule.level}, step {self.done + 1} (batch: {names}; "
            f"{checkpoint if saved else 'this level has no checkpoint yet'})"
        )

    def _record(self) -> None:
        """Adds the means of the last steps to `history.csv` and TensorBoard."""
        loss, quality = np.mean(self._recent, axis=0)
        self._recent = []
        rate = float(keras.ops.convert_to_numpy(self.model.optimizer.learning_rate))
        record = Record(self.schedule.level, self.done, float(loss), float(quality), rate)
        self.history.append(record)
        for name in ("loss", "psnr", "learning_rate"):
            self._log_scalar(name, getattr(record, name))

    def _log_scalar(self, name: str, value: float) -> None:
        self.events.add_scalar(f"level_{self.schedule.level}/{name}", value, self.done)

    def _update_progress(self, progress: tqdm) -> None:
        """Shows the loss and the time left of the whole run; tqdm adds the level's."""
        loss = self._recent[-1][0] if self._recent else float(self.history.rows[-1][2])
        taken, left = self.done - self.resumed_at, self.schedule.steps - self.done
        if taken == 1:  # leave out the first step, which also traces and compiles
            self.time_left.start(self.schedule.level)
        run_left = self.time_left.text(self.schedule.level, taken - 1, left)
        progress.set_postfix_str(f"loss {loss:.3f}, whole run {run_left} left", refresh=False)
        progress.update()

    def _save_and_validate_if_due(self) -> None:
        """Saves a checkpoint and validates, where either is due after this step."""
        every = max(1, self.schedule.steps // self.run.train.validations)
        validates = self.done % every == 0
        due = time.monotonic() - self._last_checkpoint > self.run.train.checkpoint_seconds
        # Save before a validation, because it changes the statistics and nothing can be saved then.
        if due or validates:
            self._save_on_first_host()
        if validates:
            self._validate()

    def _save_on_first_host(self) -> None:
        """Saves a checkpoint during a level; the other hosts do not wait for it."""
        if is_first_host():
            with without_distribution():
                self._save()

    def _validate(self) -> None:
        level = self.schedule.level
        self._can_save = False
        with recalibrated(self.run, level, self.model):
            report = validate_level(
                self.model,
                level,
                self.run.pairs("val"),
                self.run.train,
                self.run.network.sees_focus,
            )
        self._can_save = True
        self._log_scalar("validation_psnr", report.output.psnr)
        self.events.add_image(
            f"level_{level}/pictures", report.pictures, self.done, dataformats="HWC"
        )
        tqdm.write(f"step {self.done}: {report.line()}")

    def _save(self) -> None:
        """Saves a checkpoint of model, optimizer and unrecorded steps, and the history so far.

        The position in the data needs no saving: the step determines it.

        Raises:
            UserError: a weight is not finite; the files on disk stay as they are.
        """
        for variable in self.model.variables:
            if not np.isfinite(keras.ops.convert_to_numpy(variable)).all():
                raise UserError(
                    f"level {self.schedule.level}, step {self.done}: {variable.path} has values "
                    f"that are not finite; earlier checkpoints are in {self.folder}; lower the "
                    "learning rate"
                )
        # Write the history first. A resumed level drops rows after its checkpoint, but missing
        # rows could not be restored.
        self.history.write()
        save_checkpoint(self.folder, self.model, self.done, self._recent)
        self._last_checkpoint = time.monotonic()
