"""A network with more filters computes what the narrower one does, and learns with all of them."""

import dataclasses

import keras
import numpy as np
import pytest

from train.network.presets import NETWORKS
from train.network.pynet import build_pynet
from train.network.widening import copy_into_wider

NARROW = dataclasses.replace(NETWORKS["pocket"], width=1 / 16, middle_width=1.0)
WIDE = dataclasses.replace(NARROW, middle_width=2.0)
PHOTO = np.random.default_rng(0).random((1, 64, 64, 4), np.float32)


@pytest.fixture(scope="module")
def networks() -> tuple[keras.Model, keras.Model]:
    """A narrow network whose weights are all random, and a wide one that was made from it."""
    keras.utils.set_random_seed(1)
    narrow, wide = build_pynet(NARROW), build_pynet(WIDE)
    random = np.random.default_rng(2)
    for layer in narrow.layers:
        layer.set_weights([0.3 * random.standard_normal(w.shape) for w in layer.get_weights()])
    copy_into_wider(narrow, wide)
    return narrow, wide


def test_the_wider_network_computes_the_same(networks: tuple[keras.Model, keras.Model]) -> None:
    narrow, wide = networks
    assert wide.count_params() > 1.5 * narrow.count_params()
    np.testing.assert_allclose(wide(PHOTO), narrow(PHOTO), rtol=1e-5)


def test_all_its_filters_learn(networks: tuple[keras.Model, keras.Model]) -> None:
    wide = keras.models.clone_model(networks[1])
    wide.set_weights(networks[1].get_weights())
    kernel = wide.get_layer("level_5_b_3x3_first").get_weights()[0]
    wide.compile(keras.optimizers.Adam(1e-2), loss="mae")
    for _ in range(3):
        wide.train_on_batch(PHOTO, np.zeros((1, 128, 128, 3)))
    changed = wide.get_layer("level_5_b_3x3_first").get_weights()[0] != kernel
    assert changed.any(axis=(0, 1, 2)).mean() > 0.9  # but for those that are never active


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"middle_width": 0.5}, "fewer filters"),
        ({"level_5_blocks": 3}, "different layers"),
        ({"parallel_kernels": True}, "different layers"),
    ],
)
def test_other_networks_are_refused(change: dict[str, float | bool], message: str) -> None:
    other = build_pynet(dataclasses.replace(NARROW, **change))  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=message):
        copy_into_wider(build_pynet(NARROW), other)
