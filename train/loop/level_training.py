"""The training of one level: start from the level below, step, keep checkpoints."""

import time
from pathlib import Path
from typing import Any

import keras
import numpy as np
from tensorboardX import SummaryWriter
from tqdm import tqdm

from pocket_bokeh.errors import UserError
from train.data.batches import HostShare, training_batches
from train.loop.batch_statistics import settle_normalization, settled
from train.loop.checkpoints import latest_step, load_checkpoint, save_checkpoint
from train.loop.devices import (
    alone,
    check_hosts_agree,
    host_count,
    host_index,
    is_first_host,
    on_first_host,
)
from train.loop.divergence import DivergenceWatch
from train.loop.fused_adam import FusedAdam
from train.loop.history import History, Record
from train.loop.interruption import uninterrupted
from train.loop.losses import make_loss, with_detail_transfer, with_sharpness
from train.loop.metrics import psnr
from train.loop.run_folder import Run
from train.loop.time_left import TimeLeft
from train.loop.validation import validate_level
from train.network.precision import computing_in
from train.network.presets import LevelSchedule
from train.network.pynet import build_pynet, copy_weights

STEPS_PER_RECORD = 10
"""Steps whose means make one row of `history.csv`."""


def start_level(run: Run, schedule: LevelSchedule) -> Any:
    """A level's network, compiled, with the weights of the level below where there is one.

    The optimizer's moments start anew at every level, as published.
    """
    keras.utils.set_random_seed(run.seed + schedule.level)
    with computing_in(run.precision):
        model = _level_network(run, schedule.level)
    if latest_step(run.level_folder(schedule.level + 1)):
        copy_weights(trained_level(run, schedule.level + 1), model)
    loss = make_loss(schedule.loss, Path(run.vgg_weights) if run.vgg_weights else None)
    if run.train.asks_sharpness(schedule.level):
        loss = with_sharpness(loss, run.train.sharpness)
    if run.train.asks_detail_transfer(schedule.level):
        loss = with_detail_transfer(loss)
    # Made here, as the optimizer's variables are: what the first step makes costs a second tracing.
    quality = keras.metrics.MeanMetricWrapper(_picture_psnr, name="psnr")
    plain = _plain_graphs()
    with computing_in(run.precision):
        optimizer = make_optimizer(schedule)
        model.compile(
            optimizer, loss=loss, metrics=[quality], jit_compile=False if plain else "auto"
        )
    model.optimizer.build(model.trainable_variables)
    return model


def make_optimizer(schedule: LevelSchedule) -> Any:
    """The level's optimizer with its learning rate, without variables yet."""
    rate: Any = schedule.learning_rate
    if schedule.decay == "cosine":
        rate = keras.optimizers.schedules.CosineDecay(rate, schedule.steps)
    return FusedAdam(rate) if _plain_graphs() else keras.optimizers.Adam(rate)


def trained_level(run: Run, level: int) -> Any:
    """The network cut at `level`, float32, as it stood at the level's last checkpoint."""
    model = _level_network(run, level)
    load_checkpoint(run.level_folder(level), model)
    return model


def _level_network(run: Run, level: int) -> Any:
    return build_pynet(run.network, level, sharpness=run.train.asks_sharpness(level))


def _picture_psnr(target: Any, output: Any) -> Any:
    """Of the pictures alone, where sharpness comes with them."""
    return psnr(target[..., :3], output[..., :3])


def _plain_graphs() -> bool:
    """Whether this is TensorFlow without a GPU.

    There XLA takes 1.8 times the time of plain graphs (docs/experiments.md).
    """
    return keras.backend.backend() == "tensorflow" and not keras.distribution.list_devices("gpu")


