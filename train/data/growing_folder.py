"""Writes thousands of pairs as a dataset folder that grows; a stopped run goes on where it was.

Each file appears complete or not at all, and a pair's original last. So a pair with an original is
complete, and nothing else is read or kept.
"""

import json
import os
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from pathlib import Path
from typing import Any, Protocol

from tqdm import tqdm

from pocket_bokeh.disk import check_can_make, write_atomically
from pocket_bokeh.errors import UserError
from pocket_bokeh.photo import read_photo, write_photo
from pocket_bokeh.picture_grid import picture_grid
from train.data.pairs import Pair

QUALITY = 95
"""Of the JPEG files, without chroma subsampling. 268 pairs of 480 pixels took 73 MB, masks
included, so 20,000 take about 5.5 GB."""

SETTINGS_FILE = "made_with.json"


class NamedPairSource(Protocol):
    """A sequence of pairs whose names are known before they are made."""

    def __len__(self) -> int: ...

    def __getitem__(self, index: int, /) -> Pair: ...

    def name(self, index: int) -> str: ...


def open_growing_folder(folder: Path, settings: dict[str, Any]) -> None:
    """Makes the folder, or checks that it was begun with the same settings.

    Args:
        folder: a new folder, or one that an earlier run left.
        settings: what the pairs depend on, apart from their number.

    Raises:
        UserError: the folder holds something else or was begun with other settings.
    """
    check_can_make(folder)
    file, wanted = folder / SETTINGS_FILE, json.loads(json.dumps(settings))
    if not file.exists():
        if folder.exists() and any(folder.iterdir()):
            raise UserError(f"{folder}: not empty and not begun by this command; choose another")
        folder.mkdir(parents=True, exist_ok=True)
        write_atomically(file, json.dumps(wanted, indent=2) + "\n")
    try:
        begun = dict(json.loads(file.read_text()))
    except (ValueError, TypeError):
        raise UserError(f"{file}: damaged; remove the folder or choose another") from None
    if other := [name for name in wanted if begun.get(name) != wanted[name]]:
        was = ", ".join(f"{name} {begun.get(name)}" for name in other)
        raise UserError(f"{folder}: was begun with {was}; use the same or choose another folder")


def write_missing_pairs(folder: Path, pairs: NamedPairSource) -> int:
    """Makes and writes the pairs that the folder lacks, on all cores.

    Returns:
        The number of pairs written.
    """
    for kind in ("original", "bokeh", "subject"):
        (folder / kind).mkdir(exist_ok=True)
        for unfinished in (folder / kind).glob(".*"):  # of a run that was killed
            unfinished.unlink()
    there = {file.stem for file in (folder / "original").iterdir()}
    missing = [index for index in range(len(pairs)) if pairs.name(index) not in there]

    def write(index: int) -> None:
        write_pair(folder, pairs[index])

    # Threads suffice: rendering and encoding are compiled code that releases the GIL.
    with (
        tqdm(total=len(pairs), initial=len(pairs) - len(missing), unit="pair") as progress,
        ThreadPoolExecutor(os.cpu_count()) as threads,
    ):
        pending: set[Future[None]] = set()
        try:
            for index in missing:
                pending.add(threads.submit(write, index))
                if len(pending) >= 64:
                    done, pending = wait(pending, return_when=FIRST_COMPLETED)
                    progress.update(sum(1 for each in done if each.result() is None))
            for each in pending:
                each.result()
                progress.update()
        except BaseException:
            threads.shutdown(cancel_futures=True)  # those being written are finished
            raise
    return len(missing)


def write_pair(folder: Path, pair: Pair) -> None:
    """Writes a pair's files: its mask as PNG, then its photographs as JPEG."""
    if pair.subject is not None:
        write_photo(folder / "subject" / f"{pair.name}.png", pair.subject)
    write_photo(folder / "bokeh" / f"{pair.name}.jpg", pair.bokeh, QUALITY)
    write_photo(folder / "original" / f"{pair.name}.jpg", pair.original, QUALITY)


def write_contact_sheet(folder: Path, pairs: NamedPairSource, shown: int) -> Path | None:
    """Writes a sheet of some pairs, spread over all, as `contact_sheet.jpg`; None if none is shown.

    Two pairs in each row: the original, then the target.
    """
    count = min(shown, len(pairs)) // 2 * 2
    if not count:
        return None
    names = [pairs.name(place * len(pairs) // count) for place in range(count)]
    cells = [
        [read_photo(folder / kind / f"{name}.jpg") for kind in ("original", "bokeh")]
        for name in names
    ]
    rows = [cells[place] + cells[place + 1] for place in range(0, count, 2)]
    labels = [[names[place], "", names[place + 1], ""] for place in range(0, count, 2)]
    file = folder / "contact_sheet.jpg"
    write_photo(file, picture_grid(rows, ["original", "target"] * 2, labels, 320), 90)
    return file
