"""Measures the speed and memory of training each level on this machine.

    python -m train.benchmark --preset pocket --schedule quick
    KERAS_BACKEND=jax python -m train.benchmark --levels 3 --precision mixed_bfloat16

Each level takes the same steps as in train.sequential, in its own process, so that its peak memory
can be measured. If a level fails, its row says why.
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
import tyro

from pocket_bokeh.disk import check_can_write
from pocket_bokeh.errors import UserError, run_command
from pocket_bokeh.photo import write_atomically
from train.data.batches import training_batches
from train.data.data_folders import BUILT_IN, resolved_data
from train.data.pairs import SIZE_MULTIPLE, Pair, PairSource
from train.loop.level_training import start_level
from train.loop.run_folder import Run
from train.loop.training_options import Folders, network_of
from train.network.cost import FORWARD_PASSES_PER_STEP, multiply_adds
from train.network.matrix_product import matrix_product_speed
from train.network.presets import (
    LEVEL_1_LOSSES,
    SCHEDULES,
    LevelSchedule,
    Precision,
    choose,
)

PAIRS = 16
"""The number of pairs used. They are read once before timing, so that built-in scenes are in memory
and files in the system's cache, as in all but the first pass of a training."""

DRAINING_SECONDS, PIPELINE_SECONDS = 0.5, 2.0
"""For the speed of the data pipeline: time to use up prefetched examples, and time to measure."""


@dataclass(frozen=True)
class BenchmarkOptions:
    """The command line's options."""

    preset: str = "pocket"
    """The network: reference, report, mobile or pocket."""
    schedule: str = "quick"
    """The schedule for crop and batches: published, standard, release, quick or smoke."""
    levels: tuple[int, ...] = ()
    """The levels to measure, 7 (coarsest) to 1. Default: all of the schedule."""
    batch: tuple[int, ...] = ()
    """Crops per step: one number for all levels, or one per level. Default: the schedule's."""
    crop: int | None = None
    """Side of a crop in pixels of the photograph, a multiple of 64. Default: the schedule's."""
    steps: int = 10
    """The number of timed steps, after two untimed ones."""
    data: Folders = (BUILT_IN,)
    """Folders of pairs in the EBB! layout. Default: the built-in pairs."""
    depth: Annotated[bool, tyro.conf.FlagCreatePairsOff] = False
    """Measure a network that takes a depth map."""
    precision: Precision = "float32"
    """The data type to compute in."""
    jit: Literal["auto", "on", "off"] = "auto"
    """Whether XLA compiles the step; auto decides as training does."""
    vgg_weights: Path | None = None
    """VGG-19's weights for the reference's level-1 loss. Default: leave out that term."""
    json: Path | None = None
    """Also write the results to this file."""


@dataclass(frozen=True)
class Plan:
    """One level to measure; it is sent to the level's own process."""

    run: Run
    schedule: LevelSchedule
    steps: int
    jit: Literal["auto", "on", "off"]


