"""Equalization: the same network, with small features beside the colours."""

import dataclasses

import numpy as np
import pytest
import tf_keras

from quantize.convert.equalization import equalize_features
from tests.conftest import FEWER_LAYERS
from train.network.presets import NETWORKS
from train.network.pynet import build_pynet


@pytest.mark.parametrize("name", ["pocket", "mobile", "reference"])
def test_the_network_computes_the_same_and_its_features_are_small(name: str) -> None:
    config = dataclasses.replace(NETWORKS[name], width=1 / 32, **FEWER_LAYERS)
    model = build_pynet(config, keras=tf_keras)
    random = np.random.default_rng(0)
    for layer in model.layers:
        if layer.name in ("level_2_head", "level_2_gate", "level_1_head"):
            layer.set_weights([random.normal(0, 0.1, w.shape) for w in layer.get_weights()])
        if layer.name == "level_3_up":
            layer.set_weights([1000 * weights for weights in layer.get_weights()])
    features = tf_keras.Model(model.input, model.get_layer("level_3_up").output)
    photos = random.random((2, 64, 64, config.input_channels), np.float32)
    before = model(photos).numpy()
    assert np.abs(features(photos)).max() > 5
    equalize_features(model, photos)
    np.testing.assert_allclose(model(photos), before, rtol=1e-3, atol=1e-3 * np.abs(before).max())
    largest = np.abs(features(photos)).max(axis=(0, 1, 2))
    assert largest.any()
    np.testing.assert_allclose(largest[largest > 0], 1, rtol=1e-4)
