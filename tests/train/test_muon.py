"""Keras' own Muon for matrices, brought to the kernels of convolutions; Adam for the rest."""

from collections.abc import Callable
from typing import Any

import keras
import numpy as np

from train.muon import KernelMuon
from train.presets import NETWORKS
from train.pynet import build_pynet

RATE = 1e-2


def weights_after(steps: int, optimizer: Any, layer: Callable[..., Any], name: str) -> np.ndarray:
    """A hidden layer over pixels, and a head; the layer's kernel as a matrix."""
    keras.utils.set_random_seed(0)
    photo = keras.Input((2, 2, 8))
    hidden = layer(name=name)(photo)
    model = keras.Model(photo, keras.layers.Dense(3, name="level_5_head")(hidden))
    model.compile(optimizer, loss="mse", jit_compile=False)
    random = np.random.default_rng(0)
    kernel = model.get_layer(name).kernel
    kernel.assign(random.normal(size=kernel.shape))
    for _ in range(steps):
        seen, target = (random.random((4, 2, 2, channels), np.float32) for channels in (8, 3))
        model.train_on_batch(seen, target)
    return keras.ops.convert_to_numpy(kernel).reshape(8, 16)


def dense(name: str) -> Any:
    return keras.layers.Dense(16, name=name)


def convolution(name: str) -> Any:
    return keras.layers.Conv2D(16, 1, name=name)


def test_a_kernel_is_moved_as_keras_muon_moves_the_same_matrix() -> None:
    plain = keras.optimizers.Muon(
        RATE, weight_decay=None, adam_weight_decay=None, exclude_layers=["head"]
    )
    theirs = weights_after(20, plain, dense, "hidden")
    ours = weights_after(20, KernelMuon(RATE), convolution, "hidden")
    np.testing.assert_allclose(ours, theirs, rtol=1e-3, atol=1e-4)
    assert np.abs(ours - weights_after(0, KernelMuon(RATE), convolution, "hidden")).max() > 0.01


def test_heads_are_left_to_adam() -> None:
    theirs = weights_after(20, keras.optimizers.Adam(RATE), convolution, "level_2_gate")
    # The last layer beside it is Dense, whose matrix Muon would take; it is called a head.
    ours = weights_after(20, KernelMuon(RATE), convolution, "level_2_gate")
    np.testing.assert_allclose(ours, theirs, rtol=1e-3, atol=1e-4)


def test_all_kernels_but_those_of_heads_and_gates_are_muons() -> None:
    model = build_pynet(NETWORKS["pocket"], 2)
    optimizer = KernelMuon(RATE)
    by_adam = {v.path for v in model.trainable_variables if optimizer._should_use_adamw(v)}
    kernels = {v.path for v in model.trainable_variables if len(v.shape) == 4}
    assert kernels & by_adam == {"level_2_head/kernel", "level_2_gate/kernel"}
    assert by_adam - kernels == {v.path for v in model.trainable_variables if len(v.shape) == 1}
