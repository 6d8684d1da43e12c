"""Quantization-aware fine-tuning: the network learns to stay what it was in 8-bit integers.

The float network teaches, not the targets: towards these a few hundred steps only trade one fault
for another, and leave the int8 model further from the float one (docs/experiments.md).
"""

import csv
import dataclasses
import io
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
import tf_keras
from tqdm import tqdm

from pocket_bokeh.photo import network_input, write_atomically
from quantize.convert.rounding import calibrated
from train.data.pair_transforms import scale_pair
from train.data.pairs import PairSource
from train.network.presets import TrainConfig

Model = Any
Batch = dict[str, Any]

HISTORY_COLUMNS = ("step", "loss", "psnr_to_float32")


@dataclass(frozen=True)
class FineTuneConfig:
    """How long and how the integers are fine-tuned.

    Attributes:
        steps: optimizer steps, at most.
        batch: crops per step.
        largest_crop: side of the crops, in pixels of the photograph. In smaller ones the subject
            often fills all, and a network learns, and is judged, to blur less than on photographs
            (docs/experiments.md).
        learning_rate: Adam's at the first step; it falls to zero in a half cosine.
        calibration_batches: batches that the first ranges are taken from.
        validation_photos: held-out photographs that choose the best weights.
        validations: how often they are asked, evenly spread over the steps.
        patience: validations in a row without a gain that end it early.
    """

    steps: int = 48
    batch: int = 2
    largest_crop: int = 384
    learning_rate: float = 1e-4
    calibration_batches: int = 8
    validation_photos: int = 16
    validations: int = 6
    patience: int = 3


@dataclass(frozen=True)
class FineTuned:
    """A network with its roundings in place, and how it came to them.

    Attributes:
        model: the best of all that validation saw.
        psnr_calibrated: mean PSNR in dB to the float network on held-out photographs, before any
            step.
        psnr: the same of `model`.
        history: a table in CSV: step, loss since the row before, that PSNR.
    """

    model: Model
    psnr_calibrated: float
    psnr: float
    history: str


@dataclass
class _State:
    """Where a fine-tuning stands, beside the weights that training goes on from."""

    done: int = 0
    best_psnr: float = -np.inf
    best_weights: list[np.ndarray] = field(default_factory=list)
    without_gain: int = 0
    rows: list[tuple[int, float, float]] = field(default_factory=list)

    def judged(self, loss: float, psnr: float, weights: list[np.ndarray]) -> None:
        """Takes in a validation."""
        self.rows.append((self.done, loss, psnr))
        self.without_gain += 1
        if psnr > self.best_psnr:
            self.best_psnr, self.best_weights, self.without_gain = psnr, weights, 0

    def history(self) -> str:
        """The validations as CSV."""
        table = io.StringIO()
        rows = [(step, f"{loss:.5f}", f"{psnr:.4f}") for step, loss, psnr in self.rows]
        csv.writer(table, lineterminator="\n").writerows([HISTORY_COLUMNS, *rows])
        return table.getvalue()


