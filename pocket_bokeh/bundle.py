"""A bundle is a folder with one network in several number formats and the data to check them.

bundle.json            describes all the files below
RECIPE_HxW.tflite      one model per recipe and working size; H × W is the size of the output
golden_HxW_input.png   a test input
golden_HxW_depth.png   its depth map, if the network takes one
golden_HxW_output.png  the float network's output for it
golden_HxW_focus*.png  a focus map and the output with it, if the network takes one
golden_HxW_*sharpness.png  the output's fourth channel, if the network predicts sharpness
int8_qat_history.csv   the validation history of the fine-tuning

A device that computes correctly reproduces each model's `golden_largest_step` and
`golden_mean_step`: run the model on the golden input and compare with the golden output.
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

import numpy as np

from pocket_bokeh.disk import write_atomically
from pocket_bokeh.errors import UserError
from pocket_bokeh.focus_map import Point
from pocket_bokeh.photo import FourthChannel, Size, read_photo, to_float
from pocket_bokeh.predicted_sharpness import SHARPNESS_RANGE
from pocket_bokeh.strict_json import read_json
from pocket_bokeh.tflite_file import ModelTensor, TensorFormat, read_input_and_output

SCHEMA_VERSION = 2

_HERE = Path(__file__).resolve().parent

SHIPPED_BUNDLE = (_HERE if (_HERE / "models").is_dir() else _HERE.parent) / "models" / "pocket"
"""The models that ship with the library. An installed wheel has them inside the package; a clone of
the project has them beside it."""

OPTIONAL_IN_GOLDEN_PAIRS = (
    *("depth", "depth_sha256", "focus", "focus_sha256"),
    *("sharpness", "sharpness_sha256", "focus_points"),
)
"""Fields of golden pairs that `bundle.json` leaves out if they are empty."""

SMALLEST_WORKING_SIDE = 64
"""Shortest allowed side of a model's output, in pixels."""


@dataclass(frozen=True)
class BundledModel:
    """One .tflite file.

    Attributes:
        recipe: a name in `quantize.convert.recipes.RECIPES`.
        file: name of the file in the bundle's folder.
        working_size: height and width of the output; the input is half as high and wide.
        input: number format of the input.
        output: number format of the output.
        bytes: size of the file.
        sha256: of the file, hexadecimal.
        figures: quality by name; `psnr_…` in dB, `…_step` in steps of an 8-bit value (1/255).
        verify: results of `quantize.verify` by runtime: `verdict` (wholly, partly, no or missing),
            `reason` and, if the model ran, its differences to the float model.
        compiled: what the chip makers' compilers said in `quantize.compile`, by target:
            `quantize.compilers.report.Compiled` without what differs between two runs.
    """

    recipe: str
    file: str
    working_size: Size
    input: TensorFormat
    output: TensorFormat
    bytes: int
    sha256: str
    figures: Mapping[str, float] = field(default_factory=dict)
    verify: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    compiled: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


@dataclass(frozen=True)
class GoldenPair:
    """A test input for the models of one working size and the float network's output, as PNG files.

    Attributes:
        working_size: height and width of the output; the other pictures are half as high and wide.
        input, output: names of the files.
        depth: the fourth input channel; None if the network takes no depth map.
        focus: the fourth input channel of a network that takes a focus map; None if it is all
            zeros.
        sharpness: the output's fourth channel; None if the network does not predict sharpness.
        focus_points: from which `pocket_bokeh.focus_map.focus_map` draws it.
    """

    working_size: Size
    input: str
    input_sha256: str
    output: str
    output_sha256: str
    depth: str | None = None
    depth_sha256: str | None = None
    focus: str | None = None
    focus_sha256: str | None = None
    sharpness: str | None = None
    sharpness_sha256: str | None = None
    focus_points: tuple[Point, ...] = ()

    def checksums(self) -> dict[str, str]:
        """SHA-256 by file name."""
        sums = {self.input: self.input_sha256, self.output: self.output_sha256}
        if self.depth is not None and self.depth_sha256 is not None:
            sums[self.depth] = self.depth_sha256
        if self.focus is not None and self.focus_sha256 is not None:
            sums[self.focus] = self.focus_sha256
        if self.sharpness is not None and self.sharpness_sha256 is not None:
            sums[self.sharpness] = self.sharpness_sha256
        return sums


