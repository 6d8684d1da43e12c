"""Detail transfer as a differentiable function for the loss, on any Keras backend.

`pocket_bokeh.detail_transfer` enlarges a rendering to the photograph's size and takes the
photograph's own detail wherever the rendering is sharp. Users see that result, not the network's
output. Training through it teaches the network which half-blurred areas will come out sharp and
which blurred.
"""

from typing import Any

import numpy as np
from keras import ops

from pocket_bokeh import detail_transfer, guided_filter
from pocket_bokeh.detail_transfer import COARSE, LEAST_CERTAINTY, TONE_SIGMA, positions_inside

Tensor = Any

_HALVING = np.array([-3, -9, 29, 111, 111, 29, -9, -3]) / 256
"""Bicubic (a = -1/2) over eight pixels, as Pillow halves a photograph."""


def detail_transferred(photo: Tensor, rendered: Tensor) -> Tensor:
    """`transfer_detail` for a batch whose photographs have the size of the network's output.

    Args:
        photo: N × H × W × 3, float32, 0…1, sides multiples of four.
        rendered: the network's output, same shape.

    Returns:
        The same shape; differentiable with respect to `rendered`.
    """
    before, after = (
        _high_pass(_gaussian(picture, COARSE.low_pass_sigma), COARSE.high_pass_sigma)
        for picture in (_as_the_network_sees(photo), rendered)
    )
    energy = _local_product(before, before)
    kept = _local_product(before, after) / (energy + COARSE.regulariser)
    certainty = ops.maximum(energy / (energy + COARSE.certainty), LEAST_CERTAINTY)
    share = _spread_over_surfaces(_smooth(ops.clip(kept, 0.0, 1.0)), certainty, photo)
    blurred, sharp = COARSE.gate
    step = ops.clip((share - blurred) / (sharp - blurred), 0.0, 1.0)
    survival = step * step * (3.0 - 2.0 * step)
    for axis in (1, 2):
        inner = positions_inside(survival.shape[axis], COARSE.border)
        survival = ops.take(survival, inner, axis=axis)
    return rendered + survival * _high_pass(photo - rendered, TONE_SIGMA)


def _spread_over_surfaces(measure: Tensor, certainty: Tensor, photo: Tensor) -> Tensor:
    """`pocket_bokeh.guided_filter` for a batch; measure and certainty are N × H × W × 1."""
    weight, weighed, guide = (
        ops.average_pool(plane, guided_filter.REDUCTION, data_format="channels_last")
        for plane in (certainty, certainty * measure, photo)
    )
    measure = weighed / weight
    of_all = _gaussian(weight, guided_filter.WINDOW_SIGMA)

    def mean(planes: Tensor) -> Tensor:
        return _gaussian(weight * planes, guided_filter.WINDOW_SIGMA) / of_all

    mean_guide, mean_measure = mean(guide), mean(measure)
    products = mean(ops.concatenate([guide * guide[..., i : i + 1] for i in range(3)], axis=-1))
    square = (-1, *products.shape[1:3], 3, 3)
    covariance = ops.reshape(products, square) - mean_guide[..., None] * mean_guide[..., None, :]
    common = mean(guide * measure) - mean_guide * mean_measure
    slopes = ops.solve(covariance + guided_filter.EPSILON * ops.eye(3), common[..., None])[..., 0]
    constant = mean_measure - ops.sum(slopes * mean_guide, axis=-1, keepdims=True)
    fits = _gaussian(ops.concatenate([slopes, constant], axis=-1), guided_filter.WINDOW_SIGMA)
    fits = ops.image.resize(fits, photo.shape[1:3], "bicubic", data_format="channels_last")
    return ops.sum(fits[..., :3] * photo, axis=-1, keepdims=True) + fits[..., 3:]


def _as_the_network_sees(photo: Tensor) -> Tensor:
    """Halves the photograph and doubles it again, as the network does to parts it leaves alone."""
    doubled = ops.repeat(ops.repeat(_filtered(photo, _HALVING, stride=2), 2, 1), 2, 2)
    return _filtered(doubled, np.full(3, 1 / 3))


def _local_product(one: Tensor, other: Tensor) -> Tensor:
    return _smooth(ops.sum(one * other, axis=-1, keepdims=True))


def _smooth(plane: Tensor) -> Tensor:
    return _gaussian(plane, detail_transfer.WINDOW_SIGMA)


def _high_pass(picture: Tensor, sigma: float) -> Tensor:
    return picture - _gaussian(picture, sigma)


def _gaussian(picture: Tensor, sigma: float) -> Tensor:
    """A Gaussian filter like SciPy's, truncated at four sigmas."""
    radius = int(4.0 * sigma + 0.5)
    weights = np.exp(-0.5 * (np.arange(-radius, radius + 1) / sigma) ** 2)
    return _filtered(picture, weights / weights.sum())


def _filtered(picture: Tensor, weights: np.ndarray, stride: int = 1) -> Tensor:
    """A separable filter with the same weights for rows and columns, edges mirrored."""
    border = (len(weights) - 1) // 2
    around = ((0, 0), (border, border), (border, border), (0, 0))
    picture = ops.pad(picture, around, "symmetric")
    weights = weights.astype(np.float32)
    for shape in ((-1, 1, 1, 1), (1, -1, 1, 1)):
        kernel = np.tile(weights.reshape(shape), (1, 1, picture.shape[-1], 1))
        picture = ops.depthwise_conv(picture, kernel, 1, "valid", data_format="channels_last")
    return picture[:, ::stride, ::stride]
