"""Perceptual distance of two pictures: how much their VGG-19 features differ.

Simonyan, Zisserman, "Very deep convolutional networks for large-scale image recognition", 2014.
"""

from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any

import h5py
import keras
import numpy as np
from keras import ops

from pocket_bokeh.errors import UserError
from train.network.precision import computing_in

Tensor = Any

_FEATURES = "block5_conv4"  # relu5_4 in VGG's own count
_MEAN_BGR = (103.939, 116.779, 123.68)  # of ImageNet, as the weights were trained with


def vgg_distance(weights: Path) -> Callable[[Tensor, Tensor], Tensor]:
    """Makes a function for the mean squared distance of VGG-19's relu5_4 features.

    Args:
        weights: Keras's `vgg19_weights_tf_dim_ordering_tf_kernels_notop.h5`, or the file that also
            has the classifier.

    Returns:
        A differentiable function of two batches, N × H × W × 3, RGB, sRGB-encoded, 0…1, sides of
        at least 16 pixels. It gives the mean over positions and channels, shape N.

    Raises:
        UserError: the file is missing or does not hold VGG-19's weights.
    """
    network = _vgg_19(weights.resolve())

    def distance(picture: Tensor, other: Tensor) -> Tensor:
        difference = network(_as_vgg_sees(picture)) - network(_as_vgg_sees(other))
        return ops.mean(ops.square(difference), axis=(1, 2, 3))

    return distance


def _as_vgg_sees(picture: Tensor) -> Tensor:
    """Converts RGB 0…1 to VGG's input: BGR 0…255 minus ImageNet's mean."""
    codes = 255.0 * ops.cast(picture, "float32")
    return ops.flip(codes, axis=-1) - np.array(_MEAN_BGR, np.float32)


@lru_cache(maxsize=1)  # 80 MB, the same for every level
def _vgg_19(weights: Path) -> keras.Model:
    """VGG-19 up to relu5_4, frozen, in float32 even in mixed-precision training."""
    with computing_in("float32"):
        whole = keras.applications.VGG19(include_top=False, weights=None)
    network = keras.Model(whole.input, whole.get_layer(_FEATURES).output, name="vgg19_relu5_4")
    network.trainable = False
    _load(network, weights)
    return network


def _load(network: keras.Model, file: Path) -> None:
    """Loads weights by layer name, so the file may also contain the classifier."""
    if not file.is_file():
        raise UserError(f"{file}: no such file; --vgg-weights takes Keras's VGG-19 weights (.h5)")
    try:
        with h5py.File(file) as stored:
            for layer in network.layers:
                if layer.weights:
                    group = stored[layer.name]
                    names = group.attrs["weight_names"]
                    layer.set_weights([group[name][()] for name in names])
    except (OSError, KeyError, ValueError) as error:
        raise UserError(
            f"{file}: not VGG-19's weights ({str(error).splitlines()[0]}); --vgg-weights takes "
            "Keras's vgg19_weights_tf_dim_ordering_tf_kernels_notop.h5"
        ) from error
