"""Fake quantization stays close to the float network, and fine-tuning never makes it worse."""

import dataclasses
import itertools
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
import tf_keras

from pocket_bokeh.litert_model import LiteRTModel
from pocket_bokeh.photo import network_input
from quantize.convert import fine_tuning
from quantize.convert.conversion import convert
from quantize.convert.fine_tuning import FineTuneConfig, FineTuned, fine_tune, validation_crops
from quantize.convert.recipes import RECIPES
from quantize.convert.rounding import calibrate, quantization_aware, refusal
from quantize.convert.tf_keras_network import to_tf_keras
from quantize.convert.trained_network import with_sharpness
from tests.conftest import FEWER_LAYERS, TINY, tiny_network
from train.data.batches import training_batches
from train.loop.run_folder import Run
from train.network.network_file import Network
from train.network.presets import NETWORKS, SCHEDULES
from train.network.pynet import build_pynet

REPORT = dataclasses.replace(NETWORKS["report"], width=1 / 64, **FEWER_LAYERS)

DEEPER = dataclasses.replace(TINY, level_3_blocks=True)
"""With the blocks of level 3, so that enough rounding adds up to be learnt away."""


@pytest.fixture(scope="module")
def float_model(network: Any) -> Any:
    return to_tf_keras(network, TINY)


@pytest.fixture(scope="module")
def two_layers() -> Any:
    """A network that is traced in a moment, for what is the same with every network."""
    tf_keras.utils.set_random_seed(3)
    photo = tf_keras.Input((None, None, 3))
    features = tf_keras.layers.Conv2D(8, 3, padding="same", name="convolution")(photo)
    features = tf_keras.layers.ReLU(name="activation")(features)
    head = tf_keras.layers.Conv2D(3, 3, padding="same", name="level_1_output")
    return tf_keras.Model(photo, head(features))


def photos(run: Run, count: int = 4) -> np.ndarray:
    """Network inputs of real photographs, count × 64 × 64 × 3."""
    pairs = run.pairs("val")
    return np.stack([network_input(pairs[i].original[:128, :128]) for i in range(count)])


@pytest.fixture(scope="module")
def rounded(float_model: Any, tiny_run: Run) -> Any:
    model = quantization_aware(float_model)
    calibrate(model, float_model, [photos(tiny_run)])
    return model


def test_weights_and_pictures_are_rounded_to_8_bits(
    float_model: Any, rounded: Any, tiny_run: Run
) -> None:
    output = rounded(photos(tiny_run), training=False).numpy()
    codes = output * 255
    assert np.abs(codes - np.rint(codes)).max() < 1e-3
    assert output.min() >= 0
    assert output.max() <= 1
    # A convolution before a ReLU, whose weights tfmot's quantize_model would not round.
    kernel = float_model.get_layer("level_4_fuse_3x3_first").get_weights()[0]
    steps = np.asarray(rounded.get_layer("level_4_fuse_3x3_first").layer.kernel)[..., 0]
    steps = steps / (np.abs(kernel[..., 0]).max() / 127)
    assert np.allclose(steps, np.rint(steps), atol=1e-3)


def test_calibrated_it_is_near_the_float_network(
    float_model: Any, rounded: Any, tiny_run: Run
) -> None:
    inputs = photos(tiny_run)
    expected = np.clip(float_model(inputs).numpy(), 0, 1)
    error = np.mean((rounded(inputs, training=False).numpy() - expected) ** 2)
    assert -10 * np.log10(error) > 35


def test_the_int8_model_computes_what_fine_tuning_saw(rounded: Any, tiny_run: Run) -> None:
    """Fake quantization rounds where TFLite's integer operators round."""
    inputs = photos(tiny_run, 1)
    model = LiteRTModel(convert(rounded, RECIPES["int8_qat"], (64, 64)))
    steps = 255 * np.abs(model.run(inputs[0]) - rounded(inputs, training=False)[0].numpy())
    assert steps.mean() < 0.5
    assert steps.max() < 3.01


