"""Both filters agree with SciPy's."""

import numpy as np
import pytest
import scipy.ndimage

from pocket_bokeh.gaussian_filter import box_filter, gaussian_filter

SHAPES = [(40, 57, 3), (33, 20), (1, 9, 4), (5, 3)]
"""The last two are smaller than the Gaussian window, so they are mirrored more than once."""


def _picture(shape: tuple[int, ...], kind: type) -> np.ndarray:
    return np.random.default_rng(3).random(shape).astype(kind)


@pytest.mark.parametrize("kind", [np.float32, np.float64])
@pytest.mark.parametrize("sigma", [0.0, 0.8, 1.6, 4.0])
@pytest.mark.parametrize("shape", SHAPES)
def test_the_gaussian_agrees_with_scipy(shape: tuple[int, ...], sigma: float, kind: type) -> None:
    picture = _picture(shape, kind)
    ours = gaussian_filter(picture, sigma)
    assert ours.dtype == kind
    theirs = scipy.ndimage.gaussian_filter(picture, (sigma, sigma, 0)[: len(shape)])
    np.testing.assert_allclose(ours, theirs, atol=1e-6)


@pytest.mark.parametrize("shape", SHAPES)
def test_the_box_agrees_with_scipy(shape: tuple[int, ...]) -> None:
    picture = _picture(shape, np.float32)
    theirs = scipy.ndimage.uniform_filter(picture, (3, 3, 0)[: len(shape)])
    np.testing.assert_allclose(box_filter(picture, 3), theirs, atol=1e-6)
