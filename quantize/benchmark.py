"""Measures time and memory of a bundle's models here: python -m quantize.benchmark BUNDLE

Every combination of model, runtime and number of threads runs in a separate process, so that its
peak memory can be measured, and is warmed up first.
"""

import dataclasses
import itertools
import json
import statistics
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import tyro
from tqdm import tqdm

from pocket_bokeh.bundle import Bundle, BundledModel, read_bundle
from pocket_bokeh.disk import check_can_write, write_atomically
from pocket_bokeh.errors import UserError, run_command
from quantize.convert.operators import list_operators
from quantize.proof.environments import Environment, choose_environments, make_job, run_jobs
from train.network.matrix_product import matrix_product_speed


@dataclass(frozen=True)
class BenchmarkOptions:
    """Options of the command line."""

    bundle: tyro.conf.Positional[Path]
    """Folder created by quantize.export."""
    recipes: tuple[str, ...] = ()
    """Recipes to measure. Default: all."""
    runtimes: tuple[str, ...] = (
        "litert_cpu",
        "litert_lean",
        "litert_reference",
        "tensorflow",
        "tflite_runtime",
    )
    """Runtimes to measure. gpu_delegate and arm64 work too, but measure an emulator."""
    threads: tuple[int, ...] = (1, 2)
    """Numbers of CPU threads."""
    repeats: int = 15
    """Timed renderings, after one for warm-up."""
    json: Path | None = None
    """JSON file for the figures."""


@dataclass(frozen=True)
class Measurement:
    """One model on one runtime with one number of threads.

    Attributes:
        model: file name of the model.
        runtime: title of the runtime.
        threads: number of CPU threads.
        bytes: size of the file.
        multiply_adds: of one rendering.
        seconds: median time of a rendering; None if the model does not run.
        spread: distance of the lower and upper quartile, in seconds.
        memory_bytes: peak memory minus that of the runtime before it loads the model.
        peak_share: speed as a share of a large float32 matrix product's; integers can exceed 1.
        reason: why the model does not run.
    """

    model: str
    runtime: str
    threads: int
    bytes: int
    multiply_adds: int
    seconds: float | None = None
    spread: float | None = None
    memory_bytes: int | None = None
    peak_share: float | None = None
    reason: str = ""


def main() -> None:
    options = tyro.cli(BenchmarkOptions, description=__doc__)
    bundle = read_bundle(options.bundle)
    if options.repeats < 1 or not options.threads or min(options.threads) < 1:
        raise UserError("--repeats and --threads: at least 1")
    check_can_write(options.json)
    chosen = choose_environments(options.runtimes)
    models = bundle.models_of_all(options.recipes)
    peak = matrix_product_speed()
    rows = measure(bundle, models, chosen, options, peak)
    print(timings_table(rows))
    print(f"peak: {peak / 1e9:.1f} · 10⁹ multiply-adds/s, a float32 matrix product in NumPy")
    if options.json:
        report = {"peak_multiply_adds_per_second": peak, "rows": [vars(row) for row in rows]}
        write_atomically(options.json, json.dumps(report, indent=2) + "\n")


def measure(
    bundle: Bundle,
    models: Sequence[BundledModel],
    chosen: Sequence[Environment],
    options: BenchmarkOptions,
    peak: float,
) -> list[Measurement]:
    """Measures every model on every runtime with every number of threads."""
    combinations = list(itertools.product(models, chosen, options.threads))
    rows = []
    with tempfile.TemporaryDirectory() as scratch:
        for model, environment, threads in tqdm(combinations, desc="benchmark"):
            row = _measure_one(
                bundle, model, environment, threads, options.repeats, peak, Path(scratch)
            )
            rows.append(row)
    return rows


def _measure_one(
    bundle: Bundle,
    model: BundledModel,
    environment: Environment,
    threads: int,
    repeats: int,
    peak: float,
    scratch: Path,
) -> Measurement:
    file = bundle.folder / model.file
    multiply_adds = sum(operator.multiply_adds for operator in list_operators(file.read_bytes()))
    row = Measurement(model.file, environment.title, threads, model.bytes, multiply_adds)
    if environment.missing:
        return dataclasses.replace(row, reason=f"missing: {environment.missing}")
    height, width = model.working_size
    shape = (1, height // 2, width // 2, 3 if bundle.fourth_channel == "none" else 4)
    photo = np.random.default_rng(0).random(shape, np.float32)
    job = make_job(bundle, model, photo, scratch, threads=threads, repeats=repeats)
    answers, complaints = run_jobs(environment, [job])
    answer: dict[str, Any] = answers[0] if answers else {"reason": "".join(complaints[-1:])}
    if "seconds" not in answer:
        return dataclasses.replace(row, reason=answer["reason"])
    seconds = statistics.median(answer["seconds"])
    lower, upper = np.quantile(answer["seconds"], (0.25, 0.75))
    before, after = answer["memory_bytes"]
    return dataclasses.replace(
        row,
        seconds=seconds,
        spread=float(upper - lower),
        memory_bytes=after - before,
        peak_share=multiply_adds / seconds / peak,
    )


def timings_table(rows: Sequence[Measurement]) -> str:
    """A table with a line per measurement."""
    lines = [
        f"{'model':24} {'runtime':32} {'threads':>7} {'MB':>6} {'ms':>8} {'± ms':>6} "
        f"{'peak MB':>8} {'10⁹/s':>6} {'of peak':>7}"
    ]
    for row in rows:
        start = f"{Path(row.model).stem:24} {row.runtime:32} {row.threads:7} {row.bytes / 1e6:6.2f}"
        if row.seconds is None or row.spread is None or row.memory_bytes is None:
            lines.append(f"{start}  does not run: {row.reason[:120]}")
            continue
        speed = row.multiply_adds / row.seconds / 1e9
        lines.append(
            f"{start} {1e3 * row.seconds:8.1f} {500 * row.spread:6.1f} "
            f"{row.memory_bytes / 1e6:8.0f} {speed:6.1f} {row.peak_share:7.0%}"
        )
    lines.append("ms: median ± half the interquartile range; peak MB: without the runtime itself")
    return "\n".join(lines)


if __name__ == "__main__":
    run_command(main)
