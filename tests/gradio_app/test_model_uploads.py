"""Visitors' models: each is checked in a separate process before the server runs it."""

import json
import os
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
import tf_keras

from gradio_app.model_check import check_apart
from gradio_app.model_file import ModelFile
from gradio_app.model_uploads import sweep_uploads, take_uploads
from pocket_bokeh.bundle import Bundle, sha256
from pocket_bokeh.errors import UserError
from pocket_bokeh.photo import to_float
from quantize.convert.conversion import convert
from quantize.convert.recipes import RECIPES


def test_a_single_file_and_a_whole_bundle_are_taken(bundle: Bundle, tmp_path: Path) -> None:
    (single,) = take_uploads([bundle.folder / "float16.tflite"], tmp_path, "reference")
    assert (single.label, single.reference) == ("float16.tflite", "reference")
    assert single.files[0].output_size == (64, 96)
    files = sorted(bundle.folder.iterdir())
    labels = [choice.label for choice in take_uploads(files, tmp_path, None)]
    assert labels == ["known: float32", "known: float16"]


def test_a_bundle_with_a_file_left_out_says_so(bundle: Bundle, tmp_path: Path) -> None:
    files = [file for file in bundle.folder.iterdir() if file.name != "float16.tflite"]
    with pytest.raises(
        UserError, match=r"float16\.tflite was not among the files\. Select every file"
    ) as caught:
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


def write_model(
    file: Path, graph: Callable[[Any], Any], shape: Any = (1, 96, 128, 3), kind: Any = tf.float32
) -> Path:
    """Converts a function to a .tflite file; integers have no scale."""
    function = tf.function(graph).get_concrete_function(tf.TensorSpec(shape, kind))
    file.write_bytes(tf.lite.TFLiteConverter.from_concrete_functions([function]).convert())
    return file


def doubled(photo: Any) -> Any:
    return tf.repeat(tf.repeat(photo, 2, axis=1), 2, axis=2)


@pytest.mark.parametrize(
    ("graph", "kind"),
    [
        (lambda x: doubled(tf.cast(x, tf.float32) / 255), tf.uint8),
        (lambda x: tf.cast(doubled(x) * 255 + 0.5, tf.uint8), tf.float32),
        (lambda x: doubled(x), tf.uint8),
        (lambda x: doubled(x), tf.int32),
        (lambda x: doubled(x), tf.float32),
    ],
    ids=["in", "out", "both", "int32", "floats"],
)
def test_integers_without_a_scale_are_a_photos_codes(
    tmp_path: Path, graph: Callable[[Any], Any], kind: Any
) -> None:
    file = write_model(tmp_path / "cast.tflite", graph, kind=kind)
    (choice,) = take_uploads([file], tmp_path, None)
    photo = to_float(np.random.default_rng(0).integers(0, 256, (96, 128, 3), np.uint8))
    expected = photo.repeat(2, 0).repeat(2, 1)
    np.testing.assert_allclose(choice.renderers()[0].run(photo), expected, atol=0.501 / 255)


@pytest.mark.parametrize(
    ("graph", "complaint"),
    [
        (lambda x: 255 * doubled(x), r"ranges from .* to 2\d\d; expected 0 to 1"),
        (lambda x: 2 * doubled(x) - 1, "expected 0 to 1"),
        (lambda x: doubled(x) / 255, "nearly one colour"),
        (lambda x: 0 * doubled(x) + 0.5, "nearly one colour"),
        (lambda x: tf.sqrt(doubled(x) - 1), "not numbers"),
        (
            lambda x: (
                doubled(tf.tile(x[:, :1, :1], (1, 96, 128, 1)))
                + tf.reshape(
                    tf.constant(np.random.default_rng(0).random(192 * 256 * 3), tf.float32),
                    (1, 192, 256, 3),
                )
                / 2
            ),
            "not a picture of the photo",
        ),
    ],
    ids=["255", "minus one", "dark", "grey", "nan", "noise"],
)
def test_what_gives_no_picture_of_a_real_photo_is_refused(
    tmp_path: Path, graph: Callable[[Any], Any], complaint: str
) -> None:
    file = write_model(tmp_path / "odd.tflite", graph)
    with pytest.raises(UserError, match=rf"odd\.tflite: .*{complaint}"):
        take_uploads([file], tmp_path, None)


