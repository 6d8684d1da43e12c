"""PSNR and SSIM as published, in operations of any Keras backend, differentiable.

Pictures are N × H × W × 3, float32, RGB, sRGB-encoded, 0…1; each gives one figure per picture.
"""

from typing import Any

import numpy as np
from keras import ops

SSIM_WINDOW = 11
SSIM_SIGMA = 1.5
Tensor = Any


def psnr(picture: Tensor, target: Tensor) -> Tensor:
    """Peak signal-to-noise ratio in dB over all pixels and channels, shape N."""
    error = ops.mean(ops.square(picture - target), axis=(1, 2, 3))
    return -10.0 * ops.log(ops.maximum(error, 1e-10)) / np.log(10.0)


def ssim(picture: Tensor, target: Tensor) -> Tensor:
    """Structural similarity, the mean over positions and channels, shape N.

    Wang et al., "Image quality assessment: from error visibility to structural similarity",
    2004: Gaussian window 11 × 11 with sigma 1.5, k1 = 0.01, k2 = 0.03; only whole windows count,
    so both sides must have at least 11 pixels.
    """
    c1, c2 = 0.01**2, 0.03**2
    mean_p, mean_t = _window_mean(picture), _window_mean(target)
    # E[xy] − E[x]E[y]; the two variances enter the formula only as their sum.
    covariance = _window_mean(picture * target) - mean_p * mean_t
    squares = _window_mean(ops.square(picture) + ops.square(target))
    variances = squares - ops.square(mean_p) - ops.square(mean_t)
    luminance = (2 * mean_p * mean_t + c1) / (ops.square(mean_p) + ops.square(mean_t) + c1)
    structure = (2 * covariance + c2) / (variances + c2)
    return ops.mean(luminance * structure, axis=(1, 2, 3))


def _window_mean(x: Tensor) -> Tensor:
    """Mean under the Gaussian window, channel by channel, rows and columns apart."""
    offsets = np.arange(SSIM_WINDOW, dtype=np.float32) - SSIM_WINDOW // 2
    window = np.exp(-(offsets**2) / (2 * SSIM_SIGMA**2))
    window = np.tile((window / window.sum())[:, None, None, None], (1, 1, x.shape[-1], 1))
    x = ops.depthwise_conv(x, ops.convert_to_tensor(window), padding="valid")
    columns = ops.convert_to_tensor(window.transpose(1, 0, 2, 3))
    return ops.depthwise_conv(x, columns, padding="valid")
