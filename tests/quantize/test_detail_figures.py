"""The command measures detail transfer on pairs."""

import sys

import numpy as np
import pytest

from pocket_bokeh.errors import UserError
from pocket_bokeh.metrics import psnr
from pocket_bokeh.photo import resize_photo, to_float
from quantize.detail_figures import CASES, main, measure_pair
from train.data.pairs import Pair


def test_a_pair_is_compared_with_the_correct_results() -> None:
    """If the target is the photograph, all of its detail must be restored."""
    random = np.random.default_rng(0)
    photo = resize_photo(random.integers(0, 256, (40, 60, 3), np.uint8), 192, 288)
    row = measure_pair(Pair("sharp", photo, photo), reduction=3)
    small = resize_photo(resize_photo(photo, 64, 96), 192, 288)
    assert row.enlarged[0] == pytest.approx(psnr(to_float(small), to_float(photo)))
    assert row.transferred[1] == row.transferred[2]  # both answers are the photograph
    assert all(a > b + 3 for a, b in zip(row.transferred, row.enlarged, strict=True))


def test_the_command_prints_pairs_and_their_mean(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["detail_figures", "--pairs", "2"])
    main()
    lines = capsys.readouterr().out.splitlines()
    assert [word for word in lines[0].split() if word in CASES] == list(CASES)
    first, second, mean = ([float(word) for word in line.split()[1:]] for line in lines[1:4])
    np.testing.assert_allclose(mean, np.mean([first, second], axis=0), atol=0.011)
    assert mean[0] > mean[1]  # of true renderings, detail transfer beats enlarging
    assert lines[-1].startswith(
        "PSNR in dB; of the true renderings, detail transfer is worse for 0 of 2"
    )


def test_zero_pairs_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["detail_figures", "--pairs", "0"])
    with pytest.raises(UserError, match="--pairs"):
        main()