@dataclass(frozen=True)
class Bundle:
    """The contents of `bundle.json`.

    Attributes:
        folder: where the files are.
        name: of the training run that was exported.
        preset: name of the network's preset.
        models: sorted by recipe, then by working size.
        golden: one pair per working size; for networks that take a focus map a second one, with a
            focus point.
        refused: recipes that the network does not support, each with the reason and an alternative.
        judged_on: the pairs over which figures against a target were averaged.
        fourth_channel: what the models see beside the colours.
        sharpness_range: if the models' output has predicted sharpness as a fourth channel, the
            probabilities of being in focus that 0 and 1 mean (`pocket_bokeh.predicted_sharpness`).
        records: SHA-256 of further files by name, such as the history of the fine-tuning.
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
    fourth_channel: FourthChannel = "none"
    sharpness_range: tuple[float, float] | None = None
    schema_version: int = SCHEMA_VERSION

    @property
    def gives_sharpness(self) -> bool:
        """Whether the models' output has predicted sharpness as a fourth channel."""
        return self.sharpness_range is not None

    @property
    def output_channels(self) -> int:
        """The number of channels of the models' output, 3 or 4."""
        return 4 if self.gives_sharpness else 3

    @property
    def recipes(self) -> tuple[str, ...]:
        """The names of the bundle's recipes, in its order."""
        return tuple(dict.fromkeys(model.recipe for model in self.models))

    @property
    def sees_depth(self) -> bool:
        """Whether the models take a depth map as a fourth input channel."""
        return self.fourth_channel == "depth"

    @property
    def sees_focus(self) -> bool:
        """Whether the models take a focus map as a fourth input channel."""
        return self.fourth_channel == "focus"

    def models_of(self, recipe: str) -> tuple[BundledModel, ...]:
        """The models of one recipe, one per working size.

        Raises:
            UserError: the bundle has no such recipe; the message lists those it has.
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
        """The models of several recipes in the bundle's order; of all recipes if none is named.

        Raises:
            UserError: the bundle lacks one of the recipes.
        """
        for recipe in recipes:
            self.models_of(recipe)
        return tuple(model for model in self.models if not recipes or model.recipe in recipes)

    def golden_of(self, size: Size) -> tuple[GoldenPair, ...]:
        """The golden pairs of a working size; of two, the second one has a focus point.

        Raises:
            UserError: there is none.
        """
        pairs = tuple(pair for pair in self.golden if pair.working_size == size)
        if not pairs:
            raise UserError(
                f"{self.folder}: no golden pair of {size[0]} × {size[1]} px; export the bundle "
                "again"
            )
        return pairs

    def golden_input(self, pair: GoldenPair) -> np.ndarray:
        """The network's input of a golden pair: h × w × 3 or 4, float32, 0…1."""
        colours = to_float(read_photo(self.folder / pair.input))
        if self.fourth_channel == "none":
            return colours
        file = pair.depth or pair.focus
        if file is None:
            return np.dstack([colours, np.zeros_like(colours[..., 0])])
        return np.dstack([colours, to_float(read_photo(self.folder / file))[..., 0]])

    def golden_output(self, pair: GoldenPair) -> np.ndarray:
        """The float network's output of a golden pair: height × width × 3 or 4, float32, 0…1."""
        colours = to_float(read_photo(self.folder / pair.output))
        if pair.sharpness is None:
            return colours
        return np.dstack([colours, to_float(read_photo(self.folder / pair.sharpness))[..., 0]])

    def checksums(self) -> dict[str, str]:
        """SHA-256 of every file except `bundle.json`, by name."""
        sums = {model.file: model.sha256 for model in self.models} | dict(self.records)
        for pair in self.golden:
            sums |= pair.checksums()
        return sums


def sha256(content: bytes) -> str:
    """The SHA-256 of some bytes, hexadecimal."""
    return hashlib.sha256(content).hexdigest()


def write_bundle(bundle: Bundle, contents: Mapping[str, bytes]) -> None:
    """Writes the bundle's folder atomically.

    The output is reproducible: it contains no dates and no paths.

    Args:
        bundle: description to write to `bundle.json`.
        contents: all other files by name.

    Raises:
        UserError: the folder exists.
        ValueError: the contents do not match the bundle's checksums.
    """
    if {name: sha256(content) for name, content in contents.items()} != bundle.checksums():
        raise ValueError("the files do not match the checksums of the bundle")
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
    """Replaces `bundle.json` and leaves the other files alone."""
    write_atomically(bundle.folder / "bundle.json", _to_json(bundle))


def check_absent(folder: Path) -> None:
    """Checks that a bundle would not overwrite anything.

    Raises:
        UserError: the folder exists.
    """
    if folder.exists():
        what = "bundle" if (folder / "bundle.json").is_file() else "file or folder"
        raise UserError(f"{folder}: {what} exists already; remove it or choose another --out")


