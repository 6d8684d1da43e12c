"""The loss's detail transfer equals that of `pocket_bokeh`."""

import numpy as np
import pytest
from keras import ops
from scipy.ndimage import gaussian_filter
from skimage import data

from pocket_bokeh.detail_transfer import transfer_detail
from pocket_bokeh.photo import network_input, resize_photo, to_float
from train.loop.detail_transfer import detail_transferred
from train.loop.losses import l1, with_detail_transfer


@pytest.fixture(scope="module")
def photo() -> np.ndarray:
    return data.chelsea()[:256, 100:356]


@pytest.fixture(scope="module")
def rendered(photo: np.ndarray) -> np.ndarray:
    """Coarse as a network's output is; the lower half blurred."""
    half = network_input(photo)
    coarse = to_float(resize_photo(np.rint(255 * half).astype(np.uint8), 256, 256))
    blurred = gaussian_filter(coarse, (3, 3, 0))
    rows = np.arange(256)[:, None, None]
    return np.where(rows < 128, coarse, blurred).astype(np.float32)


def test_it_is_what_the_renderer_does(photo: np.ndarray, rendered: np.ndarray) -> None:
    expected = transfer_detail(photo, photo, rendered).astype(float)
    output = ops.convert_to_numpy(detail_transferred(to_float(photo)[None], rendered[None]))[0]
    steps = np.abs(255 * np.clip(output, 0, 1) - expected)
    assert steps.mean() < 0.3
    # Where the two halve the photograph differently: at its edges.
    assert steps[8:-8, 8:-8].max() < 2


def test_the_loss_is_zero_for_the_finished_picture_alone(
    photo: np.ndarray, rendered: np.ndarray
) -> None:
    original = to_float(photo)[None]
    finished = ops.convert_to_numpy(detail_transferred(original, rendered[None]))
    loss = with_detail_transfer(l1)
    target = np.concatenate([finished, original], axis=-1)
    assert float(loss(target, rendered[None])) == pytest.approx(0, abs=1e-4)
    assert float(loss(np.concatenate([original, original], axis=-1), rendered[None])) > 0.5
