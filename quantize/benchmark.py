"""How fast and how large a bundle's models are on this machine: python -m quantize.benchmark BUNDLE

Every model runs on every runtime with every number of threads in a process of its own, so that its
peak memory is its own; warmed up first.
"""

import dataclasses
import itertools
import json
import statistics
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import tyro
from tqdm import tqdm

from pocket_bokeh.bundle import Bundle, BundledModel, read_bundle
from pocket_bokeh.disk import check_can_write
from pocket_bokeh.errors import UserError, run_command
from pocket_bokeh.photo import write_atomically
from quantize.convert.operators import list_operators
from quantize.proof.environments import Environment, choose_environments, make_job, run_jobs

MATRIX_SIDE = 2048


@dataclass(frozen=True)
class BenchmarkOptions:
    """What the command line takes."""

    bundle: tyro.conf.Positional[Path]
    """A folder that quantize.export made."""
    recipes: tuple[str, ...] = ()
    """Which of its models. Left out: all."""
    runtimes: tuple[str, ...] = (
        "litert_cpu",
        "litert_lean",
        "litert_reference",
        "tensorflow",
        "tflite_runtime",
    )
    """Where they run; gpu_delegate and arm64 are possible, but measure an emulator."""
    threads: tuple[int, ...] = (1, 2)
    """Threads of the CPU."""
    repeats: int = 15
    """Renderings that are timed, after one that is not."""
    json: Path | None = None
    """A file to write the figures to as well."""


@dataclass(frozen=True)
class Row:
    """One model on one runtime with one number of threads.

    Attributes:
        model: its file.
        runtime: where.
        threads: of the CPU.
        bytes: of the file.
        seconds: median of the repeats; None where it does not run.
        spread: from the lower to the upper quartile, in seconds.
        memory_bytes: peak main memory less what the runtime alone took before.
        multiply_adds: of one rendering.
        peak_share: of the speed of a large float32 matrix product on two threads, 0…1 and for
            integers above.
        reason: why it does not run.
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
    print(table(rows))
    print(f"peak: {peak / 1e9:.1f} · 10⁹ multiply-adds/s, a float32 matrix product in numpy")
    if options.json:
        report = {"peak_multiply_adds_per_second": peak, "rows": [vars(row) for row in rows]}
        write_atomically(options.json, json.dumps(report, indent=2) + "\n")


def measure(
    bundle: Bundle,
    models: Sequence[BundledModel],
    chosen: Sequence[Environment],
    options: BenchmarkOptions,
    peak: float,
) -> list[Row]:
    """Every model on every runtime with every number of threads."""
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
) -> Row:
    file = bundle.folder / model.file
    multiply_adds = sum(operator.multiply_adds for operator in list_operators(file.read_bytes()))
    row = Row(model.file, environment.title, threads, model.bytes, multiply_adds)
    if environment.missing:
        return dataclasses.replace(row, reason=f"missing: {environment.missing}")
    height, width = model.working_size
    shape = (1, height // 2, width // 2, 4 if bundle.sees_depth else 3)
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


def matrix_product_speed() -> float:
    """Multiply-adds per second of numpy's float32 matrix product, the best of five."""
    matrix = np.random.default_rng(0).random((MATRIX_SIDE, MATRIX_SIDE), np.float32)
    seconds = []
    for _ in range(5):
        started = time.perf_counter()
        matrix @ matrix
        seconds.append(time.perf_counter() - started)
    return MATRIX_SIDE**3 / min(seconds)


def table(rows: Sequence[Row]) -> str:
    """The figures for people."""
    lines = [
        f"{'model':24} {'runtime':32} {'threads':>7} {'MB':>6} {'ms':>8} {'± ms':>6} "
        f"{'peak MB':>8} {'10⁹/s':>6} {'of peak':>7}"
    ]
    for row in rows:
        words = f"{Path(row.model).stem:24} {row.runtime:32} {row.threads:7} {row.bytes / 1e6:6.2f}"
        if row.seconds is None or row.spread is None or row.memory_bytes is None:
            lines.append(f"{words}  does not run: {row.reason[:120]}")
            continue
        speed = row.multiply_adds / row.seconds / 1e9
        lines.append(
            f"{words} {1e3 * row.seconds:8.1f} {500 * row.spread:6.1f} "
            f"{row.memory_bytes / 1e6:8.0f} {speed:6.1f} {row.peak_share:7.0%}"
        )
    lines.append("ms: median, ± half of the quartiles' distance; peak MB: beside the runtime's own")
    return "\n".join(lines)


if __name__ == "__main__":
    run_command(main)
