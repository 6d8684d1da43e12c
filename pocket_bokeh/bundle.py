"""A bundle: the models of one network and what a reader needs to prove them. No TensorFlow.

bundle.json            everything below
RECIPE_HxW.tflite      one file per recipe and working size, H × W of the rendered photograph
golden_HxW_input.png   a network input, with
golden_HxW_depth.png   its depth map where the network sees one, and
golden_HxW_output.png  what the float network makes of it
int8_qat_history.csv   how the fine-tuning went

Running a model on a golden input and comparing with the golden output must give the model's
figures `golden_largest_step` and `golden_mean_step`: any device can prove its arithmetic.
"""

import dataclasses
import hashlib
import json
import math
import os
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pocket_bokeh.errors import UserError
from pocket_bokeh.photo import write_atomically
from pocket_bokeh.tflite_file import Edge, EdgeFormat, read_edges

SCHEMA_VERSION = 2

_HERE = Path(__file__).resolve().parent

SHIPPED_BUNDLE = (_HERE if (_HERE / "models").is_dir() else _HERE.parent) / "models" / "pocket"
"""The models that come with the library: inside it where a wheel was installed, beside it in a
clone of the project."""

Size = tuple[int, int]
"""Height and width in pixels."""


SMALLEST_WORKING_SIDE = 64
"""Pixels of the rendered photograph; the coarsest of a network's levels still sees half a pixel."""


@dataclass(frozen=True)
class BundledModel:
    """One .tflite file.

    Attributes:
        recipe: a name in `quantize.convert.recipes.RECIPES`.
        file: its name in the bundle's folder.
        working_size: of the photograph that it gives; its input is half as high and wide.
        input: what it takes.
        output: what it gives.
        bytes: size of the file.
        sha256: of the file, hexadecimal.
        figures: what it scored, by name; `psnr_…` in dB, `…_step` in steps of 255.
        verify: by runtime, what `quantize.verify` found there: `verdict` (wholly, partly, no or
            missing), `reason`, and differences to the float model where it ran.
    """

    recipe: str
    file: str
    working_size: Size
    input: EdgeFormat
    output: EdgeFormat
    bytes: int
    sha256: str
    figures: Mapping[str, float] = field(default_factory=dict)
    verify: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


@dataclass(frozen=True)
class GoldenPair:
    """An input for the models of one working size and the float network's output, 8-bit PNG.

    `depth` is the input's fourth channel, where the network has one.
    """

    working_size: Size
    input: str
    input_sha256: str
    output: str
    output_sha256: str
    depth: str | None = None
    depth_sha256: str | None = None

    def checksums(self) -> dict[str, str]:
        """The SHA-256 of its files, by name."""
        sums = {self.input: self.input_sha256, self.output: self.output_sha256}
        if self.depth is not None and self.depth_sha256 is not None:
            sums[self.depth] = self.depth_sha256
        return sums


