"""Finds the layers that lose most quality in 8 bits: python -m quantize.sensitivity BUNDLE

Layer by layer, the bundle's float32 model runs with only this layer's weights quantized, then with
only its output quantized. The squared errors of all layers add up to about that of an integer model
with the same ranges, so a layer's share of the sum shows how much it contributes.
"""

import io
import json
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, Literal

import numpy as np
import tyro
from matplotlib.figure import Figure
from tqdm import tqdm

from pocket_bokeh.bundle import Bundle, read_bundle
from pocket_bokeh.disk import check_can_write, write_atomically
from pocket_bokeh.errors import UserError, run_command
from pocket_bokeh.litert_model import LiteRTModel
from pocket_bokeh.metrics import psnr
from pocket_bokeh.photo import to_float
from quantize.convert.layer_quantization import FloatModel, QuantizableLayer, integer_ranges
from quantize.convert.samples import crop_to_fill, evenly_spaced
from train.data.data_folders import BUILT_IN
from train.data.focus_points import pair_input
from train.data.named_pairs import open_pairs
from train.data.pairs import Pair
from train.loop.training_options import Folders

NEGLIGIBLE = 1e-9
"""Smaller squared errors are not drawn."""

SHOWN = 10
"""Number of layers in the table; the picture and the JSON file have all."""


@dataclass(frozen=True)
class SensitivityOptions:
    """Options of the command line."""

    bundle: tyro.conf.Positional[Path]
    """Folder created by quantize.export, with a float32 model."""
    data: Folders = (BUILT_IN,)
    """Folders of pairs in the EBB! layout. Default: the built-in pairs."""
    ranges: Literal["photos", "int8_ptq", "int8_qat"] = "photos"
    """Ranges of the quantized outputs: calibrated on photographs, or those of an integer model of
    the bundle, to find the layers that cost most in that model."""
    calibration_photos: int = 8
    """Number of training photographs for the calibration."""
    pairs: int = 2
    """Number of held-out pairs on which errors are measured."""
    out: Path | None = None
    """Picture to write, with a .json file of the figures beside it. Default:
    BUNDLE_sensitivity.png"""


@dataclass(frozen=True)
class Score:
    """Quality of a model on held-out pairs.

    Attributes:
        squared_error: mean squared difference to the float model, in steps of 1/255, squared.
        psnr_to_target: in dB, the mean over the pairs.
    """

    squared_error: float
    psnr_to_target: float


@dataclass(frozen=True)
class Sensitivity:
    """The cost of quantizing one layer.

    Attributes:
        layer: name of the layer.
        operator: TFLite's name of the operator.
        weights_error: squared error with quantized weights, in steps of 1/255; 0 without weights.
        output_error: the same with quantized output.
        weights_loss: loss of PSNR to the target with quantized weights, in dB; negative is a gain.
        output_loss: the same with quantized output.
        smallest: start of the range of its quantized output.
        greatest: end of that range.
    """

    layer: str
    operator: str
    weights_error: float
    output_error: float
    weights_loss: float
    output_loss: float
    smallest: float
    greatest: float

    @property
    def error(self) -> float:
        return self.weights_error + self.output_error


class HeldOutPairs:
    """Pairs on which models are compared with the float model and the targets."""

    def __init__(self, float_model: LiteRTModel, pairs: Sequence[Pair], sees_focus: bool):
        self._inputs = [pair_input(pair, sees_focus) for pair in pairs]
        self._targets = [to_float(pair.bokeh) for pair in pairs]
        self._floats = [_render(float_model, photo) for photo in self._inputs]
        self.float_score = self.score(float_model)

    def score(self, model: LiteRTModel) -> Score:
        outputs = [_render(model, photo) for photo in self._inputs]
        errors = [
            np.mean(np.square(255.0 * (output - expected)))
            for output, expected in zip(outputs, self._floats, strict=True)
        ]
        psnrs = [psnr(*both) for both in zip(outputs, self._targets, strict=True)]
        return Score(float(np.mean(errors)), float(np.mean(psnrs)))


