"""What each level is trained on. A loss takes target and output, N × H × W × 3, 0…1."""

from collections.abc import Callable, Mapping
from typing import Any

from keras import ops

from train.metrics import ssim

Tensor = Any
Loss = Callable[[Tensor, Tensor], Tensor]


def l1(target: Tensor, output: Tensor) -> Tensor:
    """100 · mean absolute difference: the published loss of levels 7 to 2."""
    return 100.0 * ops.mean(ops.abs(target - output))


def l1_ssim(target: Tensor, output: Tensor) -> Tensor:
    """10 · mean absolute difference + 10 · (1 − SSIM): level 1 without its perceptual term."""
    return 10.0 * ops.mean(ops.abs(target - output)) + 10.0 * (1.0 - ops.mean(ssim(output, target)))


LOSSES: Mapping[str, Loss] = {"l1": l1, "l1_ssim": l1_ssim}
