"""Networks and bundles as candidates: what they are given, and how their output is judged."""

import dataclasses
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image
from skimage.metrics import peak_signal_noise_ratio

from pocket_bokeh.bundle import Bundle, BundledModel, TensorFormat, sha256, write_bundle
from pocket_bokeh.errors import UserError
from pocket_bokeh.photo import read_photo
from tests.conftest import FEWER_LAYERS
from tests.train.evaluate.conftest import SIZES, Evaluated, by_hand, quality
from train.data.pair_transforms import cut_to_multiple
from train.data.pairs import Pair, find_pairs
from train.judge.candidates import CandidateSet, NetworkOutput
from train.judge.evaluation import Evaluation
from train.network.network_file import Network, write_network
from train.network.presets import NETWORKS, PyNETConfig
from train.network.pynet import build_pynet

TINY = dataclasses.replace(NETWORKS["mobile"], width=1 / 32, **FEWER_LAYERS)


def judged(report: dict[str, Any], data: Path) -> Pair:
    """The first pair of a report."""
    pairs = {pair.name: pair for pair in find_pairs(data, "test")}
    return pairs[report["pictures"][0]["name"]]


def write_untrained(file: Path, level: int = 1) -> Path:
    write_network(file, build_pynet(TINY, level), "mobile", TINY, level)
    return file


@pytest.fixture(scope="module")
def network_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_untrained(tmp_path_factory.mktemp("networks") / "untrained.keras")


def test_a_network_sees_the_cut_photograph_whole(
    evaluated: Evaluated, data: Path, network_file: Path
) -> None:
    """An untrained residual network doubles what it sees: Pillow and numpy can do as much."""
    report = evaluated(network_file, "--limit", "1")
    assert report["kind"] == "model"
    pair = cut_to_multiple(judged(report, data))
    height, width = pair.original.shape[:2]
    half = Image.fromarray(pair.original).resize(
        (width // 2, height // 2), Image.Resampling.BICUBIC
    )
    doubled = np.asarray(half).repeat(2, 0).repeat(2, 1) / 255
    rows = (doubled[31:-33] + doubled[32:-32] + doubled[33:-31]) / 3
    output = (rows[:, 31:-33] + rows[:, 32:-32] + rows[:, 33:-31]) / 3
    expected = by_hand(output, pair.bokeh[32:-32, 32:-32] / 255)
    output_figures = quality(report["pictures"][0]["figures"]["output"])
    assert output_figures == pytest.approx(expected, abs=5e-4)


def test_a_coarse_network_is_judged_at_its_size(
    evaluated: Evaluated, data: Path, tmp_path: Path
) -> None:
    report = evaluated(write_untrained(tmp_path / "coarse.keras", level=5), "--limit", "1")
    assert report["level"] == 5
    pair = cut_to_multiple(judged(report, data))
    size = (pair.original.shape[1] // 16, pair.original.shape[0] // 16)
    small = [
        np.asarray(Image.fromarray(photo).resize(size, Image.Resampling.BICUBIC))[2:-2, 2:-2] / 255
        for photo in (pair.original, pair.bokeh)
    ]
    psnr = report["pictures"][0]["figures"]["untouched"]["psnr"]
    assert psnr == pytest.approx(
        peak_signal_noise_ratio(small[1], small[0], data_range=1), abs=1e-3
    )


def test_a_network_gets_its_depth_and_any_width() -> None:
    """One that shows the depth map it is given, on a photograph that is no multiple of 64."""

    def show_depth(batch: np.ndarray, training: bool) -> np.ndarray:
        assert not training
        assert all(side % 32 == 0 for side in batch.shape[1:3])
        return batch[..., 3:].repeat(2, axis=1).repeat(2, axis=2).repeat(3, axis=3)

    network = Network("reference", PyNETConfig(), 1, show_depth)
    photo = np.zeros((128, 202, 3), np.uint8)
    depth = np.tile(np.arange(202, dtype=np.uint8), (128, 1))
    pair = Pair("ramp", photo, photo, depth)
    picture = NetworkOutput(network).picture(pair, (slice(64, 128), slice(1, 202)))
    assert picture.shape == (64, 201, 3)
    np.testing.assert_allclose(picture[..., 0] * 255, depth[64:, 1:], atol=2)


def test_what_is_no_number_is_said(data: Path) -> None:
    def broken(batch: np.ndarray, training: bool) -> np.ndarray:
        return np.full((1, 320, 320, 3), np.nan)

    candidate_set = CandidateSet(
        "model", {"output": NetworkOutput(Network("tiny", TINY, 1, broken))}
    )
    with pytest.raises(UserError, match="pair a: the output has values that are not finite"):
        Evaluation(candidate_set, find_pairs(data, "test"), "plain").judge(0)


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    """Two recipes: one doubles what it sees, the other makes all of it grey."""
    folder, models, contents = tmp_path / "bundle", [], {}
    for recipe, gain in (("float32", 1.0), ("int8_qat", 0.0)):

        @tf.function(input_signature=[tf.TensorSpec((1, 128, 160, 3))])
        def double(x: Any, gain: float = gain) -> Any:
            doubled = tf.repeat(tf.repeat(x * gain + 0.5 * (1 - gain), 2, axis=1), 2, axis=2)
            return tf.nn.avg_pool2d(doubled, 3, 1, "SAME")  # as PyNET doubles a picture

        converter = tf.lite.TFLiteConverter.from_concrete_functions(
            [double.get_concrete_function()]
        )
        content = converter.convert()
        contents[f"{recipe}.tflite"] = content
        edge = TensorFormat("float32")
        checksum = sha256(content)
        models.append(
            BundledModel(recipe, f"{recipe}.tflite", (256, 320), edge, edge, len(content), checksum)
        )
    write_bundle(Bundle(folder, "tiny", "mobile", tuple(models), ()), contents)
    return folder


def test_each_recipe_of_a_bundle_has_a_row(evaluated: Evaluated, bundle: Path) -> None:
    report = evaluated(bundle, "--limit", "1")
    assert list(report["means"]) == ["untouched", "float32", "int8_qat"]
    untouched, doubled, grey = (mean["psnr"] for mean in report["means"].values())
    # Nothing was blurred, so the photograph's own detail was put back; not all, for its blocks of
    # noise make the rendering seem a little finer than it is (docs/experiments.md).
    assert doubled == pytest.approx(untouched, abs=1.5)
    assert grey < doubled - 3
    width = SIZES[report["pictures"][0]["name"]][1]
    assert report["pictures"][0]["size"] == ([192, 256] if width > 300 else [256, 192])
    one = evaluated(bundle, "--recipe", "int8_qat", "--limit", "1")
    assert one["means"] == {name: report["means"][name] for name in ("untouched", "int8_qat")}


@pytest.mark.slow
def test_the_command_judges_a_file_on_the_built_in_pairs(
    tmp_path: Path, network_file: Path, start_command: Callable[..., Any]
) -> None:
    command = start_command(
        "train.evaluate", network_file, "--limit", "2", "--out", tmp_path / "deep" / "out"
    )
    output, complaint = command.communicate(timeout=300)
    assert command.returncode == 0, complaint
    assert "2 pairs of built-in (test), plain protocol" in output
    assert "untouched" in output
    report = json.loads((tmp_path / "deep" / "out" / "metrics.json").read_text())
    assert report["options"]["limit"] == 2
    assert read_photo(tmp_path / "deep" / "out" / "sheet.png").shape[2] == 3
