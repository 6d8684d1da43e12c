"""Atomic writes, and checks that a file or folder can be written."""

import errno
import math
import os
import shutil
import tempfile
from pathlib import Path
from typing import Any

from pocket_bokeh.errors import UserError


def check_space(folder: Path, model: Any) -> None:
    """Checks the free space before a model is saved; HDF5's own error on a full disk is unreadable.

    Raises:
        OSError: the weights and the optimizer's variables, if there are any, do not fit.
    """
    optimizer = getattr(model, "optimizer", None)  # models that were not compiled have none
    variables = model.variables + (optimizer.variables if optimizer else [])
    needed = 1.1 * sum(4 * math.prod(variable.shape) for variable in variables) + 1_000_000
    if shutil.disk_usage(folder).free < needed:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(folder))


def check_can_write(file: Path | None, *endings: str) -> None:
    """Checks an output file before long work, so that a typo does not lose the result.

    Args:
        file: the output file; None does nothing.
        endings: allowed file endings; without any, all are allowed.

    Raises:
        UserError: it is a folder, has another ending, or its folder is missing or not writable.
    """
    if file is None:
        return
    if endings and file.suffix.lower() not in endings:
        raise UserError(f"{file}: the file name must end in {' or '.join(endings)}")
    if file.is_dir():
        raise UserError(f"{file}: is a folder; name a file")
    if not file.parent.is_dir():
        raise UserError(f"{file.parent}: no such folder; create it or choose another")
    if not os.access(file.parent, os.W_OK):
        raise UserError(f"{file.parent}: not writable; choose another folder")


def check_can_make(folder: Path) -> None:
    """Checks before long work that a folder and its parents can be created.

    Raises:
        UserError: the nearest existing parent is a file or not writable.
    """
    above = next(parent for parent in folder.absolute().parents if parent.exists())
    if not above.is_dir():
        raise UserError(f"{folder}: {above} is a file; choose another folder")
    if not os.access(above, os.W_OK):
        raise UserError(f"{folder}: {above} is not writable; choose another folder")


def bring_to_disk(path: Path) -> None:
    """Flushes a file or folder to the disk, so that a power failure after a rename is harmless."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_atomically(file: Path | str, content: bytes | str) -> None:
    """Writes a temporary file and renames it, so that readers never see half a file.

    Raises:
        UserError: the folder does not exist.
        OSError: the folder cannot be written (disk full, read-only).
    """
    file = Path(file)
    if not file.parent.is_dir():
        raise UserError(f"{file.parent}: no such folder; create it or choose another")
    data = content.encode() if isinstance(content, str) else content
    descriptor, beside = tempfile.mkstemp(prefix=f".{file.name}.", dir=file.parent)
    try:
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        os.chmod(beside, 0o644)
        os.replace(beside, file)
    except BaseException:
        Path(beside).unlink(missing_ok=True)
        raise
