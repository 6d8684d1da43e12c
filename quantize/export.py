"""Exports a trained network as a bundle of .tflite models: python -m quantize.export RUN

Each recipe is converted for each working size, run with LiteRT and compared with the trained
network and with the targets.
"""

import dataclasses
import io
import itertools
import json
import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tyro
from PIL import Image
from tqdm import tqdm

from pocket_bokeh.bundle import (
    Bundle,
    BundledModel,
    GoldenPair,
    check_absent,
    sha256,
    write_bundle,
)
from pocket_bokeh.disk import check_can_make
from pocket_bokeh.errors import UserError, run_command
from pocket_bokeh.litert_model import LiteRTModel
from pocket_bokeh.photo import Size, to_uint8
from pocket_bokeh.predicted_sharpness import SHARPNESS_RANGE
from quantize.convert.conversion import convert
from quantize.convert.equalization import equalize_features
from quantize.convert.fine_tuning import FineTuneConfig, FineTuned, fine_tune, validation_crops
from quantize.convert.recipes import RECIPES
from quantize.convert.rounding import refusal
from quantize.convert.samples import Sample, SizeSamples, collect_samples
from quantize.convert.tf_keras_network import to_tf_keras
from quantize.convert.trained_network import TrainedNetwork, open_trained_network, run_name
from quantize.proof.comparison import model_figures
from quantize.proof.figures_table import figures_table, size_text
from train.data.batches import training_batches
from train.data.data_files import describe_files
from train.data.data_folders import BUILT_IN
from train.data.named_pairs import describe_split, open_pairs
from train.loop.training_options import Folders
from train.network.presets import choose

Model = Any


@dataclass(frozen=True)
class ExportOptions:
    """Exports a trained network as a bundle: .tflite models, their quality, golden pictures."""

    source: tyro.conf.Positional[Path]
    """Run folder of a training, or the .keras file of a network of level 1."""
    data: Folders = ()
    """Folders of pairs in the EBB! layout, or built-in. Default: the run's own pairs, for a .keras
    file the built-in ones."""
    out: Path | None = None
    """Bundle to create. Default: bundles/NAME, with the name of the run or file."""
    recipes: tuple[str, ...] = ()
    """Recipes to convert. Default: all that the network supports."""
    working_sizes: tuple[str, ...] = ("384x512", "512x384")
    """Height × width of the models' output; a photo uses the nearest in aspect ratio. Recipes after
    a colon, as in 512x384:float16,int8_qat, limit a size to these recipes."""
    fine_tune_steps: int = FineTuneConfig.steps
    """Maximum number of quantization-aware training steps, about 2 s each on two cores."""
    calibration_photos: int = 16
    """Number of training photographs that calibrate int8_ptq and int16x8, and by which the features
    of level 2 are scaled."""
    compared_pairs: int = 6
    """Number of held-out pairs over which the figures are averaged."""


def main() -> None:
    options = tyro.cli(ExportOptions)
    check_options(options)
    sizes = parse_sizes(options.working_sizes)
    out = options.out or Path("bundles") / run_name(options.source)
    check_absent(out)
    check_can_make(out)
    trained = open_trained_network(options.source, options.data)
    bundle = export(trained, out, options.recipes, sizes, options)
    print(figures_table(bundle))
    for recipe, reason in bundle.refused.items():
        print(f"not supported: {recipe}: {reason}")
    print(f"{out}: {len(bundle.models)} models. Next: {next_commands(bundle)}")


def check_options(options: ExportOptions) -> None:
    """Checks the options before anything slow starts.

    Raises:
        UserError: an option has an invalid value.
    """
    for recipe in options.recipes:
        choose("recipe", recipe, RECIPES)
    if keras.backend.backend() != "tensorflow":
        raise UserError(
            f"TFLite's converter needs KERAS_BACKEND=tensorflow, not {keras.backend.backend()}"
        )
    if not options.working_sizes:
        raise UserError("--working-sizes: at least one is needed")
    if options.fine_tune_steps < 0:
        raise UserError(f"--fine-tune-steps {options.fine_tune_steps}: expected 0 or more")
    for name in ("compared_pairs", "calibration_photos"):
        if getattr(options, name) < 1:
            raise UserError(f"--{name.replace('_', '-')}: at least one is needed")


def parse_sizes(texts: Sequence[str]) -> dict[Size, tuple[str, ...]]:
    """Parses working sizes such as `384x512` or `512x384:float16,int8_qat`.

    Returns:
        The recipes by working size; empty for all.

    Raises:
        UserError: a size or recipe is invalid, or a size is named twice.
    """
    sizes: dict[Size, tuple[str, ...]] = {}
    for text in texts:
        written, _, named = text.partition(":")
        size = parse_size(written)
        recipes = tuple(named.split(",")) if named else ()
        for recipe in recipes:
            choose("recipe", recipe, RECIPES)
        if sizes.setdefault(size, recipes) != recipes:
            raise UserError(f"working size '{text}': {written} is named twice")
    return sizes


