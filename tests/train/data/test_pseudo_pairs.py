"""Pseudo-pairs: photographs without a target, with a network's mean rendering as the target."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from skimage import data

from pocket_bokeh.photo import to_float, write_photo
from train.data.pseudo_pairs import find_pseudo_pairs, mean_rendering
from train.loop.metrics import psnr
from train.network.presets import NETWORKS
from train.network.pynet import build_pynet


@pytest.fixture(scope="module")
def untaught() -> Any:
    """The shipped architecture before training; its heads are zero and change nothing."""
    return build_pynet(NETWORKS["pocket"], 1)


@pytest.fixture(scope="module")
def guessing(untaught: Any) -> Any:
    """A network that changes photographs at random."""
    model = build_pynet(NETWORKS["pocket"], 1)
    random = np.random.default_rng(0)
    model.set_weights([w + 0.02 * random.normal(size=w.shape) for w in untaught.get_weights()])
    return model


def test_every_photo_of_a_folder_is_a_pair_of_the_size_asked_for(
    tmp_path: Path, untaught: Any
) -> None:
    write_photo(tmp_path / "cat.png", data.chelsea())  # 451 × 300
    write_photo(tmp_path / "cup.jpg", data.coffee())  # 600 × 400
    pairs = find_pseudo_pairs(tmp_path, untaught, 128)
    cat, cup = (pairs[index] for index in range(len(pairs)))
    assert (cat.name, cup.name) == ("cat", "cup")
    assert cat.original.shape == cat.bokeh.shape == (128, 192, 3)
    assert cup.original.shape == cup.bokeh.shape == (128, 192, 3)
    # What stays sharp keeps the photograph's own pixels.
    for pair in (cat, cup):
        assert psnr(to_float(pair.bokeh)[None], to_float(pair.original)[None])[0] > 36


def test_left_and_right_count_alike(guessing: Any) -> None:
    photo = data.chelsea()[:128, 100:292]
    rendering = mean_rendering(guessing, photo).astype(int)
    mirrored = mean_rendering(guessing, np.ascontiguousarray(photo[:, ::-1])).astype(int)
    assert np.abs(rendering - photo).mean() > 2
    assert np.abs(rendering - mirrored[:, ::-1]).max() <= 1