@dataclass(frozen=True)
class Bundle:
    """What `bundle.json` says, and where it lies.

    Attributes:
        folder: where the files are.
        name: of the run that it was exported from.
        preset: of the network.
        models: by recipe, then by working size.
        golden: one per working size.
        refused: by recipe that the network cannot take, why and what to do instead.
        judged_on: which pairs the figures to a target are means over, and how many.
        records: files for people, such as the history of a fine-tuning, with their SHA-256.
        schema_version: of `bundle.json`.
    """

    folder: Path
    name: str
    preset: str
    models: tuple[BundledModel, ...]
    golden: tuple[GoldenPair, ...]
    refused: Mapping[str, str] = field(default_factory=dict)
    records: Mapping[str, str] = field(default_factory=dict)
    judged_on: str = ""
    schema_version: int = SCHEMA_VERSION

    @property
    def recipes(self) -> tuple[str, ...]:
        """The names of the recipes there are, in the bundle's order."""
        return tuple(dict.fromkeys(model.recipe for model in self.models))

    @property
    def sees_depth(self) -> bool:
        """Whether the models take a depth map as fourth channel beside the photograph."""
        return any(pair.depth for pair in self.golden)

    def models_of(self, recipe: str) -> tuple[BundledModel, ...]:
        """The models of one recipe, one per working size.

        Raises:
            UserError: the bundle has no such recipe; those it has are listed.
        """
        found = tuple(model for model in self.models if model.recipe == recipe)
        if not found:
            why = (
                f"; {recipe} was refused: {self.refused[recipe]}" if recipe in self.refused else ""
            )
            raise UserError(
                f"{self.folder}: no recipe '{recipe}'; it has {', '.join(self.recipes)}{why}"
            )
        return found

    def models_of_all(self, recipes: Sequence[str]) -> tuple[BundledModel, ...]:
        """The models of some recipes, of all where none is named, in the bundle's order.

        Raises:
            UserError: the bundle has no such recipe.
        """
        for recipe in recipes:
            self.models_of(recipe)
        return tuple(model for model in self.models if not recipes or model.recipe in recipes)

    def golden_of(self, size: Size) -> GoldenPair:
        """The golden pair of a working size.

        Raises:
            UserError: there is none.
        """
        for pair in self.golden:
            if pair.working_size == size:
                return pair
        raise UserError(
            f"{self.folder}: no golden pair of {size[0]} × {size[1]} px; export the bundle again"
        )

    def checksums(self) -> dict[str, str]:
        """The SHA-256 of every file beside `bundle.json`, by name."""
        sums = {model.file: model.sha256 for model in self.models} | dict(self.records)
        for pair in self.golden:
            sums |= pair.checksums()
        return sums


def sha256(content: bytes) -> str:
    """Hexadecimal."""
    return hashlib.sha256(content).hexdigest()


def write_bundle(bundle: Bundle, contents: Mapping[str, bytes]) -> None:
    """Makes the bundle's folder, whole or not at all.

    The same bundle gives the same bytes: no dates, no paths.

    Args:
        bundle: what is written to `bundle.json`.
        contents: every file beside it, by name.

    Raises:
        UserError: the folder exists.
        ValueError: the contents are not those that the bundle describes.
    """
    if {name: sha256(content) for name, content in contents.items()} != bundle.checksums():
        raise ValueError("the files are not those that the bundle describes")
    check_absent(bundle.folder)
    bundle.folder.parent.mkdir(parents=True, exist_ok=True)
    beside = Path(tempfile.mkdtemp(prefix=f".{bundle.folder.name}.", dir=bundle.folder.parent))
    try:
        for name, content in contents.items():
            (beside / name).write_bytes(content)
        (beside / "bundle.json").write_text(_to_json(bundle))
        beside.chmod(0o755)
        os.rename(beside, bundle.folder)
    except BaseException:
        shutil.rmtree(beside, ignore_errors=True)
        raise


def rewrite_description(bundle: Bundle) -> None:
    """Replaces `bundle.json` of a bundle whose files stay as they are."""
    write_atomically(bundle.folder / "bundle.json", _to_json(bundle))


def check_absent(folder: Path) -> None:
    """Refuses to write a bundle over anything.

    Raises:
        UserError: there is something called like the folder.
    """
    if folder.exists():
        what = "a bundle" if (folder / "bundle.json").is_file() else "there"
        raise UserError(f"{folder}: {what} already; remove it or name another --out")


def read_bundle(folder: Path) -> Bundle:
    """Reads and checks a bundle: its schema, and every file against what is said of it.

    Sizes and number formats are those of the .tflite files; a `bundle.json` that says otherwise
    is refused, before anything of these sizes is allocated.

    Raises:
        UserError: it is no bundle, of another version, a file is missing or changed, or is not
            what `bundle.json` says.
    """
    file = folder / "bundle.json"
    if not file.is_file():
        raise UserError(
            f"{folder}: not a bundle (no bundle.json); make one with python -m quantize.export"
        )
    try:
        stored = json.loads(file.read_bytes())
        version = stored["schema_version"]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise UserError(f"{file}: damaged; export the bundle again") from error
    if version != SCHEMA_VERSION:
        raise UserError(
            f"{file}: schema version {version}, this program reads {SCHEMA_VERSION}; "
            "export the bundle again or use the program that wrote it"
        )
    try:
        bundle = _from_json(folder, stored)
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
        raise UserError(f"{file}: damaged ({error}); export the bundle again") from error
    if not bundle.models:
        raise UserError(f"{file}: names no model; export the bundle again")
    for name, checksum in bundle.checksums().items():
        _check_file(folder, name, checksum)
    for model in bundle.models:
        _check_model(bundle, model)
    return bundle


