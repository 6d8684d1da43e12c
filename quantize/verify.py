"""Proves every model of a bundle on every runtime: python -m quantize.verify BUNDLE

Each runtime renders the bundle's golden input and some photographs, in a process of its own; its
outputs are held against the float network's golden picture and the float32 model's. What is found
is printed and written to bundle.json. Ends with status 1 where a recipe does not run as its entry
in the table of recipes promises, and with 2 where a runtime was asked for that is not here.
"""

import dataclasses
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import tyro
from skimage import data
from tqdm import tqdm

from pocket_bokeh.bundle import Bundle, BundledModel, read_bundle, rewrite_description
from pocket_bokeh.errors import UserError, run_command
from pocket_bokeh.litert_model import LiteRTModel, decode
from pocket_bokeh.metrics import psnr
from pocket_bokeh.photo import network_input, read_photo, to_float
from pocket_bokeh.render import frame
from quantize.convert.recipes import RECIPES
from quantize.proof.environments import Environment, choose_environments, make_job, run_jobs
from train.network.presets import FOR_PHONES

Findings = dict[str, dict[str, Any]]
"""By runtime, what was found about one model; goes into bundle.json."""


@dataclass(frozen=True)
class VerifyOptions:
    """What the command line takes."""

    bundle: tyro.conf.Positional[Path]
    """A folder that quantize.export made."""
    runtimes: tuple[str, ...] = ()
    """Which runtimes: litert_cpu, litert_lean, litert_reference, tensorflow, tflite_runtime,
    gpu_delegate, arm64. Left out: all; those that are not here are named as missing."""
    recipes: tuple[str, ...] = ()
    """Which of the bundle's models. Left out: all."""
    photos: tuple[Path, ...] = ()
    """Photographs to render beside the golden input. Left out: two that ship with scikit-image."""


def main() -> int:
    options = tyro.cli(VerifyOptions, description=__doc__)
    bundle = read_bundle(options.bundle)
    if bundle.sees_depth and options.photos:
        raise UserError("this network sees a depth map too; leave --photos out")
    chosen = choose_environments(options.runtimes)
    models = bundle.models_of_all(options.recipes)
    found = verify(bundle, models, chosen, options.photos)
    bundle = with_findings(bundle, found)
    rewrite_description(bundle)
    print(table(bundle, chosen))
    broken = broken_promises(bundle, chosen)
    for line in broken:
        print(f"broken promise: {line}")
    missing = [environment for environment in chosen if environment.missing]
    for environment in missing:
        print(f"missing: {environment.title}: {environment.missing}")
    if options.runtimes and missing:
        raise UserError(f"{missing[0].runtime} is not here: {missing[0].missing}")
    return 1 if broken else 0


def verify(
    bundle: Bundle,
    models: Sequence[BundledModel],
    chosen: Sequence[Environment],
    photos: Sequence[Path] = (),
) -> dict[str, Findings]:
    """Runs models on runtimes.

    Returns:
        By a model's file, what each runtime made of it. `golden_…` figures are the golden
        input's, against the float network's 8-bit picture; the others are over all photographs,
        against the bundle's float32 model where it has one. Steps are of 255, PSNR in dB.
    """
    found: dict[str, Findings] = {model.file: {} for model in models}
    with (
        tempfile.TemporaryDirectory() as scratch,
        tqdm(total=len(models) * len(chosen), desc="verify") as progress,
    ):
        inputs = {
            size: np.stack(network_inputs(bundle, size, photos))
            for size in {model.working_size for model in models}
        }
        expected = {size: float_outputs(bundle, size, inputs[size]) for size in inputs}
        for environment in chosen:
            progress.set_description(environment.title)
            for model, answer in _answers(bundle, models, environment, inputs, Path(scratch)):
                outputs = answer.pop("outputs")
                if outputs is not None:
                    answer |= _differences(outputs, expected[model.working_size])
                found[model.file][environment.runtime] = answer
                progress.update()
    return found


def network_inputs(
    bundle: Bundle, size: tuple[int, int], photos: Sequence[Path]
) -> list[np.ndarray]:
    """The golden input and the photographs as the network sees them, h × w × channels, 0…1."""
    golden = bundle.golden_of(size)
    seen = to_float(read_photo(bundle.folder / golden.input))
    if golden.depth:
        depth = to_float(read_photo(bundle.folder / golden.depth))[..., :1]
        return [np.concatenate([seen, depth], axis=-1)]
    pictures = [read_photo(file) for file in photos] or [data.chelsea(), data.coffee()]
    return [seen, *(network_input(frame(picture, size).photo) for picture in pictures)]


def float_outputs(bundle: Bundle, size: tuple[int, int], inputs: np.ndarray) -> list[np.ndarray]:
    """What the float network makes of the inputs: the golden picture, and the float32 model's."""
    golden = bundle.golden_of(size)
    outputs = [to_float(read_photo(bundle.folder / golden.output))]
    for model in bundle.models:
        if model.recipe == "float32" and model.working_size == size:
            runnable = LiteRTModel(bundle.folder / model.file)
            outputs += [np.clip(runnable.run(photo), 0.0, 1.0) for photo in inputs[1:]]
    return outputs


