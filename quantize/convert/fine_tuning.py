"""Quantization-aware fine-tuning: trains an 8-bit network to match the float network.

The loss compares with the float network's output, not with the targets: a few hundred steps towards
the targets only exchange one fault for another and move the int8 model away from the float one
(docs/experiments.md).
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

from pocket_bokeh.disk import write_atomically
from pocket_bokeh.metrics import psnr
from quantize.convert.rounding import calibrated
from quantize.convert.samples import every_second_told
from train.data.pair_transforms import scale_pair
from train.data.pairs import PairSource
from train.network.presets import TrainConfig
from train.network.pynet import COLOURS

Model = Any
Batch = dict[str, Any]

SHARPNESS_WEIGHT = 0.5
"""Weight of predicted sharpness in the loss, the colours together having 1. Its differences are
twice as large."""

HISTORY_COLUMNS = ("step", "loss", "psnr_to_float32")


@dataclass(frozen=True)
class FineTuneConfig:
    """Settings of the fine-tuning.

    Attributes:
        steps: maximum number of optimizer steps.
        batch: crops per step.
        largest_crop: maximum side of the crops, in pixels of the photograph. The subject often
            fills smaller crops, and the network learns to blur less than it should
            (docs/experiments.md).
        learning_rate: of Adam at the first step; it falls to zero along a half cosine.
        calibration_batches: number of batches that give the initial ranges.
        validation_photos: number of held-out photographs that select the best weights.
        validations: number of validations, evenly distributed over the steps.
        patience: stop after this many validations in a row without improvement.
    """

    steps: int = 48
    batch: int = 2
    largest_crop: int = 384
    learning_rate: float = 1e-5
    calibration_batches: int = 8
    validation_photos: int = 16
    validations: int = 6
    patience: int = 3


@dataclass(frozen=True)
class FineTuned:
    """A fine-tuned network.

    Attributes:
        model: the network with fake quantization and the best weights of all validations.
        psnr_calibrated: mean PSNR of the colours in dB to the float network on held-out
            photographs, before the first step.
        psnr: the same for `model`.
        history: CSV with columns step, mean loss since the previous row, and this PSNR.
    """

    model: Model
    psnr_calibrated: float
    psnr: float
    history: str


@dataclass
class _State:
    """Progress of a fine-tuning, without the current weights."""

    done: int = 0
    best_psnr: float = -np.inf
    best_weights: list[np.ndarray] = field(default_factory=list)
    without_gain: int = 0
    rows: list[tuple[int, float, float]] = field(default_factory=list)

    def add_validation(self, loss: float, psnr: float, weights: list[np.ndarray]) -> None:
        """Records a validation and keeps the weights if they are the best so far."""
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
    float_model: Model,
    batches_from: Callable[[int], Iterator[Batch]],
    validation: np.ndarray,
    config: FineTuneConfig,
    folder: Path | None = None,
    identity: str = "",
) -> FineTuned:
    """Adds fake quantization to a network and trains it to match the float network.

    The loss is 100 times the mean absolute difference of the colours, plus `SHARPNESS_WEIGHT` times
    that of predicted sharpness. The result has the weights with the highest validation PSNR; the
    weights after calibration, before any step, count too.

    Args:
        float_model: the network of `to_tf_keras`; it is not changed.
        batches_from: given a position, returns the level-1 batches of
            `train.data.pairs.training_batches` from there.
        validation: the result of `validation_crops`.
        config: steps, batch, learning rate.
        folder: for a checkpoint from which an interrupted run resumes; created when needed.
        identity: of network and data; a checkpoint with another identity is ignored.

    Raises:
        UserError: the network has a layer without an integer operator.
    """
    batches = batches_from(0)
    model = calibrated(
        float_model, [next(batches)["input"] for _ in range(config.calibration_batches)]
    )
    optimizer = _optimizer(model, config)
    checkpoint = _Checkpoint(folder, identity, config)
    validation_psnr = _validation_psnr(model, float_model, validation)
    state = checkpoint.load(model, optimizer)
    if not state.rows:
        state.add_validation(0.0, validation_psnr(), model.get_weights())
    step = _training_step(model, float_model, optimizer)
    batches = batches_from(config.calibration_batches + state.done)
    every, losses = max(1, config.steps // config.validations), []
    progress = tqdm(total=config.steps, initial=state.done, desc="fine-tuning int8", leave=False)
    while state.done < config.steps and state.without_gain < config.patience:
        batch = next(batches)
        losses.append(float(step(batch["input"])))
        state.done += 1
        progress.update()
        if state.done % every == 0 or state.done == config.steps:
            state.add_validation(float(np.mean(losses)), validation_psnr(), model.get_weights())
            losses = []
            checkpoint.save(state, model, optimizer)
            progress.set_postfix_str(f"{state.rows[-1][2]:.2f} dB, best {state.best_psnr:.2f} dB")
    progress.close()
    model.set_weights(state.best_weights)
    return FineTuned(model, state.rows[0][2], state.best_psnr, state.history())


class _Checkpoint:
    """The checkpoint of a fine-tuning: one file, replaced atomically."""

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
        """Restores a checkpoint; a new state if there is none or its identity differs."""
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


def validation_crops(
    pairs: PairSource, config: TrainConfig, count: int, sees_focus: bool = False
) -> np.ndarray:
    """Centre crops of held-out photographs as network inputs.

    A network that takes a focus map is told where to focus in every second one.

    Returns:
        N × crop/2 × crop/2 × 3 (4 with a depth or focus map), float32 0…1.
    """
    crops = [
        scale_pair(pairs[index], config.short_side).transform(
            lambda photo: _centre_crop(photo, config.crop)
        )
        for index in range(min(count, len(pairs)))
    ]
    return np.stack(every_second_told(crops, sees_focus))


def _centre_crop(photo: np.ndarray, side: int) -> np.ndarray:
    top, left = ((length - side) // 2 for length in photo.shape[:2])
    return photo[top : top + side, left : left + side]


def _optimizer(model: Model, config: FineTuneConfig) -> Any:
    schedule = tf_keras.optimizers.schedules.CosineDecay(config.learning_rate, max(1, config.steps))
    optimizer = tf_keras.optimizers.Adam(schedule)
    optimizer.build(_trained_variables(model))
    return optimizer


def _trained_variables(model: Model) -> list[tf.Variable]:
    """All but the fixed weights that leave out the fourth channel; tfmot unfreezes them."""
    fixed = COLOURS in {layer.name for layer in model.layers}
    kept = model.get_layer(COLOURS).trainable_weights if fixed else []
    return [one for one in model.trainable_variables if all(one is not other for other in kept)]


def _training_step(
    model: Model, float_model: Model, optimizer: Any
) -> Callable[[np.ndarray], tf.Tensor]:
    trained = _trained_variables(model)

    # Without autograph, tracing takes a third of the time; layers branch on Python values only.
    @tf.function(autograph=False)
    def step(photos: tf.Tensor) -> tf.Tensor:
        # 8-bit integers end at 0 and 1, and predicted sharpness goes far beyond.
        expected = tf.clip_by_value(float_model(photos, training=False), 0.0, 1.0)
        with tf.GradientTape() as tape:
            loss = 100.0 * _distance(model(photos, training=True), expected)
        gradients = tape.gradient(loss, trained)
        optimizer.apply_gradients(zip(gradients, trained, strict=True))
        return loss

    return step


def _distance(output: tf.Tensor, expected: tf.Tensor) -> tf.Tensor:
    """The mean absolute difference of the colours, plus the weighted one of the sharpness."""
    off = tf.abs(output - expected)
    colours = tf.reduce_mean(off[..., :3])
    if output.shape[-1] == 3:
        return colours
    return colours + SHARPNESS_WEIGHT * tf.reduce_mean(off[..., 3])


def _validation_psnr(model: Model, float_model: Model, photos: np.ndarray) -> Callable[[], float]:
    @tf.function(autograph=False)
    def render(photo: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        expected = tf.clip_by_value(float_model(photo[None], training=False), 0.0, 1.0)
        return model(photo[None], training=False)[0, ..., :3], expected[0, ..., :3]

    def mean_psnr() -> float:
        rendered = (render(photo) for photo in tf.constant(photos))
        return float(np.mean([psnr(one.numpy(), other.numpy()) for one, other in rendered]))

    return mean_psnr
