"""A measure that is sure in places, carried over whole surfaces of a photograph. No TensorFlow.

Whether a rendering is sharp can be told where the photograph has detail; between an eyelash and the
next nothing tells. There the measure goes on as the photograph's colours do: in every window it is
taken for a linear function of red, green and blue, fitted where the measure is sure.

This is the guided filter (He, Sun, Tang: Guided Image Filtering, 2013, guided by a colour picture)
with windows that are Gaussian, weights in its means, and coefficients found at a quarter of the
size (He, Sun: Fast Guided Filter, 2015).
"""

import numpy as np
from PIL import Image

REDUCTION = 4
"""Pixels of the photograph, along each side, to one in which coefficients are found."""

WINDOW_SIGMA = 4.0
"""Of the windows, in such reduced pixels."""

EPSILON = 1e-3
"""What a colour has to vary by in a window to guide, as a variance of values 0…1."""


def spread_over_surfaces(
    measure: np.ndarray, certainty: np.ndarray, photo: np.ndarray
) -> np.ndarray:
    """A measure as the colours of a photograph let it go on from where it is sure.

    Args:
        measure: h × w, float.
        certainty: h × w, above 0.
        photo: h × w × 3, float, 0…1.

    Returns:
        h × w, float32; beyond the measure's range by a little where colours are extreme.
    """
    weight = _reduced(certainty)
    guide = np.stack([_reduced(plane) for plane in np.moveaxis(photo, -1, 0)], axis=-1)
    slopes, constant = _fit_colours(_reduced(certainty * measure) / weight, weight, guide)
    height, width = measure.shape
    result = _enlarged(constant, height, width)
    for slope, plane in zip(np.moveaxis(slopes, -1, 0), np.moveaxis(photo, -1, 0), strict=True):
        result = result + _enlarged(slope, height, width) * plane
    return result


def _fit_colours(
    measure: np.ndarray, weight: np.ndarray, guide: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Slopes, h × w × 3, and constants, h × w, of measure = slopes · colour + constant."""
    of_all = _smooth(weight)

    def mean(plane: np.ndarray) -> np.ndarray:
        return _smooth(weight * plane) / of_all

    colours = np.moveaxis(guide, -1, 0)
    mean_colours = np.stack([mean(colour) for colour in colours])
    mean_measure = mean(measure)
    covariance = np.empty((*measure.shape, 3, 3))
    common = np.empty((*measure.shape, 3, 1))
    for row in range(3):
        common[..., row, 0] = mean(colours[row] * measure) - mean_colours[row] * mean_measure
        for column in range(3):
            product = mean(colours[row] * colours[column])
            covariance[..., row, column] = product - mean_colours[row] * mean_colours[column]
    slopes = np.linalg.solve(covariance + EPSILON * np.eye(3), common)[..., 0]
    constant = mean_measure - (slopes * np.moveaxis(mean_colours, 0, -1)).sum(axis=-1)
    # Every pixel lies in many windows: it takes the mean of what they say.
    return np.stack([_smooth(one) for one in np.moveaxis(slopes, -1, 0)], -1), _smooth(constant)


def _smooth(plane: np.ndarray) -> np.ndarray:
    # Here, because it takes half a second that the browser page need not wait for.
    from scipy.ndimage import gaussian_filter

    return gaussian_filter(plane, WINDOW_SIGMA)


def _reduced(plane: np.ndarray) -> np.ndarray:
    """Means of blocks, float64; at the far edges of what is left of a block."""
    return np.asarray(_image(plane).reduce(REDUCTION), dtype=np.float64)


def _enlarged(plane: np.ndarray, height: int, width: int) -> np.ndarray:
    box = (0.0, 0.0, width / REDUCTION, height / REDUCTION)
    return np.asarray(_image(plane).resize((width, height), Image.Resampling.BICUBIC, box))


def _image(plane: np.ndarray) -> Image.Image:
    return Image.fromarray(np.ascontiguousarray(plane, dtype=np.float32))
