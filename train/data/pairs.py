"""A dataset folder as checked pairs, and pairs as batches for one level.

The layout is that of EBB!: `original/NAME.jpg` taken with a narrow aperture, `bokeh/NAME.jpg`
with a wide one, the same size and aligned; or that folder's `train/`, `val/` and `test/`.
Optionally `original_depth/NAME.png`: how near each point is, for networks that see depth.
"""

import dataclasses
import hashlib
import os
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Protocol

import grain
import numpy as np
from PIL import Image
from skimage.measure import block_reduce
from tqdm import tqdm

from pocket_bokeh.errors import UserError
from pocket_bokeh.photo import (
    check_depth_shape,
    network_input,
    photo_size,
    read_depth,
    read_photo,
    resize_photo,
    to_float,
    write_photo,
)
from train.data.photo_folder import check_photos, composed, photos_by_name, short_name
from train.data.sharpness_target import sharpness
from train.network.presets import Reduction, TrainConfig

Split = Literal["train", "val", "test"]

HELD_OUT_SHARE = 0.1
"""Share of the stems that judge rather than teach in a folder without `val/`."""

SIZE_MULTIPLE = 64
"""A photograph's sides in whole pixels of level 7."""


@dataclass(frozen=True)
class Pair:
    """One scene twice: height × width × 3, uint8, RGB, sRGB-encoded, the same size.

    `depth`, where there is one, is height × width, uint8, in the units of its file: EBB!'s maps
    grow towards the camera.
    """

    name: str
    original: np.ndarray
    bokeh: np.ndarray
    depth: np.ndarray | None = None

    def transform(self, change: Callable[[np.ndarray], np.ndarray]) -> "Pair":
        """The pair with the same change made to its photographs and its depth map."""
        depth = None if self.depth is None else change(self.depth)
        return Pair(self.name, change(self.original), change(self.bokeh), depth)


class PairSource(Protocol):
    """Pairs by index: a folder's, or built-in ones."""

    def __len__(self) -> int: ...

    def __getitem__(self, index: int, /) -> Pair: ...


@dataclass(frozen=True)
class PairFiles:
    """The files of one pair; `depth` where the network is to see it."""

    original: Path
    bokeh: Path
    depth: Path | None = None

    @property
    def name(self) -> str:
        """What both photographs are called, composed as in `photos_by_name`."""
        return composed(self.original.stem)

    def paths(self) -> list[Path]:
        """Those that there are."""
        return [path for path in (self.original, self.bokeh, self.depth) if path]


@dataclass(frozen=True)
class FolderPairs:
    """The checked pairs of one folder, decoded when asked for.

    Attributes:
        folder: where they lie.
        files: of each pair.
        short_side: shorter side in pixels that suffices. JPEG decodes to a half, a quarter or
            an eighth of its size in a fraction of the time; None decodes whole photographs.
    """

    folder: Path
    files: tuple[PairFiles, ...]
    short_side: int | None = None

    def __len__(self) -> int:
        return len(self.files)

    def __iter__(self) -> Iterator[Pair]:
        return (self[index] for index in range(len(self)))

    def __getitem__(self, index: int, /) -> Pair:
        files = self.files[index]
        original = read_photo(files.original, self.short_side)
        bokeh = read_photo(files.bokeh, self.short_side)
        if original.shape != bokeh.shape:  # one of the two is no JPEG and came whole
            bokeh = resize_photo(bokeh, *original.shape[:2])
        depth = read_depth(files.depth, original.shape[:2]) if files.depth else None
        return Pair(files.name, original, bokeh, depth)

    def paths(self) -> list[Path]:
        """All files, pair by pair."""
        return [path for files in self.files for path in files.paths()]


