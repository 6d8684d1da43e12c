"""Gaussian and box filters in NumPy.

SciPy has both, but it would double the size of an installation that only renders. These are as
fast as SciPy's (docs/experiments.md).
"""

import numpy as np

_BAND = 32
"""Rows processed at a time; a band of them fits into the processor's cache."""


def gaussian_filter(picture: np.ndarray, sigma: float) -> np.ndarray:
    """Blurs a picture with a Gaussian, truncated at four sigmas, with mirrored edges.

    Args:
        picture: height × width or height × width × channels, float32 or float64.
        sigma: in pixels; 0 returns the picture unchanged.

    Returns:
        An array of the same shape and type.
    """
    radius = int(4.0 * sigma + 0.5)
    if radius == 0:
        return picture
    weights = np.exp(-0.5 * (np.arange(-radius, radius + 1) / sigma) ** 2)
    return separable_filter(picture, weights / weights.sum())


def box_filter(picture: np.ndarray, size: int) -> np.ndarray:
    """The mean over `size` × `size` pixels, `size` odd; otherwise as `gaussian_filter`."""
    return separable_filter(picture, np.full(size, 1.0 / size))


def separable_filter(picture: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Filters rows and columns with the same weights and mirrored edges.

    Args:
        picture: as for `gaussian_filter`.
        weights: symmetric and odd in number.

    Returns:
        An array of the same shape and type.
    """
    weights = weights.astype(picture.dtype)
    return _filter_along(1, _filter_along(0, picture, weights), weights)


def _filter_along(axis: int, picture: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Filters along one axis; the weights are symmetric and odd in number."""
    radius, length = len(weights) // 2, picture.shape[axis]
    border = [(0, 0)] * picture.ndim
    border[axis] = (radius, radius)
    padded = np.pad(picture, border, "symmetric")
    filtered = np.empty_like(picture)
    for top in range(0, picture.shape[0], _BAND):
        band = filtered[top : top + _BAND]
        rows = padded[top : top + len(band) + (2 * radius if axis == 0 else 0)]
        count = len(band) if axis == 0 else length
        shifted = [
            rows[shift : shift + count] if axis == 0 else rows[:, shift : shift + count]
            for shift in range(len(weights))
        ]
        np.multiply(shifted[radius], weights[radius], out=band)
        for before, after, weight in zip(shifted, shifted[::-1], weights[:radius], strict=False):
            pair = before + after
            pair *= weight
            band += pair
    return filtered
