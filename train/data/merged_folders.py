"""Merges folders of pairs into one; a folder may be repeated to give its pairs more weight.

    python -m train.merge_folders --train photos/train:4 composites --val photos/val --out merged

The files are linked, not copied. Training draws all pairs of a folder equally often, so a pair that
is there four times is drawn four times as often.
"""

import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from pocket_bokeh.errors import UserError
from train.data.pairs import find_whole_folder


def merge_folders(folders: Mapping[str, Sequence[str]], out: Path) -> dict[str, int]:
    """Links the pairs of several folders into one; it appears complete or not at all.

    Args:
        folders: by split, folders with original/ and bokeh/; `:N` after a folder repeats it.
        out: the folder to make.

    Returns:
        The number of pairs by split, including repetitions.

    Raises:
        UserError: `out` exists, a folder has no pairs or broken ones, or N is not a number.
    """
    if out.exists():
        raise UserError(f"{out}: already exists; choose another folder or remove this one")
    out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".pairs-", dir=out.parent) as beside:
        unfinished = Path(beside) / out.name
        counts = {
            split: sum(
                _link(f"{place}", *_times(folder), unfinished / split)
                for place, folder in enumerate(some)
            )
            for split, some in folders.items()
        }
        unfinished.rename(out)
    return counts


def _times(folder: str) -> tuple[Path, int]:
    """Splits `DIR:4` into the folder and the repetitions; one without a number."""
    path, _, times = folder.rpartition(":")
    if not path:
        return Path(folder), 1
    if not times.isdecimal() or int(times) < 1:
        raise UserError(f"{folder}: expected a folder, or FOLDER:N with N of 1 or more")
    return Path(path), int(times)


def _link(prefix: str, folder: Path, times: int, out: Path) -> int:
    pairs = find_whole_folder(folder)
    for files in pairs.files:
        for kind, file in (("original", files.original), ("bokeh", files.bokeh)):
            (out / kind).mkdir(parents=True, exist_ok=True)
            for copy in range(times):
                name = f"{prefix}_{copy}_{file.name}"
                (out / kind / name).symlink_to(file.resolve())
    return times * len(pairs)
