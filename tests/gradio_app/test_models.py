"""The models of a bundle, and what visitors bring, run apart before it is run here."""

import os
import time
from pathlib import Path

import numpy as np
import pytest
import tf_keras

from gradio_app.models import choices_of, relabel, sweep_uploads, take_uploads
from quantize.bundle import Bundle
from quantize.convert import convert
from quantize.recipes import RECIPES
from train.errors import UserError


def test_every_recipe_can_be_chosen_and_is_held_against_float32(bundle: Bundle) -> None:
    float32, float16 = choices_of(bundle)
    assert (float32.label, float16.label) == ("float32", "float16")
    assert float32.reference == float16.reference == float32.key != float16.key
    assert float16.bytes == (bundle.folder / "float16.tflite").stat().st_size


def test_a_model_is_loaded_when_it_runs_and_says_how_long_it_took(bundle: Bundle) -> None:
    (renderer,) = choices_of(bundle)[1].renderers()
    assert renderer.milliseconds is None
    rendered = renderer.run(np.full((32, 48, 3), 0.25, np.float32))
    np.testing.assert_allclose(rendered, 0.75, atol=1e-3)
    assert renderer.milliseconds is not None
    assert renderer.milliseconds > 0


def test_a_single_file_and_a_whole_bundle_are_taken(bundle: Bundle, tmp_path: Path) -> None:
    (single,) = take_uploads([bundle.folder / "float16.tflite"], tmp_path, "reference")
    assert (single.label, single.reference) == ("float16.tflite", "reference")
    assert single.files[0].output_size == (64, 96)
    files = sorted(bundle.folder.iterdir())
    labels = [choice.label for choice in take_uploads(files, tmp_path, None)]
    assert labels == ["known: float32", "known: float16"]


def test_a_bundle_with_a_file_left_out_says_so(bundle: Bundle, tmp_path: Path) -> None:
    files = [file for file in bundle.folder.iterdir() if file.name != "float16.tflite"]
    with pytest.raises(UserError, match="choose all files of its folder") as caught:
        take_uploads(files, tmp_path, None)
    assert str(tmp_path) not in str(caught.value)


def test_what_is_no_model_for_photos_is_refused(bundle: Bundle, tmp_path: Path) -> None:
    text = tmp_path / "notes.tflite"
    text.write_text("hello")
    with pytest.raises(UserError, match=r"notes\.tflite: not a \.tflite model"):
        take_uploads([text], tmp_path, None)

    photo = tf_keras.Input((None, None, 3))
    same_size = tf_keras.Model(photo, tf_keras.layers.Rescaling(0.5)(photo))
    (tmp_path / "same.tflite").write_bytes(convert(same_size, RECIPES["float32"], (32, 48)))
    with pytest.raises(UserError, match="expected twice its input's"):
        take_uploads([tmp_path / "same.tflite"], tmp_path, None)

    # Damage that crashes the interpreter must not end the server.
    content = bytearray((bundle.folder / "float32.tflite").read_bytes())
    content[16 : len(content) // 2] = bytes(len(content) // 2 - 16)
    (tmp_path / "broken.tflite").write_bytes(content)
    with pytest.raises(UserError, match=r"broken\.tflite: "):
        take_uploads([tmp_path / "broken.tflite"], tmp_path, None)


def test_uploads_are_kept_for_an_hour(bundle: Bundle, tmp_path: Path) -> None:
    (single,) = take_uploads([bundle.folder / "float16.tflite"], tmp_path, None)
    sweep_uploads(tmp_path, 3600)
    assert len(list(tmp_path.iterdir())) == 1
    os.utime(single.files[0].file.parent, (time.time() - 3700,) * 2)
    sweep_uploads(tmp_path, 3600)
    assert not list(tmp_path.iterdir())
    with pytest.raises(UserError, match="add it again"):
        single.renderers()[0].run(np.zeros((32, 48, 3), np.float32))


def test_labels_differ(bundle: Bundle) -> None:
    models = choices_of(bundle)
    labels = [model.label for model in relabel([*models, models[0]])]
    assert labels == ["float32", "float16", "float32 (2)"]
