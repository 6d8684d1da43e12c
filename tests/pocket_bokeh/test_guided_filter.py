"""The filter fills surfaces of one colour and stops at their edges."""

import numpy as np
from PIL import Image
from scipy.ndimage import gaussian_filter

from pocket_bokeh.guided_filter import EPSILON, REDUCTION, WINDOW_SIGMA, guided_filter


def test_a_few_certain_pixels_fill_a_surface_to_its_edges() -> None:
    """A sharp red leaf on a blurred green background, certain in one of fifty pixels."""
    rows, columns = np.mgrid[:122, :159]
    leaf = ((rows - 60) / 40) ** 2 + ((columns - 75 - 10 * np.sin(rows / 9)) / 45) ** 2 < 1
    photo = np.where(leaf[..., None], (0.7, 0.2, 0.1), (0.2, 0.5, 0.2))
    rng = np.random.default_rng(0)
    photo = np.clip(photo + rng.normal(0, 0.02, photo.shape), 0, 1)
    is_told = rng.random(leaf.shape) < 0.02
    measure = np.where(is_told, leaf, rng.random(leaf.shape))
    spread = guided_filter(measure, np.where(is_told, 1.0, 1e-3), photo)
    assert spread.shape == leaf.shape
    assert ((spread > 0.5) == leaf).mean() > 0.99
    assert spread[leaf].mean() > 0.85
    assert spread[~leaf].mean() < 0.15


def test_it_agrees_with_a_least_squares_solver() -> None:
    """The reference is a weighted ridge regression per window by NumPy, on blocks of one colour."""
    rng = np.random.default_rng(1)
    height, width = 9, 13
    guide = gaussian_filter(rng.random((height, width, 3)), (1, 1, 0))
    measure = rng.random((height, width))
    certainty = rng.uniform(0.01, 1, (height, width))
    spots = np.eye(height * width).reshape(-1, height, width)
    windows = np.stack([gaussian_filter(spot, WINDOW_SIGMA).ravel() for spot in spots], axis=1)
    colours = np.column_stack([guide.reshape(-1, 3), np.ones(height * width)])
    fits = np.empty((height * width, 4))
    for pixel, window in enumerate(windows):
        weights = np.sqrt(window * certainty.ravel())
        # The penalty of the slopes is scaled by the weights of the window.
        penalty = np.sqrt(EPSILON) * np.sqrt((weights**2).sum()) * np.eye(4)[:3]
        left = np.vstack([weights[:, None] * colours, penalty])
        right = np.concatenate([weights * measure.ravel(), np.zeros(3)])
        fits[pixel] = np.linalg.lstsq(left, right)[0]
    smoothed = (windows @ fits).reshape(height, width, 4)

    def large(plane: np.ndarray) -> np.ndarray:
        return plane.repeat(REDUCTION, 0).repeat(REDUCTION, 1)

    def smooth(plane: np.ndarray) -> np.ndarray:
        image = Image.fromarray(plane.astype(np.float32))
        size = width * REDUCTION, height * REDUCTION
        return np.asarray(image.resize(size, Image.Resampling.BICUBIC))

    expected = smooth(smoothed[..., 3])
    for channel in range(3):
        expected = expected + smooth(smoothed[..., channel]) * large(guide[..., channel])
    found = guided_filter(large(measure), large(certainty), large(guide))
    assert np.allclose(found, expected, atol=1e-4)
