"""Opens the pairs that `--data` names: one folder, several with weights, or the built-in ones."""

import dataclasses
from collections.abc import Sequence
from functools import lru_cache

from train.data.data_folders import BUILT_IN, Data, DataFolder, parse_data
from train.data.pairs import FolderPairs, PairSource, Split, find_pairs, join_pairs, limit_pairs
from train.data.synthetic_pairs import SyntheticPairs

_BUILT_IN_SPLITS: dict[Split, SyntheticPairs] = {
    "train": SyntheticPairs(count=240, seed=1),
    "val": SyntheticPairs(count=16, seed=2),
    "test": SyntheticPairs(count=32, seed=3),
}


# Cached: checking a folder reads thousands of headers, and every level opens its pairs again.
@lru_cache(maxsize=8)
def open_pairs(
    data: Data | str,
    split: Split,
    depth: bool = False,
    limit: int | None = None,
    subjects: bool = False,
) -> PairSource:
    """Opens one split of folders of pairs, or of the built-in pairs.

    Of several folders, those that have a `val/` are validated on, and the others are for training
    only. If none has one, a share of each is held out. The same goes for `test/`; if none has one,
    the validation pairs are the test pairs.

    Args:
        data: folders as `--data` takes them, or one of them; or `built-in`.
        split: which part.
        depth: whether the pairs carry depth maps.
        limit: the most pairs to take. Of built-in pairs, exactly as many are generated.
        subjects: whether the pairs carry the masks of their subjects, where a folder has some.

    Raises:
        UserError: a folder has no pairs or broken ones, or `data` cannot be parsed.
    """
    if _is_built_in(data):
        pairs = dataclasses.replace(_BUILT_IN_SPLITS[split], depth=depth)
        return dataclasses.replace(pairs, count=limit) if limit else pairs
    folders = _folders(data)
    hold_out = len(folders) == 1 or not _have(folders, "val")
    found = join_pairs(
        [
            _find_in(folder, part, depth, subjects, hold_out)
            for folder, part in _parts(folders, split)
        ]
    )
    return limit_pairs(found, limit) if limit else found


def _is_built_in(data: Data | str) -> bool:
    return data in (BUILT_IN, (BUILT_IN,))


def _folders(data: Data | str) -> list[DataFolder]:
    return parse_data((data,) if isinstance(data, str) else data)


def _parts(folders: Sequence[DataFolder], split: Split) -> list[tuple[DataFolder, Split]]:
    """The folders that a split is read from, and the part of each."""
    if split == "test" and len(folders) > 1 and not _have(folders, "test"):
        split = "val"
    chosen = folders if split == "train" else _have(folders, split) or folders
    return [(folder, split) for folder in chosen]


def _have(folders: Sequence[DataFolder], split: Split) -> list[DataFolder]:
    return [folder for folder in folders if (folder.path / split).is_dir()]


def _find_in(
    folder: DataFolder, split: Split, depth: bool, subjects: bool, hold_out: bool
) -> FolderPairs:
    """One folder's pairs; only training pairs are weighted."""
    pairs = find_pairs(folder.path, split, depth, subjects, hold_out)
    weight = folder.weight if split == "train" else 1.0
    files = (
        dataclasses.replace(files, weight=weight, needs_focus=folder.needs_focus)
        for files in pairs.files
    )
    return dataclasses.replace(pairs, files=tuple(files))


def describe_split(data: Data | str, split: Split) -> str:
    """A split's name and how its pairs were used, to be printed beside results on it.

    Weights are trained on `train`. `val` validates each level and selects weights during
    fine-tuning, so results on it are slightly optimistic. Folders without `test/` reuse `val`.

    Args:
        data: folders of pairs, or `built-in`.
        split: which part of them.
    """
    if not _is_built_in(data) and split == "test" and not _have(_folders(data), "test"):
        return "test (the same pairs as val here, used to select weights)"
    uses = {"train": " (used for training)", "val": " (used to select weights)"}
    return split + uses.get(split, "")
