"""Keeps decoded pairs in memory, as many as fit.

Training draws every pair several times, and decoding is most of the work of drawing it.
"""

import psutil

from train.data.pairs import FolderPairs, Pair, PairSource

MEMORY_SHARE = 0.4
"""The share of the memory that is free at the start that decoded pairs may take."""


class CachedPairs:
    """The pairs of a source; those that were read once and fitted are not read again.

    Attributes:
        pairs: the source.
        room: bytes that may still be taken.
    """

    def __init__(self, pairs: PairSource, room: int):
        self.pairs, self.room = pairs, room
        self._kept: dict[int, Pair] = {}

    def __len__(self) -> int:
        return len(self.pairs)

    def __getitem__(self, index: int, /) -> Pair:
        if index in self._kept:
            return self._kept[index]
        pair = self.pairs[index]
        size = _bytes(pair)
        # Two threads that read the same pair at once count it twice. That only leaves room unused.
        if size <= self.room:
            self.room -= size
            self._kept[index] = pair
        return pair

    def __repr__(self) -> str:
        return f"CachedPairs({self.pairs!r})"


def cached(pairs: PairSource, share: float = 1.0) -> PairSource:
    """Pairs of files with a cache; generated pairs as they are.

    Args:
        pairs: the source.
        share: the part of the cache's memory that these pairs may take, 0…1.
    """
    if not isinstance(pairs, FolderPairs):
        return pairs
    return CachedPairs(pairs, round(share * MEMORY_SHARE * psutil.virtual_memory().available))


def _bytes(pair: Pair) -> int:
    pictures = (pair.original, pair.bokeh, pair.depth, pair.subject)
    return sum(picture.nbytes for picture in pictures if picture is not None)
