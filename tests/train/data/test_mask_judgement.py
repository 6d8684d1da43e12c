"""Masks that cannot be believed are told apart from good ones, and good ones become clean."""

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter
from skimage import data

from train.data.mask_judgement import judge_mask, tidy_mask

HEIGHT, WIDTH = 240, 320
ROWS, COLUMNS = np.mgrid[:HEIGHT, :WIDTH]


def disc(row: float, column: float, radius: float) -> np.ndarray:
    return 255.0 * (np.hypot(ROWS - row, COLUMNS - column) < radius)


def soft(mask: np.ndarray, sigma: float = 1.5) -> np.ndarray:
    return gaussian_filter(mask, sigma).astype(np.uint8)


@pytest.mark.parametrize(
    "mask",
    [
        disc(120, 160, 60),
        disc(200, 160, 110),  # cut off at the bottom, as a portrait
        disc(120, 90, 50) + disc(120, 230, 50),  # two people
        disc(120, 160, 60) + disc(20, 20, 6),
        np.where(ROWS > 60, 255.0, 0.0) * (np.abs(COLUMNS - 160) < 150),  # a face close up
    ],
)
def test_a_clear_subject_is_believed(mask: np.ndarray) -> None:
    assert judge_mask(soft(mask)) == ""


def stripes() -> np.ndarray:
    return disc(120, 160, 90) * (COLUMNS % 8 < 4)


@pytest.mark.parametrize(
    ("mask", "reason"),
    [
        (np.zeros((HEIGHT, WIDTH)), "no subject"),
        (disc(120, 160, 12), "too small: 0."),
        (np.full((HEIGHT, WIDTH), 255.0), "too large: 100%"),
        (255.0 - disc(120, 160, 70), "touches all borders"),
        (0.6 * disc(120, 160, 80), "undecided: "),
        (disc(120, 160, 40) + 0.35 * disc(60, 240, 50), "undecided: "),
        (sum(disc(60 * i + 30, 80 * j + 40, 18) for i in range(4) for j in range(4)), "scattered"),
        (stripes(), "scattered"),
        (np.maximum(stripes(), disc(120, 160, 90) * (np.abs(ROWS - 120) < 6)), "ragged"),
    ],
)
def test_what_cannot_be_believed_has_a_reason(mask: np.ndarray, reason: str) -> None:
    assert judge_mask(soft(np.asarray(mask), 0.7)).startswith(reason)


def test_a_mask_becomes_clean() -> None:
    """Faint haze and a speck go, faint holes close, and the large part stays."""
    mask = 0.9 * disc(120, 160, 70) + disc(20, 300, 4)
    hazy = np.clip(soft(mask) + 20.0, 0, 255).astype(np.uint8)
    photo = np.repeat(soft(disc(120, 160, 70))[..., None], 3, -1)
    tidy = tidy_mask(hazy, photo)
    assert tidy.dtype == np.uint8
    assert tidy[120, 160] == 255
    assert tidy[20, 300] == 0
    assert (tidy[disc(120, 160, 90) == 0] == 0).all()
    assert abs(int((tidy > 127).sum()) - np.pi * 70**2) < 0.02 * np.pi * 70**2


def test_the_edge_follows_the_photograph() -> None:
    """The network's edge is three pixels too far out and soft; the photograph's edge is clear."""
    photo = np.where(disc(120, 160, 70)[..., None] > 0, (200, 60, 40), (40, 90, 160))
    mask = soft(disc(120, 160, 72), 3)
    tidy = tidy_mask(mask, photo.astype(np.uint8)).astype(float)
    true = disc(120, 160, 70)
    assert np.abs(tidy - true).mean() < 0.7 * np.abs(mask - true).mean()


def test_a_photograph_of_odd_size_is_tidied() -> None:
    photo = data.chelsea()[:201, :303]
    mask = soft(disc(120, 160, 60))[:201, :303]
    assert tidy_mask(mask, photo).shape == (201, 303)
