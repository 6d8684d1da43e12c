"""PSNR and SSIM against two independent implementations."""

import numpy as np
import pytest
import tensorflow as tf
from skimage.metrics import structural_similarity

from train.losses import l1, l1_ssim
from train.metrics import psnr, ssim


@pytest.fixture
def pictures() -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(0)
    smooth = random.random((2, 6, 8, 3), np.float32).repeat(8, axis=1).repeat(8, axis=2)
    noisy = smooth + random.normal(0, [[[[0.02]]], [[[0.2]]]], smooth.shape)
    return smooth, np.clip(noisy, 0, 1).astype(np.float32)


def test_psnr_is_that_of_tensorflow(pictures: tuple[np.ndarray, np.ndarray]) -> None:
    expected = tf.image.psnr(*pictures, max_val=1.0)
    np.testing.assert_allclose(psnr(*pictures), expected, rtol=1e-5)


def test_ssim_is_that_of_tensorflow(pictures: tuple[np.ndarray, np.ndarray]) -> None:
    expected = tf.image.ssim(*pictures, max_val=1.0)
    np.testing.assert_allclose(ssim(*pictures), expected, atol=1e-4)


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


def test_losses_weigh_as_published(pictures: tuple[np.ndarray, np.ndarray]) -> None:
    target, output = pictures
    difference = np.abs(target - output).mean()
    assert float(l1(target, output)) == pytest.approx(100 * difference, rel=1e-4)
    structure = float(tf.reduce_mean(tf.image.ssim(target, output, max_val=1.0)))
    expected = 10 * difference + 10 * (1 - structure)
    assert float(l1_ssim(target, output)) == pytest.approx(expected, rel=1e-3)


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
