"""Figures of models agree with the metrics of training."""

from typing import Any

import numpy as np
import pytest
from keras import ops

from pocket_bokeh.metrics import psnr, ssim
from pocket_bokeh.photo import FourthChannel
from quantize.convert.samples import Sample
from quantize.proof.comparison import model_figures
from train.data.pairs import Pair
from train.loop import metrics


class Constant:
    """A model whose output is known."""

    input_size, input_channels, output_size = (32, 32), 3, (64, 64)
    fourth_channel: FourthChannel = "none"

    def __init__(self, output: np.ndarray):
        self.output = output

    def run(self, photo: np.ndarray) -> np.ndarray:
        return self.output


def test_psnr_and_ssim_agree_with_those_of_training() -> None:
    random = np.random.default_rng(0)
    target = random.random((48, 64, 3)).astype(np.float32)
    picture = np.clip(target + random.normal(0, 0.1, target.shape), 0, 1).astype(np.float32)

    def trained(metric: Any) -> float:
        return float(ops.convert_to_numpy(metric(picture[None], target[None]))[0])

    assert psnr(picture, target) == pytest.approx(trained(metrics.psnr), abs=1e-3)
    assert ssim(picture, target) == pytest.approx(trained(metrics.ssim), abs=1e-4)
    assert psnr(target, target) == 100


def test_figures_of_a_known_difference() -> None:
    photo = np.full((64, 64, 3), 100, np.uint8)
    seen = np.zeros((32, 32, 3), np.float32)
    sample = Sample(Pair("a", photo, photo + 51), seen, np.full((64, 64, 3), 0.4, np.float32))
    golden = [
        Sample(Pair("b", photo, photo), seen, np.full((64, 64, 3), 0.4 + step / 255, np.float32))
        for step in (5, 3)
    ]
    model = Constant(np.full((64, 64, 3), 0.4 + 2 / 255, np.float32))
    figures = model_figures(model, [sample], golden)
    assert figures["largest_step"] == pytest.approx(2, abs=1e-3)
    assert figures["mean_step"] == pytest.approx(2, abs=1e-3)
    assert figures["psnr_to_float32"] == pytest.approx(20 * np.log10(255 / 2), abs=1e-3)
    assert figures["untouched_psnr_to_target"] == pytest.approx(20 * np.log10(5), abs=1e-3)
    assert figures["golden_largest_step"] == 3
    assert figures["golden_mean_step"] == 2
    assert "sharpness_mean_step" not in figures


def test_predicted_sharpness_is_measured_apart_from_the_colours() -> None:
    photo, seen = np.full((64, 64, 3), 100, np.uint8), np.zeros((32, 32, 3), np.float32)
    output = np.full((64, 64, 4), 0.4, np.float32)
    off = output + np.array([1, 1, 1, 9], np.float32) / 255
    off[:32, :, 3] = 0.4
    one, other = (Sample(Pair("a", photo, photo), seen, wanted) for wanted in (output, off))
    figures = model_figures(Constant(output), [other], [one])
    assert figures["mean_step"] == pytest.approx(1, abs=1e-3)
    assert figures["sharpness_mean_step"] == pytest.approx(4.5, abs=1e-3)
    assert figures["golden_sharpness_mean_step"] == 0
