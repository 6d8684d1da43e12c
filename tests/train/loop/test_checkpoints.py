"""Checkpoints survive an interruption and a full disk."""

import shutil
from collections import namedtuple
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from train.loop.checkpoints import latest_step, load_checkpoint, save_checkpoint


@pytest.fixture
def model() -> Any:
    photo = keras.Input((None, None, 3))
    small = keras.Model(photo, keras.layers.Conv2D(3, 3, padding="same")(photo))
    small.compile("adam", "mae")
    small.optimizer.build(small.trainable_variables)
    return small


def test_weights_optimizer_and_position_come_back_together(tmp_path: Path, model: Any) -> None:
    photos = np.random.default_rng(0).random((2, 8, 8, 3), np.float32)
    model.train_on_batch(photos, photos)
    save_checkpoint(tmp_path, model, 1, {"read": 2})
    saved = [np.array(v) for v in model.weights + model.optimizer.variables]
    model.train_on_batch(photos, photos)
    assert load_checkpoint(tmp_path, model) == {"read": 2}
    for before, after in zip(saved, model.weights + model.optimizer.variables, strict=True):
        np.testing.assert_array_equal(before, after)


def test_the_last_two_are_kept(tmp_path: Path, model: Any) -> None:
    assert latest_step(tmp_path) == 0
    for step in (5, 60, 700):
        save_checkpoint(tmp_path, model, step, {})
    assert sorted(file.name for file in tmp_path.iterdir()) == ["step_000060", "step_000700"]
    assert latest_step(tmp_path) == 700


def test_a_full_disk_keeps_what_there_was(
    tmp_path: Path, model: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    save_checkpoint(tmp_path, model, 1, {})
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage(10, 10, 0))
    with pytest.raises(OSError, match="No space left"):
        save_checkpoint(tmp_path, model, 2, {})
    assert [file.name for file in tmp_path.iterdir()] == ["step_000001"]


def test_a_write_that_fails_midway_leaves_nothing(
    tmp_path: Path, model: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def write_half(file: Path) -> None:
        Path(file).write_bytes(b"half")
        raise OSError("pulled the plug")

    monkeypatch.setattr(model, "save_weights", write_half)
    with pytest.raises(OSError, match="plug"):
        save_checkpoint(tmp_path, model, 2, {})
    assert list(tmp_path.iterdir()) == []


def test_a_damaged_checkpoint_does_not_count(tmp_path: Path, model: Any) -> None:
    for step in (1, 2):
        save_checkpoint(tmp_path, model, step, {"read": step})
    (tmp_path / "step_000002" / "position.json").write_text("{")
    assert latest_step(tmp_path) == 1
    assert load_checkpoint(tmp_path, model) == {"read": 1}
