"""Deletes what is too old, again and again, whatever happens meanwhile."""

import errno
import logging
import shutil
import stat
import threading
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from pathlib import Path


def sweep_on(jobs: Sequence[Callable[[], None]], every: float) -> threading.Event:
    """Runs jobs every so many seconds in a thread of its own, until the event is set.

    A job that fails is logged and tried again the next time; the others run all the same.
    """
    ended = threading.Event()

    def run() -> None:
        while not ended.wait(every):
            for job in jobs:
                try:
                    job()
                except Exception:
                    logging.exception("a sweep failed; it is tried again in %.0f s", every)

    threading.Thread(target=run, name="sweep", daemon=True).start()
    return ended


def entries_of(folder: Path) -> list[Path]:
    """What is in a folder; nothing where the folder itself has vanished."""
    try:
        return list(folder.iterdir())
    except FileNotFoundError:
        return []


def age_of(entry: Path) -> float | None:
    """Seconds since a file or folder was changed; None where it has vanished."""
    try:
        return time.time() - entry.stat().st_mtime
    except FileNotFoundError:
        return None


def bytes_on_disk(folder: Path) -> int:
    """What everything in a folder takes, however deep, in whole blocks of the disk.

    Others may write and delete in it meanwhile. Blocks are counted because a thousand files of
    one byte take four megabytes.
    """
    total = 0
    for entry in _walk(folder):
        try:
            found = entry.lstat()
        except FileNotFoundError:
            continue
        # Some file systems count no blocks before they have written.
        total += max(512 * found.st_blocks, found.st_size if stat.S_ISREG(found.st_mode) else 0)
    return total


def delete_older(folder: Path, longest_age: float, spared: Collection[Path] = ()) -> None:
    """Deletes files that are older than some seconds, however deep, and old empty folders."""
    # The deepest first, so that a folder comes after what is in it.
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
                logging.warning("%s is too old and cannot be deleted: %s", entry, error)


def delete_tree(folder: Path) -> None:
    """Deletes a folder with all that is in it; what cannot be deleted is logged."""
    shutil.rmtree(folder, ignore_errors=True)
    if folder.exists():
        logging.warning("%s cannot be deleted wholly", folder)


def _walk(folder: Path) -> Iterator[Path]:
    for entry in entries_of(folder):
        yield entry
        if entry.is_dir() and not entry.is_symlink():
            yield from _walk(entry)
