"""The threshold of predicted sharpness follows the photograph."""

import numpy as np
import pytest

from pocket_bokeh.predicted_sharpness import (
    LOSS_WEIGHT,
    SHARPNESS_RANGE,
    THRESHOLDS,
    balanced_threshold,
    logit,
    sharp_share,
)

SIZE = (96, 128)


def photograph(seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).random((*SIZE, 3), np.float32)


def predicted(probability: np.ndarray) -> np.ndarray:
    """Predicted sharpness of a plane of probabilities."""
    none, full = (logit(share) for share in SHARPNESS_RANGE)
    return (np.log(probability / (1 - probability)) - none) / (full - none)


def halves(left: float, right: float) -> np.ndarray:
    return predicted(np.where(np.arange(SIZE[1]) < 32, left, right) * np.ones((SIZE[0], 1)))


def test_an_unsure_subject_stays_sharp_and_an_unsure_background_is_blurred() -> None:
    """A threshold that suits the first photograph would leave more of the second one's meadow."""
    meadow = np.linspace(0.04, 0.4, SIZE[1] - 32)
    unsure = sharp_share(photograph(), halves(0.25, 0.02))
    assert unsure[:, :32].min() == 1
    assert unsure[:, 32:].max() == 0
    chance = np.ones(SIZE) * np.concatenate([np.full(32, 0.97), meadow])
    assert balanced_threshold(photograph(), predicted(chance)) > balanced_threshold(
        photograph(), halves(0.25, 0.02)
    )
    sure = sharp_share(photograph(), predicted(chance))
    assert sure[:, :32].min() == 1
    assert sure[:, 32:][:, meadow <= 0.1].max() == 0


def test_detail_decides_and_not_area() -> None:
    """A smooth sky that may be the subject does no harm if it stays; a textured meadow does."""
    chance = predicted(np.ones(SIZE) * np.linspace(0.9, 0.04, SIZE[1]))
    textured = photograph()
    smooth = textured.copy()
    smooth[:, 64:96] = 0.5  # from 0.47 down to 0.26
    with_meadow, with_sky = (balanced_threshold(photo, chance) for photo in (textured, smooth))
    assert with_meadow > with_sky + 0.02


def test_threshold_balances_the_expected_faults() -> None:
    """The two shares are summed pixel by pixel, on both sides of the threshold."""
    random = np.random.default_rng(1)
    photo, sharpness = photograph(), random.beta(0.6, 0.9, SIZE)
    threshold = balanced_threshold(photo, sharpness)
    none, full = (logit(share) for share in SHARPNESS_RANGE)
    chance = 1 / (1 + np.exp(-(none + sharpness * (full - none))))
    down, across = np.gradient(photo @ np.array([0.299, 0.587, 0.114]))
    detail = down**2 + across**2

    def balance(at: float) -> float:
        blurred = sharpness < at
        lost = (chance * detail)[blurred].sum() / (chance * detail).sum()
        left = ((1 - chance) * detail)[~blurred].sum() / ((1 - chance) * detail).sum()
        return float(LOSS_WEIGHT * lost - left)

    assert balance(threshold - 1 / 255) < 0 < balance(threshold + 1 / 255)


@pytest.mark.parametrize("chance", [0.031, 0.969])
def test_threshold_stays_within_its_limits(chance: float) -> None:
    sharpness = predicted(np.full(SIZE, chance))
    lowest, highest = (float(predicted(np.array(limit))) for limit in THRESHOLDS)
    assert lowest - 1e-9 <= balanced_threshold(photograph(), sharpness) <= highest + 1e-9


def test_there_is_no_rim_beside_a_sure_subject() -> None:
    """A place with 0.12 is sharp in a photograph without sure places, but not beside one."""
    chance = np.full(SIZE, 0.031)
    chance[:, 60:70] = 0.12
    alone = sharp_share(photograph(), predicted(chance))
    chance[:, 70:] = 0.969
    beside = sharp_share(photograph(), predicted(chance))
    assert alone[:, 60:70].min() == 1
    assert beside[:, 60:70].max() < 0.1
    assert beside[:, 70:].min() == 1


def test_a_plain_photograph_has_a_threshold() -> None:
    plain = np.full((*SIZE, 3), 0.5, np.float32)
    assert np.isfinite(balanced_threshold(plain, halves(0.9, 0.1)))
