"""Brings the features that level 2 receives to the range of the photograph's colours.

Level 2 concatenates both, so in 8 bits they share one scale. A network trained with masks has
features up to 40, which would leave six values to the colours (docs/experiments.md). The features
come from a convolution without bias and go into convolutions alone. So each channel can be divided
by a number there and multiplied by it here, and the network computes the same (Nagel et al.,
"Data-Free Quantization Through Weight Equalization and Bias Correction", ICCV 2019; here with
measured ranges).
"""

from collections.abc import Iterable
from typing import Any

import numpy as np
import tf_keras

from train.network.pynet import LEVEL_2_FEATURES, LEVEL_2_READERS

Model = Any


def equalize_features(model: Model, photos: Iterable[np.ndarray]) -> None:
    """Changes the weights around level 2's features in place, so that these are within ±1.

    Args:
        model: a level-1 PyNET in tf_keras.
        photos: inputs by which the features are measured, height × width × 3 or 4.
    """
    source = model.get_layer(LEVEL_2_FEATURES)
    features = tf_keras.Model(model.input, source.output)
    measured = [np.abs(features(photo[None])).max(axis=(0, 1, 2)) for photo in photos]
    largest = np.max(measured, axis=0)
    largest[largest == 0] = 1.0  # a dead channel stays as it is
    (kernel,) = source.get_weights()
    source.set_weights([kernel / largest[:, None]])  # height × width × out × in
    names = {layer.name for layer in model.layers}
    for name in names.intersection(LEVEL_2_READERS):
        kernel, bias = model.get_layer(name).get_weights()
        kernel[:, :, : len(largest)] *= largest[:, None]
        model.get_layer(name).set_weights([kernel, bias])
