"""The scores of an evaluation, compared with scores computed by hand; what it writes."""

from pathlib import Path

import numpy as np
import pytest
from skimage.filters import gaussian

from pocket_bokeh.photo import read_photo, write_photo
from tests.train.evaluate.conftest import SIZES, Evaluated, by_hand, quality
from train.data.named_pairs import open_pairs
from train.data.pairs import find_pairs


def inside(photo: np.ndarray) -> np.ndarray:
    """The part of a pair's photograph that the plain protocol measures, by its known size."""
    top, left = {(270, 330): (7, 5), (256, 323): (0, 1), (330, 257): (5, 0)}[photo.shape[:2]]
    height, width = (256, 320) if photo.shape[1] > 300 else (320, 256)
    return photo[top + 32 : top + height - 32, left + 32 : left + width - 32] / 255


def test_figures_are_those_of_tensorflow_and_scikit_image(
    evaluated: Evaluated, data: Path, results: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    report = evaluated(results)
    assert list(report["means"]) == ["untouched", "output"]
    figures: dict[str, list[dict[str, float]]] = {"untouched": [], "output": []}
    for picture in report["pictures"]:
        name = picture["name"]
        target = inside(read_photo(data / "test" / "bokeh" / f"{name}.png"))
        assert picture["size"] == list(target.shape[:2])
        sources = {"untouched": data / "test" / "original", "output": results}
        for row, folder in sources.items():
            expected = by_hand(inside(read_photo(folder / f"{name}.png")), target)
            assert quality(picture["figures"][row]) == pytest.approx(expected, abs=2e-4)
            figures[row].append(expected)
    for row, mean in report["means"].items():
        for name, value in quality(mean).items():
            expected_mean = np.mean([one[name] for one in figures[row]])
            assert value == pytest.approx(expected_mean, abs=2e-4)
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines[-5:-2]] == ["PSNR", "untouched", "output"]
    assert f"{report['means']['output']['psnr']:.2f} dB" in lines[-3]
    known = {"kind": "folder", "pairs": 3, "protocol": "plain", "split": "test"}
    assert report.items() >= {**known, "data": str(data), "short_side": None}.items()
    assert report["options"]["judged"] == str(results)


