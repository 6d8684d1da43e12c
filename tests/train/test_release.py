"""From the data to the pairs of a release, and its figures into the bundle."""

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from train import release
from train.errors import UserError
from train.level_training import trained_level
from train.model_card import FIGURES
from train.pairs import find_pairs
from train.photo import write_photo
from train.presets import NETWORKS, SCHEDULES
from train.release import (
    ReleaseOptions,
    check_data,
    first_round,
    gathered_pairs,
    second_round,
    write_figures,
)
from train.run_folder import Run
from train.sequential import read_metrics


@pytest.fixture
def options(tmp_path: Path) -> ReleaseOptions:
    """All folders of the data with a pair or two each, one subject, one background."""
    random = np.random.default_rng(0)
    folders = [*release.TRAINED_ON, *release.REPORTED_ON]
    for name in folders:
        for kind in ("original", "bokeh"):
            folder = tmp_path / "data" / name / kind
            folder.mkdir(parents=True, exist_ok=True)
            for number in range(2):
                picture = random.integers(0, 256, (96, 128, 3), np.uint8)
                write_photo(folder / f"{number}.png", picture)
    rows, columns = np.mgrid[:96, :128]
    mask = gaussian_filter((np.hypot(rows - 48, columns - 64) < 30).astype(float), 1)
    mask_file = tmp_path / "data/bokeh_pairs/train/subject/0.png"
    mask_file.parent.mkdir()
    write_photo(mask_file, np.rint(255 * mask).astype(np.uint8))
    behind = tmp_path / "data/backgrounds/0.png"
    behind.parent.mkdir()
    write_photo(behind, random.integers(0, 256, (96, 128, 3), np.uint8))
    return ReleaseOptions(
        data=tmp_path / "data", out=tmp_path / "out", bundle=tmp_path / "bundle", composites=3
    )


def test_pairs_come_from_everywhere_and_are_made_once(options: ReleaseOptions) -> None:
    more = [f"{options.data / 'ebb_real/test'}:2"]
    pairs = gathered_pairs(options, "pairs", more)
    assert len(find_pairs(pairs, "train")) == 2 * sum(release.TRAINED_ON.values()) + 2 * 2
    assert len(find_pairs(pairs, "val")) == 2
    written = pairs.stat().st_mtime_ns
    assert gathered_pairs(options, "pairs", more) == pairs
    assert pairs.stat().st_mtime_ns == written


@pytest.mark.slow
def test_the_second_round_goes_on_from_the_first_with_what_that_renders(
    options: ReleaseOptions, monkeypatch: pytest.MonkeyPatch
) -> None:
    smoke = SCHEDULES["smoke"]
    last = dataclasses.replace(smoke, schedules=smoke.schedules[-2:])
    monkeypatch.setitem(SCHEDULES, "last", last)
    monkeypatch.setattr(release, "SHORT_SIDE", 64)
    options = dataclasses.replace(options, schedule="last")
    first = first_round(options)
    run = second_round(options, first)
    composites = find_pairs(options.out / "composites", "train")
    assert len(composites) == options.composites - 1  # one is held out
    taught = 2 * sum(release.TRAINED_ON.values()) + options.composites + release.PSEUDO_PAIRS
    assert len(run.pairs("train")) == taught
    assert list(read_metrics(first)) == ["2", "1"]
    assert list(read_metrics(run)) == ["1"]
    for ours, theirs in zip(
        trained_level(run, 2).get_weights(), trained_level(first, 2).get_weights(), strict=True
    ):
        np.testing.assert_array_equal(ours, theirs)
    written = run.model_file.stat().st_mtime_ns
    assert second_round(options, first) == run
    assert run.model_file.stat().st_mtime_ns == written


def test_other_data_than_the_release_was_made_of_is_said(
    options: ReleaseOptions, capsys: pytest.CaptureFixture[str]
) -> None:
    found = check_data(options.data)
    assert set(found) == {*release.TRAINED_ON, *release.REPORTED_ON}
    assert "bokeh_pairs/val: not the pairs that models/pocket was made of" in (
        capsys.readouterr().err
    )
    (options.data / "ebb_real/test/bokeh/1.png").unlink()
    with pytest.raises(UserError, match=r"ebb_real/test: original/1 has no partner"):
        check_data(options.data)


def test_figures_lie_beside_the_models(options: ReleaseOptions) -> None:
    first, second = (
        Run(options.out / name, "pocket", NETWORKS["pocket"], SCHEDULES["release"], "pairs", 0)
        for name in ("first_round", "pocket")
    )
    second.folder.mkdir(parents=True)
    (second.folder / "metrics.json").write_text('{"1": {}}')
    rows = {"untouched": {"psnr": 24.5}, "int8_qat": {"psnr": 27.25}}
    figures = {"bokeh_pairs/val": {"pairs": 2, "means": rows}}
    options.bundle.mkdir()
    write_figures(options, (first, second), {"bokeh_pairs/val": "abc"}, figures)
    stored = json.loads((options.bundle / FIGURES).read_text())
    assert stored["figures"] == figures
    assert stored["fingerprints"] == {"bokeh_pairs/val": "abc"}
    assert stored["pseudo_photos"] == 1
    assert stored["second_round"] == {"1": {}}
    assert [level["level"] for level in stored["schedule"]["schedules"]] == [7, 6, 5, 4, 3, 2, 1]