def find_pairs(folder: Path, split: Split, depth: bool = False) -> FolderPairs:
    """Finds and checks one split of a dataset folder, with its depth maps where asked for.

    A folder with `train/` is read split by split. Without one, all pairs lie in the folder
    itself and a fixed share, chosen by a hash of the name so that it stays the same when files
    are added, is held out as both `val` and `test`. The same holds for a missing `val/`.

    Raises:
        UserError: no pairs, a photo without its partner or its depth map, two sizes in a pair,
            a file that is no photo. All bad files are named, damaged ones too.
    """
    if not folder.is_dir():
        raise UserError(f"{folder}: no such folder; --data takes a folder of pairs")
    if (folder / split).is_dir():
        pairs = find_whole_folder(folder / split, depth)
        if split == "train" and not (folder / "val").is_dir():
            return _hold_out(pairs, held_out=False)
        return pairs
    if (folder / "train").is_dir():
        if split == "test":
            raise UserError(f"{folder}: no {split}/ beside train/; add one or use another split")
        return _hold_out(find_whole_folder(folder / "train", depth), held_out=True)
    return _hold_out(find_whole_folder(folder, depth), held_out=split != "train")


def find_whole_folder(folder: Path, depth: bool = False) -> FolderPairs:
    """All pairs of a folder with `original/` and `bokeh/`, none held out; checked.

    Raises:
        UserError: as `find_pairs`.
    """
    originals, bokehs = photos_by_name(folder / "original"), photos_by_name(folder / "bokeh")
    if not originals and not bokehs:
        raise UserError(f"{folder}: no pairs; expected original/NAME.jpg and bokeh/NAME.jpg")
    alone = sorted(originals.keys() ^ bokehs.keys())
    if alone:
        kind, missing = ("original", "bokeh") if alone[0] in originals else ("bokeh", "original")
        more = f" (and {len(alone) - 1} more)" if len(alone) > 1 else ""
        raise UserError(
            f"{folder}: {kind}/{alone[0]} has no partner in {missing}/{more}; add or remove it"
        )
    depths = _depth_maps(folder, originals) if depth else {}
    files = tuple(
        PairFiles(originals[stem], bokehs[stem], depths.get(stem)) for stem in sorted(originals)
    )
    pairs = FolderPairs(folder, files)
    problems = {file: why for pair in files for file, why in _size_problems(pair).items()}
    if problems:
        check_photos(folder, pairs.paths(), problems)
    return pairs


def _depth_maps(folder: Path, originals: dict[str, Path]) -> dict[str, Path]:
    depths = photos_by_name(folder / "original_depth")
    missing = sorted(originals.keys() - depths.keys())
    if missing:
        raise UserError(
            f"{folder}: original_depth/ has no map of {missing[0]} ({len(missing)} missing of "
            f"{len(originals)}); add them, or use a network that sees no depth"
        )
    return depths


def _size_problems(pair: PairFiles) -> dict[Path, str]:
    """What is wrong with a pair by the headers of its files; by file."""
    sizes: dict[Path, tuple[int, int]] = {}
    for file in pair.paths():
        try:
            sizes[file] = photo_size(file)
        except UserError as error:
            return {file: str(error).removeprefix(f"{file}: ").partition(";")[0]}
    (height, width), other = sizes[pair.original], sizes[pair.bokeh]
    if (height, width) != other:
        why = f"{width}×{height} pixels, but {short_name(pair.bokeh)} has {other[1]}×{other[0]}"
        return {pair.original: f"{why}, and a pair has one size"}
    if min(height, width) < SIZE_MULTIPLE:
        return {pair.original: f"{width}×{height} pixels, and the least is {SIZE_MULTIPLE}"}
    if pair.depth:
        try:
            check_depth_shape(pair.depth, (height, width))
        except UserError as error:
            return {pair.depth: str(error).removeprefix(f"{pair.depth}: ").partition(";")[0]}
    return {}


def _hold_out(pairs: FolderPairs, held_out: bool) -> FolderPairs:
    """The held-out share of a folder's pairs, or the rest; neither is ever empty."""
    if len(pairs) < 2:
        raise UserError(f"{pairs.folder}: one pair; at least two are needed, one to judge by")
    marks = {files: _hash_share(files.name) for files in pairs.files}
    least = min(marks, key=lambda files: marks[files])
    greatest = max(marks, key=lambda files: marks[files])
    chosen = {files for files in pairs.files if marks[files] < HELD_OUT_SHARE}
    chosen = (chosen | {least}) - {greatest}
    kept = tuple(files for files in pairs.files if (files in chosen) == held_out)
    return dataclasses.replace(pairs, files=kept)