def main() -> None:
    options = tyro.cli(SensitivityOptions, description=__doc__)
    if min(options.calibration_photos, options.pairs) < 1:
        raise UserError("--calibration-photos and --pairs: at least 1")
    bundle = read_bundle(options.bundle)
    file = bundle.folder / bundle.models_of("float32")[0].file
    picture = options.out or options.bundle.with_name(f"{options.bundle.name}_sensitivity.png")
    check_can_write(picture, ".png")
    if options.ranges != "photos":
        bundle.models_of(options.ranges)
    pairs = _pairs(bundle, options, "val", options.pairs)
    held_out = HeldOutPairs(LiteRTModel(file), pairs, bundle.sees_focus)
    layers = measure(bundle, options, held_out)
    whole = whole_models(bundle, held_out)
    draw(layers, whole, f"{bundle.name}, {file.stem}", picture)
    report = {"whole": whole, "layers": [vars(layer) for layer in layers]}
    write_atomically(picture.with_suffix(".json"), json.dumps(report, indent=2) + "\n")
    print(layers_table(layers, whole))
    print(f"{picture}: all {len(layers)} layers; figures in {picture.with_suffix('.json')}")


def measure(
    bundle: Bundle, options: SensitivityOptions, held_out: HeldOutPairs
) -> list[Sensitivity]:
    """Measures every layer of the float32 model of the bundle's first working size.

    Raises:
        UserError: the bundle has no float32 model, or the pairs are missing.
    """
    described = bundle.models_of("float32")[0]
    model = FloatModel((bundle.folder / described.file).read_bytes())
    ranges = output_ranges(model, bundle, options)
    return [
        measure_layer(model, layer, ranges[layer.name], held_out)
        for layer in tqdm(model.layers, desc="layers")
    ]


def output_ranges(
    model: FloatModel, bundle: Bundle, options: SensitivityOptions
) -> dict[str, tuple[float, float]]:
    """The ranges to which each layer's output is quantized, by layer name.

    Layers that are fused into others in the integer model have the ranges of the calibration.
    """
    photos = _pairs(bundle, options, "train", options.calibration_photos)
    calibrated = model.output_ranges([pair_input(pair, bundle.sees_focus) for pair in photos])
    if options.ranges == "photos":
        return calibrated
    described = bundle.models_of(options.ranges)[0]
    return calibrated | integer_ranges((bundle.folder / described.file).read_bytes())


def measure_layer(
    model: FloatModel, layer: QuantizableLayer, span: tuple[float, float], held_out: HeldOutPairs
) -> Sensitivity:
    """Measures the cost of quantizing one layer's weights, and of quantizing its output."""
    best = held_out.float_score.psnr_to_target
    weights = Score(0.0, best)
    if layer.kernel is not None:
        weights = held_out.score(LiteRTModel(model.with_rounded_kernel(layer)))
    output = held_out.score(LiteRTModel(model.with_rounded_output(layer, span)))
    return Sensitivity(
        layer.name,
        layer.operator,
        weights_error=weights.squared_error,
        output_error=output.squared_error,
        weights_loss=best - weights.psnr_to_target,
        output_loss=best - output.psnr_to_target,
        smallest=span[0],
        greatest=span[1],
    )


def whole_models(bundle: Bundle, held_out: HeldOutPairs) -> dict[str, float]:
    """The squared error of the bundle's integer models on the same pairs, by recipe."""
    size = bundle.models_of("float32")[0].working_size
    files = {model.recipe: model.file for model in bundle.models if model.working_size == size}
    return {
        recipe: held_out.score(LiteRTModel(bundle.folder / files[recipe])).squared_error
        for recipe in ("int8_ptq", "int8_qat")
        if recipe in files
    }


