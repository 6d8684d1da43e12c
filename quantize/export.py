"""A trained network becomes a bundle: python -m quantize.export RUN

Each recipe is converted for each working size, run by LiteRT and held against the trained network
and against the targets.
"""

import dataclasses
import io
import itertools
import json
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tyro
from keras import ops
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
from pocket_bokeh.photo import to_uint8
from quantize.convert.conversion import convert
from quantize.convert.fine_tuning import FineTuneConfig, FineTuned, fine_tune, validation_crops
from quantize.convert.recipes import RECIPES
from quantize.convert.rounding import refusal
from quantize.convert.source import Source, open_source, source_name
from quantize.convert.twin import build_twin
from quantize.proof.comparison import Sample, compare, fill, pair_input, spread
from train.data.batches import training_batches
from train.data.data_files import describe_files
from train.data.named_pairs import BUILT_IN, describe_split, open_pairs
from train.data.pairs import Pair
from train.network.presets import choose

Model = Any
Size = tuple[int, int]

LARGEST_LOSS = (-0.05, -0.002)
"""PSNR in dB and SSIM to the targets that int8_qat may lose against float32."""


@dataclass(frozen=True)
class ExportOptions:
    """Makes a bundle of a trained network: .tflite models, what they scored, golden pictures."""

    source: tyro.conf.Positional[Path]
    """A folder that a training made, or the .keras file of a network of level 1."""
    data: str | None = None
    """A folder of pairs in the EBB! layout, or built-in. Left out: the run's own pairs, for a
    .keras file the built-in ones."""
    out: Path | None = None
    """The bundle to make. Left out: bundles/NAME, with the name of the run or the file."""
    recipes: tuple[str, ...] = ()
    """Which models to make. Left out: all that the network can take."""
    working_sizes: tuple[str, ...] = ("384x512", "512x384")
    """Height × width of the rendered photographs; a photo takes the nearest in shape. With recipes
    after a colon, as in 512x384:float16,int8_qat, only these are made in that size."""
    fine_tune_steps: int = FineTuneConfig.steps
    """Steps of quantization-aware training at most, about 2 s each on two cores."""
    calibration_photos: int = 16
    """Training photographs that the ranges of int8_ptq and int16x8 are taken from."""
    compared_pairs: int = 6
    """Held-out pairs that the figures are means over."""


def main() -> None:
    options = tyro.cli(ExportOptions)
    check_options(options)
    sizes = parse_sizes(options.working_sizes)
    out = options.out or Path("bundles") / source_name(options.source)
    check_absent(out)
    check_can_make(out)
    source = open_source(options.source, options.data)
    bundle = export(source, out, list(options.recipes), sizes, options)
    print(table(bundle))
    for recipe, reason in bundle.refused.items():
        print(f"left out: {recipe}, {reason}")
    print(f"{out}: {len(bundle.models)} models. Next: {what_next(bundle)}")


def check_options(options: ExportOptions) -> None:
    """Refuses what cannot be meant, before anything slow.

    Raises:
        UserError: says which option.
    """
    for recipe in options.recipes:
        choose("recipe", recipe, RECIPES)
    if keras.backend.backend() != "tensorflow":
        raise UserError(
            f"TFLite's converter needs KERAS_BACKEND=tensorflow, not {keras.backend.backend()}"
        )
    if not options.working_sizes or options.fine_tune_steps < 0:
        raise UserError("--working-sizes: at least one; --fine-tune-steps: 0 or more")
    for name in ("compared_pairs", "calibration_photos"):
        if getattr(options, name) < 1:
            raise UserError(f"--{name.replace('_', '-')}: at least one is needed")


def parse_sizes(texts: Sequence[str]) -> dict[Size, tuple[str, ...]]:
    """Working sizes, each with the recipes made in it; none stands for all.

    Raises:
        UserError: a size that no network has, a recipe that there is not, or a size twice.
    """
    sizes: dict[Size, tuple[str, ...]] = {}
    for text in texts:
        written, _, named = text.partition(":")
        size = parse_size(written)
        recipes = tuple(named.split(",")) if named else ()
        for recipe in recipes:
            choose("recipe", recipe, RECIPES)
        if sizes.setdefault(size, recipes) != recipes:
            raise UserError(f"working size '{text}': {written} is there already")
    return sizes


