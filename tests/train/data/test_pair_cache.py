"""Pairs in memory: each is read once, until the memory is used up."""

from pathlib import Path

import numpy as np
import pytest

from train.data.pair_cache import CachedPairs, cached
from train.data.pairs import FolderPairs, Pair, find_whole_folder
from train.data.synthetic_pairs import SyntheticPairs


class Counted:
    """Three pairs of noise of about 39,000 bytes each; `read` says which were asked for."""

    def __init__(self) -> None:
        self.read: list[int] = []

    def __len__(self) -> int:
        return 3

    def __getitem__(self, index: int, /) -> Pair:
        self.read.append(index)
        noise = np.random.default_rng(index).integers(0, 256, (100, 100, 4), np.uint8)
        smooth = np.full((100, 100, 3), 10 * index, np.uint8)
        return Pair(str(index), smooth, noise[..., :3], noise[..., 3], smooth[..., 0], index == 1)


@pytest.mark.parametrize(
    ("room", "read"), [(200_000, [0, 1, 2]), (95_000, [0, 1, 2, 2]), (0, [0, 1, 2] * 2)]
)
def test_a_pair_that_fits_is_read_once(room: int, read: list[int]) -> None:
    pairs = Counted()
    kept = CachedPairs(pairs, room)
    for index in (0, 1, 2) * 2:
        np.testing.assert_array_equal(kept[index].original, 10 * index)
    assert pairs.read == read


@pytest.mark.parametrize("room", [200_000, 0])
def test_a_pair_is_always_the_same_and_nearly_as_it_was(room: int) -> None:
    pairs = Counted()
    kept = CachedPairs(pairs, room)
    first, again, before = kept[1], kept[1], pairs[1]
    assert (first.name, first.needs_focus) == ("1", True)
    for kind in ("original", "bokeh", "depth", "subject"):
        np.testing.assert_array_equal(getattr(first, kind), getattr(again, kind))
    for kind in ("depth", "subject"):
        np.testing.assert_array_equal(getattr(first, kind), getattr(before, kind))
    assert np.abs(first.bokeh.astype(int) - before.bokeh).mean() < 3


def test_pairs_of_files_are_kept_and_generated_ones_are_not(pairs_folder: Path) -> None:
    found = find_whole_folder(pairs_folder)
    kept = cached(found)
    assert len(kept) == len(found)
    first = kept[0]
    for file in found.files[0].paths():
        file.unlink()
    np.testing.assert_array_equal(kept[0].original, first.original)
    assert isinstance(found, FolderPairs)
    generated = SyntheticPairs(2, size=(64, 64))
    assert cached(generated) is generated
