"""PSNR and SSIM against scikit-image and against values computed by hand."""

import numpy as np
import pytest
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

from pocket_bokeh.metrics import compare_pictures, psnr, ssim
from pocket_bokeh.photo import to_float

SHAPES = [(150, 170, 3), (64 + 10, 21, 3), (11, 300, 3)]


def expected_ssim(one: np.ndarray, other: np.ndarray) -> float:
    """scikit-image's SSIM with the window and the constants of the paper."""
    similarity: float = structural_similarity(
        *(one, other),
        data_range=255 if one.dtype == np.uint8 else 1.0,
        channel_axis=-1,
        gaussian_weights=True,
        sigma=1.5,
        use_sample_covariance=False,
    )
    return similarity


def noisy_pair(shape: tuple[int, ...]) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(0)
    one = random.integers(0, 256, shape, np.uint8)
    return one, np.clip(one + random.integers(-9, 10, shape), 0, 255).astype(np.uint8)


@pytest.mark.parametrize("shape", SHAPES)
def test_8_bit_pictures_have_the_metrics_of_scikit_image(shape: tuple[int, ...]) -> None:
    one, other = noisy_pair(shape)
    found = compare_pictures(one, other)
    assert found.psnr == pytest.approx(peak_signal_noise_ratio(one, other), abs=1e-9)
    assert found.ssim == pytest.approx(expected_ssim(one, other), abs=1e-5)
    assert found.largest_step == 9
    assert (psnr(one, other), ssim(one, other)) == (found.psnr, found.ssim)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("noise", [0.3, 0.01])
def test_float_pictures_have_the_metrics_of_scikit_image(
    shape: tuple[int, ...], noise: float
) -> None:
    random = np.random.default_rng(0)
    one = random.random(shape).astype(np.float32)
    other = np.clip(one + random.normal(0, noise, shape), 0, 1).astype(np.float32)
    expected = peak_signal_noise_ratio(one, other, data_range=1.0)
    assert psnr(one, other) == pytest.approx(expected, abs=1e-5)
    assert ssim(one, other) == pytest.approx(expected_ssim(one, other), abs=1e-5)


def test_8_bit_and_float_pictures_agree() -> None:
    one, other = noisy_pair((50, 60, 3))
    assert psnr(one, other) == pytest.approx(psnr(to_float(one), to_float(other)), abs=1e-5)
    assert ssim(one, other) == pytest.approx(ssim(to_float(one), to_float(other)), abs=1e-5)


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
    with pytest.raises(ValueError, match="at least 11 pixels"):
        ssim(one, one + 1)


@pytest.mark.parametrize("compare", [compare_pictures, psnr, ssim])
def test_pictures_of_different_sizes_are_refused(compare: object) -> None:
    assert callable(compare)
    with pytest.raises(ValueError, match="different shapes"):
        compare(np.zeros((20, 20, 3), np.uint8), np.zeros((20, 30, 3), np.uint8))
