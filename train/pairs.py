"""A dataset folder as checked pairs, and pairs as batches for one level.

The layout is that of EBB!: `original/NAME.jpg` taken with a narrow aperture, `bokeh/NAME.jpg`
with a wide one, the same size and aligned; or that folder's `train/`, `val/` and `test/`.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Protocol

import grain
import numpy as np
from skimage.measure import block_reduce

from train.errors import UserError
from train.photo import PHOTO_SUFFIXES, photo_size, read_photo, resize_photo, to_float
from train.presets import Reduction, TrainConfig

Split = Literal["train", "val", "test"]

HELD_OUT_SHARE = 0.1
"""Share of the stems that judge rather than teach in a folder without `val/`."""

SIZE_MULTIPLE = 64
"""A photograph's sides in whole pixels of level 7."""


@dataclass(frozen=True)
class Pair:
    """One scene twice: height × width × 3, uint8, RGB, sRGB-encoded, the same size."""

    name: str
    original: np.ndarray
    bokeh: np.ndarray


class PairSource(Protocol):
    """Pairs by index: a folder's, or built-in ones."""

    def __len__(self) -> int: ...

    def __getitem__(self, index: int, /) -> Pair: ...


@dataclass(frozen=True)
class FolderPairs:
    """The checked pairs of one folder, decoded when asked for."""

    folder: Path
    files: tuple[tuple[Path, Path], ...]

    def __len__(self) -> int:
        return len(self.files)

    def __iter__(self) -> Iterator[Pair]:
        return (self[index] for index in range(len(self)))

    def __getitem__(self, index: int, /) -> Pair:
        original, bokeh = self.files[index]
        return Pair(original.stem, read_photo(original), read_photo(bokeh))


def find_pairs(folder: Path, split: Split) -> FolderPairs:
    """Finds and checks one split of a dataset folder.

    A folder with `train/` is read split by split. Without one, all pairs lie in the folder
    itself and a fixed share, chosen by a hash of the name so that it stays the same when files
    are added, is held out as both `val` and `test`. The same holds for a missing `val/`.

    Raises:
        UserError: no pairs, a photo without its partner, two sizes in a pair, a file that is
            no photo.
    """
    if not folder.is_dir():
        raise UserError(f"{folder}: no such folder; --data takes a folder of pairs")
    if (folder / split).is_dir():
        pairs = _folder_pairs(folder / split)
        if split == "train" and not (folder / "val").is_dir():
            return _hold_out(pairs, held_out=False)
        return pairs
    if (folder / "train").is_dir():
        if split == "test":
            raise UserError(f"{folder}: no {split}/ beside train/; add one or use another split")
        return _hold_out(_folder_pairs(folder / "train"), held_out=True)
    return _hold_out(_folder_pairs(folder), held_out=split != "train")


def _folder_pairs(folder: Path) -> FolderPairs:
    originals, bokehs = _photos(folder / "original"), _photos(folder / "bokeh")
    if not originals and not bokehs:
        raise UserError(f"{folder}: no pairs; expected original/NAME.jpg and bokeh/NAME.jpg")
    alone = sorted(originals.keys() ^ bokehs.keys())
    if alone:
        kind, missing = ("original", "bokeh") if alone[0] in originals else ("bokeh", "original")
        more = f" (and {len(alone) - 1} more)" if len(alone) > 1 else ""
        raise UserError(
            f"{folder}: {kind}/{alone[0]} has no partner in {missing}/{more}; add or remove it"
        )
    files = tuple((originals[stem], bokehs[stem]) for stem in sorted(originals))
    for original, bokeh in files:
        _check_sizes(original, bokeh)
    return FolderPairs(folder, files)


def _photos(folder: Path) -> dict[str, Path]:
    found: dict[str, Path] = {}
    if not folder.is_dir():
        return found
    for file in sorted(folder.iterdir()):
        if file.suffix.lower() not in PHOTO_SUFFIXES or file.name.startswith("."):
            continue
        if file.stem in found:
            raise UserError(f"{folder}: both {found[file.stem].name} and {file.name}; keep one")
        found[file.stem] = file
    return found


def _check_sizes(original: Path, bokeh: Path) -> None:
    (height, width), other = photo_size(original), photo_size(bokeh)
    if (height, width) != other:
        raise UserError(
            f"{original}: {width}×{height} pixels, but {bokeh} has {other[1]}×{other[0]}; "
            "a pair has one size"
        )
    if min(height, width) < SIZE_MULTIPLE:
        raise UserError(f"{original}: {width}×{height} pixels; the least is {SIZE_MULTIPLE}")


def _hold_out(pairs: FolderPairs, held_out: bool) -> FolderPairs:
    """The held-out share of a folder's pairs, or the rest; neither is ever empty."""
    if len(pairs) < 2:
        raise UserError(f"{pairs.folder}: one pair; at least two are needed, one to judge by")
    marks = {files: _hash_share(files[0].stem) for files in pairs.files}
    least = min(marks, key=lambda files: marks[files])
    greatest = max(marks, key=lambda files: marks[files])
    chosen = {files for files in pairs.files if marks[files] < HELD_OUT_SHARE}
    chosen = (chosen | {least}) - {greatest}
    return FolderPairs(
        pairs.folder, tuple(files for files in pairs.files if (files in chosen) == held_out)
    )


