"""Recalibrates batch normalization on whole photographs after training on a few small crops."""

import dataclasses
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import keras
from tqdm import tqdm

from train.data.batches import training_batches
from train.loop.interruption import uninterrupted
from train.loop.run_folder import Run

CALIBRATION_BATCHES = 6
CALIBRATION_CROPS = 6
"""Batches, and crops per batch, that the statistics are computed from."""


def recalibrate_batch_statistics(run: Run, level: int, model: Any) -> None:
    """Replaces a level's batch statistics with those of whole photographs.

    During training the moving averages come from a few small crops per step, which vary less than
    photographs. With these, a level that has learned can score below the untouched photograph
    (docs/experiments.md). Here they become the mean over a few batches of large crops.
    """
    layers = _normalizations(model)
    if not layers:
        return
    whole = dataclasses.replace(run.train, crop=run.train.short_side - run.train.short_side % 64)
    crops, seed = CALIBRATION_CROPS, run.seed + level
    batches = training_batches(
        run.pairs("train"), level, crops, whole, seed, sees_focus=run.network.sees_focus
    )
    for number in tqdm(range(CALIBRATION_BATCHES), desc=f"level {level} statistics", leave=False):
        for layer in layers:
            layer.momentum = number / (number + 1)  # gives the mean of all batches so far
        batch = next(batches)
        with uninterrupted():
            model(batch["input"], training=True)


@contextmanager
def recalibrated(run: Run, level: int, model: Any) -> Iterator[None]:
    """Recalibrates the statistics for a validation during training, then restores them."""
    layers = _normalizations(model)
    kept = [(layer, layer.momentum, layer.get_weights()) for layer in layers]
    try:
        recalibrate_batch_statistics(run, level, model)
        yield
    finally:
        with uninterrupted():
            for layer, momentum, weights in kept:
                layer.momentum = momentum
                layer.set_weights(weights)


def _normalizations(model: Any) -> list[Any]:
    return [layer for layer in model.layers if isinstance(layer, keras.layers.BatchNormalization)]