def parse_size(text: str) -> Size:
    """Parses `384x512` as height and width.

    Raises:
        UserError: it is not a size, or its sides are not multiples of 64.
    """
    try:
        height, width = (int(side) for side in text.lower().replace("×", "x").split("x"))
    except ValueError:
        raise UserError(f"working size '{text}': expected HEIGHTxWIDTH such as 384x512") from None
    if min(height, width) < 64 or height % 64 or width % 64:
        nearest = (max(64, round(side / 64) * 64) for side in (height, width))
        raise UserError(
            f"working size '{text}': both sides must be multiples of 64; the nearest is "
            + "x".join(str(side) for side in nearest)
        )
    return height, width


def export(
    trained: TrainedNetwork,
    out: Path,
    recipes: Sequence[str],
    sizes: Mapping[Size, Sequence[str]],
    options: ExportOptions,
) -> Bundle:
    """Converts a network, measures the models and writes a bundle atomically.

    If it is interrupted while fine-tuning, the same call resumes there.

    Args:
        trained: the network and its pairs.
        out: the folder to create.
        recipes: names in `RECIPES`; empty for all that the network supports.
        sizes: working sizes, multiples of 64, each with its recipes; empty for all.
        options: numbers of steps, pairs and photographs.

    Raises:
        UserError: the pairs are missing, or the network does not support one of the recipes.
    """
    network = trained.network
    float_model = to_tf_keras(network.model, network.config)
    supported, refused = supported_recipes(float_model, recipes)
    jobs = [
        (recipe, size)
        for recipe, (size, named) in itertools.product(supported, sizes.items())
        if not named or recipe in named
    ]
    kinds = {RECIPES[recipe].calibration for recipe, _ in jobs}
    unfinished = out.with_name(f".{out.name}.fine_tuning")
    with tqdm(total=len(sizes) + ("fine_tuning" in kinds) + len(jobs)) as progress:
        samples = sample_sizes(trained, sizes, options, progress)
        equalize_features(float_model, next(iter(samples.values())).calibration)
        tuned = None
        if "fine_tuning" in kinds:
            tuned = fine_tuned(trained, float_model, options, unfinished, progress)
        converted = convert_all(jobs, float_model, tuned, samples, progress)
    bundle, contents = describe_bundle(trained, out, converted, tuned, samples, options)
    bundle = dataclasses.replace(bundle, refused=refused)
    write_bundle(bundle, contents)
    shutil.rmtree(unfinished, ignore_errors=True)
    return bundle


def supported_recipes(
    float_model: Model, recipes: Sequence[str]
) -> tuple[list[str], dict[str, str]]:
    """Splits recipes into those that the network supports and the others, with the reasons.

    Args:
        float_model: the network in tf_keras.
        recipes: names in `RECIPES`; empty for all.

    Raises:
        UserError: a recipe that was named is not supported.
    """
    refused = {
        name: reason
        for name in recipes or RECIPES
        if (reason := refusal(float_model, RECIPES[name])) is not None
    }
    if recipes and refused:
        name, reason = next(iter(refused.items()))
        raise UserError(f"{name}: {reason}")
    supported = [name for name in dict.fromkeys(recipes or RECIPES) if name not in refused]
    return supported, refused


def sample_sizes(
    trained: TrainedNetwork,
    sizes: Iterable[Size],
    options: ExportOptions,
    progress: Any,
) -> dict[Size, SizeSamples]:
    """Collects the samples of every working size.

    The golden samples are a built-in scene: bundles are passed on, and photographs of a data set
    may not be.
    """
    progress.set_description("float output")
    scene = open_pairs(BUILT_IN, "test", trained.network.config.sees_depth)[0]
    held_out, calibration = options.compared_pairs, options.calibration_photos
    samples = {}
    for size in sizes:
        samples[size] = collect_samples(trained, size, held_out, calibration, scene)
        progress.update()
    return samples


def fine_tuned(
    trained: TrainedNetwork,
    float_model: Model,
    options: ExportOptions,
    folder: Path,
    progress: Any,
) -> FineTuned:
    """Fine-tunes the network for 8-bit integers and reports what that gained."""
    progress.set_description("fine-tuning int8")
    tuned = fine_tune_on_pairs(trained, float_model, options.fine_tune_steps, folder)
    progress.write(
        f"int8 to float on held-out crops: {tuned.psnr_calibrated:.2f} dB as calibrated, "
        f"{tuned.psnr:.2f} dB fine-tuned"
    )
    progress.update()
    return tuned


def fine_tune_on_pairs(
    trained: TrainedNetwork, float_model: Model, steps: int, folder: Path
) -> FineTuned:
    """Fine-tunes the network for 8-bit integers on its own training pairs.

    Args:
        trained: supplies the pairs and the schedule by which they are cropped.
        float_model: the network in tf_keras.
        steps: maximum number of steps.
        folder: checkpoint from which an interrupted fine-tuning resumes.
    """
    config = FineTuneConfig(steps=steps)
    crops = dataclasses.replace(trained.train, crop=min(trained.train.crop, config.largest_crop))
    pairs = trained.pairs("train")

    def batches_from(start: int) -> Iterator[Any]:
        return training_batches(
            pairs, 1, config.batch, crops, trained.seed, start=start, sees_focus=sees_focus
        )

    sees_focus = trained.network.config.sees_focus
    validation = validation_crops(trained.pairs("val"), crops, config.validation_photos, sees_focus)
    weights = b"".join(weight.tobytes() for weight in float_model.get_weights())
    # It may only resume with the same weights and pairs, including the contents of the files.
    data = sha256(json.dumps(describe_files(trained.splits())).encode())
    folders = " ".join(trained.data)
    identity = f"{sha256(weights)} {folders} {data} {trained.seed} {trained.limit} {crops}"
    return fine_tune(float_model, batches_from, validation, config, folder, identity)