def _hash_share(stem: str) -> float:
    """A number in [0, 1) that depends on the name alone."""
    return int.from_bytes(hashlib.sha256(stem.encode()).digest()[:4], "big") / 2**32


def fingerprint(pairs: PairSource) -> str:
    """Says whether a run is resumed on the data it started with: names and file sizes."""
    if not isinstance(pairs, FolderPairs):
        return repr(pairs)
    listing = [
        f"{file.parent.name}/{file.name} {file.stat().st_size}"
        for files in pairs.files
        for file in files
    ]
    return hashlib.sha256("\n".join(listing).encode()).hexdigest()


def scale_pair(pair: Pair, short_side: int) -> Pair:
    """The pair with its shorter side `short_side` pixels long, bicubic."""
    height, width = pair.original.shape[:2]
    factor = short_side / min(height, width)
    size = (max(short_side, round(height * factor)), max(short_side, round(width * factor)))
    return Pair(pair.name, resize_photo(pair.original, *size), resize_photo(pair.bokeh, *size))


def cut_to_multiple(pair: Pair, multiple: int = SIZE_MULTIPLE) -> Pair:
    """The middle of a pair, both photographs alike, with sides that are whole multiples."""
    height, width = (side - side % multiple for side in pair.original.shape[:2])
    top = (pair.original.shape[0] - height) // 2
    left = (pair.original.shape[1] - width) // 2
    window = (slice(top, top + height), slice(left, left + width))
    return Pair(pair.name, pair.original[window], pair.bokeh[window])


def at_level(photo: np.ndarray, level: int, reduction: Reduction) -> np.ndarray:
    """A photograph reduced to the size that a level puts out.

    Args:
        photo: height × width × 3 uint8, sides multiples of 64.
        level: 7 … 1; level 1 is the photograph's own size.
        reduction: `bicubic` reduces once, as published. `average` halves it as the network's
            input is halved and averages from there, which is what a residual head starts from:
            reduced otherwise, its target would differ from an untouched photograph everywhere.

    Returns:
        float32 0…1, height / 2^(level-1) × width / 2^(level-1) × 3.
    """
    if reduction == "bicubic" or level <= 2:
        factor = 2 ** (level - 1)
        return to_float(resize_photo(photo, photo.shape[0] // factor, photo.shape[1] // factor))
    size = 2 ** (level - 2)
    return block_reduce(network_input(photo), (size, size, 1), np.mean)


def network_input(photo: np.ndarray) -> np.ndarray:
    """What the network sees of a photograph: half its size, bicubic, float32 0…1."""
    return to_float(resize_photo(photo, photo.shape[0] // 2, photo.shape[1] // 2))


def crop(pair: Pair, side: int, random: np.random.Generator) -> Pair:
    """A square of `side` pixels from anywhere in the pair, the same place in both."""
    top, left = (int(random.integers(0, length - side + 1)) for length in pair.original.shape[:2])
    window = (slice(top, top + side), slice(left, left + side))
    return Pair(pair.name, pair.original[window], pair.bokeh[window])


def augment(pair: Pair, kind: Literal["mirror", "rotate"], random: np.random.Generator) -> Pair:
    """Mirrors and, for `rotate`, turns by a multiple of 90°; both photographs alike."""
    photos = [pair.original, pair.bokeh]
    if random.integers(2):
        photos = [photo[:, ::-1] for photo in photos]
    if kind == "rotate":
        turns = int(random.integers(4))
        photos = [np.rot90(photo, turns) for photo in photos]
    return Pair(pair.name, *(np.ascontiguousarray(photo) for photo in photos))


@dataclass(frozen=True)
class ForLevel(grain.transforms.RandomMap):
    """Turns a pair into one example of a level: a crop, augmented and reduced."""

    level: int
    config: TrainConfig

    def random_map(self, element: Pair, rng: np.random.Generator) -> dict[str, Any]:
        pair = scale_pair(element, self.config.short_side)
        pair = augment(crop(pair, self.config.crop, rng), self.config.augmentation, rng)
        return {
            "name": pair.name,
            "input": network_input(pair.original),
            "target": at_level(pair.bokeh, self.level, self.config.reduction),
        }


def training_batches(
    pairs: PairSource, level: int, batch: int, config: TrainConfig, seed: int
) -> grain.DatasetIterator:
    """An endless, seeded, resumable stream of one level's batches.

    Yields dictionaries: `input` batch × crop/2 × crop/2 × 3 and `target` batch × h × h × 3 with
    h = crop / 2^(level-1), float32 0…1; `name` the stems. The same seed gives the same batches,
    and `get_state`/`set_state` stop and go on at an exact position.
    """
    dataset = (
        grain.MapDataset.source(pairs)
        .seed(seed)
        .shuffle()
        .repeat()
        .random_map(ForLevel(level, config))
        .batch(batch)
    )
    options = grain.ReadOptions(num_threads=2, prefetch_buffer_size=3)
    return iter(dataset.to_iter_dataset(options))
