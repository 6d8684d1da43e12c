"""Detail is restored where a rendering is sharp, at any resolution of the rendering."""

import numpy as np
import pytest
from PIL import Image
from scipy.ndimage import gaussian_filter
from skimage import data

from pocket_bokeh.detail_transfer import (
    FINE,
    Overlay,
    as_the_network_sees,
    lay_over,
    smooth_background,
    transfer_detail,
    with_mean_sharpness,
)
from pocket_bokeh.metrics import psnr
from pocket_bokeh.photo import resize_photo, to_float, to_uint8


def blurred_outside(picture: np.ndarray, scale: float) -> np.ndarray:
    """A sharp subject in the middle, surrounded by a blur of 5 working-size pixels times scale."""
    height, width = picture.shape[:2]
    rows, columns = np.mgrid[:height, :width]
    distance = ((rows / height - 0.5) / 0.3) ** 2 + ((columns / width - 0.5) / 0.25) ** 2
    subject = gaussian_filter((distance < 1).astype(np.float32), 1.5 * scale)[..., None]
    blurred = gaussian_filter(picture, (5 * scale, 5 * scale, 0))
    return subject * picture + (1 - subject) * blurred


def test_sharp_places_get_detail_and_blurred_places_the_models_blur() -> None:
    """The reference is the same blur applied to the full-size photograph."""
    photo = data.chelsea()[:288, :432]
    photo = to_uint8(gaussian_filter(to_float(resize_photo(photo, 864, 1296)), (0.7, 0.7, 0)))
    noise = np.random.default_rng(0).normal(0, 12, photo.shape)
    photo = np.clip(photo + noise, 0, 255).astype(np.uint8)
    expected = blurred_outside(to_float(photo), scale=3)
    small = resize_photo(photo, 288, 432)
    rendered = blurred_outside(to_float(small), scale=1)
    result = to_float(transfer_detail(photo, small, rendered, FINE))
    bicubic = to_float(resize_photo(to_uint8(rendered), *photo.shape[:2]))

    middle = (slice(370, 494), slice(580, 716))
    assert psnr(result[middle], to_float(photo)[middle]) > 25
    assert psnr(result[middle], expected[middle]) > psnr(bicubic[middle], expected[middle]) + 2
    corner = (slice(0, 200), slice(0, 300))
    assert psnr(result[corner], expected[corner]) > 38
    assert psnr(result, expected) > psnr(bicubic, expected)


