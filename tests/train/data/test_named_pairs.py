"""Pairs are opened by the paths of folders, with weights, or as `built-in`."""

from pathlib import Path

import numpy as np
import pytest

from pocket_bokeh.errors import UserError
from pocket_bokeh.photo import write_photo
from train.data.data_files import describe_files
from train.data.data_folders import BUILT_IN
from train.data.named_pairs import describe_split, open_pairs
from train.data.pairs import FolderPairs, Split, check_decodable


def test_built_in_pairs_are_as_many_as_asked_for_and_have_depth() -> None:
    pairs = open_pairs(BUILT_IN, "train", depth=True, limit=300)
    assert len(pairs) == 300
    depth = pairs[299].depth
    assert depth is not None
    assert depth.shape == pairs[299].original.shape[:2]
    assert open_pairs(BUILT_IN, "val")[0].depth is None


def test_a_split_says_how_its_pairs_were_used(tmp_path: Path) -> None:
    assert describe_split(BUILT_IN, "test") == "test"
    assert describe_split(BUILT_IN, "val") == "val (used to select weights)"
    assert "the same pairs as val" in describe_split(str(tmp_path), "test")
    (tmp_path / "test").mkdir()
    assert describe_split(str(tmp_path), "test") == "test"


def write_grey(folder: Path, count: int) -> None:
    """Writes pairs 0.png, 1.png and so on."""
    for kind in ("original", "bokeh"):
        (folder / kind).mkdir(parents=True)
        for index in range(count):
            write_photo(folder / kind / f"{index}.png", np.full((64, 64, 3), 128, np.uint8))


def found(data: tuple[str, ...], split: Split) -> list[str]:
    """The pairs of a split as folder/number."""
    pairs = open_pairs(data, split)
    assert isinstance(pairs, FolderPairs)
    return [f"{files.original.parents[1].name}/{files.name}" for files in pairs.files]


def test_of_several_folders_those_with_val_and_test_are_judged_on(tmp_path: Path) -> None:
    for name, count in (("a/train", 6), ("a/val", 2), ("b", 3), ("c/train", 2), ("c/test", 2)):
        write_grey(tmp_path / name, count)
    data = (f"{tmp_path / 'a'}", f"{tmp_path / 'b'}:2.5:focus", f"{tmp_path / 'c'}")
    pairs = open_pairs(data, "train")
    assert isinstance(pairs, FolderPairs)
    assert len(pairs) == 11
    assert {files.weight for files in pairs.files if files.needs_focus} == {2.5}
    assert sum(pair.needs_focus for pair in pairs) == 3
    assert found(data, "val") == ["val/0", "val/1"]
    assert found(data, "test") == ["test/0", "test/1"]
    assert describe_split(data, "test") == "test"
    assert describe_split(data[:2], "test").startswith("test (the same pairs as val")
    assert found(data[:2], "test") == found(data, "val")


def test_without_any_val_every_folder_holds_a_share_out(tmp_path: Path) -> None:
    for name in ("a", "b"):
        write_grey(tmp_path / name, 5)
    data = (str(tmp_path / "a"), f"{tmp_path / 'b'}:3")
    held_out, taught = found(data, "val"), found(data, "train")
    assert {name[0] for name in held_out} == {"a", "b"}
    assert sorted(held_out + taught) == [f"{name}/{i}" for name in "ab" for i in range(5)]
    assert held_out == found(data, "test")


def test_any_first_part_has_its_share_of_every_folder(tmp_path: Path) -> None:
    for name, count in (("few/val", 2), ("many/val", 6)):
        write_grey(tmp_path / name, count)
    first = found((str(tmp_path / "many"), str(tmp_path / "few")), "val")[:4]
    whole = {f"val/{i}" for i in range(6)}
    assert set(first) <= whole
    pairs = open_pairs((str(tmp_path / "many"), str(tmp_path / "few")), "val")
    assert isinstance(pairs, FolderPairs)
    owners = [files.original.parents[2].name for files in pairs.files]
    assert owners[:4].count("few") == owners[4:].count("few") == 1


def test_files_of_the_same_name_are_told_apart(tmp_path: Path) -> None:
    for name in ("a", "b"):
        write_grey(tmp_path / name, 3)
    pairs = open_pairs((str(tmp_path / "a"), str(tmp_path / "b")), "train")
    files = describe_files({"train": pairs})
    assert files is not None
    assert len(files["train"]) == 2 * len(pairs)
    assert all(name.startswith(("a/original/", "a/bokeh/", "b/")) for name in files["train"])
    damaged = next(name for name in files["train"] if name.startswith("b/bokeh/"))
    (tmp_path / damaged).write_bytes((tmp_path / damaged).read_bytes()[:-40])
    with pytest.raises(UserError, match=rf"1 of 8 files cannot be used: {damaged} \(damaged"):
        check_decodable(pairs)


@pytest.mark.parametrize(
    ("data", "complaint"),
    [
        (("a:0",), r"--data .*a:0: expected FOLDER\[:WEIGHT\]\[:focus\], with a WEIGHT above 0"),
        (("a:much",), "with a WEIGHT above 0"),
        (("a:nan:focus",), "with a WEIGHT above 0"),
        (("a", "a:2"), r"a:2: named twice; give it a weight"),
        (("a", "a/val"), r"val: is a part of .*a; name one of the two"),
        (("a", "nowhere:2"), r"nowhere: no such folder"),
        (("a", "empty"), r"empty: no pairs"),
    ],
)
def test_folders_that_cannot_be_used_are_named(
    data: tuple[str, ...], complaint: str, tmp_path: Path
) -> None:
    for name in ("a/train", "a/val"):
        write_grey(tmp_path / name, 2)
    (tmp_path / "empty").mkdir()
    with pytest.raises(UserError, match=complaint):
        open_pairs(tuple(str(tmp_path / name) for name in data), "train")


def test_built_in_pairs_are_not_mixed_with_folders(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="cannot be mixed with folders"):
        open_pairs((BUILT_IN, str(tmp_path)), "train")