class LevelTraining:
    """One level on its way: its network, its batches, its checkpoints, and where it stands.

    Of several hosts each runs one; they differ in their share of the batches, and the first
    alone writes.
    """

    def __init__(
        self,
        run: Run,
        schedule: LevelSchedule,
        model: Any,
        events: SummaryWriter,
        time_left: TimeLeft,
    ):
        """Takes the level up where its last checkpoint left it.

        Args:
            run: the training that the level belongs to.
            schedule: the level's.
            model: from `start_level`.
            events: TensorBoard's.
            time_left: of the whole run.
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
        )
        self.history = History(run.folder / "history.csv", schedule.level, self.done)
        self.watch = DivergenceWatch()
        self._last_checkpoint = time.monotonic()
        # False while the weights are not those after `done` steps: nothing may be kept then.
        self._at_rest = True

    def fit(self) -> None:
        """Takes the steps that are left.

        A checkpoint is written at least every `checkpoint_seconds`, before a validation, at the
        end, and when Ctrl-C stops the level between two steps.

        Raises:
            UserError: the loss is no longer a number, or explodes.
        """
        level, steps = self.schedule.level, self.schedule.steps
        if self.done >= steps:
            return
        with tqdm(total=steps, initial=self.done, desc=f"level {level}", unit="step") as progress:
            try:
                while self.done < steps:
                    self._step()
                    self._show(progress)
                    # Not after the last step: a level is done when its statistics are settled.
                    if self.done < steps:
                        self._look_up()
            except KeyboardInterrupt:
                if self._at_rest and self.done < steps:
                    self._keep()
                raise
        settle_normalization(self.run, level, self.model)
        on_first_host(self._checkpoint)

    def _step(self) -> None:
        """One optimizer step, its loss looked at, every few steps recorded."""
        batch = next(self.batches)
        self.model.reset_metrics()
        # The step and its count belong together: a checkpoint between them would repeat a batch.
        with uninterrupted():
            self._at_rest = False
            figures = self.model.train_on_batch(batch["input"], batch["target"], return_dict=True)
            loss = float(figures["loss"])
            self.watch.check(loss, self._where(batch))
            self.done += 1
            self._recent.append((loss, float(figures["psnr"])))
            if self.done % STEPS_PER_RECORD == 0:
                self._record()
            self._at_rest = True

    def _where(self, batch: Any) -> str:
        """This step in words, for the message that stops a level."""
        names = ", ".join(str(name) for name in batch["name"])
        kept = latest_step(self.folder)
        kept_words = f"{self.folder}/step_{kept:06d} is the last good checkpoint"
        return (
            f"level {self.schedule.level}, step {self.done + 1} (batch: {names}; "
            f"{kept_words if kept else 'there is no checkpoint of this level yet'})"
        )

    def _record(self) -> None:
        """The means of the last steps, to `history.csv` and TensorBoard."""
        loss, quality = np.mean(self._recent, axis=0)
        self._recent = []
        rate = float(keras.ops.convert_to_numpy(self.model.optimizer.learning_rate))
        record = Record(self.schedule.level, self.done, float(loss), float(quality), rate)
        self.history.append(record)
        for name in ("loss", "psnr", "learning_rate"):
            self._event(name, getattr(record, name))

    def _event(self, name: str, value: float) -> None:
        self.events.add_scalar(f"level_{self.schedule.level}/{name}", value, self.done)

    def _show(self, progress: tqdm) -> None:
        """The loss, the level's time left (tqdm's) and the whole run's."""
        loss = self._recent[-1][0] if self._recent else float(self.history.rows[-1][2])
        taken, left = self.done - self.resumed_at, self.schedule.steps - self.done
        if taken == 1:  # that step also traced and compiled
            self.time_left.start(self.schedule.level)
        run_left = self.time_left.words(self.schedule.level, taken - 1, left)
        progress.set_postfix_str(f"loss {loss:.3f}, whole run {run_left} left", refresh=False)
        progress.update()

    def _look_up(self) -> None:
        """Between two steps: what is due, a validation or a checkpoint."""
        every = max(1, self.schedule.steps // self.run.train.validations)
        validates = self.done % every == 0
        due = time.monotonic() - self._last_checkpoint > self.run.train.checkpoint_seconds
        # A validation changes the statistics for a while: stopped there, this is what is left.
        if due or validates:
            self._keep()
        if validates:
            self._validate()

    def _keep(self) -> None:
        """A checkpoint in the middle of a level."""
        if is_first_host():
            with alone():
                self._checkpoint()

    def _validate(self) -> None:
        level = self.schedule.level
        self._at_rest = False
        with settled(self.run, level, self.model):
            report = validate_level(self.model, level, self.run.pairs("val"), self.run.train)
        self._at_rest = True
        self._event("validation_psnr", report.output.psnr)
        self.events.add_image(
            f"level_{level}/pictures", report.pictures, self.done, dataformats="HWC"
        )
        tqdm.write(f"step {self.done}: {report.line()}")

    def _checkpoint(self) -> None:
        """Model, optimizer and figures not yet recorded to disk, and the history up to here.

        The step says where the data stands: batches can be made from any position on.

        Raises:
            UserError: a weight is not a number; what is on disk stays.
        """
        for variable in self.model.variables:
            if not np.isfinite(keras.ops.convert_to_numpy(variable)).all():
                raise UserError(
                    f"level {self.schedule.level}, step {self.done}: {variable.path} is not a "
                    f"number; the checkpoints in {self.folder} are from before: lower the "
                    "learning rate"
                )
        # The history first: rows after the last checkpoint are dropped when a level goes on, but
        # rows that were never written could not be made up for.
        self.history.write()
        save_checkpoint(self.folder, self.model, self.done, self._recent)
        self._last_checkpoint = time.monotonic()
