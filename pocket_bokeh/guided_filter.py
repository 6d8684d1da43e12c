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

from pocket_bokeh.gaussian_filter import gaussian_filter

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
    weight = _reduced(certainty)[..., None]
    known = _reduced(certainty * measure)[..., None] / weight
    guide = np.stack([_reduced(plane) for plane in np.moveaxis(photo, -1, 0)], axis=-1)
    fits = np.moveaxis(_fit_colours(known, weight, guide), -1, 0)
    *slopes, constant = (_enlarged(plane, *measure.shape) for plane in fits)
    return constant + (np.stack(slopes, axis=-1) * photo).sum(axis=-1)


def _fit_colours(measure: np.ndarray, weight: np.ndarray, guide: np.ndarray) -> np.ndarray:
    """Three slopes and a constant, h × w × 4: measure = slopes · colour + constant.

    Args:
        measure, weight: h × w × 1.
        guide: h × w × 3.
    """
    of_all = _smooth(weight)

    def mean(planes: np.ndarray) -> np.ndarray:
        return _smooth(weight * planes) / of_all

    mean_guide, mean_measure = mean(guide), mean(measure)
    products = mean(np.concatenate([guide * guide[..., i : i + 1] for i in range(3)], axis=-1))
    square = (*guide.shape, 3)
    covariance = products.reshape(square) - mean_guide[..., None] * mean_guide[..., None, :]
    common = mean(guide * measure) - mean_guide * mean_measure
    slopes = np.linalg.solve(covariance + EPSILON * np.eye(3), common[..., None])[..., 0]
    constant = mean_measure - (slopes * mean_guide).sum(axis=-1, keepdims=True)
    # Every pixel lies in many windows: it takes the mean of what they say.
    return _smooth(np.concatenate([slopes, constant], axis=-1))


def _smooth(planes: np.ndarray) -> np.ndarray:
    return gaussian_filter(planes, WINDOW_SIGMA)


def _reduced(plane: np.ndarray) -> np.ndarray:
    """Means of blocks, float64; at the far edges of what is left of a block."""
    return np.asarray(_image(plane).reduce(REDUCTION), dtype=np.float64)


def _enlarged(plane: np.ndarray, height: int, width: int) -> np.ndarray:
    box = (0.0, 0.0, width / REDUCTION, height / REDUCTION)
    return np.asarray(_image(plane).resize((width, height), Image.Resampling.BICUBIC, box))


def _image(plane: np.ndarray) -> Image.Image:
    return Image.fromarray(np.ascontiguousarray(plane, dtype=np.float32))
