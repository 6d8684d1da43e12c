"""Whether the disk takes what is about to be written, and whether it has it."""

import errno
import math
import os
import shutil
import tempfile
from pathlib import Path
from typing import Any

from train.errors import UserError


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
