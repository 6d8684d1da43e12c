"""Losses compared with NumPy and TensorFlow; VGG-19 has random weights in Keras's layout."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import h5py
import keras
import numpy as np
import pytest
import tensorflow as tf

from pocket_bokeh.errors import UserError
from train.loop.losses import (
    LOSS_NAMES,
    LOSSES,
    l1,
    l1_l2,
    l1_l2_ssim,
    l1_ssim,
    make_loss,
    with_sharpness,
)
from train.loop.perceptual import vgg_distance


@pytest.fixture
def pictures() -> tuple[np.ndarray, np.ndarray]:
    """Target and output, 2 × 48 × 64 × 3; RGB that is not grey, or the order would not matter."""
    random = np.random.default_rng(0)
    target = random.random((2, 6, 8, 3), np.float32).repeat(8, axis=1).repeat(8, axis=2)
    target *= np.array([1.0, 0.6, 0.2], np.float32)
    output = np.clip(target + random.normal(0, 0.1, target.shape), 0, 1)
    return target, output.astype(np.float32)


def write_as_keras_does(file: Path, top: bool) -> None:
    """The layout of the files that Keras publishes, with random weights."""
    random = np.random.default_rng(1)
    network = keras.applications.VGG19(include_top=False, weights=None)
    names = [layer.name for layer in network.layers] + ["flatten", "fc1", "fc2"] * top
    with h5py.File(file, "w") as stored:
        stored.attrs["layer_names"] = [name.encode() for name in names]
        for name in names:
            stored.create_group(name).attrs["weight_names"] = []
        for layer in network.layers:
            if not layer.weights:
                continue
            group, suffix = stored[layer.name], "_1:0" if top else "_2:0"
            shape = layer.kernel.shape
            deviation = np.sqrt(2 / np.prod(shape[:-1]))
            kernel = random.normal(0, deviation, shape).astype(np.float32)
            bias = random.normal(0, 1, shape[-1:]).astype(np.float32)
            group.attrs["weight_names"] = [f"{layer.name}_{kind}{suffix}" for kind in "Wb"]
            for kind, values in (("W", kernel), ("b", bias)):
                group.create_dataset(f"{layer.name}_{kind}{suffix}", data=values)


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("vgg") / "vgg19_notop.h5"
    write_as_keras_does(file, top=False)
    return file


@pytest.fixture
def mixed_precision() -> Iterator[None]:
    keras.config.set_dtype_policy("mixed_bfloat16")
    yield
    keras.config.set_dtype_policy("float32")


def expected_distance(weights: Path, target: np.ndarray, output: np.ndarray) -> np.ndarray:
    """By Keras' own reading of the file, its own preprocessing and its own model."""
    network = keras.applications.VGG19(include_top=False, weights=None)
    network.load_weights(weights)
    features = keras.Model(network.input, network.get_layer("block5_conv4").output)
    found = [
        features(keras.applications.vgg19.preprocess_input(255.0 * side.astype(np.float64)))
        for side in (target, output)
    ]
    return np.square(found[0].numpy() - found[1].numpy()).mean((1, 2, 3))


def test_l1_and_ssim_weigh_as_published(pictures: tuple[np.ndarray, np.ndarray]) -> None:
    target, output = pictures
    difference = np.abs(target - output).mean()
    assert float(l1(target, output)) == pytest.approx(100 * difference, rel=1e-4)
    structure = float(tf.reduce_mean(tf.image.ssim(target, output, max_val=1.0)))
    expected = 10 * difference + 10 * (1 - structure)
    assert float(l1_ssim(target, output)) == pytest.approx(expected, rel=1e-3)
    both = expected + float(l1_l2(target, output)) / 4
    assert float(l1_l2_ssim(target, output)) == pytest.approx(both, rel=1e-3)
    losses = {"l1": l1, "l1_l2": l1_l2, "l1_ssim": l1_ssim, "l1_l2_ssim": l1_l2_ssim}
    assert {name: make_loss(name) for name in LOSSES} == losses


def test_a_large_error_weighs_more_when_it_is_squared_too() -> None:
    target = np.zeros((1, 4, 4, 3), np.float32)
    for difference in (0.02, 0.1, 0.5):
        expected = 50 * difference + 500 * difference**2
        assert float(l1_l2(target, target + difference)) == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize("logits", [1, 3])
def test_sharpness_counts_where_it_can_be_told(logits: int) -> None:
    random = np.random.default_rng(0)
    target = random.random((2, 8, 6, 5), np.float32)
    output = random.normal(size=(2, 8, 6, 3 + logits)).astype(np.float32)
    share, weight = target[..., 3:4].astype(float), target[..., 4]
    claimed = 1 / (1 + np.exp(-output[..., 3:].astype(float)))
    entropy = -share * np.log(claimed) - (1 - share) * np.log(1 - claimed)
    expected = 2 * np.average(entropy.mean(axis=-1), weights=weight)
    expected += 100 * np.abs(target[..., :3] - output[..., :3]).mean()
    assert float(with_sharpness(l1, 2)(target, output)) == pytest.approx(expected, rel=1e-4)
    target[..., 4] = 0
    pictures = float(l1(target[..., :3], output[..., :3]))
    assert float(with_sharpness(l1, 2)(target, output)) == pytest.approx(pictures)