def test_a_gate_is_rounded_as_tflite_multiplies(tiny_run: Run) -> None:
    config = dataclasses.replace(DEEPER, head="gated")
    network = tiny_network(config)
    gate = network.get_layer("level_2_gate")
    kernel, bias = gate.get_weights()
    random = np.random.default_rng(0)
    gate.set_weights([random.normal(0, 0.1, kernel.shape), np.ones_like(bias)])
    network = with_sharpness(Network("deeper", config, 1, network, gate_is_trained=True)).model
    float_model = to_tf_keras(network, config)
    assert float_model.output_shape[-1] == 4
    model = quantization_aware(float_model)
    inputs = photos(tiny_run, 2)
    calibrate(model, float_model, [inputs])
    runnable = LiteRTModel(convert(model, RECIPES["int8_qat"], (64, 64)))
    for photo, float_output, rounded_output in zip(
        inputs, float_model(inputs).numpy(), model(inputs, training=False).numpy(), strict=True
    ):
        steps = 255 * np.abs(runnable.run(photo) - rounded_output)
        assert steps.mean() < 0.5
        assert steps.max() < 3.01
        assert 255 * np.abs(rounded_output - np.clip(float_output, 0, 1)).mean() < 3


def test_doubling_a_picture_is_exact_to_a_step(tiny_run: Run) -> None:
    """A network with zero heads enlarges the photograph, and so must its int8 model.

    It also has filters and activations that are nothing but zero and still need a scale.
    """
    untrained = tiny_network()
    for layer in untrained.layers:
        if layer.name in ("level_1_head", "level_2_head"):
            layer.set_weights([np.zeros_like(w) for w in layer.get_weights()])
    float_model = to_tf_keras(untrained, TINY)
    model = quantization_aware(float_model)
    inputs = photos(tiny_run, 2)
    calibrate(model, float_model, [inputs])
    runnable = LiteRTModel(convert(model, RECIPES["int8_qat"], (64, 64)))
    for photo in inputs:
        expected = np.asarray(untrained(photo[None], training=False))[0]
        # Only the rounding of the 3×3 mean.
        assert 255 * np.abs(runnable.run(photo) - expected).max() < 0.51


def tune(
    float_model: Any,
    run: Run,
    config: FineTuneConfig,
    folder: Path | None = None,
    fail_at: int = -1,
) -> FineTuned:
    """Fine-tunes on the run's pairs; batch `fail_at` raises, as if the process were killed."""

    def batches_from(start: int) -> Iterator[Any]:
        batches = training_batches(
            run.pairs("train"), 1, config.batch, run.train, seed=0, start=start
        )
        for position in itertools.count(start):
            if position == fail_at:
                raise SystemError("killed")
            yield next(batches)

    validation = validation_crops(run.pairs("val"), run.train, config.validation_photos)
    return fine_tune(float_model, batches_from, validation, config, folder, "tiny")


def test_fine_tuning_never_ends_worse_than_it_began(two_layers: Any, tiny_run: Run) -> None:
    """With a far too large learning rate, the calibrated weights are kept."""
    config = FineTuneConfig(steps=8, batch=2, learning_rate=10.0, validation_photos=2, patience=2)
    tuned = tune(two_layers, tiny_run, config)
    assert tuned.psnr == tuned.psnr_calibrated
    validation = validation_crops(tiny_run.pairs("val"), tiny_run.train, 2)
    output = tuned.model(tf.constant(validation), training=False)
    taught = np.clip(two_layers(validation).numpy(), 0, 1)
    psnr = tf.reduce_mean(tf.image.psnr(output, taught, 1.0))
    assert float(psnr) == pytest.approx(tuned.psnr, abs=1e-3)
    # It stops early, after the calibration and two validations without improvement.
    header, *rows = tuned.history.splitlines()
    assert header == "step,loss,psnr_to_float32"
    assert [row.split(",")[0] for row in rows] == ["0", "1", "2"]


@pytest.mark.slow
def test_fine_tuning_learns(tiny_run: Run) -> None:
    float_model = to_tf_keras(tiny_network(DEEPER), DEEPER)
    tuned = tune(float_model, tiny_run, FineTuneConfig(steps=12, batch=4))
    assert tuned.psnr > tuned.psnr_calibrated + 0.1


