"""The models that the page can run: of bundles, and .tflite files of a visitor's own."""

import hashlib
import os
import shutil
import tempfile
import threading
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np

from gradio_app.model_check import THREADS, check_apart, check_size
from gradio_app.model_file import ModelFile
from gradio_app.sweep import age_of, delete_tree, entries_of
from pocket_bokeh.bundle import Bundle, BundledModel, Size, read_bundle, sha256
from pocket_bokeh.errors import UserError
from pocket_bokeh.litert_model import LiteRTModel
from pocket_bokeh.render import Renderer
from pocket_bokeh.shaped_model import in_every_shape
from pocket_bokeh.tflite_file import read_input_and_output
from quantize.convert.recipes import RECIPES

WORKING_SIZES: tuple[Size, ...] = ((384, 512), (512, 384))
"""What a model that takes photographs of any size is brought to, where nothing else is said."""

_KEPT_LOCK = threading.Lock()
"""Held while a visitor's models are put in their folder or swept out of it."""


@dataclass(frozen=True)
class ModelChoice:
    """One network in one number format, perhaps at several working sizes.

    Attributes:
        key: names its content.
        label: for people.
        description: a few words.
        files: one per working size.
        reference: the key of the float32 model that it is held against, if there is one.
    """

    key: str
    label: str
    description: str
    files: tuple[ModelFile, ...]
    reference: str | None = None

    @property
    def bytes(self) -> int:
        """Of one file, the largest."""
        return max(file.bytes for file in self.files)

    def renderers(self) -> list["LazyModel"]:
        """Its files as `render_photo` takes them; each is loaded when it runs."""
        return [LazyModel(file) for file in self.files]


class LazyModel(Renderer):
    """A model that is loaded when it first runs, for one photograph.

    Loading takes a tenth of a second; six models that stay loaded take 600 MB.
    """

    def __init__(self, file: ModelFile):
        self._file = file
        height, width = self.output_size = file.output_size
        self.input_size = (height // 2, width // 2)
        self.input_channels = file.channels

    def run(self, photo: np.ndarray, /) -> np.ndarray:
        """Renders a network input, as `LiteRTModel.run`."""
        return self._model.run(photo)

    @cached_property
    def _model(self) -> LiteRTModel:
        file = self._file.file
        if not file.is_file():
            raise UserError("no longer here; uploads are kept for an hour; add it again")
        return self._file.load(THREADS)


def choices_of(bundle: Bundle, prefix: str = "") -> list[ModelChoice]:
    """Every recipe of a bundle; a prefix tells those of another bundle apart."""
    keys = {recipe: _key(bundle.models_of(recipe)) for recipe in bundle.recipes}
    channels = 4 if bundle.sees_depth else 3
    return [
        ModelChoice(
            key,
            f"{prefix}{recipe}",
            RECIPES[recipe].description if recipe in RECIPES else "",
            tuple(
                ModelFile(
                    shaped.file, shaped.working_size, channels, shaped.bytes, shaped.is_transposed
                )
                for shaped in in_every_shape(bundle, recipe)
            ),
            reference=keys.get("float32"),
        )
        for recipe, key in keys.items()
    ]


def take_uploads(
    uploads: Sequence[Path],
    folder: Path,
    reference: str | None,
    sizes: Sequence[Size] = WORKING_SIZES,
) -> list[ModelChoice]:
    """Takes models of a visitor's own, once each has been run apart from the server.

    Args:
        uploads: the files of a bundle, `bundle.json` among them, or single .tflite files.
        folder: where the models may be kept.
        reference: the float32 model that single files are held against.
        sizes: working sizes for single files that take photographs of any size.

    Raises:
        UserError: says what is wrong with which file.
    """
    if any(file.name == "bundle.json" for file in uploads):
        return _take_bundle(uploads, folder)
    return [_take_file(file, folder, reference, sizes) for file in uploads]


def _take_bundle(uploads: Sequence[Path], folder: Path) -> list[ModelChoice]:
    kept = _keep(uploads, folder, "bundle")
    try:
        bundle = read_bundle(kept)
    except UserError as error:
        raise UserError(
            f"{str(error).replace(str(kept), 'the bundle')}; choose all files of its folder"
        ) from error
    choices = choices_of(bundle, f"{bundle.name}: ")
    # In every shape, turned ones as well: what is checked is what runs.
    check_apart([file for choice in choices for file in choice.files])
    return choices


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
    own = (2 * height, 2 * width)
    chosen = list(sizes) if -1 in (height, width) else [own]
    for size in chosen:
        check_size(upload.name, size)
    kept = _keep([upload], folder, "file") / upload.name
    files = [ModelFile(kept, size, max(3, channels), len(content)) for size in chosen]
    check_apart(files)
    return ModelChoice(sha256(content)[:16], upload.name, "your own", tuple(files), reference)


def _keep(uploads: Sequence[Path], folder: Path, kind: str) -> Path:
    """Copies files to a folder that is named by their content; what is there stays as it is.

    Others may be reading it: the same models are brought by several visitors, or twice by one.
    """
    named = "".join(f"{file.name} {sha256(file.read_bytes())}\n" for file in uploads)
    kept = folder / f"{kind}_{sha256(named.encode())[:16]}"
    beside = Path(tempfile.mkdtemp(prefix=".", dir=folder))
    try:
        for file in uploads:
            shutil.copyfile(file, beside / file.name)
        with _KEPT_LOCK:
            if kept.is_dir():
                os.utime(kept)
            else:
                beside.rename(kept)
    except FileNotFoundError as error:
        raise UserError("a file is no longer here; add the models again") from error
    finally:
        if beside.is_dir():
            delete_tree(beside)
    return kept


def sweep_uploads(folder: Path, longest_age: float) -> None:
    """Deletes the models that visitors brought longer ago than some seconds."""
    for kept in entries_of(folder):
        with _KEPT_LOCK:
            age = age_of(kept)
            if age is not None and age > longest_age:
                delete_tree(kept)


def _key(models: Sequence[BundledModel]) -> str:
    return hashlib.sha256("".join(model.sha256 for model in models).encode()).hexdigest()[:16]


def relabel(models: Sequence[ModelChoice]) -> list[ModelChoice]:
    """The same models under labels that are all different."""
    seen: dict[str, int] = {}
    relabelled = []
    for model in models:
        seen[model.label] = seen.get(model.label, 0) + 1
        again = seen[model.label]
        relabelled.append(model if again == 1 else replace(model, label=f"{model.label} ({again})"))
    return relabelled
