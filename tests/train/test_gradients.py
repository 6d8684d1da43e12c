"""Gradients of convolutions written as convolutions, against the backend's own."""

import dataclasses

import keras
import numpy as np
import pytest
import tensorflow as tf

from train.gradients import convolve, use_convolution_gradients
from train.presets import NETWORKS
from train.pynet import build_pynet


@pytest.mark.parametrize("side", [1, 3, 9])
def test_both_gradients_are_the_backends_own(side: int) -> None:
    random = np.random.default_rng(side)
    features = tf.Variable(random.normal(size=(2, 13, 17, 5)).astype(np.float32))
    kernel = tf.Variable(random.normal(size=(side, side, 5, 4)).astype(np.float32))
    weights = random.normal(size=(2, 13, 17, 4)).astype(np.float32)

    def gradients(convolution: str) -> list[tf.Tensor]:
        with tf.GradientTape() as tape:
            if convolution == "ours":
                output = convolve(features, kernel)
            else:
                output = tf.nn.conv2d(features, kernel, 1, "SAME")
            total = tf.reduce_sum(weights * output)
        return [output, *tape.gradient(total, [features, kernel])]

    for ours, theirs in zip(gradients("ours"), gradients("theirs"), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-3)


def test_a_network_takes_the_same_step_with_them() -> None:
    config = dataclasses.replace(NETWORKS["report"], width=1 / 32)
    random = np.random.default_rng(0)
    photo, target = random.random((2, 64, 64, 3)), random.random((2, 32, 32, 3))
    steps = []
    for ours in (False, True):
        keras.utils.set_random_seed(3)
        model = build_pynet(config, level=3)
        if ours:
            use_convolution_gradients(model)
            assert model.get_layer("level_3_c_9x9_first").convolution_op is convolve
        model.compile("sgd", loss="mse", jit_compile=False)
        model(photo, training=True)  # outside a graph, as normalization is settled
        model.train_on_batch(photo, target)
        steps.append(model.get_weights())
    for mine, other in zip(*steps, strict=True):
        np.testing.assert_allclose(mine, other, rtol=1e-4, atol=1e-5)
