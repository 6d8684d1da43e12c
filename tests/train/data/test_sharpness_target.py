"""The sharpness target of pictures whose sharp areas are known."""

import numpy as np
from scipy.ndimage import gaussian_filter

from train.data.sharpness_target import mask_target, sharpness_target


def half_blurred(sigma: float) -> tuple[np.ndarray, np.ndarray]:
    """64 × 96 noise with smooth lower rows, and the same with its right half blurred."""
    original = np.random.default_rng(0).random((64, 96, 3), np.float32)
    original[32:] = 0.5
    bokeh = original.copy()
    bokeh[:, 48:] = gaussian_filter(original, (sigma, sigma, 0))[:, 48:]
    return original, bokeh


def test_the_blurred_half_is_told_from_the_sharp_one() -> None:
    for level in (2, 3, 4):
        share, weight = np.moveaxis(sharpness_target(*half_blurred(sigma=3), level), -1, 0)
        height, width = 256 // 2**level, 384 // 2**level
        assert share.shape == weight.shape == (height, width)
        upper, margin = slice(0, height // 3), width // 8
        assert share[upper, : width // 2 - margin].min() > 0.99
        assert share[upper, width // 2 + margin :].max() < 0.1
        assert weight[upper].min() > 0.9


def test_without_texture_nothing_is_claimed() -> None:
    assert sharpness_target(*half_blurred(sigma=3), level=3)[-8:, :, 1].max() < 0.01


def test_a_slight_blur_is_between() -> None:
    slight, strong = (
        sharpness_target(*half_blurred(sigma), level=3)[:12, 32:, 0] for sigma in (0.7, 3)
    )
    assert strong.mean() + 0.1 < slight.mean() < 0.9


def test_light_alone_changes_nothing() -> None:
    original, _ = half_blurred(sigma=3)
    assert sharpness_target(original, original + 0.1, level=3)[:12, :, 0].min() > 0.99


def test_a_mask_also_tells_places_without_texture() -> None:
    mask = np.zeros((64, 96), np.uint8)
    mask[:, 48:] = 255
    share, weight = np.moveaxis(mask_target(mask, level=4), -1, 0)
    assert share.shape == weight.shape == (16, 24)
    assert share[:, :12].max() == 0
    assert share[:, 12:].min() == 1
    assert weight.min() == 1
