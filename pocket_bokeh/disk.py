"""Whether a place takes what is about to be written, and whether the disk has it."""

import errno
import math
import os
import shutil
import tempfile
from pathlib import Path
from typing import Any

from pocket_bokeh.errors import UserError


def check_space(folder: Path, model: Any) -> None:
    """Asked before a model is saved, because HDF5 answers a full disk with a page of its innards.

    Raises:
        OSError: the model's weights, and its optimizer's where it has one, do not fit.
    """
    optimizer = getattr(model, "optimizer", None)  # a model that was not compiled has none
    variables = model.variables + (optimizer.variables if optimizer else [])
    needed = 1.1 * sum(4 * math.prod(variable.shape) for variable in variables) + 1_000_000
    if shutil.disk_usage(folder).free < needed:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(folder))


def check_can_write(file: Path | None, *endings: str) -> None:
    """Asked before long work, so that its result is not lost for a misspelt name at its end.

    Args:
        file: what is to be written at the end; None where nothing is.
        endings: that it may have; any, where none is named.

    Raises:
        UserError: it is a folder, has another ending, or its folder is not there or not ours.
    """
    if file is None:
        return
    if endings and file.suffix.lower() not in endings:
        raise UserError(f"{file}: its ending is none of {', '.join(endings)}; name one that is")
    if file.is_dir():
        raise UserError(f"{file}: a folder; name a file")
    if not file.parent.is_dir():
        raise UserError(f"{file.parent}: no such folder; make it or name another")
    if not os.access(file.parent, os.W_OK):
        raise UserError(f"{file.parent}: takes no files of ours; name another folder")


def check_can_make(folder: Path) -> None:
    """Asked before long work: whether a folder could be made, with those above it.

    Raises:
        UserError: what lies above it is a file, or takes no files.
    """
    above = next(parent for parent in folder.absolute().parents if parent.exists())
    if not above.is_dir():
        raise UserError(f"{folder}: {above} is a file; name another folder")
    if not os.access(above, os.W_OK):
        raise UserError(f"{folder}: {above} takes no files of ours; name another folder")


def bring_to_disk(path: Path) -> None:
    """A file's or a folder's content, so that a power failure after a rename loses nothing."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_atomically(file: Path | str, content: bytes | str) -> None:
    """Writes beside the file and renames, so that no reader ever sees half of it.

    Raises:
        UserError: the folder does not exist.
        OSError: the folder takes no writes (full, read-only).
    """
    file = Path(file)
    if not file.parent.is_dir():
        raise UserError(f"{file.parent}: no such folder; make it or name another")
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