def test_fine_tuning_resumes_after_a_kill(two_layers: Any, tiny_run: Run, tmp_path: Path) -> None:
    config = FineTuneConfig(steps=12, batch=4, patience=12)
    tuned = tune(two_layers, tiny_run, config)
    with pytest.raises(SystemError):
        tune(two_layers, tiny_run, config, tmp_path, fail_at=config.calibration_batches + 7)
    history = (tmp_path / "history.csv").read_text()
    assert tuned.history.startswith(history)
    assert len(history.splitlines()) == 5
    again = tune(two_layers, tiny_run, config, tmp_path)
    check_same(again, tuned)


def check_same(ours: FineTuned, theirs: FineTuned) -> None:
    """Compares weights and history bit for bit."""
    assert ours.history == theirs.history
    for one, other in zip(ours.model.get_weights(), theirs.model.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


def test_an_outlier_does_not_cost_the_other_photos_grey_levels(
    float_model: Any, tiny_run: Run
) -> None:
    # Ranges by the largest values, as in TFLite's calibrator, would give 24 dB.
    usual = photos(tiny_run, 12)
    content = convert(float_model, RECIPES["int8_ptq"], (64, 64), [*usual, 30 * usual[0]])
    expected = float_model(usual[:1]).numpy()[0]
    error = np.mean(np.square(LiteRTModel(content).run(usual[0]) - expected))
    assert -10 * np.log10(error) > 30


def test_instance_normalization_is_refused_by_name() -> None:
    float_model = build_pynet(REPORT, keras=tf_keras)
    for recipe in ("int8_qat", "int8_ptq", "int16x8"):
        reason = refusal(float_model, RECIPES[recipe])
        assert reason is not None
        assert re.search(r"GroupNormalization \('enc.*use float16 or dynamic_int8", reason)
    for recipe in ("float32", "float16", "dynamic_int8"):
        assert refusal(float_model, RECIPES[recipe]) is None


def test_the_tf_keras_network_computes_what_the_network_computes(
    network: Any, float_model: Any, tiny_run: Run
) -> None:
    inputs = photos(tiny_run, 2)
    expected = np.asarray(network(inputs, training=False))
    assert np.allclose(float_model(inputs).numpy(), expected, atol=2e-5)
    assert not any(isinstance(x, tf_keras.layers.BatchNormalization) for x in float_model.layers)


@pytest.mark.slow
def test_networks_with_instance_normalization_convert_to_float() -> None:
    network = tiny_network(REPORT)
    photo = np.random.default_rng(0).random((64, 96, 3), np.float32)
    expected = np.asarray(network(photo[None], training=False))[0]
    float_model = to_tf_keras(network, REPORT)
    for recipe, tolerance in (("float32", 1e-3), ("float16", 2e-2)):
        output = LiteRTModel(convert(float_model, RECIPES[recipe], (64, 96))).run(photo)
        assert np.abs(output - expected).max() < tolerance


def test_validation_crops_are_from_the_centre(tiny_run: Run) -> None:
    validation = validation_crops(tiny_run.pairs("val"), SCHEDULES["smoke"], 3)
    assert validation.shape == (3, 32, 32, 3)


@pytest.mark.parametrize(("save", "written"), [(1, False), (1, True), (2, False)])
def test_fine_tuning_interrupted_at_a_checkpoint_gives_the_same_result(
    two_layers: Any,
    tiny_run: Run,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    save: int,
    written: bool,
) -> None:
    config = FineTuneConfig(steps=4, batch=2, validations=2, calibration_batches=1)
    tuned = tune(two_layers, tiny_run, config)
    keep, saves = fine_tuning._Checkpoint.save, itertools.count(1)

    def interrupted(*state: Any) -> None:
        stops = next(saves) == save
        if written or not stops:
            keep(*state)
        if stops:
            raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(fine_tuning._Checkpoint, "save", interrupted)
        with pytest.raises(KeyboardInterrupt):
            tune(two_layers, tiny_run, config, tmp_path)
    again = tune(two_layers, tiny_run, config, tmp_path)
    check_same(again, tuned)
