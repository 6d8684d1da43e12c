"""How fast and how large the training of each level is on this machine.

    python -m train.benchmark --preset mobile --schedule quick
    KERAS_BACKEND=jax python -m train.benchmark --levels 3 --precision mixed_bfloat16

Every level takes the steps that train.sequential takes, in a process of its own, so that its peak
memory is its own. A level that fails is a row that says why.
"""

import dataclasses
import itertools
import json
import os
import resource
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from importlib.metadata import version
from multiprocessing import get_context
from pathlib import Path
from typing import Annotated, Any, Literal

import keras
import numpy as np
import tyro

from pocket_bokeh.disk import check_can_write
from pocket_bokeh.errors import UserError, run_command
from pocket_bokeh.photo import write_atomically
from train.data.batches import training_batches
from train.data.named_pairs import BUILT_IN
from train.data.pairs import SIZE_MULTIPLE, Pair, PairSource
from train.loop.level_training import start_level
from train.loop.run_folder import Run
from train.network.cost import FORWARD_PASSES_PER_STEP, multiply_adds
from train.network.presets import (
    LEVEL_1_LOSSES,
    NETWORKS,
    SCHEDULES,
    LevelSchedule,
    Precision,
    choose,
)

PAIRS = 16
"""Pairs that the batches are made of. They are read once before anything is timed: from then on
built-in scenes are in memory and files in the system's cache, as in every pass but the first."""

DRAINING_SECONDS, PIPELINE_SECONDS = 0.5, 2.0
"""The pipeline alone: time to use up what was made ahead, and time that is counted."""


@dataclass(frozen=True)
class BenchmarkOptions:
    """What the command line takes."""

    preset: str = "mobile"
    """The network: reference, report, mobile or pocket."""
    schedule: str = "quick"
    """Where crop and batches come from: published, standard, quick or smoke."""
    levels: tuple[int, ...] = ()
    """Which levels, 7 (coarsest) to 1; left out: all of the schedule."""
    batch: tuple[int, ...] = ()
    """Crops per step: one number for all levels, or one per level. Left out: the schedule's."""
    crop: int | None = None
    """Side of a crop in pixels of the photograph, a multiple of 64. Left out: the schedule's."""
    steps: int = 10
    """How many steps are timed, after two that are not."""
    data: str = BUILT_IN
    """A folder of pairs in the EBB! layout; left out: the built-in pairs."""
    depth: Annotated[bool, tyro.conf.FlagCreatePairsOff] = False
    """Measure a network that also sees depth."""
    precision: Precision = "float32"
    """What the network computes in."""
    jit: Literal["auto", "on", "off"] = "auto"
    """Whether XLA compiles the step; auto is what the training does."""
    vgg_weights: Path | None = None
    """VGG-19 for the perceptual part of the reference's level 1; left out: without that part."""
    json: Path | None = None
    """A file to write the figures to as well."""


@dataclass(frozen=True)
class Plan:
    """One level to be measured; goes to the level's own process."""

    run: Run
    schedule: LevelSchedule
    steps: int
    jit: Literal["auto", "on", "off"]


@dataclass(frozen=True)
class LevelSpeed:
    """What one level takes.

    Attributes:
        level: 7 … 1.
        batch: crops per step.
        device: what it was computed on, in the backend's words.
        images_per_second: crops trained on per second, waiting for data included.
        step_seconds: median time of a step, data at hand.
        start_seconds: until the first step is done: building, tracing, compiling, one step.
        memory_bytes: most main memory that the process ever had, data pipeline included.
        device_memory_bytes: most memory of the accelerator, where the backend tells (JAX).
        waiting_share: of the time, 0…1, in which the next batch was not ready.
        multiply_adds_per_second: of the network, a step taken as three forward passes.
        peak_share: these over `peak_multiply_adds_per_second`.
        peak_multiply_adds_per_second: of a large float32 matrix product in the same process.
        pairs_per_second: made by the data pipeline with nothing else to do.
    """

    level: int
    batch: int
    device: str
    images_per_second: float
    step_seconds: float
    start_seconds: float
    memory_bytes: int
    device_memory_bytes: int | None
    waiting_share: float
    multiply_adds_per_second: float
    peak_share: float
    peak_multiply_adds_per_second: float
    pairs_per_second: float


@dataclass(frozen=True)
class Failure:
    """A level that could not be measured, and why."""

    level: int
    batch: int
    error: str


Row = LevelSpeed | Failure


def main() -> None:
    options = tyro.cli(BenchmarkOptions, description=__doc__)
    check_can_write(options.json)
    plans = make_plans(options)
    print(HEADER)
    rows = []
    for plan in plans:
        rows.append(measure_in_own_process(plan))
        print(format_row(rows[-1]), flush=True)
    print(NOTES)
    if options.json:
        report = json.dumps(to_json(options, plans[0].run, rows), indent=2, default=str)
        write_atomically(options.json, report + "\n")
    if all(isinstance(row, Failure) for row in rows):
        raise UserError("no level could be measured; the rows above say why")