@dataclass(frozen=True)
class LevelSpeed:
    """Speed and memory of training one level.

    Attributes:
        level: 7 … 1.
        batch: crops per step.
        device: the backend's name of the device.
        images_per_second: crops trained on per second, including waiting for data.
        step_seconds: median time of a step once its data is ready.
        start_seconds: time of building, tracing, compiling and the first step.
        memory_bytes: peak main memory of the process, including the data pipeline.
        device_memory_bytes: peak memory of the accelerator; None unless on JAX.
        waiting_share: share of the time, 0…1, spent waiting for data.
        multiply_adds_per_second: of the network, counting a step as three forward passes.
        peak_share: the same relative to `peak_multiply_adds_per_second`.
        peak_multiply_adds_per_second: of a large float32 matrix product in the same process.
        pairs_per_second: speed of the data pipeline on its own.
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
    """Plans the measurement, level by level.

    Raises:
        UserError: an unknown preset, schedule or level, a number out of range, or broken pairs.
    """
    network = network_of(options.preset, options.depth)
    config = choose("schedule", options.schedule, SCHEDULES)
    crop = options.crop or config.crop
    if crop < SIZE_MULTIPLE or crop % SIZE_MULTIPLE:
        raise UserError(f"--crop {crop}: expected a multiple of {SIZE_MULTIPLE}")
    if options.steps < 1:
        raise UserError(f"--steps {options.steps}: expected at least 1")
    run = Run(
        folder=Path("benchmark"),  # never created, since nothing is saved
        preset=options.preset,
        network=network,
        train=dataclasses.replace(config, crop=crop, short_side=max(crop, config.short_side)),
        data=resolved_data(options.data),
        seed=0,
        precision=options.precision,
        vgg_weights=str(options.vgg_weights) if options.vgg_weights else None,
    )
    run.pairs("train")
    return [Plan(run, schedule, options.steps, options.jit) for schedule in _schedules(options)]


def _schedules(options: BenchmarkOptions) -> list[LevelSchedule]:
    """The chosen levels with their batch and loss."""
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
    """Measures a level in its own process, so that a crash does not end the benchmark."""
    try:
        return in_own_process(measure_or_explain, plan)
    except BrokenProcessPool:
        error = "its process was killed, probably because memory ran out"
        return Failure(plan.schedule.level, plan.schedule.batch, error)


def in_own_process(compute: Callable[[Any], Any], argument: Any) -> Any:
    """Calls a function in a fresh process that ends with it.

    Raises:
        BrokenProcessPool: the process ended before the function did.
    """
    with ProcessPoolExecutor(max_workers=1, mp_context=get_context("spawn")) as pool:
        return pool.submit(compute, argument).result()


def measure_or_explain(plan: Plan) -> Row:
    """Measures a level in this process; an error becomes a `Failure`."""
    try:
        return measure(plan)
    except Exception as error:  # of any kind: the other levels are still measured
        lines = str(error).strip().splitlines() or [""]
        reason = f"{type(error).__name__}: {lines[0]}".removesuffix(": ")
        return Failure(plan.schedule.level, plan.schedule.batch, reason)


def measure(plan: Plan) -> LevelSpeed:
    """Takes a level's first steps and times them."""
    run, schedule = plan.run, plan.schedule
    pairs = FirstPairs(run.pairs("train"))
    batches = training_batches(
        pairs,
        schedule.level,
        schedule.batch,
        run.train,
        seed=0,
        sees_focus=run.network.sees_focus,
    )
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
    peak = matrix_product_speed(keras.ops.convert_to_tensor)
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
    """The first `PAIRS` pairs of a source, each read once in advance."""

    def __init__(self, pairs: PairSource):
        self.pairs = pairs
        for index in range(len(self)):
            self[index]

    def __len__(self) -> int:
        return min(PAIRS, len(self.pairs))

    def __getitem__(self, index: int, /) -> Pair:
        return self.pairs[index]


def time_steps(model: Any, batches: Iterator[Any], steps: int) -> tuple[list[float], list[float]]:
    """Seconds that each step waited for its batch and then took, without the first step."""
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
    """Peak bytes of this process in main memory, and on its device if the backend is JAX."""
    unit = 1 if sys.platform == "darwin" else 1024
    main_memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
    if keras.backend.backend() != "jax":
        return main_memory, None
    import jax  # installed only where it is the backend

    device = jax.local_devices()[0].memory_stats() or {}
    return main_memory, device.get("peak_bytes_in_use")


def pipeline_speed(batches: Iterator[Any], batch: int) -> float:
    """Pairs per second of the data pipeline while nothing else runs."""
    _pairs_in(batches, batch, DRAINING_SECONDS)
    return _pairs_in(batches, batch, PIPELINE_SECONDS)


def _pairs_in(batches: Iterator[Any], batch: int, least_seconds: float) -> float:
    started = time.perf_counter()
    for count in itertools.count(1):
        next(batches)
        seconds = time.perf_counter() - started
        if seconds >= least_seconds:
            return count * batch / seconds
    raise AssertionError("unreachable")


COLUMNS: tuple[str, ...] = ("level", "batch", "images/s", "s/step", "start", "memory", "device")
COLUMNS += ("waiting", "10⁹/s", "of-peak", "pairs/s")
WIDTHS = [max(7, len(column)) for column in COLUMNS]
HEADER = "  ".join(column.rjust(width) for column, width in zip(COLUMNS, WIDTHS, strict=True))
NOTES = """
s/step: median once the data is ready. start: seconds to the end of the first step, including
compilation. memory, device: peak main memory of the level's process and of its device, in GB.
waiting: share of the time spent waiting for data. 10⁹/s: multiply-adds of the network, counting a
step as three forward passes. of-peak: the same relative to a large float32 matrix product.
pairs/s: the data pipeline on its own, after the first pass over the pairs."""


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
    """The results, and the options, machine and versions that they depend on."""
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
