"""A dataset folder, read as a sequence of checked pairs.

The layout is that of EBB!: `original/NAME.jpg` taken with a narrow aperture and `bokeh/NAME.jpg`
with a wide one, aligned and of the same size. These lie in the folder itself, or in its `train/`,
`val/` and `test/`. Networks that take depth also need a depth map, `original_depth/NAME.png`. A
soft mask of what is in focus, `subject/NAME.png`, is optional for each pair.
"""

import dataclasses
import hashlib
import os
import tempfile
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

import numpy as np
from tqdm import tqdm

from pocket_bokeh.errors import UserError
from pocket_bokeh.photo import (
    check_depth_shape,
    photo_size,
    read_depth,
    read_mask,
    read_photo,
    resize_photo,
    write_photo,
)
from train.data.photo_folder import (
    check_photos,
    folder_above,
    normalized_name,
    photos_by_name,
    short_name,
)

Split = Literal["train", "val", "test"]

HELD_OUT_SHARE = 0.1
"""Share of the pairs that is held out for validation in a folder without `val/`."""

SIZE_MULTIPLE = 64
"""One pixel of level 7 covers this many pixels of the photograph, so sides are multiples of it."""


@dataclass(frozen=True)
class Pair:
    """Two photographs of one scene: height × width × 3, uint8, RGB, sRGB-encoded, the same size.

    `depth` is None or height × width, uint8, in the units of its file. In EBB!'s maps a larger
    value is nearer to the camera. `subject` is None or height × width, uint8: 255 where the pair is
    in focus, 0 where it is not. `needs_focus` says that the bokeh photograph is not focused where a
    camera would focus by itself, so a network must be told where (`train.data.focus_points`).
    """

    name: str
    original: np.ndarray
    bokeh: np.ndarray
    depth: np.ndarray | None = None
    subject: np.ndarray | None = None
    needs_focus: bool = False

    def transform(self, change: Callable[[np.ndarray], np.ndarray]) -> "Pair":
        """Returns the pair with the same change made to both photographs, depth map and mask."""
        depth = None if self.depth is None else change(self.depth)
        subject = None if self.subject is None else change(self.subject)
        return dataclasses.replace(
            self,
            original=change(self.original),
            bokeh=change(self.bokeh),
            depth=depth,
            subject=subject,
        )


class PairSource(Protocol):
    """A sequence of pairs, from a folder or generated."""

    def __len__(self) -> int: ...

    def __getitem__(self, index: int, /) -> Pair: ...


@dataclass(frozen=True)
class PairFiles:
    """The files of one pair; `depth` and `subject` are None where there is none or none is read.

    `needs_focus` is as in `Pair`. `weight` says how often training draws the
    pair, relative to others.
    """

    original: Path
    bokeh: Path
    depth: Path | None = None
    subject: Path | None = None
    needs_focus: bool = False
    weight: float = 1.0

    @property
    def name(self) -> str:
        """The name of both photographs without its suffix, normalized as in `photos_by_name`."""
        return normalized_name(self.original.stem)

    def paths(self) -> list[Path]:
        """The two to four files."""
        return [path for path in (self.original, self.bokeh, self.depth, self.subject) if path]