def make_plans(options: BenchmarkOptions) -> list[Plan]:
    """What is to be measured, level by level.

    Raises:
        UserError: an unknown preset, schedule or level, a number that makes no sense, broken pairs.
    """
    network = choose("preset", options.preset, NETWORKS)
    config = choose("schedule", options.schedule, SCHEDULES)
    crop = options.crop or config.crop
    if crop < SIZE_MULTIPLE or crop % SIZE_MULTIPLE:
        raise UserError(f"--crop {crop}: expected a multiple of {SIZE_MULTIPLE}")
    if options.steps < 1:
        raise UserError(f"--steps {options.steps}: expected at least 1")
    run = Run(
        folder=Path("benchmark"),  # never made: nothing is kept
        preset=options.preset,
        network=dataclasses.replace(network, input_channels=4 if options.depth else 3),
        train=dataclasses.replace(config, crop=crop, short_side=max(crop, config.short_side)),
        data=options.data,
        seed=0,
        precision=options.precision,
        vgg_weights=str(options.vgg_weights) if options.vgg_weights else None,
    )
    run.pairs("train")
    return [Plan(run, schedule, options.steps, options.jit) for schedule in _schedules(options)]


def _schedules(options: BenchmarkOptions) -> list[LevelSchedule]:
    """The chosen levels, with the batch and the loss that they are measured with."""
    known = {entry.level: entry for entry in SCHEDULES[options.schedule].schedules}
    levels = options.levels or tuple(known)
    for level in levels:
        if level not in known:
            raise UserError(f"--levels {level}: the schedule has {', '.join(map(str, known))}")
    batches = options.batch or tuple(known[level].batch for level in levels)
    if len(batches) == 1:
        batches *= len(levels)
    if len(batches) != len(levels) or min(batches) < 1:
        raise UserError(f"--batch: expected one number of 1 or more, or {len(levels)} of them")
    loss = LEVEL_1_LOSSES[options.preset]
    if not options.vgg_weights:
        loss = loss.removesuffix("_vgg")
    known[1] = dataclasses.replace(known[1], loss=loss)
    return [
        dataclasses.replace(known[level], batch=batch)
        for level, batch in zip(levels, batches, strict=True)
    ]


def measure_in_own_process(plan: Plan) -> Row:
    """Measures a level; whatever goes wrong there ends that process alone."""
    try:
        return in_own_process(measure_or_say_why, plan)
    except BrokenProcessPool:
        error = "its process was killed, as happens when memory runs out"
        return Failure(plan.schedule.level, plan.schedule.batch, error)


def in_own_process(compute: Callable[[Any], Any], argument: Any) -> Any:
    """Calls a function in a fresh process that ends with it.

    Raises:
        BrokenProcessPool: the process ended before the function did.
    """
    with ProcessPoolExecutor(max_workers=1, mp_context=get_context("spawn")) as pool:
        return pool.submit(compute, argument).result()


def measure_or_say_why(plan: Plan) -> Row:
    """Measures a level in this process."""
    try:
        return measure(plan)
    except Exception as error:  # whatever it is, the other levels go on
        lines = str(error).strip().splitlines() or [""]
        reason = f"{type(error).__name__}: {lines[0]}".removesuffix(": ")
        return Failure(plan.schedule.level, plan.schedule.batch, reason)


def measure(plan: Plan) -> LevelSpeed:
    """Takes a level's first steps and times them."""
    run, schedule = plan.run, plan.schedule
    pairs = FirstPairs(run.pairs("train"))
    batches = training_batches(pairs, schedule.level, schedule.batch, run.train, seed=0)
    batch = next(batches)

    started = time.perf_counter()
    model = start_level(run, schedule)
    if plan.jit != "auto":
        model.jit_compile = plan.jit == "on"
    model.train_on_batch(batch["input"], batch["target"])
    start_seconds = time.perf_counter() - started

    waiting, stepping = time_steps(model, batches, plan.steps)
    step_seconds = statistics.median(stepping)
    memory_bytes, device_memory_bytes = peak_memory()
    half = run.train.crop // 2
    forward = sum(multiply_adds(run.network, schedule.level, (half, half)).values())
    speed = FORWARD_PASSES_PER_STEP * forward * schedule.batch / step_seconds
    peak = matrix_product_speed()
    return LevelSpeed(
        level=schedule.level,
        batch=schedule.batch,
        device=keras.distribution.list_devices()[0],
        images_per_second=schedule.batch * plan.steps / (sum(waiting) + sum(stepping)),
        step_seconds=step_seconds,
        start_seconds=start_seconds,
        memory_bytes=memory_bytes,
        device_memory_bytes=device_memory_bytes,
        waiting_share=sum(waiting) / (sum(waiting) + sum(stepping)),
        multiply_adds_per_second=speed,
        peak_share=speed / peak,
        peak_multiply_adds_per_second=peak,
        pairs_per_second=pipeline_speed(batches, schedule.batch),
    )


