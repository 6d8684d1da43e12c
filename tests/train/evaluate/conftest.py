"""Fixtures for evaluations: three pairs, results of another program, masks, the command."""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from skimage.metrics import peak_signal_noise_ratio
from skimage.transform import downscale_local_mean

from pocket_bokeh.errors import run_command
from pocket_bokeh.photo import read_photo, write_photo
from train import evaluate

SIZES = {"a": (270, 330), "b": (256, 323), "c": (330, 257)}


def blurred(photo: np.ndarray, size: int) -> np.ndarray:
    reduced = downscale_local_mean(photo, (size, size, 1)).repeat(size, 0).repeat(size, 1)
    return reduced[: photo.shape[0], : photo.shape[1]].astype(np.uint8)


def noise_added(photo: np.ndarray, deviation: float) -> np.ndarray:
    noise = np.random.default_rng(7).normal(0, deviation, photo.shape)
    return np.rint(np.clip(photo + noise, 0, 255)).astype(np.uint8)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Three pairs of odd sizes: a reddish, a greenish and a bluish one, of low contrast."""
    random = np.random.default_rng(0)
    for channel, (name, (height, width)) in enumerate(SIZES.items()):
        original = random.integers(60, 140, (90, 90, 3), np.uint8).repeat(4, 0).repeat(4, 1)
        original = original[:height, :width]
        original[..., channel] += 60
        for kind, photo in (("original", original), ("bokeh", blurred(original, 6))):
            folder = tmp_path / "data" / "test" / kind
            folder.mkdir(parents=True, exist_ok=True)
            write_photo(folder / f"{name}.png", photo)
    return tmp_path / "data"


@pytest.fixture
def results(tmp_path: Path, data: Path) -> Path:
    """Another program's: a is nearly right, c is the worst."""
    (tmp_path / "results").mkdir()
    for name, deviation in (("a", 2), ("b", 8), ("c", 30)):
        target = read_photo(data / "test" / "bokeh" / f"{name}.png")
        write_photo(tmp_path / "results" / f"{name}.png", noise_added(target, deviation))
    return tmp_path / "results"


Evaluated = Callable[..., dict[str, Any]]


@pytest.fixture
def evaluated(tmp_path: Path, data: Path, monkeypatch: pytest.MonkeyPatch) -> Evaluated:
    """The command in this process, on the three pairs; gives what metrics.json says."""

    def run(*arguments: str | Path) -> dict[str, Any]:
        command = ["evaluate", *arguments, "--data", data, "--out", tmp_path / "out"]
        monkeypatch.setattr(sys, "argv", [str(argument) for argument in command])
        run_command(evaluate.main)
        return json.loads((tmp_path / "out" / "metrics.json").read_text())

    return run


def by_hand(picture: np.ndarray, target: np.ndarray) -> dict[str, float]:
    """Of float64 pictures 0…1."""
    both = [tf.constant(side[None], tf.float32) for side in (picture, target)]
    return {
        "psnr": float(peak_signal_noise_ratio(target, picture, data_range=1.0)),
        "ssim": float(tf.image.ssim(*both, max_val=1.0)[0]),
        "ms_ssim": float(tf.image.ssim_multiscale(*both, max_val=1.0)[0]),
    }


def quality(figures: dict[str, Any]) -> dict[str, float]:
    """Of a row of metrics.json, what `by_hand` gives."""
    return {name: figures[name] for name in ("psnr", "ssim", "ms_ssim")}


@pytest.fixture
def refused(evaluated: Evaluated, capsys: pytest.CaptureFixture[str]) -> Callable[..., str]:
    """The command in this process, where it refuses its arguments; gives its one line."""

    def complaint(*arguments: str | Path) -> str:
        with pytest.raises(SystemExit) as ended:
            evaluated(*arguments)
        said = capsys.readouterr().err
        assert ended.value.code == 2
        assert said.count("\n") == 1
        return said

    return complaint


@pytest.fixture
def masks(data: Path) -> Path:
    """Masks beside the photographs: the left half is the subject."""
    for name, (height, width) in SIZES.items():
        mask = np.zeros((height, width, 3), np.uint8)
        mask[:, : width // 2] = 255
        (data / "test" / "subject").mkdir(exist_ok=True)
        write_photo(data / "test" / "subject" / f"{name}.png", mask)
    return data / "test" / "subject"
