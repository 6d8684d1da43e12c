"""FusedAdam equals Keras's Adam, step by step and in its checkpoints."""

from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from train.loop.fused_adam import FusedAdam


def trained(optimizer: Any, steps: int, start: Path | None = None) -> Any:
    """A small network after so many steps on the same batches."""
    keras.utils.set_random_seed(0)
    layers = [keras.layers.Dense(16, activation="relu"), keras.layers.Dense(3)]
    model = keras.Sequential([keras.layers.Input((8,)), *layers])
    rate = keras.optimizers.schedules.CosineDecay(1e-2, 50)
    model.compile(optimizer(rate), loss="mse", jit_compile=False)
    model.optimizer.build(model.trainable_variables)
    if start:
        model.load_weights(start)
    random = np.random.default_rng(0)
    for _ in range(steps):
        photo, target = (random.random((16, n), np.float32) for n in (8, 3))
        model.train_on_batch(photo, target)
    return model


def everything(model: Any) -> np.ndarray:
    """Weights, moments and count of steps in one row."""
    kept = [*model.variables, *model.optimizer.variables]
    return np.concatenate([np.ravel(keras.ops.convert_to_numpy(one)) for one in kept])


@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="an operator of TensorFlow")
def test_it_learns_what_keras_adam_learns(tmp_path: Path) -> None:
    theirs, ours = trained(keras.optimizers.Adam, 40), trained(FusedAdam, 40)
    np.testing.assert_allclose(everything(ours), everything(theirs), rtol=1e-4, atol=3e-6)
    theirs.save_weights(tmp_path / "theirs.weights.h5")
    theirs_on, ours_on = (
        trained(optimizer, 5, start=tmp_path / "theirs.weights.h5")
        for optimizer in (keras.optimizers.Adam, FusedAdam)
    )
    np.testing.assert_allclose(everything(ours_on), everything(theirs_on), rtol=1e-4, atol=3e-6)
    assert np.abs(everything(ours_on) - everything(theirs)).max() > 1e-3
