"""The benchmark of a training: the command from end to end, and levels that cannot be measured."""

import json
import os
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from pocket_bokeh.errors import UserError
from train import benchmark
from train.benchmark import (
    COLUMNS,
    BenchmarkOptions,
    Failure,
    FirstPairs,
    LevelSpeed,
    format_row,
    in_own_process,
    make_plans,
    measure_in_own_process,
    pipeline_speed,
    time_steps,
)
from train.data.pairs import Pair


@pytest.mark.slow
def test_levels_are_measured_though_one_fails(
    pairs_folder: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """In this process, because TensorFlow starts slowly; each level has a process of its own."""
    file = tmp_path / "figures.json"
    # Level 1 misses a file; level 7 does not need it.
    command = ["benchmark", "--preset", "reference"]
    command += ["--schedule", "smoke", "--vgg-weights", "none.h5", "--steps", "2"]
    command += ["--levels", "1", "7", "--batch", "2", "1", "--data", str(pairs_folder)]
    monkeypatch.setattr("sys.argv", [*command, "--json", str(file)])
    benchmark.main()
    table = capsys.readouterr().out.splitlines()
    assert table[0].split()[:3] == ["level", "batch", "images/s"]
    assert table[1].split()[:3] == ["1", "2", "failed:"]
    assert "none.h5: no such file" in table[1]
    assert table[2].split()[:2] == ["7", "1"]

    report = json.loads(file.read_text())
    assert report["options"]["crop"] == 64
    assert report["backend"] in ("tensorflow", "jax")
    failed, row = report["levels"]
    assert (failed["level"], row["level"], row["batch"]) == (1, 7, 1)
    assert "none.h5: no such file" in failed["error"]
    assert 0 <= row["waiting_share"] < 1
    assert 0 < row["peak_share"] < 1
    assert row["memory_bytes"] > 18_898_627 * 4  # the weights alone
    assert row["start_seconds"] > row["step_seconds"] > 0
    assert row["images_per_second"] > 0
    assert row["pairs_per_second"] > 0
    assert not Path("benchmark").exists()


def test_a_level_whose_process_is_killed_is_a_row_too(monkeypatch: pytest.MonkeyPatch) -> None:
    (plan,) = make_plans(BenchmarkOptions(schedule="smoke", levels=(7,)))
    # What the system does to a process that takes too much memory.
    monkeypatch.setattr("train.benchmark.measure_or_explain", os._exit)
    monkeypatch.setattr("train.benchmark.in_own_process", lambda f, _: in_own_process(f, 9))
    row = measure_in_own_process(plan)
    assert row == Failure(7, 2, "its process was killed, probably because memory ran out")


def test_waiting_for_data_is_told_from_computing() -> None:
    class Model:
        def train_on_batch(self, input: int, target: int) -> None:
            time.sleep(0.01)

    def slow_batches() -> Iterator[dict[str, int]]:
        while True:
            time.sleep(0.03)
            yield {"input": 0, "target": 0}

    waiting, stepping = time_steps(Model(), slow_batches(), 3)
    assert len(waiting) == len(stepping) == 3
    assert min(waiting) >= 0.03
    assert min(stepping) >= 0.01
    assert pipeline_speed(slow_batches(), batch=5) <= 5 / 0.03


def test_the_first_pairs_are_read_before_anything_is_timed() -> None:
    read: list[int] = []

    class Source:
        def __len__(self) -> int:
            return 100

        def __getitem__(self, index: int) -> Pair:
            read.append(index)
            return Pair(str(index), *np.zeros((2, 64, 64, 3), np.uint8))

    first = FirstPairs(Source())
    assert read == list(range(len(first)))
    assert 1 < len(first) < 100
    assert first[3].name == "3"


def test_options_reach_the_levels() -> None:
    options = BenchmarkOptions("reference", "published", levels=(5, 1), batch=(4,), crop=512)
    plans = make_plans(options)
    assert [plan.schedule.level for plan in plans] == [5, 1]
    assert [plan.schedule.batch for plan in plans] == [4, 4]
    assert [plan.schedule.loss for plan in plans] == ["l1", "l1_ssim"]
    assert plans[0].run.train.crop == 512
    assert plans[0].run.network.input_channels == 3
    published = make_plans(BenchmarkOptions(schedule="published"))
    assert [plan.schedule.batch for plan in published] == [50, 50, 40, 14, 9, 9, 5]


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        (BenchmarkOptions(preset="large"), "unknown preset 'large'"),
        (BenchmarkOptions(levels=(8,)), "--levels 8"),
        (BenchmarkOptions(batch=(1, 2)), "--batch"),
        (BenchmarkOptions(levels=(7,), batch=(0,)), "--batch"),
        (BenchmarkOptions(crop=100), "--crop 100"),
        (BenchmarkOptions(steps=0), "--steps 0"),
        (BenchmarkOptions(data=("no-such-folder",)), "no-such-folder"),
    ],
)
def test_what_cannot_be_measured_is_refused(options: BenchmarkOptions, complaint: str) -> None:
    with pytest.raises(UserError, match=complaint):
        make_plans(options)


def test_a_row_has_a_cell_per_column() -> None:
    row = LevelSpeed(
        3, 2, "cpu:0", 5.5, 0.36, 24.7, 1_310_000_000, None, 0.02, 4e10, 0.7, 6e10, 80.0
    )
    cells = format_row(row).split()
    assert len(cells) == len(COLUMNS)
    assert cells[:3] == ["3", "2", "5.50"]
    assert cells[-3:] == ["40.0", "70%", "80.0"]


def test_a_file_that_could_not_be_written_is_refused_before_the_levels(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("sys.argv", ["benchmark", "--json", "nowhere/figures.json"])
    monkeypatch.setattr(benchmark, "measure_in_own_process", lambda _: pytest.fail("measured"))
    with pytest.raises(UserError, match="nowhere: no such folder"):
        benchmark.main()
