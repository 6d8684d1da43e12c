"""Planes shrink, grow and are filled without shifting or inventing colours."""

import numpy as np
import pytest

from train.data.planes import double, fill, halve


@pytest.mark.parametrize("size", [(32, 48), (31, 45)])
def test_a_ramp_survives_halving_and_doubling(size: tuple[int, int]) -> None:
    """A shift by half a pixel would show as a difference of half a step everywhere."""
    rows, columns = np.mgrid[: size[0], : size[1]].astype(np.float32)
    ramp = np.stack([rows, columns])
    again = double(halve(ramp), size)
    inside = np.s_[:, 3:-3, 3:-3]
    np.testing.assert_allclose(again[inside], ramp[inside], atol=1e-3)


def test_a_hole_is_filled_from_its_surroundings() -> None:
    """Red on the left, green on the right, and blue in the hole, which must not matter."""
    planes = np.zeros((3, 64, 96), np.float32)
    planes[0, :, :48] = planes[1, :, 48:] = 1
    hole = np.zeros((64, 96), bool)
    hole[20:44, 30:66] = True
    planes[:, hole] = np.array([0, 0, 9], np.float32)[:, None]
    filled = fill(planes, (~hole).astype(np.float32))
    np.testing.assert_array_equal(filled[:, ~hole], planes[:, ~hole])
    np.testing.assert_allclose(filled[:2, hole].sum(0), 1, atol=1e-4)
    assert filled[2].max() == 0
    assert filled[0, 32, 32] > 0.8
    assert filled[1, 32, 63] > 0.8


def test_a_picture_that_is_hidden_almost_everywhere_is_filled() -> None:
    planes, known = np.full((3, 50, 70), 5, np.float32), np.zeros((50, 70), np.float32)
    planes[:, 3, 4], known[3, 4] = 0.25, 1
    np.testing.assert_allclose(fill(planes, known), 0.25, rtol=1e-3)