def _check_model(bundle: Bundle, model: BundledModel) -> None:
    """Holds what is said of a model against its file."""
    file = bundle.folder / model.file
    content = file.read_bytes()
    try:
        taken, given = read_edges(content)
    except ValueError as error:
        raise UserError(f"{file}: {error}; export the bundle again") from error
    height, width = model.working_size
    channels = 4 if bundle.sees_depth else 3
    for name, said, found in (
        ("bytes", model.bytes, len(content)),
        ("output", (1, height, width, 3), given.shape),
        ("input", (1, height // 2, width // 2, channels), taken.shape),
        ("output", model.output, given),
        ("input", model.input, taken),
    ):
        same = _is_format(said, found) if isinstance(found, Edge) else said == found
        if not same:
            shown = found.format if isinstance(found, Edge) else found
            raise UserError(
                f"{file}: bundle.json says {name} {said}, the file itself {shown}; "
                "export the bundle again"
            )
    if min(height, width) < SMALLEST_WORKING_SIDE:
        raise UserError(
            f"{file}: gives {height} × {width} px, too small for a photo; expected sides of at "
            f"least {SMALLEST_WORKING_SIDE}"
        )


def _is_format(said: Any, found: Edge) -> bool:
    """Whether two formats are the same; a file holds its scale with seven digits."""
    one, other = said, found.format
    if (one.type, one.zero_point) != (other.type, other.zero_point):
        return False
    if one.scale is None or other.scale is None:
        return bool(one.scale is other.scale)
    return math.isclose(one.scale, other.scale, rel_tol=1e-6)


def _check_file(folder: Path, name: str, checksum: str) -> None:
    if Path(name).name != name:
        raise UserError(f"{folder}/bundle.json: names '{name}', which is not a file beside it")
    file = folder / name
    if not file.is_file():
        raise UserError(f"{file}: missing, though bundle.json names it; export the bundle again")
    if sha256(file.read_bytes()) != checksum:
        raise UserError(f"{file}: not the file that was exported; export the bundle again")


def _to_json(bundle: Bundle) -> str:
    fields = dataclasses.asdict(bundle)
    del fields["folder"]
    if not bundle.judged_on:  # made before it was noted
        del fields["judged_on"]
    if not bundle.sees_depth:
        for pair in fields["golden"]:
            del pair["depth"], pair["depth_sha256"]
    return json.dumps(fields, indent=2, sort_keys=True) + "\n"


def _from_json(folder: Path, stored: dict[str, Any]) -> Bundle:
    return Bundle(
        folder=folder,
        name=_text(stored["name"]),
        preset=_text(stored["preset"]),
        models=tuple(_model(entry) for entry in stored["models"]),
        golden=tuple(
            GoldenPair(**{**entry, "working_size": _size(entry["working_size"])})
            for entry in stored["golden"]
        ),
        refused=dict(stored["refused"]),
        records=dict(stored["records"]),
        judged_on=stored.get("judged_on", ""),
    )


def _model(entry: dict[str, Any]) -> BundledModel:
    return BundledModel(
        **{
            **entry,
            "recipe": _text(entry["recipe"]),
            "file": _text(entry["file"]),
            "working_size": _size(entry["working_size"]),
            "input": EdgeFormat(**entry["input"]),
            "output": EdgeFormat(**entry["output"]),
        }
    )


def _text(stored: Any) -> str:
    if not isinstance(stored, str):
        raise TypeError(f"{stored!r}, expected a text")
    return stored


def _size(stored: list[int]) -> Size:
    height, width = stored
    return int(height), int(width)
