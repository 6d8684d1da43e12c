"""Tests every model of a bundle on every runtime: python -m quantize.verify BUNDLE

Each runtime renders the bundle's golden input and some photographs in a separate process. The
outputs are compared with the golden output and with the float32 model. Results are printed and
written to bundle.json. The exit status is 1 if a model does not run where its recipe requires it
(`runs_wholly_on`) or if a neural processor computes it worse than the CPU, and 2 if a runtime was
named that is not installed.
"""

import dataclasses
import itertools
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
from pocket_bokeh.photo import Size, network_input, read_photo
from pocket_bokeh.render import frame
from quantize.convert.recipes import RECIPES
from quantize.proof.comparison import rounded_steps, sharpness_figures
from quantize.proof.environments import Environment, choose_environments, make_job, run_jobs
from train.network.presets import FOR_PHONES

LARGEST_STRAY = 4
"""Steps of 1/255 by which a neural processor's worst pixel may be worse than the CPU's. Correct
kernels round differently: in models/pocket the worst pixels differ by up to three steps."""

Findings = dict[str, dict[str, Any]]
"""Results of one model by runtime; stored in bundle.json."""


@dataclass(frozen=True)
class VerifyOptions:
    """Options of the command line."""

    bundle: tyro.conf.Positional[Path]
    """Folder created by quantize.export."""
    runtimes: tuple[str, ...] = ()
    """Runtimes to test: litert_cpu, litert_lean, litert_reference, tensorflow, tflite_runtime,
    gpu_delegate, arm64, hexagon, rockchip. Default: all; runtimes that are not installed are
    reported as missing."""
    recipes: tuple[str, ...] = ()
    """Recipes to test. Default: all."""
    photos: tuple[Path, ...] = ()
    """Photographs to render in addition to the golden input. Default: two of scikit-image's."""


def main() -> int:
    options = tyro.cli(VerifyOptions, description=__doc__)
    bundle = read_bundle(options.bundle)
    if bundle.sees_depth and options.photos:
        raise UserError("this network needs a depth map with each photo; leave --photos out")
    chosen = choose_environments(options.runtimes)
    models = bundle.models_of_all(options.recipes)
    found = verify(bundle, models, chosen, options.photos)
    bundle = with_findings(bundle, found)
    rewrite_description(bundle)
    print(findings_table(bundle, chosen))
    failures = unmet_requirements(bundle, chosen) + strayed_emulations(bundle, chosen)
    for line in failures:
        print(f"requirement not met: {line}")
    missing = [environment for environment in chosen if environment.missing]
    for environment in missing:
        print(f"missing: {environment.title}: {environment.missing}")
    if options.runtimes and missing:
        raise UserError(f"{missing[0].runtime} is not installed: {missing[0].missing}")
    return 1 if failures else 0


def verify(
    bundle: Bundle,
    models: Sequence[BundledModel],
    chosen: Sequence[Environment],
    photos: Sequence[Path] = (),
) -> dict[str, Findings]:
    """Runs models on runtimes.

    Returns:
        The findings by a model's file name. `golden_…` figures compare the golden inputs' outputs
        with the golden pictures, 8-bit. The other figures are over all photographs and compare with
        the bundle's float32 model, if it has one. Steps are of 1/255, PSNR is in dB.
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
                    golden = len(bundle.golden_of(model.working_size))
                    answer |= _differences(outputs, expected[model.working_size], golden)
                found[model.file][environment.runtime] = answer
                progress.update()
    return found


def network_inputs(bundle: Bundle, size: Size, photos: Sequence[Path]) -> list[np.ndarray]:
    """Network inputs of the golden pairs and the photographs, h × w × channels, float 0…1.

    Without depth maps for other photographs, a network with depth gets the golden input only. One
    with a focus map finds their subjects by itself.
    """
    golden = [bundle.golden_input(pair) for pair in bundle.golden_of(size)]
    if bundle.sees_depth:
        return golden
    pictures = [read_photo(file) for file in photos] or [data.chelsea(), data.coffee()]
    framed = [frame(picture, size) for picture in pictures]
    return golden + [
        network_input(one.photo, focus=one.focus_map(()) if bundle.sees_focus else None)
        for one in framed
    ]


def float_outputs(bundle: Bundle, size: Size, inputs: np.ndarray) -> list[np.ndarray]:
    """Expected outputs: the golden pictures, then the float32 model's if the bundle has one."""
    golden = bundle.golden_of(size)
    outputs = [bundle.golden_output(pair) for pair in golden]
    for model in bundle.models:
        if model.recipe == "float32" and model.working_size == size:
            runnable = LiteRTModel(bundle.folder / model.file)
            outputs += [np.clip(runnable.run(photo), 0.0, 1.0) for photo in inputs[len(golden) :]]
    return outputs


def _answers(
    bundle: Bundle,
    models: Sequence[BundledModel],
    environment: Environment,
    inputs: dict[Size, np.ndarray],
    scratch: Path,
) -> Iterator[tuple[BundledModel, dict[str, Any]]]:
    """Runs models on one runtime; yields each with its answer and `outputs`, None if it failed."""
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
        if len(answers) < len(batch):  # the next model crashed the process
            reason = next((line for line in reversed(complaints) if line.strip()), "no message")
            yield batch[len(answers)], _failed("no", f"its process ended: {reason.strip()}")
            answers.append({})
        pending = pending[len(answers) :]


def _failed(verdict: str, reason: str) -> dict[str, Any]:
    return {"verdict": verdict, "reason": reason, "outputs": None}