def check_decodable(*splits: PairSource) -> None:
    """Decodes every file of some pairs, unless it is remembered to be sound.

    Raises:
        UserError: some are damaged; all of them are named.
    """
    folders = [pairs for pairs in splits if isinstance(pairs, FolderPairs)]
    if folders:
        paths = dict.fromkeys(path for pairs in folders for path in pairs.paths())
        check_photos(folders[0].folder, paths)


def limit_pairs(pairs: FolderPairs, limit: int) -> FolderPairs:
    """At most `limit` pairs, chosen by a hash of the name: 100 of them are among the 500."""
    by_hash = sorted(pairs.files, key=lambda files: _hash_share(files.name))
    chosen = set(by_hash[:limit])
    return dataclasses.replace(pairs, files=tuple(f for f in pairs.files if f in chosen))


def decoded_for(pairs: PairSource, short_side: int) -> PairSource:
    """The same pairs, decoded no larger than a shorter side of `short_side` pixels needs."""
    if isinstance(pairs, FolderPairs):
        return dataclasses.replace(pairs, short_side=short_side)
    return pairs


def write_pairs(folder: Path, pairs: PairSource) -> None:
    """Writes pairs as a dataset folder of PNG files, whole or not at all.

    Raises:
        UserError: the folder exists.
    """
    if folder.exists():
        raise UserError(f"{folder}: exists already; name a folder that does not, or remove it")
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".pairs-", dir=folder.parent) as beside:
        unfinished = Path(beside) / folder.name

        def write(index: int) -> None:
            _write_pair(unfinished, pairs[index])

        # Rendering and encoding are compiled code that lets other threads run.
        with ThreadPoolExecutor(os.cpu_count()) as threads:
            for _ in tqdm(threads.map(write, range(len(pairs))), total=len(pairs), unit="pair"):
                pass
        unfinished.rename(folder)


def _write_pair(folder: Path, pair: Pair) -> None:
    kinds = {"original": pair.original, "bokeh": pair.bokeh, "original_depth": pair.depth}
    for kind, picture in kinds.items():
        if picture is not None:
            (folder / kind).mkdir(parents=True, exist_ok=True)
            write_photo(folder / kind / f"{pair.name}.png", picture)


def _hash_share(name: str) -> float:
    """A number in [0, 1) that depends on the name alone."""
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:4], "big") / 2**32


def fingerprint(pairs: PairSource) -> str:
    """Says whether a run is resumed on the data it started with: names and file sizes."""
    if not isinstance(pairs, FolderPairs):
        return repr(pairs)
    listing = [f"{file.parent.name}/{file.name} {file.stat().st_size}" for file in pairs.paths()]
    return hashlib.sha256("\n".join(listing).encode()).hexdigest()


def scale_pair(pair: Pair, short_side: int) -> Pair:
    """The pair with its shorter side `short_side` pixels long, bicubic."""
    height, width = pair.original.shape[:2]
    factor = short_side / min(height, width)
    size = (max(short_side, round(height * factor)), max(short_side, round(width * factor)))
    return pair.transform(lambda photo: resize_photo(photo, *size))


def cut_to_multiple(pair: Pair, multiple: int = SIZE_MULTIPLE) -> Pair:
    """The middle of a pair, both photographs alike, with sides that are whole multiples."""
    height, width = (side - side % multiple for side in pair.original.shape[:2])
    top = (pair.original.shape[0] - height) // 2
    left = (pair.original.shape[1] - width) // 2
    window = (slice(top, top + height), slice(left, left + width))
    return pair.transform(lambda photo: photo[window])


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


def crop(pair: Pair, side: int, random: np.random.Generator) -> Pair:
    """A square of `side` pixels from anywhere in the pair, the same place in both."""
    top, left = (int(random.integers(0, length - side + 1)) for length in pair.original.shape[:2])
    window = (slice(top, top + side), slice(left, left + side))
    return pair.transform(lambda photo: photo[window])


def augment(pair: Pair, kind: Literal["mirror", "rotate"], random: np.random.Generator) -> Pair:
    """Mirrors and, for `rotate`, turns by a multiple of 90°; everything in the pair alike."""
    mirrored = bool(random.integers(2))
    turns = int(random.integers(4)) if kind == "rotate" else 0

    def change(photo: np.ndarray) -> np.ndarray:
        photo = photo[:, ::-1] if mirrored else photo
        return np.ascontiguousarray(np.rot90(photo, turns))

    return pair.transform(change)


