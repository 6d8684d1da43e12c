"""The losses that levels are trained on; they take target and output, N × H × W × 3, 0…1."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from keras import ops

from pocket_bokeh.errors import UserError
from train.loop.metrics import ssim
from train.loop.perceptual import vgg_distance

Tensor = Any
Loss = Callable[[Tensor, Tensor], Tensor]


def l1(target: Tensor, output: Tensor) -> Tensor:
    """100 · mean absolute difference: the published loss of levels 7 to 2."""
    return 100.0 * ops.mean(ops.abs(target - output))


def l1_l2(target: Tensor, output: Tensor) -> Tensor:
    """50 · mean absolute difference + 500 · mean squared difference.

    Both terms are equal where output and target differ by 0.1. Where the network cannot tell
    subject from background, an absolute loss alone makes it pick the likelier of the two, with a
    large error where that is wrong. The squared term favours a compromise.
    """
    difference = target - output
    return 50.0 * ops.mean(ops.abs(difference)) + 500.0 * ops.mean(ops.square(difference))


def l1_ssim(target: Tensor, output: Tensor) -> Tensor:
    """10 · mean absolute difference + 10 · (1 − SSIM): the published level-1 loss without VGG."""
    return 10.0 * ops.mean(ops.abs(target - output)) + 10.0 * (1.0 - ops.mean(ssim(output, target)))


def l1_l2_ssim(target: Tensor, output: Tensor) -> Tensor:
    """0.25 · `l1_l2` + 1 · `l1_ssim`: structural similarity, but large errors cost extra."""
    return 0.25 * l1_l2(target, output) + l1_ssim(target, output)


def l1_ssim_vgg(vgg_weights: Path) -> Loss:
    """The published loss of level 1: `l1_ssim` + 0.1 · squared distance of VGG-19 features.

    Raises:
        UserError: the file is missing or does not hold VGG-19's weights.
    """
    perceptual = vgg_distance(vgg_weights)

    def loss(target: Tensor, output: Tensor) -> Tensor:
        return l1_ssim(target, output) + 0.1 * ops.mean(perceptual(target, output))

    return loss


def with_sharpness(loss: Loss, importance: float) -> Loss:
    """Adds the cross entropy of the predicted sharpness to a loss on pictures.

    Args:
        loss: of target and output, N × H × W × 3.
        importance: factor of the cross entropy.

    Returns:
        A loss of targets N × H × W × 5 (picture, sharpness, weight) and outputs N × H × W × 4 or
        more (picture, logits of the sharpness); see `train.data.sharpness_target`.
    """

    def combined(target: Tensor, output: Tensor) -> Tensor:
        weight, logits = target[..., 4:5], output[..., 3:]
        share = ops.broadcast_to(target[..., 3:4], ops.shape(logits))
        entropy = ops.mean(
            ops.binary_crossentropy(share, logits, from_logits=True), axis=-1, keepdims=True
        )
        mean_entropy = ops.sum(weight * entropy) / (ops.sum(weight) + 1e-6)
        return loss(target[..., :3], output[..., :3]) + importance * mean_entropy

    return combined


LOSSES: Mapping[str, Loss] = {
    "l1": l1,
    "l1_l2": l1_l2,
    "l1_ssim": l1_ssim,
    "l1_l2_ssim": l1_l2_ssim,
}
"""The losses that need no weights."""

LOSS_NAMES = (*LOSSES, "l1_ssim_vgg")
"""All names that `make_loss` takes."""


def make_loss(name: str, vgg_weights: Path | None = None) -> Loss:
    """The loss called `name`, one of `LOSS_NAMES`.

    Args:
        name: of the loss.
        vgg_weights: the file of VGG-19's weights; only `l1_ssim_vgg` reads it.

    Raises:
        UserError: the name is unknown, or the loss needs VGG-19's weights and `vgg_weights` is
            None, missing or another network's.
    """
    if name in LOSSES:
        return LOSSES[name]
    if name not in LOSS_NAMES:
        raise UserError(f"unknown loss '{name}': expected one of {', '.join(LOSS_NAMES)}")
    if vgg_weights is None:
        raise UserError(
            "the loss l1_ssim_vgg needs VGG-19's weights: give the file with --vgg-weights "
            "(Keras publishes it as vgg19_weights_tf_dim_ordering_tf_kernels_notop.h5), "
            "or train with l1_ssim"
        )
    return l1_ssim_vgg(vgg_weights)
