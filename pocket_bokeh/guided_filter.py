"""Guided filter with confidence weights: edge-aware smoothing of a mask along a photograph.

Whether a rendering is sharp can only be measured where the photograph has detail, not on smooth
skin between two eyelashes. The filter fills these gaps: in every window it models the mask as a
linear function of red, green and blue, fitted mostly to pixels of high certainty.

It is the guided filter with a colour guide (He, Sun, Tang: Guided Image Filtering, 2013), with
Gaussian windows, weighted means, and coefficients computed at a quarter of the size (He, Sun: Fast
Guided Filter, 2015).
"""

import numpy as np
from PIL import Image

from pocket_bokeh.gaussian_filter import gaussian_filter

REDUCTION = 4
"""Factor along each side by which pictures are reduced to compute the coefficients."""

WINDOW_SIGMA = 4.0
"""Sigma of the windows in reduced pixels."""

EPSILON = 1e-3
"""Regularization: colours guide the filter where their variance (of values 0…1) exceeds this."""


def guided_filter(mask: np.ndarray, certainty: np.ndarray, photo: np.ndarray) -> np.ndarray:
    """Smooths a mask along the colours of a photograph, weighted by certainty.

    Args:
        mask: h × w, float.
        certainty: h × w, weights above 0.
        photo: h × w × 3, float, 0…1.

    Returns:
        h × w, float32. Extreme colours can exceed the mask's range a little.
    """
    weight = _reduced(certainty)[..., None]
    weighted_mask = _reduced(certainty * mask)[..., None] / weight
    guide = np.stack([_reduced(plane) for plane in np.moveaxis(photo, -1, 0)], axis=-1)
    coefficients = np.moveaxis(_fit_colours(weighted_mask, weight, guide), -1, 0)
    *slopes, constant = (_enlarged(plane, *mask.shape) for plane in coefficients)
    return constant + (np.stack(slopes, axis=-1) * photo).sum(axis=-1)


def _fit_colours(mask: np.ndarray, weight: np.ndarray, guide: np.ndarray) -> np.ndarray:
    """Fits mask = slopes · colour + constant in every window.

    Args:
        mask, weight: h × w × 1.
        guide: h × w × 3.

    Returns:
        h × w × 4: three slopes and the constant.
    """
    total_weight = _smooth(weight)

    def mean(planes: np.ndarray) -> np.ndarray:
        return _smooth(weight * planes) / total_weight

    mean_guide, mean_mask = mean(guide), mean(mask)
    products = mean(np.concatenate([guide * guide[..., i : i + 1] for i in range(3)], axis=-1))
    square = (*guide.shape, 3)
    covariance = products.reshape(square) - mean_guide[..., None] * mean_guide[..., None, :]
    with_mask = mean(guide * mask) - mean_guide * mean_mask
    slopes = np.linalg.solve(covariance + EPSILON * np.eye(3), with_mask[..., None])[..., 0]
    constant = mean_mask - (slopes * mean_guide).sum(axis=-1, keepdims=True)
    # Every pixel lies in many windows and takes the mean of their coefficients.
    return _smooth(np.concatenate([slopes, constant], axis=-1))


def _smooth(planes: np.ndarray) -> np.ndarray:
    return gaussian_filter(planes, WINDOW_SIGMA)


def _reduced(plane: np.ndarray) -> np.ndarray:
    """Means over blocks, float64; blocks at the right and bottom edge may be smaller."""
    return np.asarray(_image(plane).reduce(REDUCTION), dtype=np.float64)


def _enlarged(plane: np.ndarray, height: int, width: int) -> np.ndarray:
    box = (0.0, 0.0, width / REDUCTION, height / REDUCTION)
    return np.asarray(_image(plane).resize((width, height), Image.Resampling.BICUBIC, box))


def _image(plane: np.ndarray) -> Image.Image:
    return Image.fromarray(np.ascontiguousarray(plane, dtype=np.float32))