def _pairs(bundle: Bundle, options: SensitivityOptions, split: str, count: int) -> list[Pair]:
    size = bundle.models_of("float32")[0].working_size
    source = open_pairs(options.data, split, bundle.sees_depth)
    return [crop_to_fill(pair, size) for pair in evenly_spaced(source, count)]


def _render(model: LiteRTModel, photo: np.ndarray) -> np.ndarray:
    return np.clip(model.run(photo)[..., :3], 0.0, 1.0)


def layers_table(layers: Sequence[Sensitivity], whole: dict[str, float]) -> str:
    """A table of the layers with the largest errors."""
    total = sum(layer.error for layer in layers)
    lines = [f"{'layer':28} {'share':>6} {'weights':>9} {'output':>9} {'dB lost':>8} {'range':>19}"]
    for layer in sorted(layers, key=lambda layer: layer.error, reverse=True)[:SHOWN]:
        lost = layer.weights_loss + layer.output_loss
        span = f"{layer.smallest:.3g} … {layer.greatest:.3g}"
        lines.append(
            f"{layer.layer:28} {layer.error / max(total, 1e-12):6.1%} {layer.weights_error:9.4f} "
            f"{layer.output_error:9.4f} {lost:+8.3f} {span:>19}"
        )
    models = "".join(f"; {recipe} {error:.3f}" for recipe, error in whole.items())
    lines.append(
        "weights, output: squared error to float32 in steps of 1/255; dB lost against the target"
    )
    lines.append(f"all layers together {total:.3f}{models}")
    return "\n".join(lines)


def draw(layers: Sequence[Sensitivity], whole: dict[str, float], title: str, picture: Path) -> None:
    """Writes a PNG with a row per layer, in the order of execution, on a logarithmic axis."""
    figure = Figure(figsize=(8, 1.6 + 0.15 * len(layers)), layout="constrained")
    axes = figure.subplots()
    _shade_levels(axes, layers)
    for errors, colour, label in (
        ([layer.output_error for layer in layers], "#c2603a", "output quantized"),
        ([layer.weights_error for layer in layers], "#33658a", "weights quantized"),
    ):
        # Layers with a negligible error or without weights get no dot.
        rows = [row for row, error in enumerate(errors) if error > NEGLIGIBLE]
        axes.scatter([errors[row] for row in rows], rows, s=14, color=colour, label=label, zorder=3)
    axes.set_yticks(range(len(layers)), [layer.layer for layer in layers], fontsize=6.5)
    axes.set_ylim(len(layers) - 0.4, -0.6)
    axes.set_xscale("log")
    axes.set_xlabel("mean squared difference to float32, steps of 1/255, squared")
    axes.grid(axis="x", alpha=0.3)
    axes.tick_params(axis="y", length=0)
    axes.spines[["top", "right", "left"]].set_visible(False)
    total = sum(layer.error for layer in layers)
    models = "".join(f", {recipe} {error:.2g}" for recipe, error in whole.items())
    axes.set_title(f"{title}: one layer in 8 bits\nall layers {total:.2g}{models}", fontsize=10)
    figure.legend(loc="outside lower center", ncols=2)
    write_atomically(picture, _png(figure))


def _shade_levels(axes: Any, layers: Sequence[Sensitivity]) -> None:
    """Shades the rows of every second level."""
    levels = ["_".join(layer.layer.split("_")[:2]) for layer in layers]
    starts = [row for row in range(len(levels)) if row == 0 or levels[row] != levels[row - 1]]
    for start, end in list(pairwise([*starts, len(levels)]))[::2]:
        axes.axhspan(start - 0.5, end - 0.5, color="#f1eee8", zorder=0)


def _png(figure: Figure) -> bytes:
    content = io.BytesIO()
    figure.savefig(content, format="png", dpi=110)
    return content.getvalue()


if __name__ == "__main__":
    run_command(main)
