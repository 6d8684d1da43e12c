"""Figures of whole pictures in bands, against scikit-image and against hand-made cases."""

import numpy as np
import pytest

from pocket_bokeh.metrics import compare_pictures
from pocket_bokeh.photo import to_float
from quantize.proof.comparison import psnr, ssim


@pytest.mark.parametrize("shape", [(150, 170, 3), (64 + 10, 21, 3), (11, 300, 3)])
def test_the_figures_are_those_of_the_rest_of_the_project(shape: tuple[int, ...]) -> None:
    random = np.random.default_rng(0)
    one = random.integers(0, 256, shape, np.uint8)
    other = np.clip(one + random.integers(-9, 10, shape), 0, 255).astype(np.uint8)
    found = compare_pictures(one, other)
    assert found.psnr == pytest.approx(psnr(to_float(one), to_float(other)), abs=1e-4)
    assert found.ssim == pytest.approx(ssim(to_float(one), to_float(other)), abs=1e-5)
    assert found.largest_step == 9


def test_equal_pictures_and_one_changed_pixel() -> None:
    one = np.full((30, 40, 3), 100, np.uint8)
    equal = compare_pictures(one, one)
    assert (equal.psnr, equal.largest_step) == (100.0, 0)
    assert equal.ssim == pytest.approx(1.0)
    other = one.copy()
    other[29, 39, 2] = 0
    found = compare_pictures(one, other)
    assert found.largest_step == 100
    assert found.psnr == pytest.approx(10 * np.log10(255**2 * one.size / 100**2))


def test_a_picture_smaller_than_the_window_has_no_ssim() -> None:
    one = np.zeros((1, 1, 3), np.uint8)
    assert compare_pictures(one, one + 1).ssim is None


def test_pictures_of_different_sizes_are_refused() -> None:
    with pytest.raises(ValueError, match="shapes"):
        compare_pictures(np.zeros((2, 2, 3), np.uint8), np.zeros((2, 3, 3), np.uint8))
