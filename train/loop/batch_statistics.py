"""Batch normalization as whole photographs need it, after training on a few small crops a step."""

import dataclasses
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import keras
from tqdm import tqdm

from train.data.batches import training_batches
from train.loop.interruption import uninterrupted
from train.loop.run_folder import Run

SETTLING_BATCHES = 6
SETTLING_CROPS = 6
"""Batches, and crops in each, that a trained level's normalization is settled on."""


def settle_normalization(run: Run, level: int, model: Any) -> None:
    """Sets the statistics of a level's batch normalization to those of whole photographs.

    The moving averages come from a few small crops a step, which vary less than photographs
    do: with them a level can end below the untouched photograph though it has learned
    (docs/experiments.md). Here they become the mean over some large batches.
    """
    layers = _normalizations(model)
    if not layers:
        return
    whole = dataclasses.replace(run.train, crop=run.train.short_side - run.train.short_side % 64)
    batches = training_batches(run.pairs("train"), level, SETTLING_CROPS, whole, run.seed + level)
    for number in tqdm(range(SETTLING_BATCHES), desc=f"level {level} statistics", leave=False):
        for layer in layers:
            layer.momentum = number / (number + 1)  # the mean of all batches so far
        batch = next(batches)
        with uninterrupted():
            model(batch["input"], training=True)


@contextmanager
def settled(run: Run, level: int, model: Any) -> Iterator[None]:
    """Settles the statistics for a validation in the middle of a level, then puts them back."""
    layers = _normalizations(model)
    kept = [(layer, layer.momentum, layer.get_weights()) for layer in layers]
    try:
        settle_normalization(run, level, model)
        yield
    finally:
        with uninterrupted():
            for layer, momentum, weights in kept:
                layer.momentum = momentum
                layer.set_weights(weights)


def _normalizations(model: Any) -> list[Any]:
    return [layer for layer in model.layers if isinstance(layer, keras.layers.BatchNormalization)]
