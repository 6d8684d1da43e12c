"""Pairs are opened by a folder's path or as `built-in`."""

from pathlib import Path

from train.data.named_pairs import BUILT_IN, describe_split, open_pairs


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
