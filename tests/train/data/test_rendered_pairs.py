"""Rendered pairs: the subject stays, nothing of it bleeds outwards, the seed decides the rest."""

from pathlib import Path

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from pocket_bokeh.errors import UserError
from pocket_bokeh.photo import write_photo
from train.data.masked_photos import MaskedPhoto
from train.data.rendered_pairs import (
    RenderedPairs,
    background_depth,
    choose_photographs,
    render_bokeh,
)
from train.data.softness import Sharpness, measure_sharpness


def scene(height: int = 200, width: int = 160) -> tuple[np.ndarray, np.ndarray]:
    """A red disc with a soft rim before green and blue noise, and its mask."""
    rows, columns = np.mgrid[:height, :width]
    disc = np.hypot(rows - 0.6 * height, columns - width / 2) < 0.25 * width
    coverage = gaussian_filter(disc.astype(float), 1.2)[..., None]
    noise = np.random.default_rng(0).integers(0, 200, (height, width, 3))
    noise[..., 0] = 0
    photo = np.rint(coverage * (230, 0, 0) + (1 - coverage) * noise).astype(np.uint8)
    return photo, np.rint(255 * coverage[..., 0]).astype(np.uint8)


def detail(photo: np.ndarray, where: np.ndarray) -> float:
    return float(photo.astype(float)[where].std(axis=0).mean())


@pytest.fixture
def photographs(tmp_path: Path) -> tuple[MaskedPhoto, ...]:
    made = []
    for name in ("a", "b", "c"):
        photo, mask = scene()
        files = MaskedPhoto(tmp_path / f"{name}.png", tmp_path / f"{name}_mask.png")
        write_photo(files.photo, photo)
        write_photo(files.mask, mask)
        made.append(files)
    return tuple(made)


def test_the_subject_stays_and_no_red_bleeds_into_the_background() -> None:
    photo, mask = scene()
    left = []
    for seed in range(8):
        bokeh = render_bokeh(np.random.default_rng(seed), photo, mask)
        np.testing.assert_array_equal(bokeh[mask == 255], photo[mask == 255])
        outside = mask == 0
        assert bokeh[outside][:, 0].max() <= 3
        top = outside.copy()
        top[60:] = False
        left.append(detail(bokeh, top) / detail(photo, top))
    assert max(left) < 1
    assert np.median(left) < 0.6


def test_a_subject_in_the_upper_half_has_no_ground() -> None:
    mask = np.zeros((100, 80), np.uint8)
    mask[10:40, 30:50] = 255
    depth = background_depth(np.random.default_rng(0), mask)
    assert np.ptp(depth) == 0
    mask[10:80] = mask[20]  # it stands
    assert background_depth(np.random.default_rng(0), mask)[78] == pytest.approx(1, abs=0.12)


def test_a_subject_that_the_frame_cuts_off_is_sometimes_before_a_wall() -> None:
    mask = np.zeros((100, 80), np.uint8)
    mask[20:, 30:50] = 255
    depths = [background_depth(np.random.default_rng(seed), mask) for seed in range(60)]
    walls = np.mean([np.ptp(depth) == 0 for depth in depths])
    assert 0.3 < walls < 0.7
    assert max(depth.max() for depth in depths) < 1


def test_the_same_seed_gives_the_same_pairs(photographs: tuple[MaskedPhoto, ...]) -> None:
    first, again = (RenderedPairs(photographs, (), 6, seed=3)[4] for _ in range(2))
    assert first.name == again.name
    assert np.array_equal(first.bokeh, again.bokeh)
    assert first.subject is not None
    assert first.subject.shape == first.original.shape[:2] == (200, 160)
    assert not np.array_equal(first.bokeh, RenderedPairs(photographs, (), 6, seed=4)[4].bokeh)


def test_each_photograph_is_used_once_before_any_is_used_again(
    photographs: tuple[MaskedPhoto, ...],
) -> None:
    pairs = RenderedPairs(photographs, (photographs[0].photo,), 7, short_side=80)
    names = [pairs.name(index) for index in range(len(pairs))]
    assert sorted(names[:3]) == ["00_a", "00_b", "00_c"]
    assert sorted(names[3:6]) == ["01_a", "01_b", "01_c"]
    assert names[7] == "scene_a"
    assert pairs[0].original.shape == (100, 80, 3)
    scenery = pairs[7]
    assert scenery.subject is None
    assert np.array_equal(scenery.original, scenery.bokeh)


def test_a_soft_background_is_recognized() -> None:
    photo, mask = scene(400, 384)
    rows = np.random.default_rng(1).integers(0, 255, (400, 384, 3))
    photo = np.where(mask[..., None] > 127, rows, photo).astype(np.uint8)
    assert not measure_sharpness(photo, mask).background_is_soft
    blurred = gaussian_filter(photo.astype(float), (3, 3, 0))
    soft = np.where(mask[..., None] > 127, photo, blurred).astype(np.uint8)
    assert measure_sharpness(soft, mask).background_is_soft


def test_most_soft_backgrounds_are_left_out() -> None:
    photographs = [MaskedPhoto(Path(f"{n}.jpg"), Path(f"{n}.png")) for n in range(200)]
    sharpness = {str(n): Sharpness(2.0, 0.5 if n < 100 else 2.0) for n in range(200)}
    chosen = choose_photographs(photographs, sharpness, 0.1)
    soft = sum(int(each.name) < 100 for each in chosen)
    assert len(chosen) - soft == 100
    assert 3 <= soft <= 20
    assert len(choose_photographs(photographs, sharpness, 1)) == 200
    with pytest.raises(UserError, match="--soft-share 1 takes them"):
        choose_photographs(photographs[:10], sharpness, 0)