def test_perceptual_loss_weighs_as_published(
    weights: Path, pictures: tuple[np.ndarray, np.ndarray]
) -> None:
    expected = expected_distance(weights, *pictures)
    assert expected.min() > 1
    np.testing.assert_allclose(vgg_distance(weights)(*pictures), expected, rtol=1e-3)
    loss = make_loss("l1_ssim_vgg", weights)
    whole = float(l1_ssim(*pictures)) + 0.1 * expected.mean()
    assert float(loss(*pictures)) == pytest.approx(whole, rel=1e-3)
    assert float(loss(pictures[0], pictures[0])) == pytest.approx(0, abs=1e-3)


def test_perceptual_loss_teaches(weights: Path, pictures: tuple[np.ndarray, np.ndarray]) -> None:
    target, output = pictures
    distance = vgg_distance(weights)
    picture = tf.Variable(output)
    with tf.GradientTape() as tape:
        found = tf.reduce_mean(distance(target, picture))
    gradient = tape.gradient(found, picture).numpy()
    assert np.isfinite(gradient).all()
    step = np.float32(1e-3) * gradient / np.abs(gradient).max()
    assert float(tf.reduce_mean(distance(target, output - step))) < float(found)


def test_a_network_trains_on_it_in_mixed_precision(
    mixed_precision: None, weights: Path, pictures: tuple[np.ndarray, np.ndarray], tmp_path: Path
) -> None:
    """VGG-19 stays in float32 and as it is; only the network learns."""
    copy = tmp_path / "another.h5"  # not yet built under this policy
    copy.write_bytes(weights.read_bytes())
    target, output = pictures
    loss = make_loss("l1_ssim_vgg", copy)
    network = keras.Sequential([keras.Input((None, None, 3)), keras.layers.Conv2D(3, 1)])
    network.compile(keras.optimizers.Adam(1e-2), loss=loss)
    assert len(network.trainable_variables) == 2
    losses = [float(network.train_on_batch(output, target)) for _ in range(8)]
    assert np.isfinite(losses).all()
    assert losses[-1] < losses[0]
    keras.config.set_dtype_policy("float32")
    expected = expected_distance(weights, *pictures)
    np.testing.assert_allclose(vgg_distance(copy)(*pictures), expected, rtol=1e-3)


def test_the_file_with_the_classifier_does_as_well(
    weights: Path, pictures: tuple[np.ndarray, np.ndarray], tmp_path: Path
) -> None:
    file = tmp_path / "vgg19.h5"
    write_as_keras_does(file, top=True)
    expected = vgg_distance(weights)(*pictures)
    np.testing.assert_allclose(vgg_distance(file)(*pictures), expected, rtol=1e-5)


def test_vgg_19_is_built_once(weights: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_loss("l1_ssim_vgg", weights)
    monkeypatch.delattr(keras.applications, "VGG19")
    make_loss("l1_ssim_vgg", weights)


def test_what_is_missing_or_wrong_is_said(tmp_path: Path) -> None:
    assert LOSS_NAMES == ("l1", "l1_l2", "l1_ssim", "l1_l2_ssim", "l1_ssim_vgg")
    expected = "expected one of l1, l1_l2, l1_ssim, l1_l2_ssim, l1_ssim_vgg"
    with pytest.raises(UserError, match=expected):
        make_loss("l2")
    with pytest.raises(UserError, match="give the file with --vgg-weights"):
        make_loss("l1_ssim_vgg")
    with pytest.raises(UserError, match=r"vgg\.h5: no such file"):
        make_loss("l1_ssim_vgg", tmp_path / "vgg.h5")
    text, other = tmp_path / "text.h5", tmp_path / "other.h5"
    text.write_text("no weights")
    with h5py.File(other, "w") as stored:
        stored.create_group("block1_conv1").attrs["weight_names"] = ["W"]
        stored["block1_conv1/W"] = np.zeros((3, 3, 3, 7))
    for file in (text, other):
        with pytest.raises(UserError, match="not VGG-19's weights") as caught:
            make_loss("l1_ssim_vgg", file)
        assert "\n" not in str(caught.value)


IN_JAX = """
import sys
from pathlib import Path
import jax
import numpy as np
from train.loop.losses import make_loss

saved = np.load(sys.argv[1])
loss = jax.jit(jax.value_and_grad(make_loss("l1_ssim_vgg", Path(sys.argv[2])), argnums=1))
value, gradient = loss(saved["target"], saved["output"])
assert not any(name.split(".")[0] == "tensorflow" for name in sys.modules)
np.savez(sys.argv[3], value=value, gradient=gradient)
"""


@pytest.mark.slow
def test_jax_gives_the_same_loss_and_gradient(
    weights: Path, pictures: tuple[np.ndarray, np.ndarray], tmp_path: Path
) -> None:
    target, output = pictures
    np.savez(tmp_path / "saved.npz", target=target, output=output)
    subprocess.run(
        [sys.executable, "-c", IN_JAX, tmp_path / "saved.npz", weights, tmp_path / "found.npz"],
        # Compiled in a fraction of the time.
        env=os.environ
        | {"KERAS_BACKEND": "jax", "XLA_FLAGS": "--xla_backend_optimization_level=0"},
        check=True,
    )
    found = np.load(tmp_path / "found.npz")
    picture = tf.Variable(output)
    with tf.GradientTape() as tape:
        value = make_loss("l1_ssim_vgg", weights)(target, picture)
    gradient = tape.gradient(value, picture).numpy()
    assert found["value"] == pytest.approx(float(value), rel=1e-3)
    # By the whole, not by the pixel: rounding decides where VGG-19 pools two nearly equal values,
    # and 0.15 % of the gradient goes elsewhere when the picture changes by a ten-millionth.
    difference = np.linalg.norm(found["gradient"] - gradient)
    assert difference < 0.01 * np.linalg.norm(gradient)
