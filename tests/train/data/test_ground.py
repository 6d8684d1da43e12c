"""Ground before a wall, blurred row by row; compared with plain convolutions."""

import numpy as np
import pytest
from scipy.ndimage import convolve
from skimage import data

from train.data.ground import (
    WALL_INVERSE_DEPTH,
    blur_layer,
    blur_rows,
    computed_radii,
    random_ground,
)
from train.data.thin_lens import Lens, blur, decode_srgb


def photograph() -> np.ndarray:
    return decode_srgb(data.coffee()[100:220, 200:360]).transpose(2, 0, 1)


def test_the_ground_reaches_the_feet_and_ends_at_a_wall() -> None:
    ground = random_ground(np.random.default_rng(0), feet=0.8)
    depth = ground.inverse_depth(np.linspace(0, 1, 201))
    assert depth[0] == pytest.approx(WALL_INVERSE_DEPTH, rel=0.02)
    assert depth[160] == pytest.approx(1.0, abs=0.03)
    assert (np.diff(depth) >= 0).all()
    assert ground.row(1.0) == pytest.approx(0.8)
    assert ground.inverse_depth(np.array([ground.row(0.6)]))[0] == pytest.approx(0.6, abs=0.03)


@pytest.mark.parametrize(("strength", "tolerance"), [(3.0, 1e-4), (-3.0, 1e-4), (9.0, 0.03)])
def test_a_wall_is_convolved_with_the_aperture(strength: float, tolerance: float) -> None:
    """At half the size only the rims of highlights may differ a little."""
    lens, radiance = Lens(strength, 1.0, 7, 0.4), photograph()
    blurred = blur_rows(radiance, np.full(120, 0.5, np.float32), lens)
    kernel = lens.aperture(strength / 2)
    expected = np.stack([convolve(plane, kernel, mode="reflect") for plane in radiance])
    np.testing.assert_allclose(blurred, expected, atol=tolerance)
    assert np.abs(radiance - expected).max() > 0.2


def test_ground_is_sharp_at_the_feet_and_softer_the_farther_it_is() -> None:
    radiance = np.random.default_rng(1).random((3, 160, 96), np.float32)
    depth = random_ground(np.random.default_rng(0), 0.8).inverse_depth(np.linspace(0, 1, 160))
    blurred = blur_rows(radiance, depth, Lens(6.0, 1.0))
    contrast = blurred.std(axis=(0, 2))
    feet = int(np.argmin(np.abs(depth - 1)))
    assert contrast[feet] > 0.2
    assert contrast[feet] > 2 * contrast[feet - 25] > 2 * 1.3 * contrast[30]
    assert contrast[159] < 0.8 * contrast[feet]


def test_radii_between_two_that_are_computed_are_mixed() -> None:
    knots = computed_radii(np.linspace(-4, 15, 50))
    assert knots[0] == -4
    assert knots[-1] == 15
    assert 0 in knots
    assert (np.diff(knots) > 0).all()
    assert computed_radii(np.zeros(3)).tolist() == [0]


def test_a_large_blur_of_a_layer_is_that_of_the_whole_size() -> None:
    planes = np.zeros((4, 120, 160), np.float32)
    planes[:, 30:90, 40:110] = np.concatenate([photograph()[:, :60, :70], np.ones((1, 60, 70))])
    lens = Lens(8.0, 1.0)
    coarse, fine = blur_layer(planes, lens, 0.0), blur(planes, lens.aperture(8.0))
    np.testing.assert_allclose(coarse, fine, atol=0.06)
    assert coarse[3].sum() == pytest.approx(fine[3].sum(), rel=0.01)
