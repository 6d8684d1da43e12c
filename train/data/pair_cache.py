"""Keeps pairs in memory, compressed, as many as fit.

Training draws every pair several times, and reading its files is most of the work of drawing it.
At the size that the coarse levels need, a compressed pair takes 90 KB instead of 420, and decoding
it takes a quarter of the time that its files take (docs/experiments.md).
"""

import io

import numpy as np
import psutil
from PIL import Image

from train.data.pairs import FolderPairs, Pair, PairSource

MEMORY_SHARE = 0.4
"""The share of the memory that is free at the start that the cache may take."""

LARGEST = 2_500_000_000
"""Bytes that the cache takes at most, so that training stays within 4 GB."""

_QUALITY = 98
"""Of the photographs, as JPEG without chroma subsampling: off by 0.9 of 255 in the mean square."""


class CachedPairs:
    """The pairs of a source; those that were read once and fitted are not read again.

    Every pair comes out of its compressed form, whether it was read before or not, so that a
    resumed training sees the same pixels.

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
            return self._kept[index].transform(_decoded)
        compressed = self.pairs[index].transform(_encoded)
        size = _bytes(compressed)
        # Two threads that read the same pair at once count it twice. That only leaves room unused.
        if size <= self.room:
            self.room -= size
            self._kept[index] = compressed
        return compressed.transform(_decoded)

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
    room = min(LARGEST, MEMORY_SHARE * psutil.virtual_memory().available)
    return CachedPairs(pairs, round(share * room))


def _encoded(picture: np.ndarray) -> np.ndarray:
    """The bytes of a JPEG file for a photograph, of a PNG file for a depth map or mask."""
    file = io.BytesIO()
    if picture.ndim == 2:
        Image.fromarray(picture).save(file, "PNG", compress_level=1)
    else:
        Image.fromarray(picture).save(file, "JPEG", quality=_QUALITY, subsampling=0)
    return np.frombuffer(file.getvalue(), np.uint8)


def _decoded(file: np.ndarray) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(file.tobytes())))


def _bytes(pair: Pair) -> int:
    pictures = (pair.original, pair.bokeh, pair.depth, pair.subject)
    return sum(picture.nbytes for picture in pictures if picture is not None)
