"""A trained network becomes a bundle: python -m quantize.export RUN

Each recipe is converted for each working size, run by LiteRT and held against the trained network
and against the targets.
"""

import dataclasses
import io
import itertools
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import tyro
from keras import ops
from PIL import Image
from tqdm import tqdm

from quantize.bundle import (
    Bundle,
    BundledModel,
    GoldenPair,
    check_absent,
    sha256,
    write_bundle,
)
from quantize.compare import Sample, compare, fill, pair_input, spread
from quantize.convert import convert
from quantize.qat import (
    FineTuneConfig,
    check_quantizable,
    fine_tune,
    validation_crops,
)
from quantize.recipes import RECIPES
from quantize.runtimes import LiteRTModel
from quantize.source import Source, open_source, source_name
from quantize.twin import build_twin
from train.errors import UserError, run_command
from train.pairs import training_batches
from train.photo import to_uint8
from train.presets import choose

Model = Any
Size = tuple[int, int]


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
    recipes: tuple[str, ...] = tuple(RECIPES)
    """Which models to make."""
    working_sizes: tuple[str, ...] = ("384x512", "512x384")
    """Height × width of the rendered photographs; a photo takes the nearest in shape."""
    fine_tune_steps: int = FineTuneConfig.steps
    """Steps of quantization-aware training, about 2 s each on two cores."""
    compared_pairs: int = 6
    """Held-out pairs that the figures are means over."""


def main() -> None:
    options = tyro.cli(ExportOptions)
    recipes = list(dict.fromkeys(options.recipes))
    for recipe in recipes:
        choose("recipe", recipe, RECIPES)
    sizes = list(dict.fromkeys(parse_size(size) for size in options.working_sizes))
    if not recipes or not sizes or options.compared_pairs < 1 or options.fine_tune_steps < 0:
        raise UserError(
            "at least one recipe, one working size and one compared pair are needed; "
            "--fine-tune-steps is 0 or more"
        )
    out = options.out or Path("bundles") / source_name(options.source)
    check_absent(out)
    source = open_source(options.source, options.data)
    bundle = export(source, out, recipes, sizes, options)
    print(table(bundle))
    print(f"{out}: {len(bundle.models)} models. Next: {what_next(bundle)}")


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
        raise UserError(f"working size '{text}': both sides must be multiples of 64")
    return height, width


def export(
    source: Source, out: Path, recipes: list[str], sizes: list[Size], options: ExportOptions
) -> Bundle:
    """Makes the models, measures and writes them; the folder appears whole or not at all.

    Raises:
        UserError: the pairs are gone, or a recipe does not suit the network.
    """
    network = source.network
    twin = build_twin(network.model, network.config)
    fine_tuned = [name for name in recipes if RECIPES[name].calibration == "fine_tuning"]
    if fine_tuned:
        check_quantizable(twin)
    phases = len(sizes) + bool(fine_tuned) + len(recipes) * len(sizes)
    with tqdm(total=phases, desc="float output") as progress:
        samples = {}
        for size in sizes:
            samples[size] = float_samples(source, size, options.compared_pairs)
            progress.update()
        models = dict.fromkeys(recipes, twin)
        if fine_tuned:
            progress.set_description("fine-tuning int8")
            tuned = tune(source, twin, options.fine_tune_steps, progress)
            models |= dict.fromkeys(fine_tuned, tuned)
            progress.update()
        contents: dict[str, bytes] = {}
        described = []
        for recipe, size in itertools.product(recipes, sizes):
            progress.set_description(f"{recipe} {words(size)}")
            height, width = size
            content = convert(models[recipe], RECIPES[recipe], (height // 2, width // 2))
            described.append(describe(recipe, size, content, samples[size]))
            contents[described[-1].file] = content
            progress.update()
    golden = [golden_pair(size, samples[size][0], contents) for size in sizes]
    bundle = Bundle(out, source.name, network.preset, tuple(described), tuple(golden))
    write_bundle(bundle, contents)
    return bundle


def float_samples(source: Source, size: Size, count: int) -> list[Sample]:
    """Held-out pairs at a working size and what the trained network makes of them."""
    samples = []
    for pair in spread(source.pairs("val"), count):
        pair = fill(pair, size)
        output = source.network.model(pair_input(pair)[None], training=False)
        samples.append(Sample(pair, np.clip(ops.convert_to_numpy(output)[0], 0.0, 1.0)))
    return samples


def tune(source: Source, twin: Model, steps: int, progress: tqdm) -> Model:
    """Fine-tunes the network as integers on the source's own pairs."""
    config = FineTuneConfig(steps=steps)
    crops = dataclasses.replace(source.train, crop=min(source.train.crop, config.largest_crop))
    batches = training_batches(source.pairs("train"), 1, config.batch, crops, source.seed)
    validation = validation_crops(source.pairs("val"), crops, config.validation_photos)
    tuned = fine_tune(twin, batches, validation, config)
    progress.write(
        f"int8 on held-out crops: {tuned.psnr_calibrated:.2f} dB as calibrated, "
        f"{tuned.psnr:.2f} dB fine-tuned"
    )
    return tuned.model


def describe(recipe: str, size: Size, content: bytes, samples: list[Sample]) -> BundledModel:
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
        figures=compare(model, samples),
        verdicts={"litert_cpu": "runs wholly"},
    )


def golden_pair(size: Size, sample: Sample, contents: dict[str, bytes]) -> GoldenPair:
    """A photograph by which any device can prove its arithmetic; adds the files to `contents`."""
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
    render = f"python -m quantize.render {bundle.folder} PHOTO"
    recipe = f"--recipe {bundle.recipes[-1]} --out FILE"
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
    return "\n".join(lines)


if __name__ == "__main__":
    run_command(main)