class FirstPairs:
    """The first pairs of a source, all of them read once: see `PAIRS`."""

    def __init__(self, pairs: PairSource):
        self.pairs = pairs
        for index in range(len(self)):
            self[index]

    def __len__(self) -> int:
        return min(PAIRS, len(self.pairs))

    def __getitem__(self, index: int, /) -> Pair:
        return self.pairs[index]


def time_steps(model: Any, batches: Iterator[Any], steps: int) -> tuple[list[float], list[float]]:
    """Seconds that each step waited for its batch, and that it then took; the first is left out."""
    waiting, stepping = [], []
    for _ in range(steps + 1):
        started = time.perf_counter()
        batch = next(batches)
        arrived = time.perf_counter()
        model.train_on_batch(batch["input"], batch["target"])
        waiting.append(arrived - started)
        stepping.append(time.perf_counter() - arrived)
    return waiting[1:], stepping[1:]


def peak_memory() -> tuple[int, int | None]:
    """The most bytes that this process had in main memory, and on its device where JAX knows."""
    unit = 1 if sys.platform == "darwin" else 1024
    main_memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
    if keras.backend.backend() != "jax":
        return main_memory, None
    import jax  # where it is not the backend it need not be installed

    device = jax.local_devices()[0].memory_stats() or {}
    return main_memory, device.get("peak_bytes_in_use")


def matrix_product_speed() -> float:
    """Multiply-adds per second of the backend's float32 matrix product on this machine.

    The matrices grow until a product takes a tenth of a second, so that the way to the device and
    back does not count.
    """
    for side in (1024, 2048, 4096, 8192):
        values = np.random.default_rng(0).random((side, side), np.float32)
        matrix = keras.ops.convert_to_tensor(values)
        seconds = min(_product_seconds(matrix) for _ in range(4))
        if seconds > 0.1:
            break
    return side**3 / seconds


def _product_seconds(matrix: Any) -> float:
    started = time.perf_counter()
    float(keras.ops.matmul(matrix, matrix)[0, 0])  # a value is there only when the product is
    return time.perf_counter() - started


def pipeline_speed(batches: Iterator[Any], batch: int) -> float:
    """Pairs per second that the pipeline makes of a level's batches while nothing else runs."""
    _pairs_in(batches, batch, DRAINING_SECONDS)
    return _pairs_in(batches, batch, PIPELINE_SECONDS)


def _pairs_in(batches: Iterator[Any], batch: int, least_seconds: float) -> float:
    started = time.perf_counter()
    for count in itertools.count(1):
        next(batches)
        seconds = time.perf_counter() - started
        if seconds >= least_seconds:
            return count * batch / seconds
    raise AssertionError("unreachable: counting does not end")


COLUMNS: tuple[str, ...] = ("level", "batch", "images/s", "s/step", "start", "memory", "device")
COLUMNS += ("waiting", "10⁹/s", "of-peak", "pairs/s")
WIDTHS = [max(7, len(column)) for column in COLUMNS]
HEADER = "  ".join(column.rjust(width) for column, width in zip(COLUMNS, WIDTHS, strict=True))
NOTES = """
s/step: median, data at hand. start: seconds to the end of the first step, compiling included.
memory: most main memory of the level's process, and most memory of its device, in GB. waiting:
share of the time in which data was not ready. 10⁹/s: multiply-adds of the network, a step taken
as three forward passes. of-peak: their share of a large float32 matrix product's. pairs/s: the
data pipeline alone, after the first pass over the pairs."""


def format_row(row: Row) -> str:
    """A line of the table under `HEADER`."""
    if isinstance(row, Failure):
        cells = [str(row.level), str(row.batch)]
        return _aligned(cells) + f"  failed: {row.error}"
    device = row.device_memory_bytes
    return _aligned(
        [
            str(row.level),
            str(row.batch),
            f"{row.images_per_second:.2f}",
            f"{row.step_seconds:.3f}",
            f"{row.start_seconds:.1f}",
            f"{row.memory_bytes / 1e9:.2f}",
            "–" if device is None else f"{device / 1e9:.2f}",
            f"{row.waiting_share:.1%}",
            f"{row.multiply_adds_per_second / 1e9:.1f}",
            f"{row.peak_share:.0%}",
            f"{row.pairs_per_second:.1f}",
        ]
    )


def _aligned(cells: list[str]) -> str:
    return "  ".join(cell.rjust(width) for cell, width in zip(cells, WIDTHS, strict=False))


def to_json(options: BenchmarkOptions, run: Run, rows: list[Row]) -> dict[str, Any]:
    """The figures with what they depend on: options, crop, machine, versions."""
    backend = keras.backend.backend()
    return {
        "options": dataclasses.asdict(options) | {"crop": run.train.crop},
        "backend": backend,
        "cores": len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count(),
        "packages": {name: version(name) for name in ("keras", backend, "numpy", "grain")},
        "levels": [dataclasses.asdict(row) for row in rows],
    }


if __name__ == "__main__":
    run_command(main)