@dataclass(frozen=True)
class FolderPairs:
    """The checked pairs of one folder or of several, decoded on access.

    Attributes:
        folder: the folder they were found in, or the one that all their folders lie in.
        files: the files of each pair.
        short_side: the shorter side in pixels that is needed at least; None decodes at full size.
            A JPEG decodes at a half, a quarter or an eighth of its size in a fraction of the time.
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
        if original.shape != bokeh.shape:  # one of the two is not a JPEG and came at full size
            bokeh = resize_photo(bokeh, *original.shape[:2])
        depth = read_depth(files.depth, original.shape[:2]) if files.depth else None
        subject = read_mask(files.subject, original.shape[:2]) if files.subject else None
        return Pair(files.name, original, bokeh, depth, subject, files.needs_focus)

    def paths(self) -> list[Path]:
        """All files, pair by pair."""
        return [path for files in self.files for path in files.paths()]

    def by_weight(self) -> "dict[float, FolderPairs]":
        """The pairs of each weight."""
        groups: dict[float, list[PairFiles]] = {}
        for files in self.files:
            groups.setdefault(files.weight, []).append(files)
        return {
            weight: dataclasses.replace(self, files=tuple(files))
            for weight, files in groups.items()
        }


def find_pairs(
    folder: Path,
    split: Split,
    depth: bool = False,
    subjects: bool = False,
    hold_out: bool = True,
) -> FolderPairs:
    """Finds and checks one split of a dataset folder.

    A folder with `train/` is read split by split. Otherwise all pairs lie in the folder itself,
    and a fixed share of them is held out as both `val` and `test`. A hash of the name chooses the
    share, so it stays the same when files are added. A missing `val/` is held out of `train/` in
    the same way.

    Args:
        folder: the dataset.
        split: which part of it.
        depth: whether to read depth maps too.
        subjects: whether to read the masks of subjects too, where there are some.
        hold_out: False keeps all pairs of a folder without `val/` for training.

    Raises:
        UserError: no pairs, a photo without its partner or depth map, a mask without its photo, two
            sizes in a pair, or a file that is not a photo or is damaged. All bad files are named.
    """
    if not folder.is_dir():
        raise UserError(f"{folder}: no such folder; --data takes a folder of pairs")
    if (folder / split).is_dir():
        pairs = find_whole_folder(folder / split, depth, subjects)
        if split == "train" and hold_out and not (folder / "val").is_dir():
            return _hold_out(pairs, held_out=False)
        return pairs
    if (folder / "train").is_dir():
        if split == "test":
            raise UserError(f"{folder}: no {split}/ beside train/; add one or use another split")
        whole = find_whole_folder(folder / "train", depth, subjects)
        return _hold_out(whole, held_out=True)
    whole = find_whole_folder(folder, depth, subjects)
    return _hold_out(whole, held_out=split != "train") if hold_out else whole


def find_whole_folder(folder: Path, depth: bool = False, subjects: bool = False) -> FolderPairs:
    """Finds and checks all pairs of a folder with `original/` and `bokeh/`; none is held out.

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
    masks = find_masks(folder, originals) if subjects else {}
    files = tuple(
        PairFiles(originals[stem], bokehs[stem], depths.get(stem), masks.get(stem))
        for stem in sorted(originals)
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
            f"{folder}: original_depth/ has no map for {missing[0]} ({len(missing)} of "
            f"{len(originals)} are missing); add them, or use a network without depth"
        )
    return depths


def find_masks(folder: Path, originals: dict[str, Path]) -> dict[str, Path]:
    """The masks in a folder's subject/, by name; a photograph may have none.

    Args:
        folder: holds subject/NAME.png.
        originals: the photographs by name.

    Raises:
        UserError: a mask has no photograph.
    """
    masks = photos_by_name(folder / "subject")
    alone = sorted(masks.keys() - originals.keys())
    if alone:
        more = f" (and {len(alone) - 1} more)" if len(alone) > 1 else ""
        raise UserError(
            f"{folder}: subject/{alone[0]} has no photograph in original/{more}; add or remove it"
        )
    return masks


def _size_problems(pair: PairFiles) -> dict[Path, str]:
    """What the files' headers show to be wrong with a pair, by file."""
    sizes: dict[Path, tuple[int, int]] = {}
    for file in pair.paths():
        try:
            sizes[file] = photo_size(file)
        except UserError as error:
            return {file: str(error).removeprefix(f"{file}: ").partition(";")[0]}
    (height, width), other = sizes[pair.original], sizes[pair.bokeh]
    if (height, width) != other:
        why = f"{width}×{height} pixels, but {short_name(pair.bokeh)} has {other[1]}×{other[0]}"
        return {pair.original: f"{why}; both must have the same size"}
    if min(height, width) < SIZE_MULTIPLE:
        return {pair.original: f"{width}×{height} pixels; each side needs {SIZE_MULTIPLE} or more"}
    if pair.subject and sizes[pair.subject] != (height, width):
        return {pair.subject: "its size differs from its photograph's"}
    if pair.depth:
        try:
            check_depth_shape(pair.depth, (height, width))
        except UserError as error:
            return {pair.depth: str(error).removeprefix(f"{pair.depth}: ").partition(";")[0]}
    return {}