def _answers(
    bundle: Bundle,
    models: Sequence[BundledModel],
    environment: Environment,
    inputs: dict[tuple[int, int], np.ndarray],
    scratch: Path,
) -> Iterator[tuple[BundledModel, dict[str, Any]]]:
    """Each model with what a runtime says of it and gives (`outputs`, None where it does not)."""
    if environment.missing:
        for model in models:
            yield model, _failed("missing", environment.missing)
        return
    pending = list(models)
    while pending:
        batch = pending[:1] if environment.one_model_at_a_time else pending
        jobs = [make_job(bundle, model, inputs[model.working_size], scratch) for model in batch]
        answers, complaints = run_jobs(environment, jobs)
        for model, job, answer in zip(batch, jobs, answers, strict=False):
            answer["reason"] = refused_operators(complaints) or answer["reason"]
            done = answer["verdict"] in ("wholly", "partly")
            codes = np.load(job["outputs"])[:, 0] if done else None
            yield (
                model,
                {**answer, "outputs": None if codes is None else decode(codes, model.output)},
            )
        if len(answers) < len(batch):  # the process ended over the next one
            reason = next((line for line in reversed(complaints) if line.strip()), "no message")
            yield batch[len(answers)], _failed("no", f"its process ended: {reason.strip()}")
            answers.append({})
        pending = pending[len(answers) :]


def _failed(verdict: str, reason: str) -> dict[str, Any]:
    return {"verdict": verdict, "reason": reason, "outputs": None}


def refused_operators(complaints: Sequence[str]) -> str:
    """The operators that the GPU delegate names on standard error, each with its reason, once."""
    starts = [i for i, line in enumerate(complaints) if "not supported by GPU delegate" in line]
    refused: dict[str, int] = {}
    for line in complaints[starts[0] + 1 :] if starts else []:
        name, colon, reason = line.partition(": ")
        if not colon or not name.replace("_", "").isalnum() or not name.isupper():
            break
        said = f"{name}: {reason.partition('. ')[0]}"
        refused[said] = refused.get(said, 0) + 1
    return "; ".join(f"{count} × {said}" for said, count in refused.items())


def _differences(outputs: np.ndarray, expected: list[np.ndarray]) -> dict[str, float]:
    clipped = [np.clip(output, 0.0, 1.0) for output in outputs][: len(expected)]
    pairs = list(zip(clipped, expected, strict=True))
    steps = [255.0 * np.abs(output - wanted) for output, wanted in pairs]
    golden = np.abs(np.rint(255.0 * clipped[0]) - np.rint(255.0 * expected[0]))
    figures = {
        "golden_largest_step": golden.max(),
        "golden_mean_step": golden.mean(),
        "largest_step": max(step.max() for step in steps),
        "mean_step": np.mean([step.mean() for step in steps]),
        "psnr_to_float32": np.mean([psnr(output, wanted) for output, wanted in pairs]),
    }
    return {name: round(float(figure), 4) for name, figure in figures.items()}


def with_findings(bundle: Bundle, found: dict[str, Findings]) -> Bundle:
    """The bundle with what was found; runtimes that were not tried keep their entries."""
    models = tuple(
        dataclasses.replace(model, verify={**model.verify, **found.get(model.file, {})})
        for model in bundle.models
    )
    return dataclasses.replace(bundle, models=models)


def broken_promises(bundle: Bundle, chosen: Sequence[Environment]) -> list[str]:
    """What the table of recipes promises and was not seen; a missing runtime breaks nothing.

    The promise of the GPU delegate is that of the networks for phones alone.
    """
    broken = []
    for model in bundle.models:
        for environment in chosen:
            finding = model.verify.get(environment.runtime)
            promised = environment.runtime in RECIPES[model.recipe].runs_wholly_on
            if environment.runtime == "gpu_delegate" and bundle.preset not in FOR_PHONES:
                promised = False
            if promised and finding and finding["verdict"] in ("partly", "no"):
                why = f": {finding['reason']}" if finding["reason"] else ""
                broken.append(f"{model.file} runs {finding['verdict']} on {environment.title}{why}")
    return broken


def table(bundle: Bundle, chosen: Sequence[Environment]) -> str:
    """What was found, a line for every model and runtime, for people."""
    lines = [
        f"{'model':24} {'runtime':32} {'runs':8} {'golden':>12} {'largest':>8} {'mean':>7} "
        f"{'to float32':>10}"
    ]
    for model in bundle.models:
        for environment in chosen:
            finding = model.verify.get(environment.runtime)
            if finding:
                name = Path(model.file).stem
                lines.append(f"{name:24} {environment.title:32} {_words(finding)}")
    lines.append("golden, largest, mean: differences to the float network in steps of 255")
    return "\n".join(lines)


def _words(finding: Mapping[str, Any]) -> str:
    words = f"{finding['verdict']:8}"
    if "psnr_to_float32" in finding:
        golden = f"{finding['golden_largest_step']:.0f} / {finding['golden_mean_step']:.3f}"
        words += (
            f" {golden:>12} {finding['largest_step']:8.2f} {finding['mean_step']:7.3f} "
            f"{finding['psnr_to_float32']:7.2f} dB"
        )
    return f"{words}  {finding['reason'][:160]}".rstrip()


if __name__ == "__main__":
    run_command(lambda: sys.exit(main()))