def fine_tune(
    twin: Model,
    batches_from: Callable[[int], Iterator[Batch]],
    validation: np.ndarray,
    config: FineTuneConfig,
    folder: Path | None = None,
    identity: str = "",
) -> FineTuned:
    """Rounds a float network to 8 bits and trains it to stay what it was.

    The loss is the mean absolute difference to the float network, in hundredths. Of all weights
    that validation saw, those just after calibration included, the nearest to it are kept.

    Args:
        twin: the float tf_keras network of `build_twin`; left as it is.
        batches_from: level-1 batches of `train.data.batches.training_batches` from a position on.
        validation: what `validation_crops` gives.
        config: steps, batch, learning rate.
        folder: where it can go on when it is stopped; made at the first validation.
        identity: of network and data; what lies in `folder` under another is not gone on with.

    Raises:
        UserError: the network has a layer that has no integer operator.
    """
    batches = batches_from(0)
    model = calibrated(twin, [next(batches)["input"] for _ in range(config.calibration_batches)])
    optimizer = _optimizer(model, config)
    checkpoint = _Checkpoint(folder, identity, config)
    validation_psnr = _validation_psnr(model, twin, validation)
    state = checkpoint.load(model, optimizer)
    if not state.rows:
        state.judged(0.0, validation_psnr(), model.get_weights())
    step = _training_step(model, twin, optimizer)
    batches = batches_from(config.calibration_batches + state.done)
    every, losses = max(1, config.steps // config.validations), []
    progress = tqdm(total=config.steps, initial=state.done, desc="fine-tuning int8", leave=False)
    while state.done < config.steps and state.without_gain < config.patience:
        batch = next(batches)
        losses.append(float(step(batch["input"])))
        state.done += 1
        progress.update()
        if state.done % every == 0 or state.done == config.steps:
            state.judged(float(np.mean(losses)), validation_psnr(), model.get_weights())
            losses = []
            checkpoint.save(state, model, optimizer)
            progress.set_postfix_str(f"{state.rows[-1][2]:.2f} dB, best {state.best_psnr:.2f} dB")
    progress.close()
    model.set_weights(state.best_weights)
    return FineTuned(model, state.rows[0][2], state.best_psnr, state.history())


class _Checkpoint:
    """A fine-tuning on disk: one file, replaced as a whole."""

    def __init__(self, folder: Path | None, identity: str, config: FineTuneConfig):
        self.folder = folder
        self.identity = json.dumps([identity, dataclasses.asdict(config)])

    def save(self, state: _State, model: Model, optimizer: Any) -> None:
        if self.folder is None:
            return
        self.folder.mkdir(parents=True, exist_ok=True)
        arrays = {
            "model": model.get_weights(),
            "optimizer": [variable.numpy() for variable in optimizer.variables],
            "best": state.best_weights,
        }
        figures = [self.identity, state.done, state.best_psnr, state.without_gain, state.rows]
        content = io.BytesIO()
        np.savez(
            content,
            state=np.array(json.dumps(figures)),
            **{
                f"{kind}_{i}": array
                for kind, some in arrays.items()
                for i, array in enumerate(some)
            },
        )
        write_atomically(self.folder / "state.npz", content.getvalue())
        write_atomically(self.folder / "history.csv", state.history())

    def load(self, model: Model, optimizer: Any) -> _State:
        """Where it stood; at the start where there is nothing, or something else's."""
        if self.folder is None or not (self.folder / "state.npz").is_file():
            return _State()
        with np.load(self.folder / "state.npz") as stored:
            identity, done, best_psnr, without_gain, rows = json.loads(str(stored["state"]))
            if identity != self.identity:
                return _State()
            weights = model.get_weights()
            model.set_weights([stored[f"model_{i}"] for i in range(len(weights))])
            for index, variable in enumerate(optimizer.variables):
                variable.assign(stored[f"optimizer_{index}"])
            best = [stored[f"best_{i}"] for i in range(len(weights))]
        return _State(done, best_psnr, best, without_gain, [tuple(row) for row in rows])


def validation_crops(pairs: PairSource, config: TrainConfig, count: int) -> np.ndarray:
    """The middles of held-out photographs as network inputs.

    Returns:
        N × crop/2 × crop/2 × 3 (4 with depth), float32 0…1.
    """
    inputs = []
    for index in range(min(count, len(pairs))):
        pair = scale_pair(pairs[index], config.short_side)
        pair = pair.transform(lambda photo: _middle(photo, config.crop))
        inputs.append(network_input(pair.original, pair.depth))
    return np.stack(inputs)


def _middle(photo: np.ndarray, side: int) -> np.ndarray:
    top, left = ((length - side) // 2 for length in photo.shape[:2])
    return photo[top : top + side, left : left + side]


def _optimizer(model: Model, config: FineTuneConfig) -> Any:
    schedule = tf_keras.optimizers.schedules.CosineDecay(config.learning_rate, max(1, config.steps))
    optimizer = tf_keras.optimizers.Adam(schedule)
    optimizer.build(model.trainable_variables)
    return optimizer


def _training_step(model: Model, twin: Model, optimizer: Any) -> Callable[[np.ndarray], tf.Tensor]:
    # Without autograph tracing takes a third of the time; the layers branch on Python values.
    @tf.function(autograph=False)
    def step(photos: tf.Tensor) -> tf.Tensor:
        taught = twin(photos, training=False)
        with tf.GradientTape() as tape:
            loss = 100.0 * tf.reduce_mean(tf.abs(model(photos, training=True) - taught))
        gradients = tape.gradient(loss, model.trainable_variables)
        optimizer.apply_gradients(zip(gradients, model.trainable_variables, strict=True))
        return loss

    return step


def _validation_psnr(model: Model, twin: Model, photos: np.ndarray) -> Callable[[], float]:
    @tf.function(autograph=False)
    def psnr(photo: tf.Tensor) -> tf.Tensor:
        taught = tf.clip_by_value(twin(photo[None], training=False), 0.0, 1.0)
        return tf.image.psnr(model(photo[None], training=False), taught, max_val=1.0)[0]

    def mean_psnr() -> float:
        return float(np.mean([psnr(photo) for photo in tf.constant(photos)]))

    return mean_psnr
