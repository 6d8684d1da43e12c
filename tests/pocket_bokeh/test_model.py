"""The public API of `pocket_bokeh`."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from skimage import data

import pocket_bokeh
from pocket_bokeh.bundle import SHIPPED_BUNDLE


@pytest.fixture(scope="module")
def model() -> pocket_bokeh.Model:
    return pocket_bokeh.load()


def test_the_library_imports_nothing_of_training_or_the_browser() -> None:
    program = (
        "import sys, pocket_bokeh, pocket_bokeh.command, pocket_bokeh.metrics\n"
        "heavy = {'tensorflow', 'keras', 'jax', 'gradio', 'scipy', 'train', 'quantize'}\n"
        "print(sorted(heavy & set(sys.modules)))\n"
    )
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert ended.stdout == "[]\n", ended.stderr


def test_every_public_name_has_a_docstring() -> None:
    for name in pocket_bokeh.__all__:
        public = getattr(pocket_bokeh, name)
        assert isinstance(public, str) or public.__doc__, name


def test_strength_blends_photo_and_rendering(model: pocket_bokeh.Model) -> None:
    photo = data.coffee()
    full = model.render(photo)
    assert np.array_equal(model.render(photo, strength=0), photo)
    half = model.render(photo, strength=0.5)
    mean = (photo.astype(float) + full) / 2
    assert np.abs(half - mean).max() <= 1


@pytest.mark.parametrize("strength", [-0.1, 1.1, float("nan")])
def test_a_strength_out_of_range_is_refused(strength: float, model: pocket_bokeh.Model) -> None:
    with pytest.raises(pocket_bokeh.UserError, match="strength"):
        model.render(data.coffee(), strength=strength)


def test_another_bundle_and_recipe(model: pocket_bokeh.Model) -> None:
    assert not model.sees_depth
    again = pocket_bokeh.load(str(SHIPPED_BUNDLE), recipe="int8_qat")
    photo = data.coffee()
    assert np.array_equal(again.render(photo), model.render(photo))
    with pytest.raises(pocket_bokeh.UserError, match="no recipe 'int4'"):
        pocket_bokeh.load(recipe="int4")
    with pytest.raises(pocket_bokeh.UserError, match="not a bundle"):
        pocket_bokeh.load(Path(__file__).parent)
