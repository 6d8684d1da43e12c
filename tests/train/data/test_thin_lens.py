"""The thin lens, compared with an independent blur and with physical laws."""

import numpy as np
import pytest
from scipy.ndimage import convolve

from train.data.thin_lens import Lens, SceneLayer, blur, decode_srgb, encode_srgb, expose

SIDE = 96
FAR, FOCUS = 0.0, 1.0


def opaque(radiance: np.ndarray) -> np.ndarray:
    """3 × H × W radiance as planes with full coverage."""
    return np.concatenate([radiance, np.ones_like(radiance[:1])]).astype(np.float32)


def grey(radiance: float) -> np.ndarray:
    return opaque(np.full((3, SIDE, SIDE), radiance))


def red_square() -> np.ndarray:
    planes = np.zeros((4, SIDE, SIDE), np.float32)
    planes[0, 30:66, 30:66] = planes[3, 30:66, 30:66] = 1
    return planes


def disc(radius: float) -> np.ndarray:
    """A disc by counting 61 × 61 points in each pixel, sum 1."""
    reach = int(radius) + 2
    inside = np.zeros((2 * reach + 1, 2 * reach + 1))
    offsets = (np.arange(61) - 30) / 61
    for row in range(-reach, reach + 1):
        for column in range(-reach, reach + 1):
            y, x = np.meshgrid(row + offsets, column + offsets, indexing="ij")
            inside[row + reach, column + reach] = np.mean(y**2 + x**2 <= radius**2)
    return inside / inside.sum()


def test_srgb_codes_survive_the_round_trip() -> None:
    codes = np.arange(256, dtype=np.uint8)
    assert np.array_equal(encode_srgb(decode_srgb(codes)), codes)
    assert decode_srgb(codes)[188] == pytest.approx(0.5029, abs=1e-4)  # IEC 61966-2-1
    assert encode_srgb(np.array([-1.0, 0.5, 80.0])).tolist() == [0, 188, 255]


@pytest.mark.parametrize("radius", [0.8, 3.3, 8.0])
def test_blur_is_a_convolution_with_a_disc(radius: float) -> None:
    planes = opaque(np.random.default_rng(1).random((3, SIDE, SIDE)))
    blurred = blur(planes, Lens(radius, FOCUS).aperture(radius))
    expected = np.stack([convolve(plane, disc(radius), mode="constant") for plane in planes])
    np.testing.assert_allclose(blurred, expected, atol=4e-3)
    assert np.abs(blurred - planes).max() > 0.2


def test_circle_of_confusion_is_linear_in_inverse_depth_and_signed() -> None:
    lens = Lens(strength=10, focus=1 / 2)
    radii = [lens.circle_of_confusion(1 / depth) for depth in (1.0, 2.0, 4.0, np.inf)]
    assert radii == pytest.approx([-5, 0, 2.5, 5])


@pytest.mark.parametrize("blades", [0, 5, 9])
def test_a_highlight_keeps_its_energy_and_becomes_a_disc(blades: int) -> None:
    radiance = np.zeros((3, SIDE, SIDE))
    radiance[:, 48, 48] = 500
    radius = 10.0
    sensor = expose([SceneLayer(opaque(radiance), FAR)], Lens(radius, FOCUS, blades, rotation=0.3))
    assert sensor.sum() == pytest.approx(3 * 500, rel=1e-4)
    y, x = np.mgrid[:SIDE, :SIDE] - 48
    level = 500 / (np.pi * radius**2)  # spread evenly over the disc
    within, beyond = np.hypot(y, x) < 0.85 * radius, np.hypot(y, x) > 1.15 * radius
    np.testing.assert_allclose(sensor[:, within], level, rtol=0.02)
    np.testing.assert_allclose(sensor[:, beyond], 0, atol=1e-3)
    area = np.count_nonzero(sensor[0] > level / 2)
    assert np.sqrt(area / np.pi) == pytest.approx(radius, rel=0.02)


def test_the_aperture_is_upside_down_before_the_focus() -> None:
    lens = Lens(1.0, FOCUS, blades=5, rotation=0.2)
    behind, before = lens.aperture(9.0), lens.aperture(-9.0)
    np.testing.assert_array_equal(before, behind[::-1, ::-1])
    assert np.abs(before - behind).max() > 0.5 * behind.max()  # a pentagon has no such symmetry


def test_a_sharp_subject_leaves_no_colour_in_the_blur_behind_it() -> None:
    layers = [SceneLayer(grey(0.2), FAR), SceneLayer(red_square(), FOCUS)]
    sharp, shallow = expose(layers), expose(layers, Lens(8, FOCUS))
    subject = red_square()[3] == 1
    np.testing.assert_array_equal(shallow[:, subject], sharp[:, subject])
    frame = np.s_[:, 8:-8, 8:-8]
    outside = ~subject[frame[1:]]
    np.testing.assert_allclose(shallow[frame][:, outside], 0.2, atol=1e-5)


def test_a_blurred_foreground_covers_softly() -> None:
    layers = [SceneLayer(grey(0.2), FOCUS), SceneLayer(red_square(), 2 * FOCUS)]
    row = expose(layers, Lens(6, FOCUS))[0, 48]
    assert row[30:66].max() == pytest.approx(1)
    assert row[29:31].mean() == pytest.approx((1 + 0.2) / 2, abs=0.01)  # half covered at the edge
    assert (np.diff(row[20:48]) >= -1e-6).all()
    assert row[23] == np.float32(0.2)  # beyond its reach nothing changes at all
    assert row[25] > 0.2


def test_a_layer_in_focus_or_empty_passes_unchanged() -> None:
    planes = opaque(np.random.default_rng(2).random((3, 32, 32)))
    lens = Lens(7, FOCUS)
    np.testing.assert_array_equal(expose([SceneLayer(planes, FOCUS)], lens), planes[:3])
    nothing = SceneLayer(np.zeros_like(planes), 2.0)
    np.testing.assert_array_equal(expose([SceneLayer(planes, FOCUS), nothing], lens), planes[:3])


def test_a_blur_is_exactly_nothing_where_it_does_not_reach() -> None:
    planes = np.zeros((4, SIDE, SIDE), np.float32)
    planes[:, 5:15, 5:15] = planes[:, 80:90, 80:90] = np.array([40, 3, 1, 1])[:, None, None]
    blurred = blur(planes, Lens(6, FOCUS).aperture(6.0))
    assert not blurred[:, 25:70, 25:70].any()
    assert not blurred[:, 5:15, 80:90].any()
    assert blurred[:, 17, 10].all()
