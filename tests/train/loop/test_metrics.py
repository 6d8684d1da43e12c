"""PSNR, SSIM and MS-SSIM compared with independent implementations, on both backends."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from skimage.metrics import structural_similarity

from train.loop.losses import l1_ssim
from train.loop.metrics import MS_SSIM_LEAST_SIDE, ms_ssim, psnr, ssim


def noisy(height: int, width: int) -> tuple[np.ndarray, np.ndarray]:
    """Two pictures of flat patches, and both again: one nearly the same, one very noisy."""
    random = np.random.default_rng(0)
    patches = random.random((2, -(-height // 8), -(-width // 8), 3), np.float32)
    smooth = patches.repeat(8, axis=1).repeat(8, axis=2)[:, :height, :width]
    other = smooth + random.normal(0, [[[[0.02]]], [[[0.2]]]], smooth.shape)
    return smooth, np.clip(other, 0, 1).astype(np.float32)


@pytest.fixture
def pictures() -> tuple[np.ndarray, np.ndarray]:
    return noisy(48, 64)


def test_psnr_is_that_of_tensorflow(pictures: tuple[np.ndarray, np.ndarray]) -> None:
    expected = tf.image.psnr(*pictures, max_val=1.0)
    np.testing.assert_allclose(psnr(*pictures), expected, atol=1e-4)


def test_ssim_is_that_of_tensorflow(pictures: tuple[np.ndarray, np.ndarray]) -> None:
    expected = tf.image.ssim(*pictures, max_val=1.0)
    np.testing.assert_allclose(ssim(*pictures), expected, atol=1e-5)


def test_ssim_is_near_that_of_scikit_image(pictures: tuple[np.ndarray, np.ndarray]) -> None:
    for index in range(2):
        picture, target = pictures[0][index], pictures[1][index]
        whole = structural_similarity(
            picture,
            target,
            data_range=1.0,
            channel_axis=2,
            gaussian_weights=True,
            sigma=1.5,
            use_sample_covariance=False,
        )
        assert float(ssim(*(side[index : index + 1] for side in pictures))[0]) == pytest.approx(
            whole, abs=1e-3
        )


@pytest.mark.parametrize("size", [(176, 192), (161, 163), (179, 201), (190, 165)])
def test_ms_ssim_is_that_of_tensorflow(size: tuple[int, int]) -> None:
    """Also where a side is odd at one of the scales, and at the least size."""
    expected = tf.image.ssim_multiscale(*noisy(*size), max_val=1.0)
    np.testing.assert_allclose(ms_ssim(*noisy(*size)), expected, atol=1e-4)
    assert float(expected[1]) < 0.95 < float(expected[0]) < 0.9999


def test_ms_ssim_knows_the_same_and_the_opposite() -> None:
    picture, _ = noisy(176, 176)
    np.testing.assert_allclose(ms_ssim(picture, picture), 1.0, atol=1e-6)
    np.testing.assert_array_equal(ms_ssim(picture, 1 - picture), 0.0)
    np.testing.assert_array_equal(tf.image.ssim_multiscale(picture, 1 - picture, 1.0), 0.0)


def test_ms_ssim_refuses_what_is_too_small() -> None:
    small = np.zeros((1, MS_SSIM_LEAST_SIDE - 1, 300, 3), np.float32)
    with pytest.raises(ValueError, match="at least 161 pixels"):
        ms_ssim(small, small)


def difficult_pairs() -> tuple[np.ndarray, np.ndarray]:
    """Different, equal, flat against textured, both flat, anticorrelated, and black: 6 pairs."""
    one, other = (side[1] for side in noisy(176, 177))
    flat = np.full_like(one, 0.3)
    black = np.zeros_like(one)
    pairs = [(other, one), (one, one), (flat, one), (flat, flat + 0.2), (1 - one, one)]
    firsts, seconds = zip(*pairs, (black, black), strict=True)
    return np.stack(firsts).astype(np.float32), np.stack(seconds).astype(np.float32)


METRICS = {"psnr": psnr, "ssim": ssim, "ms_ssim": ms_ssim}


def figures_and_gradients(picture: np.ndarray, target: np.ndarray) -> dict[str, np.ndarray]:
    """By raw TensorFlow's tape."""
    found: dict[str, np.ndarray] = {}
    for name, metric in METRICS.items():
        variable = tf.Variable(picture)
        with tf.GradientTape() as tape:
            figures = metric(variable, target)
        found[name] = figures.numpy()
        found[f"{name}_gradient"] = tape.gradient(figures, variable).numpy()
    return found


def test_every_metric_teaches_whatever_the_pictures() -> None:
    found = figures_and_gradients(*difficult_pairs())
    for name, value in found.items():
        assert np.isfinite(value).all(), name
    for name in METRICS:
        assert np.abs(found[f"{name}_gradient"][0]).max() > 0


def test_gradient_of_ms_ssim_is_that_of_tensorflow() -> None:
    picture, target = (side[:1] for side in difficult_pairs())
    variable = tf.Variable(picture)
    with tf.GradientTape() as tape:
        expected = tf.image.ssim_multiscale(variable, target, max_val=1.0)
    gradient = tape.gradient(expected, variable).numpy()
    found = figures_and_gradients(picture, target)["ms_ssim_gradient"]
    np.testing.assert_allclose(found, gradient, atol=1e-3 * np.abs(gradient).max())


IN_JAX = """
import sys
import jax
import numpy as np
from train.loop.metrics import ms_ssim, psnr, ssim

pairs = np.load(sys.argv[1])
picture, target = pairs["picture"], pairs["target"]
found = {}
for metric in (psnr, ssim, ms_ssim):
    def total(picture, target):
        figures = metric(picture, target)
        return figures.sum(), figures

    # The target is an argument too: of a constant, JAX computes every window while it compiles.
    slopes = jax.jit(jax.value_and_grad(total, has_aux=True))
    (_, figures), gradient = slopes(picture, target)
    found |= {metric.__name__: figures, metric.__name__ + "_gradient": gradient}
assert not any(name.split(".")[0] == "tensorflow" for name in sys.modules)
np.savez(sys.argv[2], **found)
"""


@pytest.mark.slow
def test_jax_gives_the_same_figures_and_gradients(tmp_path: Path) -> None:
    picture, target = difficult_pairs()
    np.savez(tmp_path / "pairs.npz", picture=picture, target=target)
    subprocess.run(
        [sys.executable, "-c", IN_JAX, tmp_path / "pairs.npz", tmp_path / "found.npz"],
        # Compiled in a fraction of the time.
        env=os.environ
        | {"KERAS_BACKEND": "jax", "XLA_FLAGS": "--xla_backend_optimization_level=0"},
        check=True,
    )
    found = np.load(tmp_path / "found.npz")
    for name, expected in figures_and_gradients(picture, target).items():
        scale = max(np.abs(expected).max(), 1e-6)
        np.testing.assert_allclose(
            found[name] / scale, expected / scale, atol=1e-4, rtol=1e-3, err_msg=name
        )


def test_ssim_teaches() -> None:
    """Its gradient leads a picture to its target."""
    target = tf.constant(np.random.default_rng(1).random((1, 16, 16, 3), np.float32))
    picture = tf.Variable(tf.ones_like(target) * 0.5)
    before = float(ssim(picture, target)[0])
    for _ in range(20):
        with tf.GradientTape() as tape:
            loss = l1_ssim(target, picture)
        picture.assign_sub(0.5 * tape.gradient(loss, picture))
    assert float(ssim(picture, target)[0]) > before + 0.1
