"""Photographs with masks: whether the subject stays sharp and the background is blurred."""

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from skimage.filters import gaussian

from pocket_bokeh.photo import read_photo, write_photo
from tests.train.evaluate.conftest import SIZES, Evaluated
from train.data.named_pairs import open_pairs


def test_photographs_with_masks_need_no_target(
    evaluated: Evaluated,
    data: Path,
    masks: Path,
    results: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """a and b are blurred on the right, as they should be; c is blurred everywhere."""
    for name in SIZES:
        original = read_photo(data / "test" / "original" / f"{name}.png")
        soft = gaussian(original, 9, channel_axis=-1, preserve_range=True).astype(np.uint8)
        sharp = 0 if name == "c" else original.shape[1] // 2
        soft[:, :sharp] = original[:, :sharp]
        write_photo(results / f"{name}.png", soft)
    shutil.rmtree(data / "test" / "bokeh")
    kinds = tmp_path / "kinds.tsv"
    kinds.write_text("name\tkind\na\tfood\nb\tfood\nc\tanimal\n")
    report = evaluated(results, "--kinds", kinds, "--lens-blur")
    assert "means" not in report
    means = report["separation"]["means"]
    assert list(means) == ["untouched", "mask and lens blur", "output"]
    assert {kind: mean["right"] for kind, mean in means["output"].items()} == {
        "all": pytest.approx(2 / 3),
        "food": 1,
        "animal": 0,
    }
    assert means["untouched"]["all"]["right"] == 0
    assert means["mask and lens blur"]["all"]["right"] == 1
    assert (tmp_path / "out" / "worst.png").is_file()
    assert not (tmp_path / "out" / "sheet.png").exists()
    printed = capsys.readouterr().out
    assert f"3 photographs with masks of {data} (test), photographs at their own size" in printed
    assert "subject kept" in printed


def test_pairs_with_masks_are_measured_in_both_ways(
    evaluated: Evaluated, masks: Path, results: Path, tmp_path: Path
) -> None:
    (masks / "b.png").unlink()
    report = evaluated(results)
    assert report["pairs"] == 3
    assert list(report["means"]) == ["untouched", "output"]
    assert report["separation"]["photographs"] == 2
    assert {file.name for file in (tmp_path / "out").iterdir()} >= {"sheet.png", "worst.png"}
    for mask in masks.iterdir():
        mask.unlink()
    open_pairs.cache_clear()  # another process
    assert "separation" not in evaluated(results)
    assert not (tmp_path / "out" / "worst.png").exists()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--lens-blur"], "--lens-blur: 2 of 3 photographs have a mask in subject/; --segmenter"),
        (["--lens-blur", "--segmenter", "no.onnx"], "no.onnx: no such file"),
        (["--segmenter", "no.onnx"], "--segmenter: only --lens-blur needs its masks"),
        (["--kinds", "no.tsv"], "no.tsv: No such file or directory"),
    ],
)
def test_rows_that_cannot_be_made_are_one_line(
    arguments: list[str],
    said: str,
    refused: Callable[..., str],
    masks: Path,
    results: Path,
    tmp_path: Path,
) -> None:
    (masks / "b.png").unlink()
    assert said in refused(results, *arguments)
    assert not (tmp_path / "out").exists()


def test_the_best_blur_needs_targets(
    refused: Callable[..., str], data: Path, masks: Path, results: Path
) -> None:
    shutil.rmtree(data / "test" / "bokeh")
    said = refused(results, "--uniform-blur")
    assert "--uniform-blur: the best blur is the one nearest to" in said