def test_the_best_uniform_blur_has_a_row(
    evaluated: Evaluated, data: Path, results: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Targets are themselves one Gaussian away: that Gaussian is found, and is hard to beat."""
    for file in (data / "test" / "bokeh").iterdir():
        original = read_photo(data / "test" / "original" / file.name)
        sigma = 0.004 * min(original.shape[:2])
        blurred_all = gaussian(original, sigma, channel_axis=-1, preserve_range=True)
        write_photo(file, np.rint(blurred_all).astype(np.uint8))
    report = evaluated(results, "--uniform-blur")
    assert list(report["means"]) == ["untouched", "uniform blur", "output"]
    assert report["means"]["uniform blur"]["psnr"] > 45
    assert "no better than doing nothing" in capsys.readouterr().out.splitlines()[-3]


def test_perfect_results_are_perfect(
    evaluated: Evaluated, data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    report = evaluated(data / "test" / "bokeh")
    output = report["means"]["output"]
    assert list(quality(output).values()) == pytest.approx([100, 1, 1], abs=1e-5)
    assert output["colour"] == pytest.approx([0, 0, 0], abs=1e-6)
    assert report["means"]["untouched"]["psnr"] < 40
    report = evaluated(data / "test" / "original", "--limit", "1")
    assert report["means"]["output"] == report["means"]["untouched"]
    assert "no better than doing nothing" in capsys.readouterr().out


def test_published_protocol_stretches_the_target_and_keeps_the_width(
    evaluated: Evaluated, data: Path, results: Path
) -> None:
    report, plain = evaluated(results, "--protocol", "published"), evaluated(results)
    for picture, beside in zip(report["pictures"], plain["pictures"], strict=True):
        name = picture["name"]
        height, width = SIZES[name]
        top = height % 64 // 2
        rows, columns = slice(top + 32, top + height - height % 64 - 32), slice(32, width - 32)
        target = read_photo(data / "test" / "bokeh" / f"{name}.png")
        target = target[top : top + height - height % 64].astype(np.float64)
        target = (target - target.min()) / (target.max() - target.min())
        output = read_photo(results / f"{name}.png") / 255
        expected = by_hand(output[rows, columns], target[32:-32, columns])
        assert quality(picture["figures"]["output"]) == pytest.approx(expected, abs=2e-4)
        assert picture["figures"]["output"]["psnr"] < beside["figures"]["output"]["psnr"] - 2


def test_sheet_shows_the_best_the_median_and_the_worst(
    evaluated: Evaluated, results: Path, tmp_path: Path
) -> None:
    evaluated(results)
    sheet = read_photo(tmp_path / "out" / "sheet.png")
    height, width = sheet.shape[0] // 3, sheet.shape[1] // 3
    for row in range(3):  # a is reddish, b greenish, c bluish
        for column in range(3):
            middle = sheet[row * height : (row + 1) * height, column * width :][100:300, 100:200]
            assert middle.mean((0, 1)).argmax() == row


def test_small_pictures_have_no_ms_ssim(
    evaluated: Evaluated, results: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Scaled to a short side of 128 pixels, 64 are left of it; results are scaled along."""
    report = evaluated(results, "--short-side", "128", "--limit", "2")
    assert len(report["pictures"]) == 2
    assert report["means"]["output"]["ms_ssim"] is None
    assert report["means"]["output"]["psnr"] > report["means"]["untouched"]["psnr"]
    assert "–" in capsys.readouterr().out


def test_without_a_border_the_whole_photograph_is_measured(
    evaluated: Evaluated, results: Path
) -> None:
    cut = evaluated(results, "--limit", "1")["pictures"][0]["size"]
    whole = evaluated(results, "--limit", "1", "--border", "0")
    assert whole["border"] == 0
    assert whole["pictures"][0]["size"] == [side + 64 for side in cut]


def test_pairs_that_chose_the_weights_are_told_from_those_that_did_not(
    evaluated: Evaluated, data: Path, results: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert evaluated(results, "--limit", "1")["split_is"] == "test"
    assert f"1 pairs of {data} (test), plain" in capsys.readouterr().out
    for kind in ("original", "bokeh"):
        (data / "test" / kind).rename(data / kind)
    (data / "test").rmdir()
    open_pairs.cache_clear()  # another process
    held_out = {files.name for files in find_pairs(data, "val").files}
    for file in results.iterdir():
        if file.stem not in held_out:
            file.unlink()
    report = evaluated(results, "--limit", "1")
    assert report["split_is"] == "test (the same pairs as val here, used to select weights)"
    assert f"{data} ({report['split_is']}), plain" in capsys.readouterr().out
    of_val = evaluated(results, "--split", "val", "--limit", "1")
    assert of_val["pictures"] == report["pictures"]
    assert of_val["split_is"] == "val (used to select weights)"


def test_results_are_matched_in_either_spelling(
    evaluated: Evaluated, data: Path, results: Path
) -> None:
    (results / "a.png").rename(results / "\u00e9.png")
    for kind in ("original", "bokeh"):
        (data / "test" / kind / "a.png").rename(data / "test" / kind / "e\u0301.png")
    figures = {one["name"]: one["figures"] for one in evaluated(results)["pictures"]}
    assert figures.keys() == {"\u00e9", "b", "c"}
    assert figures["\u00e9"]["output"]["psnr"] > figures["b"]["output"]["psnr"]


def test_only_an_evaluation_is_written_over(
    evaluated: Evaluated, results: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    evaluated(results, "--limit", "1")
    (tmp_path / "out" / "notes.txt").write_text("mine")
    assert evaluated(results, "--limit", "2")["pairs"] == 2
    assert (tmp_path / "out" / "notes.txt").read_text() == "mine"
    of_a_run = '{"7": {"output": {"psnr": 30.0}}}'
    (tmp_path / "out" / "metrics.json").write_text(of_a_run)
    with pytest.raises(SystemExit):
        evaluated(results)
    assert "not from an evaluation" in capsys.readouterr().err
    assert (tmp_path / "out" / "metrics.json").read_text() == of_a_run
