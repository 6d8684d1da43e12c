"""Fixtures for the tests of training: a small dataset folder, small runs, commands, ports."""

import dataclasses
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pocket_bokeh.photo import write_photo
from train.data import photo_folder
from train.loop.run_folder import Run
from train.network.presets import NETWORKS, LevelSchedule, TrainConfig

_CACHE_FOLDER = photo_folder.cache_folder


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Gives each test its own cache of checked photographs."""
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


@pytest.fixture
def add_depth(pairs_folder: Path) -> Callable[[], None]:
    """Adds depth maps to the folder: a ramp from left to right, at half the photographs' size."""

    def add() -> None:
        (pairs_folder / "original_depth").mkdir()
        ramp = np.tile(np.linspace(0, 255, 64).astype(np.uint8), (48, 1))
        for file in (pairs_folder / "original").iterdir():
            write_photo(pairs_folder / "original_depth" / file.name, ramp)

    return add


TINY = dataclasses.replace(NETWORKS["mobile"], width=1 / 32)
"""A network with every part, but very few filters."""

MakeRun = Callable[..., Run]


@pytest.fixture
def tiny_run(pairs_folder: Path, tmp_path: Path) -> MakeRun:
    """Builds runs of levels 7 and 6 on the small folder, without writing them."""

    def make(
        name: str = "run",
        steps: int = 12,
        **changes: Any,
    ) -> Run:
        schedules = tuple(
            LevelSchedule(level, steps, 2, learning_rate=1e-3, decay="cosine") for level in (7, 6)
        )
        config = TrainConfig(64, 64, "mirror", "average", schedules, validation_photos=2)
        config = dataclasses.replace(config, **changes)
        return Run(tmp_path / name, "tiny", TINY, config, (str(pairs_folder),), seed=0)

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
            # A background job of a shell ignores Ctrl-C, and child processes inherit that.
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
        )

    return start


@pytest.fixture
def free_address() -> Callable[[], str]:
    """Finds addresses on this machine whose ports are free."""

    def find() -> str:
        with socket.create_server(("", 0)) as server:
            return f"localhost:{server.getsockname()[1]}"

    return find
