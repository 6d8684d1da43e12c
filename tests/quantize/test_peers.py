"""The command `quantize.peers`, with small networks for which everything red is a subject."""

import sys
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from pocket_bokeh.bundle import SHIPPED_BUNDLE
from pocket_bokeh.errors import UserError
from pocket_bokeh.photo import read_photo, write_photo
from quantize.peers import main
from tests.train.test_masks import red_disc, red_network


def red_selfie_network(file: Path) -> Path:
    """Writes a .tflite network of 64 × 64: a sigmoid of 20 times (red - green - 0.25)."""
    weights = tf.constant([20.0, -20.0, 0.0])

    @tf.function(input_signature=[tf.TensorSpec((1, 64, 64, 3), tf.float32)])
    def mask(photo: tf.Tensor) -> tf.Tensor:
        return tf.sigmoid(tf.reduce_sum(photo * weights, -1, keepdims=True) - 5.0)

    function = mask.get_concrete_function()
    converter = tf.lite.TFLiteConverter.from_concrete_functions([function])
    file.write_bytes(converter.convert())
    return file


@pytest.fixture
def photos(tmp_path: Path) -> list[Path]:
    """Two photos, one of them with a mask beside it."""
    for folder in ("original", "subject"):
        (tmp_path / folder).mkdir()
    files = [tmp_path / "original" / f"{seed}.png" for seed in range(2)]
    rows, columns = np.mgrid[:160, :200]
    for seed, file in enumerate(files):
        stripes = 20 * (columns // 2 % 2)  # without detail, the disc could not be softened
        write_photo(file, red_disc(seed) - (stripes[..., None] * (1, 0, 0)).astype(np.uint8))
    mask = 255 * (np.hypot(rows - 80, columns - 100) < 47).astype(np.uint8)
    write_photo(tmp_path / "subject" / "0.png", mask[..., None].repeat(3, -1))
    return files


def test_every_peer_has_a_row_and_leaves_its_pictures(
    photos: list[Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    segmenter = red_network(tmp_path / "red.onnx")
    selfie, out = red_selfie_network(tmp_path / "red.tflite"), tmp_path / "out"
    options = ["--segmenter", segmenter, "--selfie", selfie, "--out", out]
    monkeypatch.setattr(sys, "argv", ["peers", *map(str, [*photos, *options])])
    main()
    said, _, header, _, *rows = capsys.readouterr().out.splitlines()
    assert said == "2 photos, 1 of them with masks"
    assert header.startswith("| | s a photo | memory, MB | model, MB |")
    titles, *figures = zip(*(row.strip("| ").split(" | ") for row in rows), strict=True)
    assert titles == (
        "Pocket Bokeh, int8_qat",
        "red.onnx and lens blur",
        "red.tflite and lens blur",
    )
    seconds, memory, model = ([float(figure) for figure in column] for column in figures[:3])
    assert min(seconds) > 0
    assert min(memory) > 0
    shipped = (SHIPPED_BUNDLE / "int8_qat_384x512.tflite").stat().st_size
    assert model == [round(shipped / 1e6, 1), 0.0, 0.0]
    right, *_, background = ([int(cell.rstrip("%")) for cell in column] for column in figures[3:])
    assert max(background[1:]) < 30
    assert right[1:] == [100, 100]
    for peer in "12":  # the red disc stays, the noise behind it goes
        picture, photo = read_photo(out / peer / "000_0.png"), read_photo(photos[0])
        np.testing.assert_allclose(picture[60:100, 80:120], photo[60:100, 80:120], atol=2)
        assert picture[:20].std() < 0.5 * photo[:20].std()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ([], "no photo given"),
        (["none.jpg"], "none.jpg: no such file"),
        (["PHOTO", "--segmenter", "none.onnx"], "none.onnx: no such file"),
        (["PHOTO", "--recipe", "int4"], "no recipe 'int4'"),
    ],
)
def test_what_is_missing_is_one_line(
    photos: list[Path], monkeypatch: pytest.MonkeyPatch, options: list[str], message: str
) -> None:
    options = [str(photos[0]) if option == "PHOTO" else option for option in options]
    monkeypatch.setattr(sys, "argv", ["peers", *options])
    with pytest.raises(UserError, match=message):
        main()


def test_a_file_that_is_no_segmenter_is_one_line(
    photos: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "text.tflite"
    file.write_text("no model")
    monkeypatch.setattr(sys, "argv", ["peers", str(photos[0]), "--selfie", str(file)])
    with pytest.raises(UserError, match=r"text.tflite: no .tflite segmenter"):
        main()
