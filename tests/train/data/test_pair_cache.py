"""Pairs in memory: each is read once, until the memory is used up."""

from pathlib import Path

import numpy as np
import pytest

from train.data.pair_cache import CachedPairs, cached
from train.data.pairs import FolderPairs, Pair, find_whole_folder
from train.data.synthetic_pairs import SyntheticPairs


class Counted:
    """Three small pairs; `read` says which were asked for."""

    def __init__(self) -> None:
        self.read: list[int] = []

    def __len__(self) -> int:
        return 3

    def __getitem__(self, index: int, /) -> Pair:
        self.read.append(index)
        picture = np.full((10, 10, 3), index, np.uint8)
        return Pair(str(index), picture, picture, subject=picture[..., 0])


@pytest.mark.parametrize(
    ("room", "read"), [(2_100, [0, 1, 2]), (1_500, [0, 1, 2, 2]), (0, [0, 1, 2] * 2)]
)
def test_a_pair_that_fits_is_read_once(room: int, read: list[int]) -> None:
    pairs = Counted()
    kept = CachedPairs(pairs, room)
    for index in (0, 1, 2) * 2:
        np.testing.assert_array_equal(kept[index].original, index)
    assert pairs.read == read


def test_pairs_of_files_are_kept_and_generated_ones_are_not(pairs_folder: Path) -> None:
    found = find_whole_folder(pairs_folder)
    kept = cached(found)
    assert len(kept) == len(found)
    first = kept[0]
    for file in found.files[0].paths():
        file.unlink()
    assert kept[0] is first
    assert isinstance(found, FolderPairs)
    generated = SyntheticPairs(2, size=(64, 64))
    assert cached(generated) is generated