def test_a_model_for_any_size_is_brought_to_the_working_sizes(tmp_path: Path) -> None:
    for name, graph in (
        ("resize", lambda x: tf.image.resize(x, 2 * tf.shape(x)[1:3])),
        ("shuffle", lambda x: tf.nn.depth_to_space(tf.tile(x, (1, 1, 1, 4)), 2)),
    ):
        file = write_model(tmp_path / f"{name}.tflite", graph, (1, None, None, 3))
        sizes = [(64, 128), (128, 64)]
        (choice,) = take_uploads([file], tmp_path, None, sizes)
        assert [renderer.output_size for renderer in choice.renderers()] == sizes
        for renderer in choice.renderers():
            grey = np.full((*renderer.input_size, 3), 0.25, np.float32)
            np.testing.assert_allclose(renderer.run(grey), 0.25, atol=1e-6)
            assert renderer.run(grey).shape == (*renderer.output_size, 3)


def test_a_model_for_any_size_that_fits_none_is_refused_in_words(tmp_path: Path) -> None:
    file = write_model(
        tmp_path / "odd.tflite",
        lambda x: doubled(x + tf.ones((1, 5, 7, 3))),
        (1, None, None, 3),
    )
    with pytest.raises(UserError, match=r"odd\.tflite: has dynamic shapes, but does not accept"):
        take_uploads([file], tmp_path, None)


@pytest.mark.parametrize("side", [8, 1100])
def test_a_network_of_no_sensible_size_is_refused_before_it_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, side: int
) -> None:
    monkeypatch.setattr("gradio_app.model_check.subprocess.run", None)
    file = write_model(tmp_path / "size.tflite", doubled, (1, side, side, 3))
    with pytest.raises(
        UserError, match=f"output is {2 * side} × {2 * side} px; a network for photos"
    ):
        take_uploads([file], tmp_path, None)


def changed_bundle(bundle: Bundle, folder: Path, change: Callable[[Any], None]) -> list[Path]:
    """The files of a bundle with a changed bundle.json."""
    shutil.copytree(bundle.folder, folder)
    stored = json.loads((folder / "bundle.json").read_text())
    change(stored)
    (folder / "bundle.json").write_text(json.dumps(stored))
    return sorted(folder.iterdir())


def test_a_bundle_that_lies_about_its_size_is_refused_unread(
    bundle: Bundle, tmp_path: Path
) -> None:
    def lie(stored: Any) -> None:
        for model in stored["models"]:
            model["working_size"] = [60_000, 60_000]

    files = changed_bundle(bundle, tmp_path / "lying", lie)
    with pytest.raises(UserError, match=r"says output \(1, 60000, 60000, 3\), but the file has"):
        take_uploads(files, tmp_path, None)


def test_what_is_checked_is_what_runs_turned_models_too(
    bundle: Bundle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """float32 alone has a portrait model, so float16's is turned."""
    network = tf_keras.Sequential([tf_keras.layers.UpSampling2D(2, input_shape=(None, None, 3))])
    portrait = convert(network, RECIPES["float32"], (48, 32))

    def add_portrait(stored: Any) -> None:
        more = {"file": "portrait.tflite", "working_size": [96, 64], "bytes": len(portrait)}
        stored["models"].append(stored["models"][0] | more | {"sha256": sha256(portrait)})

    files = changed_bundle(bundle, tmp_path / "both", add_portrait)
    (tmp_path / "both" / "portrait.tflite").write_bytes(portrait)
    checked: list[ModelFile] = []
    monkeypatch.setattr("gradio_app.model_uploads.check_apart", checked.extend)
    choices = take_uploads([*files, tmp_path / "both" / "portrait.tflite"], tmp_path, None)
    assert checked == [file for choice in choices for file in choice.files]
    assert [(file.output_size, file.is_transposed) for file in checked] == [
        ((64, 96), False),
        ((96, 64), False),
        ((64, 96), False),
        ((96, 64), True),
    ]
    check_apart(checked)


def test_a_model_that_is_brought_again_is_not_written_again(bundle: Bundle, tmp_path: Path) -> None:
    """Another visitor may be using it."""
    files = sorted(bundle.folder.iterdir())
    for uploads in (files, [bundle.folder / "float16.tflite"]):
        first, again = (take_uploads(uploads, tmp_path, None)[0].files[0].file for _ in range(2))
        assert first == again
        inode = first.stat().st_ino
        take_uploads(uploads, tmp_path, None)
        assert first.stat().st_ino == inode


def test_uploads_are_kept_for_an_hour(bundle: Bundle, tmp_path: Path) -> None:
    (single,) = take_uploads([bundle.folder / "float16.tflite"], tmp_path, None)
    sweep_uploads(tmp_path, 3600)
    assert len(list(tmp_path.iterdir())) == 1
    os.utime(single.files[0].file.parent, (time.time() - 3700,) * 2)
    sweep_uploads(tmp_path, 3600)
    assert not list(tmp_path.iterdir())
    with pytest.raises(UserError, match="add it again"):
        single.renderers()[0].run(np.zeros((32, 48, 3), np.float32))