def zoomed(config: TrainConfig, random: np.random.Generator) -> int:
    """The shorter side, in pixels, that a photograph is scaled to this time."""
    if config.largest_zoom == 1:
        return config.short_side
    return round(config.short_side * random.uniform(1, config.largest_zoom))


def relit(pair: Pair, largest_change: float, random: np.random.Generator) -> Pair:
    """The pair in another light: exposure, gamma and white balance, alike in both photographs.

    Args:
        pair: uint8; a depth map stays as it is.
        largest_change: of each of the three, as a share; 0 changes nothing.
        random: decides.
    """
    if largest_change == 0:
        return pair
    exposure, gamma = 1 + random.uniform(-largest_change, largest_change, 2)
    balance = 1 + random.uniform(-largest_change, largest_change, 3) / 2
    codes = np.linspace(0, 1, 256)[:, None] ** gamma * exposure * balance
    table = np.clip(np.rint(255 * codes), 0, 255).astype(np.uint8).T.ravel().tolist()
    original, bokeh = (
        np.asarray(Image.fromarray(photo).point(table)) for photo in (pair.original, pair.bokeh)
    )
    return dataclasses.replace(pair, original=original, bokeh=bokeh)


@dataclass(frozen=True)
class ForLevel(grain.transforms.RandomMap):
    """Turns a pair into one example of a level: a crop, augmented and reduced."""

    level: int
    config: TrainConfig

    def random_map(self, element: Pair, rng: np.random.Generator) -> dict[str, Any]:
        pair = scale_pair(element, zoomed(self.config, rng))
        pair = augment(crop(pair, self.config.crop, rng), self.config.augmentation, rng)
        pair = relit(pair, self.config.largest_light_change, rng)
        seen = network_input(pair.original, pair.depth)
        target = at_level(pair.bokeh, self.level, self.config.reduction)
        if self.config.asks_sharpness(self.level):
            kept = sharpness(seen[..., :3], network_input(pair.bokeh), self.level)
            target = np.dstack([target, kept])
        if self.config.asks_detail_transfer(self.level):
            target = np.dstack([target, to_float(pair.original)])
        return {"name": pair.name, "input": seen, "target": target}


@dataclass(frozen=True)
class Share:
    """Which examples of every batch one of several hosts makes: every `count`-th from `index`."""

    index: int = 0
    count: int = 1


WHOLE = Share()


def training_batches(
    pairs: PairSource,
    level: int,
    batch: int,
    config: TrainConfig,
    seed: int,
    start: int = 0,
    share: Share = WHOLE,
) -> Iterator[dict[str, Any]]:
    """An endless, seeded stream of one level's batches, from any position on.

    Args:
        pairs: what the crops are cut from.
        level: whose size the targets have.
        batch: crops in a batch, those of all hosts together.
        config: crops and augmentation.
        seed: the same gives the same batches, whatever the hosts that share them.
        start: how many batches to pass over; none of them is made.
        share: this host's part of every batch.

    Yields dictionaries: `input` batch × crop/2 × crop/2 × 3 (4 where the pairs have depth) and
    `target` batch × h × h × 3 with h = crop / 2^(level-1), float32 0…1, or × 5 where `config`
    asks this level for sharpness (`train.data.sharpness_target`), × 6 with the photograph for
    detail transfer;    `name` the stems.
    """
    examples = (
        grain.MapDataset.source(decoded_for(pairs, round(config.largest_zoom * config.short_side)))
        .seed(seed)
        .shuffle()
        .repeat()
        .random_map(ForLevel(level, config))
    )
    # A position in the stream decides the crop there, so any part of it can be made alone.
    examples = examples[start * batch + share.index :: share.count]
    batch //= share.count
    # Pairs, not batches, are made ahead: a batch of 50 large crops takes 160 MB.
    workers = min(16, os.cpu_count() or 1)
    ahead = grain.ReadOptions(num_threads=workers, prefetch_buffer_size=2 * workers + batch)
    return iter(examples.to_iter_dataset(ahead).batch(batch))
