"""The report's five trainings and the page with verdicts on its claims."""

import dataclasses
import shutil
from pathlib import Path

import numpy as np
import pytest

from pocket_bokeh.errors import UserError
from pocket_bokeh.photo import read_photo
from train import experiments
from train.experiments import EXPERIMENTS, ExperimentsOptions, experiment_run
from train.judge.experiments_page import Outcome, mean_difference, verdict, write_page
from train.loop.run_folder import Run
from train.loop.validation import LevelReport, Quality


def report(psnrs: list[float]) -> LevelReport:
    picture = np.full((32, 48, 3), 90, np.uint8)
    mean = float(np.mean(psnrs))
    rows = tuple((picture, picture, picture) for _ in psnrs[:2])
    return LevelReport(1, Quality(mean, 0.7), Quality(20.0, 0.6), tuple(psnrs), rows, picture)


def outcome(*psnrs: float) -> Outcome:
    return Outcome("name", "title", 10, 2_500_000, 70, report(list(psnrs)), report(list(psnrs)))


def test_a_claim_needs_a_difference_beyond_chance() -> None:
    # 1, 2 and 3 dB better on three photographs: mean 2, standard error 1/√3.
    difference, error = mean_difference(outcome(21, 24, 33), outcome(20, 22, 30))
    assert (difference, error) == pytest.approx((2.0, 1 / np.sqrt(3)))
    assert verdict(difference, error) == "confirmed"
    assert verdict(-difference, error) == "refuted"
    assert verdict(1.1, error) == "undecided"


def test_the_five_trainings_are_the_reports(tmp_path: Path) -> None:
    runs = [experiment_run(e, ExperimentsOptions(out=tmp_path, scale="full")) for e in EXPERIMENTS]
    assert [run.limit for run in runs] == [500, 1500, 100, 100, 400]
    assert [[s.level for s in run.train.schedules] for run in runs] == [
        [1], [1], *[[7, 6, 5, 4, 3, 2, 1]] * 3,
    ]  # fmt: skip
    assert [run.network.level_3_blocks for run in runs] == [True, True, True, False, True]
    last_losses = [run.train.schedules[-1].loss for run in runs]
    assert last_losses == ["l1_ssim"] * 5


def test_the_page_has_table_claims_and_pictures(tmp_path: Path) -> None:
    run: Run = experiment_run(EXPERIMENTS[2], ExperimentsOptions(out=tmp_path, scale="smoke"))
    outcomes = [outcome(20, 22, 30), outcome(21, 24, 33), outcome(25, 27, 36)]
    outcomes += [dataclasses.replace(outcomes[0], title="smaller"), outcome(25, 27, 37)]
    write_page(tmp_path, "smoke", run, outcomes)
    page = (tmp_path / "page.md").read_text()
    assert "| 4. smaller | 10 | 2.50 M | 70 | 24.00 dB | 0.7000 |" in page
    assert (
        "| A network without level 3's filters is worse | 3 − 4 | +5.33 ± 0.33 dB | confirmed |"
        in page
    )
    assert (
        "| More pairs help the training level by level | 5 − 3 | +0.33 ± 0.33 dB | undecided |"
        in page
    )
    assert read_photo(tmp_path / "pictures.jpg").shape[0] > 2 * 240


def test_the_page_says_when_unseen_photographs_chose_among_weights(
    pairs_folder: Path, tmp_path: Path
) -> None:
    options = ExperimentsOptions(data=(str(pairs_folder),), out=tmp_path, scale="smoke")
    write_page(
        tmp_path, "smoke", experiment_run(EXPERIMENTS[2], options), [outcome(20, 22, 30)] * 5
    )
    page = (tmp_path / "page.md").read_text()
    assert "from the split test (the same pairs as val here, used to select weights)." in page


def test_a_folder_without_test_pairs_is_refused_before_days_of_training(
    pairs_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for split in ("train", "val"):
        shutil.copytree(pairs_folder, tmp_path / "splits" / split)
    monkeypatch.setattr(experiments, "train_run", lambda _: pytest.fail("trained"))
    command = ["experiments", "--data", str(tmp_path / "splits"), "--out", str(tmp_path / "out")]
    monkeypatch.setattr("sys.argv", [*command, "--scale", "smoke"])
    with pytest.raises(UserError, match="no test/ beside train/"):
        experiments.main()
    assert not (tmp_path / "out").exists()
