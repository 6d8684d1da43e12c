"""PSNR, SSIM and MS-SSIM as published, differentiable, on any Keras backend.

Pictures are N × H × W × 3, float32, RGB, sRGB-encoded, 0…1; each metric gives N values.
"""

from typing import Any

import numpy as np
from keras import ops

from train.network.precision import is_tensorflow_on_cpu

SSIM_WINDOW = 11
SSIM_SIGMA = 1.5
MS_SSIM_WEIGHTS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)
MS_SSIM_LEAST_SIDE = (SSIM_WINDOW - 1) * 2 ** (len(MS_SSIM_WEIGHTS) - 1) + 1
"""161 pixels: after halving four times, rounding up, the window still fits."""
Tensor = Any


def psnr(picture: Tensor, target: Tensor) -> Tensor:
    """Peak signal-to-noise ratio in dB over all pixels and channels, shape N; at most 100."""
    error = ops.mean(ops.square(ops.subtract(picture, target)), axis=(1, 2, 3))
    return -10.0 * ops.log(ops.maximum(error, 1e-10)) / np.log(10.0)


def ssim(picture: Tensor, target: Tensor) -> Tensor:
    """Structural similarity, the mean over positions and channels, shape N.

    Wang et al., "Image quality assessment: from error visibility to structural similarity",
    2004: Gaussian window of 11 × 11 pixels with sigma 1.5, k1 = 0.01, k2 = 0.03. Only windows
    that lie inside the picture count, so both sides need at least 11 pixels.
    """
    similarity, _ = _similarity(picture, target)
    return ops.mean(similarity, axis=1)


def ms_ssim(picture: Tensor, target: Tensor) -> Tensor:
    """Multi-scale structural similarity, the mean over channels, shape N.

    Wang, Simoncelli, Bovik, "Multi-scale structural similarity for image quality assessment",
    2003: the product of contrast and structure at five scales, each half the size of the one
    before, and luminance at the last, to the powers `MS_SSIM_WEIGHTS`. A negative value at any
    scale makes its channel 0.

    Raises:
        ValueError: a side has fewer than `MS_SSIM_LEAST_SIDE` pixels.
    """
    sides = [side for side in picture.shape[1:3] if side is not None]  # None while Keras traces
    if any(side < MS_SSIM_LEAST_SIDE for side in sides):
        raise ValueError(
            f"pictures of shape {tuple(picture.shape)}: five scales of MS-SSIM need at least "
            f"{MS_SSIM_LEAST_SIDE} pixels a side"
        )
    product: Tensor = 1.0
    for scale, weight in enumerate(MS_SSIM_WEIGHTS):
        if scale:
            picture, target = _halve(picture), _halve(target)
        similarity, structure = _similarity(picture, target)
        last = scale == len(MS_SSIM_WEIGHTS) - 1
        product *= _positive_power(similarity if last else structure, weight)
    return ops.mean(product, axis=1)


def _similarity(picture: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
    """SSIM, and its contrast-structure term alone; means over positions, N × channels each."""
    c1, c2 = 0.01**2, 0.03**2
    mean_p, mean_t = _window_mean(picture), _window_mean(target)
    # E[xy] − E[x]E[y]; the formula needs only the sum of the two variances.
    covariance = _window_mean(picture * target) - mean_p * mean_t
    squares = _window_mean(ops.square(picture) + ops.square(target))
    variances = squares - ops.square(mean_p) - ops.square(mean_t)
    luminance = (2 * mean_p * mean_t + c1) / (ops.square(mean_p) + ops.square(mean_t) + c1)
    structure = (2 * covariance + c2) / (variances + c2)
    return ops.mean(luminance * structure, axis=(1, 2)), ops.mean(structure, axis=(1, 2))


def _window_mean(x: Tensor) -> Tensor:
    """Gaussian-weighted mean in each window, separable, channel by channel.

    TensorFlow on a CPU convolves each channel on its own, in float32; the gradient of shifted
    pictures takes ten times as long there (docs/experiments.md). Elsewhere shifted pictures are
    summed: GPUs convolve in TF32 with a 10-bit mantissa, and the variances above are small
    differences of large numbers.
    """
    offsets = np.arange(SSIM_WINDOW) - SSIM_WINDOW // 2
    window = np.exp(-(offsets**2) / (2 * SSIM_SIGMA**2))
    window /= window.sum()
    if is_tensorflow_on_cpu():
        kernel = np.tile(window.astype(np.float32)[:, None, None, None], (1, 1, x.shape[-1], 1))
        return ops.depthwise_conv(ops.depthwise_conv(x, kernel), kernel.transpose(1, 0, 2, 3))
    places = [slice(first, first + 1 - SSIM_WINDOW or None) for first in range(SSIM_WINDOW)]
    shifts = list(zip(window.tolist(), places, strict=True))
    rows = sum(weight * x[:, place] for weight, place in shifts)
    return sum(weight * rows[:, :, place] for weight, place in shifts)


def _halve(x: Tensor) -> Tensor:
    """Means of 2 × 2 pixels; the last row or column of an odd side is repeated."""
    return ops.average_pool(x, 2, strides=2, padding="same")


def _positive_power(x: Tensor, exponent: float) -> Tensor:
    """x to a power below 1, and 0 with zero gradient where x is not positive.

    The slope of such a power is unbounded near 0, which would make gradients NaN. So values below
    float32's rounding error also count as 0.
    """
    positive = x > 1e-6
    return ops.where(positive, ops.power(ops.where(positive, x, 1.0), exponent), 0.0)