def parse_size(text: str) -> Size:
    """`384x512` as height and width.

    Raises:
        UserError: it is none, or no size that a network has.
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
    source: Source,
    out: Path,
    recipes: list[str],
    sizes: Mapping[Size, Sequence[str]],
    options: ExportOptions,
) -> Bundle:
    """Makes the models, measures and writes them; the folder appears whole or not at all.

    Stopped in its fine-tuning, the same call goes on there.

    Args:
        source: the network and its pairs.
        out: the folder to make.
        recipes: names in `RECIPES`; none for all that the network can take.
        sizes: working sizes, multiples of 64, each with the recipes made in it, or none for all.
        options: the numbers of steps, pairs and photographs.

    Raises:
        UserError: the pairs are gone, or a recipe that was asked for does not suit the network.
    """
    network = source.network
    twin = build_twin(network.model, network.config)
    recipes, refused = takeable(twin, recipes)
    made = [
        (recipe, size)
        for recipe, (size, named) in itertools.product(recipes, sizes.items())
        if not named or recipe in named
    ]
    recipes = list(dict.fromkeys(recipe for recipe, _ in made))
    unfinished = out.with_name(f".{out.name}.fine_tuning")
    fine_tuned = [name for name in recipes if RECIPES[name].calibration == "fine_tuning"]
    calibrated = any(RECIPES[name].calibration == "photos" for name in recipes)
    phases = len(sizes) + bool(fine_tuned) + len(made)
    contents: dict[str, bytes] = {}
    described: list[BundledModel] = []
    with tqdm(total=phases, desc="float output") as progress:
        samples, photos, golden = {}, {}, {}
        scene = open_pairs(BUILT_IN, "test", network.config.input_channels == 4)[0]
        for size in sizes:
            samples[size] = float_samples(source, size, options.compared_pairs)
            golden[size] = float_sample(source, size, scene)
            count = options.calibration_photos if calibrated else 0
            photos[size] = calibration_inputs(source, size, count)
            progress.update()
        models = dict.fromkeys(recipes, twin)
        if fine_tuned:
            progress.set_description("fine-tuning int8")
            tuned = tune(source, twin, options.fine_tune_steps, unfinished)
            progress.write(
                f"int8 to float on held-out crops: {tuned.psnr_calibrated:.2f} dB as calibrated, "
                f"{tuned.psnr:.2f} dB fine-tuned"
            )
            models |= dict.fromkeys(fine_tuned, tuned.model)
            contents |= {f"{name}_history.csv": tuned.history.encode() for name in fine_tuned}
            progress.update()
        records = {name: sha256(content) for name, content in contents.items()}
        for name, size in made:
            progress.set_description(f"{name} {words(size)}")
            height, width = size
            half = (height // 2, width // 2)
            content = convert(models[name], RECIPES[name], half, photos[size])
            described.append(describe(name, size, content, samples[size], golden[size]))
            contents[described[-1].file] = content
            progress.update()
    golden_pairs = tuple(golden_pair(size, golden[size], contents) for size in sizes)
    bundle = Bundle(
        out, source.name, network.preset, tuple(described), golden_pairs, refused, records
    )
    judged = min(options.compared_pairs, len(source.pairs("val")))
    bundle = dataclasses.replace(
        bundle, judged_on=f"{judged} pairs of {describe_split(source.data, 'val')}"
    )
    write_bundle(bundle, contents)
    shutil.rmtree(unfinished, ignore_errors=True)
    return bundle


def takeable(twin: Model, recipes: list[str]) -> tuple[list[str], dict[str, str]]:
    """The recipes that are made, and those left out because the network cannot take them.

    Raises:
        UserError: a recipe that was asked for is one of the latter.
    """
    refused = {
        name: reason
        for name in recipes or RECIPES
        if (reason := refusal(twin, RECIPES[name])) is not None
    }
    if recipes and refused:
        name, reason = next(iter(refused.items()))
        raise UserError(f"{name}: {reason}")
    made = [name for name in dict.fromkeys(recipes or RECIPES) if name not in refused]
    return made, refused


def calibration_inputs(source: Source, size: Size, count: int) -> list[np.ndarray]:
    """What the network sees of training photographs at a working size."""
    return [pair_input(fill(pair, size)) for pair in spread(source.pairs("train"), count)]


def float_samples(source: Source, size: Size, count: int) -> list[Sample]:
    """Held-out pairs at a working size and what the trained network makes of them."""
    return [float_sample(source, size, pair) for pair in spread(source.pairs("val"), count)]


def float_sample(source: Source, size: Size, pair: Pair) -> Sample:
    """A pair at a working size and what the trained network makes of it."""
    pair = fill(pair, size)
    output = source.network.model(pair_input(pair)[None], training=False)
    return Sample(pair, np.clip(ops.convert_to_numpy(output)[0], 0.0, 1.0))


def tune(source: Source, twin: Model, steps: int, folder: Path) -> FineTuned:
    """Fine-tunes the network as integers on the source's own pairs.

    Args:
        source: whose pairs, and whose schedule says how they become crops.
        twin: the float network.
        steps: at most.
        folder: where it goes on when it was stopped.
    """
    config = FineTuneConfig(steps=steps)
    crops = dataclasses.replace(source.train, crop=min(source.train.crop, config.largest_crop))
    pairs = source.pairs("train")

    def batches_from(start: int) -> Iterator[Any]:
        return training_batches(pairs, 1, config.batch, crops, source.seed, start=start)

    validation = validation_crops(source.pairs("val"), crops, config.validation_photos)
    weights = b"".join(weight.tobytes() for weight in twin.get_weights())
    # What a fine-tuning was stopped on must be what it goes on with, also inside the files.
    data = sha256(json.dumps(describe_files(source.splits())).encode())
    identity = f"{sha256(weights)} {source.data} {data} {source.seed} {source.limit} {crops}"
    return fine_tune(twin, batches_from, validation, config, folder, identity)


def describe(
    recipe: str, size: Size, content: bytes, samples: list[Sample], golden: Sample
) -> BundledModel:
    """Runs a converted model by LiteRT on real photographs and notes what it scored."""
    model = LiteRTModel(content)
    return BundledModel(
        recipe=recipe,
        file=f"{recipe}_{words(size)}.tflite",
        working_size=size,
        input=model.input_format,
        output=model.output_format,
        bytes=len(content),
        sha256=sha256(content),
        figures=compare(model, samples, golden),
    )


def golden_pair(size: Size, sample: Sample, contents: dict[str, bytes]) -> GoldenPair:
    """A picture by which any device can prove its arithmetic; adds the files to `contents`.

    It is a built-in scene: a bundle is handed on, and held-out photographs may not be.
    """
    colour, depth = sample.input[..., :3], sample.input[..., 3:]
    pictures = {"input": colour, "output": sample.output}
    if depth.size:
        # A file of its own: as the alpha of the photograph, many decoders would multiply it in.
        pictures["depth"] = depth[..., 0]
    described: dict[str, str] = {}
    for kind, picture in pictures.items():
        file = f"golden_{words(size)}_{kind}.png"
        contents[file] = encode_png(to_uint8(picture))
        described |= {kind: file, f"{kind}_sha256": sha256(contents[file])}
    return GoldenPair(size, **described)


def encode_png(picture: np.ndarray) -> bytes:
    """height × width × 3 or height × width, uint8, without loss."""
    encoded = io.BytesIO()
    Image.fromarray(picture).save(encoded, "PNG")
    return encoded.getvalue()


def words(size: Size) -> str:
    """Height×width as it stands in file names."""
    return f"{size[0]}x{size[1]}"


def what_next(bundle: Bundle) -> str:
    """The commands that show what a bundle does."""
    render = f"python -m pocket_bokeh {bundle.folder} PHOTO"
    best = "int8_qat" if "int8_qat" in bundle.recipes else bundle.recipes[-1]
    recipe = f"--recipe {best} --out FILE"
    if bundle.sees_depth:
        return f"{render} --depth FILE {recipe}"
    return f"python -m gradio_app --bundle {bundle.folder}, or {render} {recipe}"


def table(bundle: Bundle) -> str:
    """What each model weighs and scored, for people."""
    lines = [
        f"{'model':20} {'MB':>6} {'to float':>9} {'largest':>8} {'mean':>6} {'to target':>10} "
        f"{'untouched':>10} {'SSIM':>7}"
    ]
    for model in bundle.models:
        figures = model.figures
        lines.append(
            f"{model.recipe + ' ' + words(model.working_size):20} {model.bytes / 1e6:6.2f} "
            f"{figures['psnr_to_float32']:6.2f} dB {figures['largest_step']:8.2f} "
            f"{figures['mean_step']:6.3f} {figures['psnr_to_target']:7.2f} dB "
            f"{figures['untouched_psnr_to_target']:7.2f} dB {figures['ssim_to_target']:7.4f}"
        )
    lines.append("largest and mean: difference to the trained network in steps of 255")
    lines.append(f"to target, untouched and SSIM: means over {bundle.judged_on}")
    if "int8_qat" in bundle.recipes:
        lines.append(cost_of_integers(bundle))
    return "\n".join(lines)


def cost_of_integers(bundle: Bundle) -> str:
    """What int8_qat loses against the targets, beside what it may lose."""
    losses = []
    for other in ("float32", "int8_ptq"):
        lost = mean_lost(bundle, "int8_qat", other)
        if lost is not None:
            losses.append(f"against {other} {lost[0]:+.3f} dB, SSIM {lost[1]:+.4f}")
    allowed = f"at most {-LARGEST_LOSS[0]} dB and {-LARGEST_LOSS[1]} against float32 are allowed"
    return f"int8_qat {'; '.join(losses) or 'is alone here'} ({allowed})"


def mean_lost(bundle: Bundle, recipe: str, other: str) -> tuple[float, float] | None:
    """PSNR in dB and SSIM to the targets that a recipe has over another, below zero what it lost.

    The mean over the working sizes that both were made in; None where there is none.
    """
    scores = {
        (model.recipe, model.working_size): np.array(
            [model.figures["psnr_to_target"], model.figures["ssim_to_target"]]
        )
        for model in bundle.models
    }
    differences = [
        score - scores[other, size]
        for (name, size), score in scores.items()
        if name == recipe and (other, size) in scores
    ]
    if not differences:
        return None
    decibels, structure = np.mean(differences, axis=0)
    return float(decibels), float(structure)


if __name__ == "__main__":
    run_command(main)
