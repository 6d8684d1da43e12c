"""A small dataset folder for the tests of the training room."""

import dataclasses
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from train import photo_folder
from train.photo import write_photo
from train.presets import NETWORKS, LevelSchedule, Optimizer, TrainConfig
from train.run_folder import Run

_CACHE_FOLDER = photo_folder.cache_folder


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is remembered of the photographs in a test's folder ends with the test."""
    monkeypatch.setattr(photo_folder, "cache_folder", _CACHE_FOLDER)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / ".cache"))


@pytest.fixture
def pairs_folder(tmp_path: Path) -> Path:
    """Twelve pairs of 96×128: noise, and the same noise blurred outside its middle."""
    folder = tmp_path / "pairs"
    random = np.random.default_rng(0)
    for kind in ("original", "bokeh"):
        (folder / kind).mkdir(parents=True)
    for index in range(12):
        original = random.integers(0, 256, (12, 16, 3), np.uint8).repeat(8, 0).repeat(8, 1)
        bokeh = original.copy()
        bokeh[:, :40] = original.mean((0, 1)).astype(np.uint8)
        write_photo(folder / "original" / f"{index}.png", original)
        write_photo(folder / "bokeh" / f"{index}.png", bokeh)
    return folder


TINY = dataclasses.replace(NETWORKS["mobile"], input_channels=3, width=1 / 32)
"""The smallest network that has everything."""

MakeRun = Callable[..., Run]


@pytest.fixture
def tiny_run(pairs_folder: Path, tmp_path: Path) -> MakeRun:
    """Makes runs of levels 7 and 6 on the small folder; nothing is written."""

    def make(
        name: str = "run",
        steps: int = 12,
        optimizer: Optimizer = "adam",
        **changes: Any,
    ) -> Run:
        schedules = tuple(
            LevelSchedule(level, steps, 2, learning_rate=1e-3, decay="cosine", optimizer=optimizer)
            for level in (7, 6)
        )
        config = TrainConfig(64, 64, "mirror", "average", schedules, validation_photos=2)
        config = dataclasses.replace(config, **changes)
        return Run(tmp_path / name, "tiny", TINY, config, str(pairs_folder), seed=0)

    return make


@pytest.fixture
def start_command() -> Callable[..., subprocess.Popen[str]]:
    """Starts one of the project's commands as a shell would."""

    def start(*arguments: str | Path, **environment: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-m", *map(str, arguments)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, **environment},
            # A shell's background job ignores Ctrl-C and hands that on.
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
        )

    return start