def scene() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A photograph, the same with a blurred background, and the second at a third of the size."""
    photo = resize_photo(data.chelsea()[:288, :432], 864, 1296)
    grain = np.random.default_rng(0).normal(0, 12, photo.shape)
    photo = np.clip(photo + grain, 0, 255).astype(np.uint8)
    expected = blurred_outside(to_float(photo), scale=3)
    return photo, expected, to_float(resize_photo(to_uint8(expected), 288, 432))


def test_a_reduced_target_gets_its_sharpness_back() -> None:
    """Detail transfer of a reduced target is much closer to it than plain enlarging."""
    photo, expected, rendered = scene()
    small = resize_photo(photo, 288, 432)
    result = transfer_detail(photo, small, rendered, FINE)
    bicubic = resize_photo(to_uint8(rendered), *photo.shape[:2])
    gained = psnr(to_float(result), expected) - psnr(to_float(bicubic), expected)
    assert gained > 3


def test_a_rendering_at_the_networks_resolution_counts_as_sharp() -> None:
    photo, expected, rendered = scene()
    small = resize_photo(photo, 288, 432)
    coarse = as_the_network_sees(rendered)
    result = to_float(transfer_detail(photo, small, coarse))
    bicubic = to_float(resize_photo(to_uint8(coarse), *photo.shape[:2]))
    assert psnr(result, expected) > psnr(bicubic, expected) + 3


def test_slight_softness_still_counts_as_sharp() -> None:
    """Networks render skin and fur a little softer than the halved photograph."""
    photo, expected, rendered = scene()
    soft = gaussian_filter(as_the_network_sees(rendered), (0.8, 0.8, 0))
    result = to_float(transfer_detail(photo, resize_photo(photo, 288, 432), soft))
    middle = (slice(370, 494), slice(580, 716))
    assert psnr(result[middle], expected[middle]) > 40


def test_views_share_the_mean_of_their_sharpness() -> None:
    """Otherwise places on which they disagree would be half blurred."""
    random = np.random.default_rng(0)
    sizes, sharpness = ((96, 128), (92, 123)), (0.2, 0.8)
    views = [
        np.dstack([random.random((*size, 3)), np.full(size, value)])
        for size, value in zip(sizes, sharpness, strict=True)
    ]
    for view, shared in zip(views, with_mean_sharpness(views), strict=True):
        np.testing.assert_array_equal(shared[..., :3], view[..., :3])
        np.testing.assert_allclose(shared[..., 3], 0.5, atol=1e-6)
    pictures = [view[..., :3] for view in views]
    assert [one.shape[-1] for one in with_mean_sharpness(pictures)] == [3, 3]


def test_predicted_sharpness_decides_and_not_the_detail_that_is_left() -> None:
    """The network leaves all detail on the left and little on the right, and says the opposite."""
    photo = data.coffee()[:192, :288]
    coarse = as_the_network_sees(to_float(photo))
    rendered = np.hstack([coarse[:, :144], gaussian_filter(coarse, (1, 1, 0))[:, 144:]])
    sharpness = np.repeat(np.where(np.arange(288) < 144, 0.0, 0.9)[None, :, None], 192, axis=0)
    result = to_float(transfer_detail(photo, photo, np.dstack([rendered, sharpness])))

    def detail(picture: np.ndarray, columns: slice) -> float:
        fine = picture - gaussian_filter(picture, (1, 1, 0))
        return float(np.square(fine[:, columns]).sum())

    left, right = slice(0, 136), slice(152, 288)
    assert detail(result, left) < 0.1 * detail(to_float(photo), left)
    assert detail(result, right) > 0.9 * detail(to_float(photo), right)
    measured = to_float(transfer_detail(photo, photo, rendered))
    assert detail(measured, left) > 0.9 * detail(to_float(photo), left)


@pytest.mark.parametrize("size", [(1, 1), (63, 65), (129, 40), (64, 300)])
def test_bands_join_without_a_seam(size: tuple[int, int]) -> None:
    """Where nothing is sharp, the result must equal the rendering enlarged at once."""
    rendered = gaussian_filter(np.random.default_rng(0).random((50, 70, 3)), (3, 3, 0))
    blurred = Overlay(np.zeros((50, 70)), rendered)
    result = lay_over(np.full((*size, 3), 128, np.uint8), blurred)
    for channel in range(3):
        plane = Image.fromarray(rendered[..., channel].astype(np.float32))
        whole = plane.resize(size[::-1], Image.Resampling.BICUBIC)
        assert np.abs(result[..., channel] - 255 * np.asarray(whole)).max() <= 0.51


def test_a_sharp_rim_is_blurred_like_the_pixels_next_to_it() -> None:
    photo = data.coffee()[:192, :288]
    blurred = gaussian_filter(to_float(photo), (4, 4, 0))
    rendered = as_the_network_sees(to_float(photo))
    rendered[6:-6, 6:-6] = blurred[6:-6, 6:-6]
    result = to_float(transfer_detail(photo, photo, rendered))
    rim = np.ones(photo.shape[:2], bool)
    rim[3:-3, 3:-3] = False
    finest = result - gaussian_filter(result, (0.7, 0.7, 0))
    of_photo = to_float(photo) - gaussian_filter(to_float(photo), (0.7, 0.7, 0))
    assert np.square(finest[rim]).sum() < 0.2 * np.square(of_photo[rim]).sum()


def test_a_smooth_part_of_a_sharp_surface_keeps_its_faint_detail() -> None:
    """Like skin between eyelashes and lips, whose detail is too faint to measure sharpness."""
    rng = np.random.default_rng(0)
    rows, columns = np.mgrid[:192, :256]
    distance = np.hypot(rows - 96, columns - 128)
    face = (distance < 60)[..., None]
    marks = face & (np.hypot(rows % 24 - 12, columns % 24 - 12) < 6)[..., None]
    strength = np.where(marks, 0.12, np.where(face, 0.004, 0.12))
    colour = np.where(face, (0.7, 0.5, 0.4), (0.2, 0.4, 0.3))
    noise = gaussian_filter(rng.normal(0, 1, (192, 256)), 1.5)[..., None]
    photo = to_uint8(np.clip(colour + strength * noise / noise.std(), 0, 1))
    blurred = gaussian_filter(to_float(photo), (5, 5, 0))
    coarse = as_the_network_sees(to_float(photo))
    rendered = np.where(marks, coarse, np.where(face, (coarse + blurred) / 2, blurred))
    result = to_float(transfer_detail(photo, photo, rendered))

    def detail(picture: np.ndarray, area: np.ndarray) -> float:
        fine = picture - gaussian_filter(picture, (2, 2, 0))
        return float(np.square(fine[area]).sum())

    skin = (distance < 50) & (np.hypot(rows % 24 - 12, columns % 24 - 12) > 10)
    around = distance > 75
    assert detail(result, skin) > 0.6 * detail(to_float(photo), skin)
    assert detail(result, around) < 0.1 * detail(to_float(photo), around)


def test_dark_windows_beside_dark_hair_stay_blurred() -> None:
    """They have the hair's colour, by which the guided filter would call them sharp."""
    rng = np.random.default_rng(0)
    rows, columns = np.mgrid[:192, :256]
    hair = columns < 128
    windows = (rows % 24 < 12) & (columns % 20 < 10) & ~hair
    strands = gaussian_filter(rng.normal(0, 1, (192, 256)), (4, 1))
    dark = np.where(hair, 0.15 + 0.05 * strands / strands.std(), 0.15)
    photo = to_uint8(np.repeat(np.where(hair | windows, dark, 0.7)[..., None], 3, axis=2))
    blurred = gaussian_filter(to_float(photo), (4, 4, 0))
    rendered = np.where(hair[..., None], as_the_network_sees(to_float(photo)), blurred)
    result = to_float(transfer_detail(photo, photo, rendered))
    beside = (columns >= 134) & (columns < 150)

    def contrast(picture: np.ndarray) -> float:
        return float(picture[beside & ~windows].mean() - picture[beside & windows].mean())

    assert contrast(result) < 1.1 * contrast(blurred)


def test_grain_in_blurred_places_is_smoothed_without_colours_of_the_subject() -> None:
    rng = np.random.default_rng(0)
    subject = np.broadcast_to(np.arange(64) < 32, (64, 64))
    wall = 0.2 + rng.normal(0, 0.02, (64, 64, 3))
    rendered = np.where(subject[..., None], (0.9, 0.6, 0.5), wall)
    smoothed = smooth_background(rendered, subject[..., None].astype(float), 2.0)
    np.testing.assert_array_equal(smoothed[subject], rendered[subject])
    behind = smoothed[~subject]
    assert behind.std() < 0.25 * wall.std()
    assert behind.max() < 0.22
