"""The two gradients of a convolution as convolutions, for a backend whose own are slow and large.

TensorFlow's on a CPU without oneDNN lay out every window of the kernel's size at once: 2.7 GB for
one 9×9 convolution of 256×256 pixels. With oneDNN its own are the quicker (docs/experiments.md).
"""

from typing import Any

import keras
from keras import ops

Tensor = Any


def computes_without_onednn() -> bool:
    """Whether TensorFlow computes without oneDNN.

    By itself it takes oneDNN on processors with instructions for neural networks, AVX512-VNNI and
    later ones; TF_ENABLE_ONEDNN_OPTS=0 or 1 decides otherwise.
    """
    # TensorFlow tells this nowhere else, and not what was asked of it but what it does.
    from tensorflow.python.util import _pywrap_util_port

    return not _pywrap_util_port.IsMklEnabled()


def use_convolution_gradients(model: keras.Model) -> None:
    """Makes a network's convolutions of stride 1 compute their gradients as convolutions.

    Values stay the same up to rounding; nothing of it is saved with the network.
    """
    for layer in model.layers:
        if isinstance(layer, keras.layers.Conv2D) and layer.strides == (1, 1):
            layer.convolution_op = convolve


def convolve(features: Tensor, kernel: Tensor) -> Tensor:
    """A convolution of stride 1 with zero padding that keeps the size.

    Args:
        features: N × H × W × I.
        kernel: K × K × I × O, K odd.

    Returns:
        N × H × W × O.
    """
    # A copy is a tensor: TensorFlow takes no variables here outside a graph.
    return _convolve(features, ops.copy(kernel))


@ops.custom_gradient
def _convolve(features: Tensor, kernel: Tensor) -> Any:
    def gradients(*arguments: Tensor, upstream: Tensor | None = None) -> tuple[Tensor, Tensor]:
        # TensorFlow hands the gradient over by position, JAX too; Keras documents `upstream`.
        upstream = arguments[0] if upstream is None else upstream
        return (
            _features_gradient(kernel, upstream),
            _kernel_gradient(features, upstream, kernel.shape[0]),
        )

    return ops.conv(features, kernel, padding="same"), gradients


def _features_gradient(kernel: Tensor, upstream: Tensor) -> Tensor:
    """The gradient convolved with the kernel turned by 180°, its inputs and outputs exchanged."""
    turned = ops.transpose(ops.flip(kernel, axis=(0, 1)), (0, 1, 3, 2))
    return ops.conv(upstream, turned, padding="same")


def _kernel_gradient(features: Tensor, upstream: Tensor, side: int) -> Tensor:
    """The features convolved with the gradient, as large as they are: channels stand for crops."""
    margin = side // 2
    padded = ops.pad(features, ((0, 0), (margin, margin), (margin, margin), (0, 0)))
    by_channel = ops.transpose(padded, (3, 1, 2, 0))
    as_kernel = ops.transpose(upstream, (1, 2, 0, 3))
    return ops.transpose(ops.conv(by_channel, as_kernel, padding="valid"), (1, 2, 0, 3))
