"""Level 2's gate: where it opens, and the sharpness that level 1 gives by it."""

import dataclasses

import numpy as np
import pytest
from scipy.ndimage import uniform_filter

from train.network.presets import NETWORKS
from train.network.pynet import build_pynet, copy_weights

MOBILE, POCKET = (
    dataclasses.replace(NETWORKS[name], width=1 / 32, fourth_channel="none")
    for name in ("mobile", "pocket")
)


def test_level_1_gives_the_sharpness_that_level_2_decides_by() -> None:
    """0 where the gate's logits mean 3 % in focus, 1 at 97 %, doubled like the picture."""
    random = np.random.default_rng(0)
    photo = random.random((1, 64, 96, 3), np.float32)
    trained = build_pynet(POCKET, 2, sharpness=True)
    gate = trained.get_layer("level_2_gate")
    gate.set_weights([w + random.normal(0, 20, w.shape) for w in gate.get_weights()])
    plain, exported = build_pynet(POCKET), build_pynet(POCKET, sharpness=True)
    copy_weights(trained, plain)
    copy_weights(plain, exported)
    logits = np.asarray(trained(photo))[0, ..., 3:].mean(-1)
    share = 0.5 - 0.5 * logits / np.log(0.03 / 0.97)
    doubled = share.repeat(2, 0).repeat(2, 1)
    picture, both = (np.asarray(model(photo))[0] for model in (plain, exported))
    assert share.min() < 0 < 1 < share.max()
    inside = slice(1, -1)
    found, expected = both[inside, inside, 3], uniform_filter(doubled, 3)[inside, inside]
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(both[..., :3], picture, atol=1e-6)


def test_level_1_without_a_gate_gives_no_sharpness() -> None:
    with pytest.raises(ValueError, match="only in a network with a gate"):
        build_pynet(MOBILE, sharpness=True)


def test_a_gate_decides_where_the_photograph_is_softened() -> None:
    """Untrained, half of a mean of 3×3; with the gate shut where it is light, nothing there."""
    photo = np.random.default_rng(0).random((1, 64, 64, 3), np.float32) / 4
    photo[:, :, 32:] += 0.75
    softened = uniform_filter(photo[0], (3, 3, 1)) - photo[0]
    model = build_pynet(POCKET, 2)
    inside, dark, light = slice(1, -1), slice(1, 31), slice(33, 63)
    change = np.asarray(model(photo))[0] - photo[0]
    np.testing.assert_allclose(change[inside, inside], 0.5 * softened[inside, inside], atol=1e-6)
    kernel, bias = model.get_layer("level_2_gate").get_weights()
    kernel[1, 1, -3:] = -3 / 2  # of the photograph; at a sum of 2 the gate is shut
    model.get_layer("level_2_gate").set_weights([kernel, bias])
    change = np.asarray(model(photo))[0] - photo[0]
    assert np.abs(change[inside, dark]).max() > 1e-3
    np.testing.assert_allclose(change[inside, light], 0, atol=1e-6)


def test_a_gate_opens_where_the_photograph_is_not_in_focus() -> None:
    """The logits that are trained and the gate that ships are one: 0.38 in focus shuts it."""
    photo = np.random.default_rng(0).random((1, 64, 64, 3), np.float32)
    asked, ships = build_pynet(POCKET, 2, sharpness=True), build_pynet(POCKET, 2)
    softened = uniform_filter(photo[0], (3, 3, 1)) - photo[0]
    for probability, is_open in ((0.22, 1), (0.3, 0.5), (0.39, 0), (0.9, 0)):
        opening = 3 - 8 * (np.log(probability / (1 - probability)) - np.log(0.3 / 0.7))
        for model in (asked, ships):
            kernel, bias = model.get_layer("level_2_gate").get_weights()
            model.get_layer("level_2_gate").set_weights([kernel, np.full_like(bias, opening)])
        logits = np.asarray(asked(photo))[..., 3:]
        assert logits.shape[-1] == 3
        np.testing.assert_allclose(1 / (1 + np.exp(-logits)), probability, atol=1e-3)
        change = np.asarray(ships(photo))[0] - photo[0]
        inside = slice(1, -1)
        expected = is_open * softened[inside, inside]
        np.testing.assert_allclose(change[inside, inside], expected, atol=1e-3)