def read_bundle(folder: Path) -> Bundle:
    """Reads a bundle and checks its schema, its checksums and its models.

    Sizes and number formats in `bundle.json` must match the .tflite files. This is checked before
    any memory is allocated by these sizes.

    Raises:
        UserError: the folder is not a bundle, its version is not supported, or a file is missing,
            changed or not as described.
    """
    file = folder / "bundle.json"
    if not file.is_file():
        raise UserError(
            f"{folder}: not a bundle (no bundle.json); create one with python -m quantize.export"
        )
    version = ("schema_version", SCHEMA_VERSION)
    try:
        bundle = read_json(
            file.read_bytes(),
            Bundle,
            version=version,
            upgrade=_with_fourth_channel,
            folder=folder,
        )
    except ValueError as error:
        raise UserError(
            f"{file}: damaged, or of another version ({error}); export the bundle again"
        ) from error
    if not bundle.models:
        raise UserError(f"{file}: lists no models; export the bundle again")
    if bundle.sharpness_range not in (None, SHARPNESS_RANGE):
        raise UserError(
            f"{file}: its sharpness has the range {bundle.sharpness_range}, but this program reads "
            f"{SHARPNESS_RANGE}; export the bundle again"
        )
    for name, checksum in bundle.checksums().items():
        _check_file(folder, name, checksum)
    for model in bundle.models:
        _check_model(bundle, model)
    return bundle


def _check_model(bundle: Bundle, model: BundledModel) -> None:
    """Checks that a model's file is as `bundle.json` describes it."""
    file = bundle.folder / model.file
    content = file.read_bytes()
    try:
        model_input, model_output = read_input_and_output(content)
    except ValueError as error:
        raise UserError(f"{file}: {error}; export the bundle again") from error
    height, width = model.working_size
    channels = 3 if bundle.fourth_channel == "none" else 4
    for name, described, found in (
        ("bytes", model.bytes, len(content)),
        ("output", (1, height, width, bundle.output_channels), model_output.shape),
        ("input", (1, height // 2, width // 2, channels), model_input.shape),
        ("output", model.output, model_output),
        ("input", model.input, model_input),
    ):
        if isinstance(found, ModelTensor):
            same, shown = _is_same_format(described, found.format), str(found.format)
        else:
            same, shown = described == found, str(found)
        if not same:
            raise UserError(
                f"{file}: bundle.json says {name} {described}, but the file has {shown}; "
                "export the bundle again"
            )
    if min(height, width) < SMALLEST_WORKING_SIDE:
        raise UserError(
            f"{file}: its output of {height} × {width} px is too small for a photo; expected sides "
            f"of at least {SMALLEST_WORKING_SIDE} px"
        )


def _is_same_format(one: Any, other: TensorFormat) -> bool:
    """Compares formats; scales may differ in the eighth digit, because files hold float32."""
    if (one.type, one.zero_point) != (other.type, other.zero_point):
        return False
    if one.scale is None or other.scale is None:
        return bool(one.scale is other.scale)
    return math.isclose(one.scale, other.scale, rel_tol=1e-6)


def _check_file(folder: Path, name: str, checksum: str) -> None:
    if Path(name).name != name:
        raise UserError(f"{folder}/bundle.json: '{name}' is not a file in the same folder")
    file = folder / name
    if not file.is_file():
        raise UserError(f"{file}: missing, but listed in bundle.json; export the bundle again")
    if sha256(file.read_bytes()) != checksum:
        raise UserError(f"{file}: changed since it was exported; export the bundle again")


def _with_fourth_channel(stored: dict[str, Any]) -> dict[str, Any]:
    """Older bundles do not name the fourth channel; a golden pair with depth shows that it is."""
    golden = stored.get("golden")
    pairs = golden if isinstance(golden, list) else []
    sees_depth = any(isinstance(pair, dict) and pair.get("depth") for pair in pairs)
    return {"fourth_channel": "depth" if sees_depth else "none"} | stored


def _to_json(bundle: Bundle) -> str:
    fields = dataclasses.asdict(bundle)
    del fields["folder"]
    if not bundle.judged_on:  # older bundles lack it
        del fields["judged_on"]
    if not bundle.gives_sharpness:  # older bundles lack it
        del fields["sharpness_range"]
    for model in fields["models"]:
        if not model["compiled"]:  # older bundles lack it
            del model["compiled"]
    for pair in fields["golden"]:
        for name in OPTIONAL_IN_GOLDEN_PAIRS:
            if not pair[name]:
                del pair[name]
    return json.dumps(fields, indent=2, sort_keys=True) + "\n"