def refused_operators(complaints: Sequence[str]) -> str:
    """The operators that the GPU delegate refused on standard error, with reasons and counts."""
    starts = [i for i, line in enumerate(complaints) if "not supported by GPU delegate" in line]
    refused: dict[str, int] = {}
    for line in complaints[starts[0] + 1 :] if starts else []:
        name, colon, reason = line.partition(": ")
        if not colon or not name.replace("_", "").isalnum() or not name.isupper():
            break
        said = f"{name}: {reason.partition('. ')[0]}"
        refused[said] = refused.get(said, 0) + 1
    return "; ".join(f"{count} × {said}" for said, count in refused.items())


def _differences(
    outputs: np.ndarray, expected: list[np.ndarray], golden_pairs: int
) -> dict[str, float]:
    """Figures over all outputs; the first `golden_pairs` of them also as 8-bit pictures."""
    clipped = [np.clip(output, 0.0, 1.0) for output in outputs][: len(expected)]
    colours = [(one[..., :3], other[..., :3]) for one, other in zip(clipped, expected, strict=True)]
    steps = [255.0 * np.abs(output - wanted) for output, wanted in colours]
    golden = rounded_steps(clipped[:golden_pairs], expected[:golden_pairs])
    figures = {
        "golden_largest_step": golden.max(),
        "golden_mean_step": golden.mean(),
        "largest_step": max(step.max() for step in steps),
        "mean_step": np.mean([step.mean() for step in steps]),
        "psnr_to_float32": np.mean([psnr(output, wanted) for output, wanted in colours]),
        **sharpness_figures(clipped, expected, "sharpness_mean_step"),
    }
    return {name: round(float(figure), 4) for name, figure in figures.items()}


def with_findings(bundle: Bundle, found: dict[str, Findings]) -> Bundle:
    """The bundle with new findings; findings of other runtimes are kept."""
    models = tuple(
        dataclasses.replace(model, verify={**model.verify, **found.get(model.file, {})})
        for model in bundle.models
    )
    return dataclasses.replace(bundle, models=models)


def unmet_requirements(bundle: Bundle, chosen: Sequence[Environment]) -> list[str]:
    """Models that do not run wholly where their recipe requires it, one line each.

    Missing runtimes do not count. Only the networks for phones must run on the GPU delegate.
    """
    unmet = []
    for model in bundle.models:
        for environment in chosen:
            finding = model.verify.get(environment.runtime)
            is_required = environment.runtime in RECIPES[model.recipe].runs_wholly_on
            if environment.runtime == "gpu_delegate" and bundle.preset not in FOR_PHONES:
                is_required = False
            if is_required and finding and finding["verdict"] in ("partly", "no"):
                how = "runs only partly" if finding["verdict"] == "partly" else "does not run"
                why = f": {finding['reason']}" if finding["reason"] else ""
                unmet.append(f"{model.file} {how} on {environment.title}{why}")
    return unmet


def strayed_emulations(bundle: Bundle, chosen: Sequence[Environment]) -> list[str]:
    """Models that a neural processor computes worse than the CPU, one line each.

    On the golden input, the largest difference to the golden picture may be `LARGEST_STRAY` steps
    larger than LiteRT's on the CPU, with XNNPACK or with the reference kernels. Both are right, and
    a single pixel may differ by several steps between them.
    """
    emulated = [environment for environment in chosen if environment.is_emulated]
    strayed = []
    for model, environment in itertools.product(bundle.models, emulated):
        on_cpu = largest_on_cpu(model)
        found = model.verify.get(environment.runtime, {}).get("golden_largest_step")
        if on_cpu is not None and found is not None and found > on_cpu + LARGEST_STRAY:
            strayed.append(
                f"{model.file} differs by {found:.0f} of 255 from the golden picture on "
                f"{environment.title}, but by {on_cpu:.0f} on the CPU"
            )
    return strayed


def largest_on_cpu(model: BundledModel) -> float | None:
    """The largest difference to the golden picture on a CPU, in steps; None if not measured."""
    known = (
        model.figures.get("golden_largest_step"),
        model.verify.get("litert_reference", {}).get("golden_largest_step"),
    )
    return max((step for step in known if step is not None), default=None)


def findings_table(bundle: Bundle, chosen: Sequence[Environment]) -> str:
    """A table with a line for every model and runtime."""
    lines = [
        f"{'model':24} {'runtime':32} {'runs':8} {'golden':>12} {'largest':>8} {'mean':>7} "
        f"{'to float32':>10}"
    ]
    for model in bundle.models:
        for environment in chosen:
            finding = model.verify.get(environment.runtime)
            if finding:
                name = Path(model.file).stem
                lines.append(f"{name:24} {environment.title:32} {_columns(finding)}")
    lines.append("golden, largest, mean: differences to the float network in steps of 1/255")
    return "\n".join(lines)


def _columns(finding: Mapping[str, Any]) -> str:
    text = f"{finding['verdict']:8}"
    if "psnr_to_float32" in finding:
        golden = f"{finding['golden_largest_step']:.0f} / {finding['golden_mean_step']:.3f}"
        text += (
            f" {golden:>12} {finding['largest_step']:8.2f} {finding['mean_step']:7.3f} "
            f"{finding['psnr_to_float32']:7.2f} dB"
        )
    return f"{text}  {finding['reason'][:160]}".rstrip()


if __name__ == "__main__":
    run_command(lambda: sys.exit(main()))
