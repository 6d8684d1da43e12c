"""Detail is measured on the subject only, not on the background."""

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter
from skimage import data

from train.judge.faithfulness import colour_shift, detail_kept, sharp_area


@pytest.fixture(scope="module")
def pair() -> tuple[np.ndarray, np.ndarray]:
    """A photograph, and the same with its right half blurred."""
    original = data.astronaut()[:256, :256].astype(np.float32) / 255
    target = gaussian_filter(original, (4, 4, 0))
    target[:, :128] = original[:, :128]
    return original, target


def test_the_sharp_area_is_what_the_target_left_sharp(pair: tuple[np.ndarray, np.ndarray]) -> None:
    area = sharp_area(*pair)
    assert area[:, 144:].mean() < 0.02
    assert 0.3 < area[:, :112].mean() < 1
    flat = np.full((128, 128, 3), 0.5, np.float32)
    assert detail_kept(flat, flat, flat) is None


def test_only_detail_that_should_stay_counts(pair: tuple[np.ndarray, np.ndarray]) -> None:
    original, target = pair
    soft, softer = (gaussian_filter(original, (sigma, sigma, 0)) for sigma in (1, 4))
    # A wrong half is wrong altogether.
    other = np.concatenate([softer[:, :128], original[:, 128:]], 1)
    kept = [detail_kept(one, original, target) or 0 for one in (original, target, soft, other)]
    assert kept[:2] == pytest.approx([1, 1], abs=0.05)
    assert kept[2] < 0.75
    assert kept[3] < 0.3


def test_a_colour_cast_is_told_by_channel(pair: tuple[np.ndarray, np.ndarray]) -> None:
    target = pair[1]
    cast = target + np.array([2, 0, -1], np.float32) / 255
    assert colour_shift(cast, target) == pytest.approx((2, 0, -1), abs=1e-3)
