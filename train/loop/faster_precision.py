"""Trains each level in the faster of float32 and bfloat16, for `--precision auto`.

Which one is faster depends on the processor and on the level's channels, so it is measured. The run
folder keeps what was chosen (`precision.json`), so that a resumed run ends as one never stopped.
"""

import json
import statistics
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Any, TypeVar

import keras
import numpy as np
from tqdm import tqdm

from pocket_bokeh.errors import UserError
from pocket_bokeh.photo import write_atomically
from pocket_bokeh.strict_json import read_json
from train.data.batches import training_batches
from train.loop.devices import is_first_host
from train.loop.interruption import uninterrupted
from train.loop.run_folder import Run
from train.network.presets import LevelSchedule, Precision

MEASURED_FROM = 300
"""The fewest steps of a level that is measured. Shorter levels would save less than it takes."""

LEAST_GAIN = 1.05
"""How many times as fast bfloat16 must be to be chosen over float32, which is more accurate."""

TURNS, UNTIMED_TURNS = 5, 2
"""Steps in each precision that are timed, and steps before them."""

Model = Any
Build = Callable[[Precision], Model]


@dataclass(frozen=True)
class _Chosen:
    """The contents of `precision.json`: the precision of each level that has started."""

    levels: dict[str, Precision] = field(default_factory=dict)


def start_in_faster_precision(
    run: Run, schedule: LevelSchedule, build: Build, can_gain: bool
) -> Model:
    """Builds a level's network in the precision of its first start, or chooses one and keeps it.

    Args:
        run: the training; its folder exists.
        schedule: the schedule of the level.
        build: compiles the level's network in a precision.
        can_gain: whether bfloat16 may be faster here; otherwise float32 is taken unmeasured.

    Raises:
        UserError: `precision.json` is damaged.
    """
    chosen = _read(run)
    level = str(schedule.level)
    if level in chosen.levels:
        return build(chosen.levels[level])
    if can_gain and schedule.steps >= MEASURED_FROM:
        precision, model = _measured(run, schedule, build)
    else:
        precision, model = "float32", build("float32")
    if is_first_host():
        content = asdict(_Chosen(chosen.levels | {level: precision}))
        write_atomically(run.folder / "precision.json", json.dumps(content, indent=2) + "\n")
    return model


def _measured(run: Run, schedule: LevelSchedule, build: Build) -> tuple[Precision, Model]:
    """The faster precision, and its network as if it had not taken a step."""
    models: dict[Precision, Model] = {name: build(name) for name in ("float32", "mixed_bfloat16")}
    starts = {name: _values(model) for name, model in models.items()}
    batch = next(
        training_batches(
            run.pairs("train"),
            schedule.level,
            schedule.batch,
            run.train,
            seed=run.seed,
            sees_focus=run.network.sees_focus,
        )
    )
    seconds = _step_seconds(models, batch)
    gain = seconds["float32"] / seconds["mixed_bfloat16"]
    precision: Precision = "mixed_bfloat16" if gain >= LEAST_GAIN else "float32"
    tqdm.write(
        f"level {schedule.level}: computes in {precision} (a step takes "
        f"{seconds['float32']:.3f} s in float32, {seconds['mixed_bfloat16']:.3f} s in bfloat16)"
    )
    model = models[precision]
    for variable, value in zip(_variables(model), starts[precision], strict=True):
        variable.assign(value)
    model.reset_metrics()
    return precision, model


Name = TypeVar("Name", bound=str)


def _step_seconds(models: dict[Name, Model], batch: Any) -> dict[Name, float]:
    """Median seconds of a step; in turns, so that other work on the machine slows all alike."""
    seconds: dict[Name, list[float]] = {name: [] for name in models}
    for _ in range(UNTIMED_TURNS + TURNS):
        for name, model in models.items():
            started = time.perf_counter()
            with uninterrupted():
                model.train_on_batch(batch["input"], batch["target"])
            seconds[name].append(time.perf_counter() - started)
    return {name: statistics.median(taken[UNTIMED_TURNS:]) for name, taken in seconds.items()}


def _variables(model: Model) -> list[Any]:
    return [*model.weights, *model.optimizer.variables]


def _values(model: Model) -> list[np.ndarray]:
    return [keras.ops.convert_to_numpy(variable) for variable in _variables(model)]


def _read(run: Run) -> _Chosen:
    file = run.folder / "precision.json"
    if not file.is_file():
        return _Chosen()
    try:
        return read_json(file.read_bytes(), _Chosen)
    except ValueError as error:
        raise UserError(
            f"{file}: damaged ({error}); start a new run, or restore it from a copy of the run"
        ) from error
