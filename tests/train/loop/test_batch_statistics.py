"""Batch statistics are those of whole photographs; a validation restores the old ones."""

from collections.abc import Callable

import keras
import numpy as np

from train.data.batches import training_batches
from train.loop.batch_statistics import (
    CALIBRATION_BATCHES,
    CALIBRATION_CROPS,
    recalibrate_batch_statistics,
    recalibrated,
)
from train.loop.level_training import start_level
from train.loop.run_folder import Run

NAME = "encoder_3_3x3_first"


def test_a_trained_level_is_normalized_as_whole_photographs_are(
    tiny_run: Callable[..., Run],
) -> None:
    run = tiny_run()
    model = start_level(run, run.train.schedules[0])
    recalibrate_batch_statistics(run, 7, model)
    convolved = keras.Model(model.input, model.get_layer(NAME).output)
    whole = training_batches(run.pairs("train"), 7, CALIBRATION_CROPS, run.train, seed=7)
    means = [
        np.mean(convolved(next(whole)["input"]), axis=(0, 1, 2)) for _ in range(CALIBRATION_BATCHES)
    ]
    found = model.get_layer(f"{NAME}_normalization").moving_mean
    np.testing.assert_allclose(found, np.mean(means, axis=0), rtol=1e-3, atol=1e-5)


def test_recalibration_is_undone(tiny_run: Callable[..., Run]) -> None:
    run = tiny_run()
    model = start_level(run, run.train.schedules[0])
    layer = model.get_layer(f"{NAME}_normalization")
    before, momentum = np.array(layer.moving_mean), layer.momentum
    with recalibrated(run, 7, model):
        assert not np.array_equal(before, layer.moving_mean)
    np.testing.assert_array_equal(before, layer.moving_mean)
    assert layer.momentum == momentum
