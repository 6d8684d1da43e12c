"""Folders of pairs are merged into one that can be trained on, some of them repeated."""

from pathlib import Path

import numpy as np
import pytest

from pocket_bokeh.errors import UserError
from pocket_bokeh.photo import write_photo
from train.data.merged_folders import merge_folders
from train.data.pairs import find_pairs


def folder_of_pairs(folder: Path, count: int, grey: int) -> Path:
    for kind in ("original", "bokeh"):
        (folder / kind).mkdir(parents=True)
        for index in range(count):
            write_photo(folder / kind / f"{index}.png", np.full((64, 64, 3), grey, np.uint8))
    return folder


def test_pairs_come_as_often_as_asked_for(tmp_path: Path) -> None:
    few = folder_of_pairs(tmp_path / "few", 2, grey=10)
    many = folder_of_pairs(tmp_path / "many", 3, grey=200)
    out = tmp_path / "all"
    assert merge_folders({"train": [f"{few}:4", str(many)], "val": [str(few)]}, out) == {
        "train": 11,
        "val": 2,
    }
    greys = [int(pair.original[0, 0, 0]) for pair in find_pairs(out, "train")]
    assert sorted(greys) == [10] * 8 + [200] * 3
    assert len(find_pairs(out, "val")) == 2


@pytest.mark.parametrize(
    ("folder", "complaint"),
    [("few:0", "N of 1 or more"), ("few:x", "N of 1 or more"), ("empty", "no pairs")],
)
def test_what_cannot_be_gathered_is_said_and_nothing_is_made(
    folder: str, complaint: str, tmp_path: Path
) -> None:
    folder_of_pairs(tmp_path / "few", 2, grey=10)
    (tmp_path / "empty").mkdir()
    folders = {"train": [str(tmp_path / "few"), str(tmp_path / folder)], "val": []}
    with pytest.raises(UserError, match=complaint):
        merge_folders(folders, tmp_path / "all")
    assert not (tmp_path / "all").exists()
    assert not list(tmp_path.glob(".pairs-*"))


def test_what_is_there_is_kept(tmp_path: Path) -> None:
    folder = folder_of_pairs(tmp_path / "few", 2, grey=10)
    with pytest.raises(UserError, match="already exists"):
        merge_folders({"train": [str(folder)]}, folder)
