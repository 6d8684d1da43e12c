"""A small dataset folder for the tests of the training room."""

from pathlib import Path

import numpy as np
import pytest

from train.photo import write_photo


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
