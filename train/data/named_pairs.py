"""Opens pairs by name: a folder's path, or `built-in`."""

import dataclasses
from functools import lru_cache
from pathlib import Path

from train.data.pairs import FolderPairs, PairSource, Split, find_pairs, limit_pairs
from train.data.synthetic_pairs import SyntheticPairs

BUILT_IN = "built-in"
"""The name of the built-in pairs."""

_BUILT_IN_SPLITS: dict[Split, SyntheticPairs] = {
    "train": SyntheticPairs(count=240, seed=1),
    "val": SyntheticPairs(count=16, seed=2),
    "test": SyntheticPairs(count=32, seed=3),
}


# Cached: checking a folder reads thousands of headers, and every level opens its pairs again.
@lru_cache(maxsize=8)
def open_pairs(
    data: str,
    split: Split,
    depth: bool = False,
    limit: int | None = None,
    subjects: bool = False,
) -> PairSource:
    """Opens one split of a folder of pairs, or of the built-in pairs.

    Args:
        data: the folder, or `built-in`.
        split: which part.
        depth: whether the pairs carry depth maps.
        limit: the most pairs to take. Of built-in pairs, exactly as many are generated.
        subjects: whether the pairs carry the masks of their subjects, where a folder has some.

    Raises:
        UserError: the folder has no pairs or broken ones.
    """
    if data == BUILT_IN:
        pairs = dataclasses.replace(_BUILT_IN_SPLITS[split], depth=depth)
        return dataclasses.replace(pairs, count=limit) if limit else pairs
    found: FolderPairs = find_pairs(Path(data), split, depth, subjects)
    return limit_pairs(found, limit) if limit else found


def describe_split(data: str, split: Split) -> str:
    """A split's name and how its pairs were used, to be printed beside results on it.

    Weights are trained on `train`. `val` validates each level and selects weights during
    fine-tuning, so results on it are slightly optimistic. A folder without `test/` reuses `val`.

    Args:
        data: a folder of pairs, or `built-in`.
        split: which part of it.
    """
    if data != BUILT_IN and split == "test" and not (Path(data) / "test").is_dir():
        return "test (the same pairs as val here, used to select weights)"
    uses = {"train": " (used for training)", "val": " (used to select weights)"}
    return split + uses.get(split, "")
