"""Deletes old files regularly, while others write to and delete from the same folders."""

import errno
import logging
import shutil
import stat
import threading
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from pathlib import Path


def sweep_on(jobs: Sequence[Callable[[], None]], every: float) -> threading.Event:
    """Runs jobs every `every` seconds in a separate thread, until the returned event is set.

    A failed job is logged and runs again the next time; the other jobs are not affected.
    """
    ended = threading.Event()

    def run() -> None:
        while not ended.wait(every):
            for job in jobs:
                try:
                    job()
                except Exception:
                    logging.exception(
                        "deleting old files failed; the next attempt is in %.0f s", every
                    )

    threading.Thread(target=run, name="sweep", daemon=True).start()
    return ended


def entries_of(folder: Path) -> list[Path]:
    """The contents of a folder; empty if the folder is gone."""
    try:
        return list(folder.iterdir())
    except FileNotFoundError:
        return []


def age_of(entry: Path) -> float | None:
    """Seconds since a file or folder was changed; None if it is gone."""
    try:
        return time.time() - entry.stat().st_mtime
    except FileNotFoundError:
        return None


def bytes_on_disk(folder: Path) -> int:
    """The disk space of a folder and all its subfolders, in whole blocks.

    Blocks are counted because a thousand files of one byte take four megabytes. Others may write
    and delete meanwhile.
    """
    total = 0
    for entry in _walk(folder):
        try:
            found = entry.lstat()
        except FileNotFoundError:
            continue
        # Some file systems report no blocks before they have written a file.
        total += max(512 * found.st_blocks, found.st_size if stat.S_ISREG(found.st_mode) else 0)
    return total


def delete_older(folder: Path, longest_age: float, spared: Collection[Path] = ()) -> None:
    """Deletes files older than `longest_age` seconds in all subfolders, and old empty folders."""
    # Deepest first, so that a folder comes after its contents.
    for entry in reversed(list(_walk(folder))):
        age = age_of(entry)
        if age is None or age <= longest_age or entry in spared:
            continue
        try:
            if entry.is_dir():
                entry.rmdir()
            else:
                entry.unlink(missing_ok=True)
        except OSError as error:
            if error.errno not in (errno.ENOTEMPTY, errno.ENOENT):
                logging.warning("%s is old and cannot be deleted: %s", entry, error)


def delete_tree(folder: Path) -> None:
    """Deletes a folder with its contents; logs a failure."""
    shutil.rmtree(folder, ignore_errors=True)
    if folder.exists():
        logging.warning("%s cannot be deleted completely", folder)


def _walk(folder: Path) -> Iterator[Path]:
    for entry in entries_of(folder):
        yield entry
        if entry.is_dir() and not entry.is_symlink():
            yield from _walk(entry)