def _hold_out(pairs: FolderPairs, held_out: bool) -> FolderPairs:
    """The held-out share of a folder's pairs, or the rest; neither is ever empty."""
    if len(pairs) < 2:
        raise UserError(
            f"{pairs.folder}: only one pair; at least two are needed, one of them for validation"
        )
    hashes = {files: hash_fraction(files.name) for files in pairs.files}
    least = min(hashes, key=lambda files: hashes[files])
    greatest = max(hashes, key=lambda files: hashes[files])
    chosen = {files for files in pairs.files if hashes[files] < HELD_OUT_SHARE}
    chosen = (chosen | {least}) - {greatest}
    kept = tuple(files for files in pairs.files if (files in chosen) == held_out)
    return dataclasses.replace(pairs, files=kept)


def join_pairs(parts: Sequence[FolderPairs]) -> FolderPairs:
    """Joins the pairs of several folders; any first part of them has its share of every folder."""
    if len(parts) == 1:
        return parts[0]
    placed = [
        ((index + 0.5) / len(part), place, files)
        for place, part in enumerate(parts)
        for index, files in enumerate(part.files)
    ]
    files = tuple(files for _, _, files in sorted(placed, key=lambda one: one[:2]))
    return FolderPairs(folder_above(part.folder for part in parts), files)


def check_decodable(*splits: PairSource) -> None:
    """Decodes every file once, except those that the cache knows to be intact.

    Raises:
        UserError: files are damaged; all of them are named.
    """
    folders = [pairs for pairs in splits if isinstance(pairs, FolderPairs)]
    if folders:
        paths = dict.fromkeys(path for pairs in folders for path in pairs.paths())
        check_photos(folders[0].folder, paths)


def limit_pairs(pairs: FolderPairs, limit: int) -> FolderPairs:
    """At most `limit` pairs, chosen by a hash of the name: a limit of 500 includes those of 100."""
    by_hash = sorted(pairs.files, key=lambda files: hash_fraction(files.name))
    chosen = set(by_hash[:limit])
    return dataclasses.replace(pairs, files=tuple(f for f in pairs.files if f in chosen))


def decoded_for(pairs: PairSource, short_side: int) -> PairSource:
    """The same pairs, decoded only as large as a shorter side of `short_side` pixels needs."""
    if isinstance(pairs, FolderPairs):
        return dataclasses.replace(pairs, short_side=short_side)
    return pairs


def write_pairs(folder: Path, pairs: PairSource) -> None:
    """Writes pairs as a dataset folder of PNG files; it appears complete or not at all.

    Raises:
        UserError: the folder exists.
    """
    if folder.exists():
        raise UserError(f"{folder}: already exists; choose another folder or remove this one")
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".pairs-", dir=folder.parent) as beside:
        unfinished = Path(beside) / folder.name

        def write(index: int) -> None:
            _write_pair(unfinished, pairs[index])

        # Threads suffice: rendering and encoding are compiled code that releases the GIL.
        with ThreadPoolExecutor(os.cpu_count()) as threads:
            for _ in tqdm(threads.map(write, range(len(pairs))), total=len(pairs), unit="pair"):
                pass
        unfinished.rename(folder)


def _write_pair(folder: Path, pair: Pair) -> None:
    kinds = {
        "original": pair.original,
        "bokeh": pair.bokeh,
        "original_depth": pair.depth,
        "subject": pair.subject,
    }
    for kind, picture in kinds.items():
        if picture is not None:
            (folder / kind).mkdir(parents=True, exist_ok=True)
            write_photo(folder / kind / f"{pair.name}.png", picture)


def hash_fraction(name: str) -> float:
    """A number in [0, 1) that depends on the name alone."""
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:4], "big") / 2**32


def fingerprint(pairs: PairSource) -> str:
    """A hash of names and file sizes that shows whether a run resumes on the same data."""
    if not isinstance(pairs, FolderPairs):
        return repr(pairs)
    listing = [f"{file.parent.name}/{file.name} {file.stat().st_size}" for file in pairs.paths()]
    return hashlib.sha256("\n".join(listing).encode()).hexdigest()
