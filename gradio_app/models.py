"""The models that the page can run: of bundles, and .tflite files of a visitor's own."""

import hashlib
import json
import os
import resource
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np

from gradio_app.sweep import age_of, delete_tree, entries_of
from quantize.bundle import Bundle, BundledModel, Size, read_bundle, sha256
from quantize.recipes import RECIPES
from quantize.render import Renderer
from quantize.runtimes import LiteRTModel
from quantize.turned import in_every_shape, turned
from train.errors import UserError
from train.photo import write_atomically

THREADS = 1
"""Of a run: as many runs at a time as there are cores take each one."""

LARGEST_SIDE = 2048
LONGEST_CHECK = 60
"""Seconds for loading and running a foreign model."""

_MOST_MEMORY = 4 << 30
_QUICK = 0.5
"""Seconds; a faster first run is repeated, because it also settled memory."""


@dataclass(frozen=True)
class ModelFile:
    """One .tflite file; the sides are those of the picture that it gives, twice its input's.

    One that `is_turned` is for the other shape and is turned before it runs.
    """

    file: Path
    output_size: Size
    channels: int
    bytes: int
    is_turned: bool = False


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

    def renderers(self) -> list["TimedModel"]:
        """Its files as `quantize.render.render_photo` takes them; each is loaded when it runs."""
        return [TimedModel(file) for file in self.files]


class TimedModel(Renderer):
    """A model that is loaded when it first runs, for one photograph, and measures its runs.

    Loading takes a tenth of a second; six models that stay loaded take 600 MB.

    Attributes:
        milliseconds: what the last run took on one core, without loading.
    """

    def __init__(self, file: ModelFile):
        self._file = file
        height, width = self.output_size = file.output_size
        self.input_size = (height // 2, width // 2)
        self.input_channels = file.channels
        self.milliseconds: float | None = None

    def run(self, photo: np.ndarray, /) -> np.ndarray:
        """Renders a network input, as `LiteRTModel.run`."""
        rendered, seconds = _timed_run(self._model, photo)
        if seconds < _QUICK:
            rendered, seconds = _timed_run(self._model, photo)
        self.milliseconds = 1e3 * seconds
        return rendered

    @cached_property
    def _model(self) -> LiteRTModel:
        file = self._file.file
        if not file.is_file():
            raise UserError("no longer here, uploads are kept for an hour; add it again")
        return LiteRTModel(turned(file.read_bytes()) if self._file.is_turned else file, THREADS)


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
                    shaped.file, shaped.working_size, channels, shaped.bytes, shaped.is_turned
                )
                for shaped in in_every_shape(bundle, recipe)
            ),
            reference=keys.get("float32"),
        )
        for recipe, key in keys.items()
    ]


def take_uploads(uploads: Sequence[Path], folder: Path, reference: str | None) -> list[ModelChoice]:
    """Takes models of a visitor's own, once each has been run apart from the server.

    Args:
        uploads: the files of a bundle, `bundle.json` among them, or single .tflite files.
        folder: where the models may be kept.
        reference: the float32 model that single files are held against.

    Raises:
        UserError: says what is wrong with which file.
    """
    if any(file.name == "bundle.json" for file in uploads):
        return _take_bundle(uploads, folder)
    return [_take_file(file, folder, reference) for file in uploads]


def _take_bundle(uploads: Sequence[Path], folder: Path) -> list[ModelChoice]:
    content = b"".join(sha256(file.read_bytes()).encode() for file in uploads)
    kept = folder / f"bundle_{sha256(content)[:16]}"
    kept.mkdir(exist_ok=True)
    for file in uploads:
        shutil.copyfile(file, kept / file.name)
    os.utime(kept)
    try:
        bundle = read_bundle(kept)
    except UserError as error:
        shutil.rmtree(kept)
        raise UserError(
            f"{str(error).replace(str(kept), 'the bundle')}; choose all files of its folder"
        ) from error
    check_apart([kept / model.file for model in bundle.models])
    return choices_of(bundle, f"{bundle.name}: ")


def _take_file(upload: Path, folder: Path, reference: str | None) -> ModelChoice:
    content = upload.read_bytes()
    key = sha256(content)[:16]
    kept = folder / f"file_{key}" / upload.name
    kept.parent.mkdir(exist_ok=True)
    write_atomically(kept, content)
    ((size, channels),) = check_apart([kept])
    file = ModelFile(kept, size, channels, len(content))
    return ModelChoice(key, upload.name, "your own", (file,), reference)


def sweep_uploads(folder: Path, longest_age: float) -> None:
    """Deletes the models that visitors brought longer ago than some seconds."""
    for kept in entries_of(folder):
        age = age_of(kept)
        if age is not None and age > longest_age:
            delete_tree(kept)


def check_apart(files: Sequence[Path]) -> list[tuple[Size, int]]:
    """Loads and runs models in a process of its own, which may crash without harm.

    Returns:
        Of each, height and width of what it gives, and the channels that it takes.

    Raises:
        UserError: one cannot be loaded, is no photo-to-photo model, crashes or takes too long.
    """
    command = [sys.executable, "-m", "gradio_app.models", *map(str, files)]
    try:
        done = subprocess.run(command, capture_output=True, timeout=LONGEST_CHECK * len(files))
        answers, why = done.stdout, "ends the program that runs it; it may be damaged"
    except subprocess.TimeoutExpired as error:
        answers, why = error.stdout or b"", f"runs for more than {LONGEST_CHECK} s here"
    found = [json.loads(line) for line in answers.splitlines() if line.startswith(b"{")]
    unanswered = [{"error": why}] * (len(files) - len(found))
    for file, answer in zip(files, found + unanswered, strict=True):
        if "error" in answer:
            raise UserError(f"{file.name}: {answer['error']}")
    return [(tuple(answer["output_size"]), answer["channels"]) for answer in found]


def _check(file: Path) -> dict[str, object]:
    """What the process of its own finds out."""
    try:
        model = LiteRTModel(file.read_bytes(), threads=THREADS)
        if max(model.output_size) > LARGEST_SIDE:
            return {"error": f"gives {model.output_size}; up to {LARGEST_SIDE} a side is taken"}
        if model.output_size != (2 * model.input_size[0], 2 * model.input_size[1]):
            return {
                "error": f"takes {model.input_size} and gives {model.output_size}; expected a "
                "model that gives twice the size that it takes"
            }
        model.run(np.zeros((*model.input_size, model.input_channels), np.float32))
    except UserError as error:
        return {"error": str(error).removeprefix("the model: ")}
    return {"output_size": model.output_size, "channels": model.input_channels}


def _timed_run(model: LiteRTModel, photo: np.ndarray) -> tuple[np.ndarray, float]:
    start = time.perf_counter()
    rendered = model.run(photo)
    return rendered, time.perf_counter() - start


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


if __name__ == "__main__":
    resource.setrlimit(resource.RLIMIT_AS, (_MOST_MEMORY, _MOST_MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    for name in sys.argv[1:]:
        print(json.dumps(_check(Path(name))), flush=True)
    # What a broken model left behind may crash at the orderly end.
    os._exit(0)