def convert_all(
    jobs: Sequence[tuple[str, Size]],
    float_model: Model,
    tuned: FineTuned | None,
    samples: Mapping[Size, SizeSamples],
    progress: Any,
) -> list[tuple[BundledModel, bytes]]:
    """Converts and measures a model for every recipe and working size.

    Returns:
        The description and the file of each model.
    """
    converted = []
    for name, size in jobs:
        progress.set_description(f"{name} {size_text(size)}")
        model = float_model
        if tuned is not None and RECIPES[name].calibration == "fine_tuning":
            model = tuned.model
        half = (size[0] // 2, size[1] // 2)
        content = convert(model, RECIPES[name], half, samples[size].calibration)
        converted.append((describe_model(name, size, content, samples[size]), content))
        progress.update()
    return converted


def describe_model(recipe: str, size: Size, content: bytes, samples: SizeSamples) -> BundledModel:
    """Runs a converted model with LiteRT and measures its quality."""
    model = LiteRTModel(content)
    return BundledModel(
        recipe=recipe,
        file=f"{recipe}_{size_text(size)}.tflite",
        working_size=size,
        input=model.input_format,
        output=model.output_format,
        bytes=len(content),
        sha256=sha256(content),
        figures=model_figures(model, samples.held_out, samples.golden),
    )


def describe_bundle(
    trained: TrainedNetwork,
    out: Path,
    converted: Sequence[tuple[BundledModel, bytes]],
    tuned: FineTuned | None,
    samples: Mapping[Size, SizeSamples],
    options: ExportOptions,
) -> tuple[Bundle, dict[str, bytes]]:
    """The bundle's description and the contents of its files, by name."""
    models = tuple(model for model, _ in converted)
    contents: dict[str, bytes] = {}
    if tuned is not None:
        for recipe in dict.fromkeys(model.recipe for model in models):
            if RECIPES[recipe].calibration == "fine_tuning":
                contents[f"{recipe}_history.csv"] = tuned.history.encode()
    records = {name: sha256(content) for name, content in contents.items()}
    contents |= {model.file: content for model, content in converted}
    golden = tuple(
        golden_pair(size, sample, contents) for size in samples for sample in samples[size].golden
    )
    count = min(options.compared_pairs, len(trained.pairs("val")))
    judged_on = f"{count} pairs of {describe_split(trained.data, 'val')}"
    bundle = Bundle(
        out,
        trained.name,
        trained.network.preset,
        models,
        golden,
        fourth_channel=trained.network.config.fourth_channel,
        sharpness_range=SHARPNESS_RANGE if trained.network.gate_is_trained else None,
        records=records,
        judged_on=judged_on,
    )
    return bundle, contents


def golden_pair(size: Size, sample: Sample, contents: dict[str, bytes]) -> GoldenPair:
    """Describes a golden pair and adds its PNG files to `contents`."""
    pictures = {"input": sample.input[..., :3], "output": sample.output[..., :3]}
    if sample.output.shape[-1] == 4:
        pictures["sharpness"] = sample.output[..., 3]
    # In a separate file: as an alpha channel, many decoders would multiply it into the colours.
    if sample.points:
        pictures["focus"] = sample.input[..., 3]
    elif sample.pair.depth is not None:
        pictures["depth"] = sample.input[..., 3]
    told = "focus_" if sample.points else ""
    described: dict[str, str] = {}
    for kind, picture in pictures.items():
        name = f"{told}{kind}" if kind in ("output", "sharpness") else kind
        file = f"golden_{size_text(size)}_{name}.png"
        contents[file] = encode_png(to_uint8(picture))
        described |= {kind: file, f"{kind}_sha256": sha256(contents[file])}
    return GoldenPair(size, focus_points=sample.points, **described)


def encode_png(picture: np.ndarray) -> bytes:
    """Encodes a picture, height × width (× 3), uint8."""
    encoded = io.BytesIO()
    Image.fromarray(picture).save(encoded, "PNG")
    return encoded.getvalue()


def next_commands(bundle: Bundle) -> str:
    """Commands that render photos with a bundle."""
    best = "int8_qat" if "int8_qat" in bundle.recipes else bundle.recipes[-1]
    render = f"python -m pocket_bokeh PHOTO --bundle {bundle.folder} --recipe {best}"
    if bundle.sees_depth:
        return f"{render} --depth FILE"
    return f"python -m gradio_app --bundle {bundle.folder}, or {render}"


if __name__ == "__main__":
    run_command(main)
