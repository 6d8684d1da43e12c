"""The measures of subject and background, on pictures whose figures are known."""

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter
from scipy.spatial import KDTree
from skimage.filters import gaussian

from train.judge.separation import (
    Separation,
    mean_separation,
    measure_separation,
    softened_area,
)

SIZE = (200, 260)
ROWS, COLUMNS = np.mgrid[: SIZE[0], : SIZE[1]]
DISC = np.hypot(ROWS - 100, COLUMNS - 120) < 60
MASK = np.where(DISC, 255, 0).astype(np.uint8)
TEXTURE = gaussian_filter(np.random.default_rng(0).random((*SIZE, 3)), (0.8, 0.8, 0))
PHOTO = (0.5 + 2 * (TEXTURE - 0.5)).clip(0, 1).astype(np.float32)


def blurred(photo: np.ndarray, sigma: float = 6) -> np.ndarray:
    return gaussian_filter(photo, (sigma, sigma, 0))


def placed(inside: np.ndarray, outside: np.ndarray, area: np.ndarray = DISC) -> np.ndarray:
    return np.where(area[..., None], inside, outside)


def test_the_untouched_photograph_keeps_everything_and_is_not_right() -> None:
    found = measure_separation(PHOTO, PHOTO, MASK)
    assert (found.subject_kept, found.softened, found.background_kept) == pytest.approx((1, 0, 1))
    assert not found.is_right
    assert found.shortfall == pytest.approx(0.5)


def test_a_sharp_subject_before_a_soft_background_is_right() -> None:
    found = measure_separation(placed(PHOTO, blurred(PHOTO)), PHOTO, MASK)
    assert found.subject_kept == pytest.approx(1, abs=0.02)  # its rim borders on the blur
    assert found.softened < 0.02
    assert found.background_kept is not None
    assert found.background_kept < 0.1
    assert found.is_right


def test_a_blur_over_everything_softens_the_subject() -> None:
    found = measure_separation(blurred(PHOTO), PHOTO, MASK)
    assert found.subject_kept is not None
    assert found.subject_kept < 0.1
    assert found.softened > 0.95
    assert not found.is_right


def test_a_soft_face_in_a_sharp_coat_is_found() -> None:
    """The coat has nearly all gradients, so only `softened` sees that the face is gone."""
    face = np.hypot(ROWS - 70, COLUMNS - 120) < 26
    photo = placed(0.5 + 0.15 * (PHOTO - 0.5), PHOTO, face)
    picture = placed(blurred(photo), photo, face)
    found = measure_separation(placed(picture, blurred(photo)), photo, MASK)
    assert found.subject_kept is not None
    assert found.subject_kept > 0.95
    assert found.softened > 0.5 * face.sum() / DISC.sum()
    assert not found.is_right
    area = softened_area(placed(picture, blurred(photo)), photo, MASK)
    assert (area & face).sum() > 0.9 * area.sum()


def test_half_the_contrast_is_half_kept() -> None:
    found = measure_separation(0.5 + 0.5 * (PHOTO - 0.5), PHOTO, MASK)
    assert found.subject_kept == pytest.approx(0.5)
    assert found.background_kept == pytest.approx(0.5)
    assert found.softened == 1


def test_grain_is_no_detail_of_the_photograph() -> None:
    grain = np.random.default_rng(1).normal(0, 0.1, PHOTO.shape)
    soft, grainy = (
        measure_separation(picture, PHOTO, MASK).background_kept
        for picture in (blurred(PHOTO), blurred(PHOTO) + grain)
    )
    assert grainy == pytest.approx(soft, abs=0.02)


def test_plain_areas_have_nothing_to_lose() -> None:
    plain = np.full_like(PHOTO, 0.5)
    assert measure_separation(plain, plain, MASK) == Separation(None, 0.0, None)
    noise = np.random.default_rng(1).integers(0, 2, PHOTO.shape[:2])[..., None] / 255
    assert measure_separation(plain, (plain + noise).astype(np.float32), MASK).softened == 0
    filled = np.full(SIZE, 255, np.uint8)
    assert measure_separation(PHOTO, PHOTO, filled).background_kept is None
    assert measure_separation(PHOTO, PHOTO, filled).is_right  # no background that could be sharp


def test_figures_are_those_of_an_independent_implementation() -> None:
    """Least squares by NumPy, distances by a tree of points, the window by scikit-image."""
    mask = (255 * gaussian(DISC.astype(float), 3)).round().astype(np.uint8)
    picture = placed(0.8 * PHOTO + 0.2 * blurred(PHOTO), blurred(PHOTO, 2), ROWS > COLUMNS - 20)
    found = measure_separation(picture, PHOTO, mask)

    def gradients(photo: np.ndarray) -> np.ndarray:
        grey = 0.299 * photo[..., 0] + 0.587 * photo[..., 1] + 0.114 * photo[..., 2]
        grey = grey.astype(np.float64)
        padded = np.pad(grey, 1, mode="reflect", reflect_type="odd")  # its edges are one-sided
        return np.stack(
            [padded[2:, 1:-1] - padded[:-2, 1:-1], padded[1:-1, 2:] - padded[1:-1, :-2]], -1
        )

    after, before = gradients(picture), gradients(PHOTO)

    def kept(area: np.ndarray) -> float:
        solution, *_ = np.linalg.lstsq(before[area].reshape(-1, 1), after[area].ravel(), rcond=None)
        return float(solution[0])

    subject = mask >= 230
    tree = KDTree(np.argwhere(mask > 25))
    distance, _ = tree.query(np.stack([ROWS, COLUMNS], -1).reshape(-1, 2))
    far = (distance > 8).reshape(SIZE)
    left, there = (
        gaussian((before * other).sum(-1) * subject, 4, mode="reflect") for other in (after, before)
    )
    assert found.subject_kept == pytest.approx(kept(subject), abs=1e-4)
    assert found.background_kept == pytest.approx(kept(far), abs=1e-4)
    softened = (left[subject] < 0.7 * there[subject]).mean()
    assert 0.1 < softened < 0.9
    assert found.softened == pytest.approx(softened, abs=2e-3)


def test_means_leave_out_what_a_photograph_does_not_have() -> None:
    mean = mean_separation([Separation(1.0, 0.0, None), Separation(0.5, 0.2, 0.4)])
    assert mean.photographs == 2
    assert (mean.right, mean.subject_kept, mean.softened) == pytest.approx((0.5, 0.75, 0.1))
    assert mean.background_kept == pytest.approx(0.4)
