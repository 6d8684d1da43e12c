"""`--data` is parsed into folders with weights, and recorded with absolute paths."""

from pathlib import Path

import pytest

from train.data.data_folders import BUILT_IN, DataFolder, parse_data, resolved_data


def test_weight_and_focus_come_after_the_folder() -> None:
    assert parse_data(["a", "b:3", "c:0.25:focus", "d:focus"]) == [
        DataFolder(Path("a")),
        DataFolder(Path("b"), 3.0),
        DataFolder(Path("c"), 0.25, needs_focus=True),
        DataFolder(Path("d"), needs_focus=True),
    ]


def test_a_folder_may_have_a_colon_in_its_own_name(tmp_path: Path) -> None:
    (tmp_path / "monday:2").mkdir()
    plain, weighted = parse_data([f"{tmp_path}/monday:2"]), parse_data([f"{tmp_path}/monday:2:4"])
    assert plain == [DataFolder(tmp_path / "monday:2")]
    assert weighted == [DataFolder(tmp_path / "monday:2", 4.0)]


def test_recorded_data_means_the_same_from_anywhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    recorded = resolved_data(["a", "b:0.3:focus", "c:2.0"])
    assert recorded == (f"{tmp_path}/a", f"{tmp_path}/b:0.3:focus", f"{tmp_path}/c:2")
    assert resolved_data(recorded) == recorded
    assert resolved_data(()) == resolved_data((BUILT_IN,)) == (BUILT_IN,)
