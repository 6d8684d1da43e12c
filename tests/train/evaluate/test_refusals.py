"""What cannot be evaluated is refused in one line, before any work."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from pocket_bokeh.errors import UserError
from pocket_bokeh.photo import write_photo
from tests.train.evaluate.conftest import Evaluated
from train.data.pairs import find_pairs
from train.evaluate import check_sizes
from train.judge.evaluation import Evaluation


@pytest.mark.parametrize(
    ("break_it", "said"),
    [
        (lambda results: (results / "b.png").unlink(), "b: no picture for this pair of"),
        (
            lambda results: write_photo(results / "d.png", np.zeros((9, 9, 3), np.uint8)),
            "no pair of this name in",
        ),
        (
            lambda results: write_photo(results / "b.png", np.zeros((9, 8, 3), np.uint8)),
            "b.png: 8×9 pixels, but",
        ),
        (lambda results: write_photo(results / "b.jpg", np.zeros((9, 8, 3), np.uint8)), "keep one"),
    ],
    ids=["missing", "without a pair", "another size", "twice"],
)
def test_results_that_do_not_match_are_one_line(
    break_it: Callable[[Path], None],
    said: str,
    refused: Callable[..., str],
    results: Path,
) -> None:
    break_it(results)
    assert said in refused(results)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["results", "--recipe", "int8_qat"], "--recipe is for bundles"),
        (["results", "--limit", "0"], "--limit 0: expected at least 1"),
        (["results", "--short-side", "100"], "--short-side 100: expected at least 128"),
        (["results", "--border", "-1"], "--border -1: expected 0 or more"),
        (["nowhere"], "nowhere: not found; expected a run"),
        (["data"], "data: neither a run"),
        (["results", "--split", "train"], "no pairs"),
    ],
)
def test_wrong_arguments_are_one_line(
    arguments: list[str],
    said: str,
    refused: Callable[..., str],
    results: Path,
    tmp_path: Path,
) -> None:
    assert said in refused(tmp_path / arguments[0], *arguments[1:])
    assert not (tmp_path / "out" / "metrics.json").exists()


def test_small_photographs_are_refused_before_the_work(pairs_folder: Path) -> None:
    """96×128 pixels, whose border would be all there is."""
    with pytest.raises(UserError, match=r"128×96 pixels; expected at least 128.*--short-side 128"):
        check_sizes(find_pairs(pairs_folder, "test"), None)
    check_sizes(find_pairs(pairs_folder, "test"), 128)
    check_sizes(find_pairs(pairs_folder, "test"), None, border=16)


def test_a_damaged_photo_is_named_before_anything_is_judged(
    evaluated: Evaluated, data: Path, results: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Evaluation, "judge", lambda *_: pytest.fail("judged"))
    for file in (results / "c.png", data / "test/bokeh/b.png"):
        file.write_bytes(file.read_bytes()[:1000])
        with pytest.raises(SystemExit):
            evaluated(results)
