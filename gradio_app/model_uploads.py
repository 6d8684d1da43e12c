"""Models that visitors upload: copied, checked in a process of their own, deleted after a while."""

import os
import re
import shutil
import tempfile
import threading
from collections.abc import Sequence
from pathlib import Path

from gradio_app.model_catalogue import ModelChoice, list_models
from gradio_app.model_check import check_apart, check_size
from gradio_app.model_file import ModelFile
from gradio_app.sweep import age_of, delete_tree, entries_of
from pocket_bokeh.bundle import Size, read_bundle, sha256
from pocket_bokeh.errors import UserError
from pocket_bokeh.tflite_file import read_input_and_output

WORKING_SIZES: tuple[Size, ...] = ((384, 512), (512, 384))
"""Output sizes for a model that takes photos of any size, unless others are given."""

_FOLDER_LOCK = threading.Lock()
"""Held while a visitor's models are moved into their folder or deleted."""


def take_uploads(
    uploads: Sequence[Path],
    folder: Path,
    reference: str | None,
    sizes: Sequence[Size] = WORKING_SIZES,
) -> list[ModelChoice]:
    """Accepts a visitor's models after running each of them in a separate process.

    Args:
        uploads: the files of a bundle, including `bundle.json`, or single .tflite files.
        folder: where to keep the models.
        reference: the key of the float32 model that single files are compared with.
        sizes: output sizes for single files that take photos of any size.

    Raises:
        UserError: a file is unsuitable; the message says which and why.
    """
    if any(file.name == "bundle.json" for file in uploads):
        return _take_bundle(uploads, folder)
    return [_take_file(file, folder, reference, sizes) for file in uploads]


def _take_bundle(uploads: Sequence[Path], folder: Path) -> list[ModelChoice]:
    _check_complete(uploads)
    copied = _copy(uploads, folder, "bundle")
    try:
        bundle = read_bundle(copied)
    except UserError as error:
        raise UserError(
            f"{str(error).replace(str(copied), 'the bundle')}; select all files of its folder"
        ) from error
    models = list_models(bundle, f"{bundle.name}: ")
    # This includes models turned to the other shape: whatever may run is checked.
    check_apart([file for model in models for file in model.files])
    return models


def _check_complete(uploads: Sequence[Path]) -> None:
    """Raises a UserError if `bundle.json` names a file that was not uploaded."""
    names = {file.name for file in uploads}
    description = next(file for file in uploads if file.name == "bundle.json")
    text = description.read_text("utf-8", errors="replace")
    for named in re.findall(r'"([^"/\\]+\.(?:tflite|png|csv))"', text):
        if named not in names:
            raise UserError(
                f"{named} was not among the files. Select every file of the bundle's folder."
            )


def _take_file(
    upload: Path, folder: Path, reference: str | None, sizes: Sequence[Size]
) -> ModelChoice:
    content = upload.read_bytes()
    try:
        taken, _ = read_input_and_output(content)
    except ValueError as error:
        raise UserError(f"{upload.name}: {error}") from error
    if len(taken.shape) != 4:
        raise UserError(
            f"{upload.name}: takes a tensor of shape {taken.shape}, expected 1 × height × width × 3"
        )
    _, height, width, channels = taken.shape
    takes_any_size = -1 in (height, width)
    output_sizes = list(sizes) if takes_any_size else [(2 * height, 2 * width)]
    for size in output_sizes:
        check_size(upload.name, size)
    copied = _copy([upload], folder, "file") / upload.name
    files = [ModelFile(copied, size, max(3, channels), len(content)) for size in output_sizes]
    check_apart(files)
    return ModelChoice(sha256(content)[:16], upload.name, upload.name, tuple(files), reference)


def _copy(uploads: Sequence[Path], folder: Path, kind: str) -> Path:
    """Copies files to a folder named by their content; an existing folder is left as it is.

    Others may be reading it: several visitors may upload the same models.
    """
    contents = "".join(f"{file.name} {sha256(file.read_bytes())}\n" for file in uploads)
    copied = folder / f"{kind}_{sha256(contents.encode())[:16]}"
    temporary = Path(tempfile.mkdtemp(prefix=".", dir=folder))
    try:
        for file in uploads:
            shutil.copyfile(file, temporary / file.name)
        with _FOLDER_LOCK:
            if copied.is_dir():
                os.utime(copied)
            else:
                temporary.rename(copied)
    except FileNotFoundError as error:
        raise UserError("a file is no longer on the server; add the models again") from error
    finally:
        if temporary.is_dir():
            delete_tree(temporary)
    return copied


def sweep_uploads(folder: Path, longest_age: float) -> None:
    """Deletes visitors' models that were uploaded more than `longest_age` seconds ago."""
    for copied in entries_of(folder):
        with _FOLDER_LOCK:
            age = age_of(copied)
            if age is not None and age > longest_age:
                delete_tree(copied)
