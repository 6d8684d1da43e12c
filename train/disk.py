"""Whether the disk takes what is about to be written, and whether it has it."""

import errno
import math
import os
import shutil
from pathlib import Path
from typing import Any


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
