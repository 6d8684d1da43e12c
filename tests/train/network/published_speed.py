"""A step of the published graph beside ours, by hand: python tests/train/network/published_speed.py

The graph is bare TensorFlow operators, with TensorFlow's own gradients and Adam; ours is what
`train.sequential` takes. Both see the same crops and the same loss, and step in turns, so that what
else the machine does slows both alike; each once more alone, for the memory that it takes at most.
Needs minutes and a quiet machine; no part of ./run test.
"""

import dataclasses
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import tyro

if __name__ == "__main__":  # run as a file, Python looks for modules beside it alone
    sys.path.insert(0, str(Path(__file__).parents[3]))

from tests.train.network.published_graph import PublishedGraph, Variables
from train.benchmark import BenchmarkOptions, Plan, in_own_process, make_plans, peak_memory


@dataclass(frozen=True)
class SpeedOptions:
    """What the command line takes."""

    levels: tuple[int, ...] = (5, 3, 1)
    """Of the reference network."""
    crops: tuple[int, ...] = (512, 256, 256)
    """Sides of the crops in pixels of the photograph, one for each level."""
    batches: tuple[int, ...] = (2, 1, 1)
    """Crops per step, one for each level."""
    steps: int = 12
    """How many steps of either are timed, after two that are not."""


def main() -> None:
    options = tyro.cli(SpeedOptions, description=__doc__)
    print("level  crop  batch  graph s/step  float32  ratio  bfloat16  ratio  graph GB  ours GB")
    for level, crop, batch in zip(options.levels, options.crops, options.batches, strict=True):
        plan = plan_of(level, crop, batch, options.steps)
        graph, ours, halved = in_own_process(seconds_in_turns, plan)
        graph_bytes, our_bytes = (
            in_own_process(bytes_alone, (make_step, plan))
            for make_step in (published_step, our_step)
        )
        print(
            f"{level:5}{crop:6}{batch:7}{graph:14.2f}{ours:9.2f}{ours / graph:7.2f}"
            f"{halved:10.2f}{halved / graph:7.2f}{graph_bytes / 1e9:10.2f}{our_bytes / 1e9:9.2f}",
            flush=True,
        )


def plan_of(level: int, crop: int, batch: int, steps: int) -> Plan:
    """Our side's run of one level, with depth as published and L1 as its loss."""
    asked = BenchmarkOptions("reference", "published", (level,), (batch,), crop, steps, depth=True)
    (plan,) = make_plans(asked)
    return dataclasses.replace(plan, schedule=dataclasses.replace(plan.schedule, loss="l1"))


def seconds_in_turns(plan: Plan) -> list[float]:
    """Median seconds of a step of the published graph, of ours, and of ours in bfloat16, after the
    first two."""
    halved = dataclasses.replace(
        plan, run=dataclasses.replace(plan.run, precision="mixed_bfloat16")
    )
    steps = published_step(plan), our_step(plan), our_step(halved)
    seconds: list[list[float]] = [[] for _ in steps]
    for _ in range(plan.steps + 2):
        for step, taken in zip(steps, seconds, strict=True):
            started = time.perf_counter()
            step()
            taken.append(time.perf_counter() - started)
    return [statistics.median(taken[2:]) for taken in seconds]


def bytes_alone(made: tuple[Callable[[Plan], Callable[[], Any]], Plan]) -> int:
    """The most bytes of a process that takes two steps of one of them."""
    make_step, plan = made
    step = make_step(plan)
    for _ in range(2):
        step()
    return peak_memory()[0]


def our_step(plan: Plan) -> Callable[[], Any]:
    """A step of `train.loop.level_training`."""
    from train.loop.level_training import start_level

    model = start_level(plan.run, plan.schedule)
    photo, target = crops_of(plan)
    return lambda: model.train_on_batch(photo, target)


def published_step(plan: Plan) -> Callable[[], Any]:
    """A step of the published graph."""
    import tensorflow as tf

    class TrainedVariables(Variables):
        """Made in a first pass; handed out again, in the same order, when the step is traced."""

        def create(self, shape: tuple[int, ...], mean: float, deviation: float) -> Any:
            if waiting:
                return next(waiting[0])
            super().create(shape, mean, deviation)
            value = self.values[-1]
            kept.append([tf.Variable(one) for one in (value, 0 * value, 0 * value)])
            return kept[-1][0]

    kept: list[list[Any]] = []
    waiting: list[Any] = []
    graph = PublishedGraph(TrainedVariables(seed=0))
    graph.outputs_of(tf.zeros((1, 64, 64, 4)))
    waiting.append(iter([variable for variable, *_ in kept]))
    level, crops = plan.schedule.level, [tf.constant(array) for array in crops_of(plan)]

    def step(photo: Any, target: Any) -> Any:
        with tf.GradientTape() as tape:
            output = graph.outputs_of(photo)[level]
            loss = tf.reduce_mean(tf.abs(output - target))
        gradients = tape.gradient(loss, [variable for variable, *_ in kept])
        for (variable, mean, square), gradient in zip(kept, gradients, strict=True):
            if gradient is not None:  # of a finer level's
                tf.raw_ops.ResourceApplyAdam(
                    var=variable.handle, m=mean.handle, v=square.handle, grad=gradient,
                    beta1_power=0.9, beta2_power=0.999, lr=5e-5, beta1=0.9, beta2=0.999,
                    epsilon=1e-8,
                )  # fmt: skip
        return loss

    compiled = tf.function(step).get_concrete_function(*crops)
    return lambda: float(compiled(*crops))


def crops_of(plan: Plan) -> list[np.ndarray]:
    """Noise as large as a batch of crops and as their targets."""
    random, batch, half = np.random.default_rng(0), plan.schedule.batch, plan.run.train.crop // 2
    level = plan.schedule.level
    side = 2 * half if level == 1 else half // 2 ** (level - 2)
    shapes = (batch, half, half, 4), (batch, side, side, 3)
    return [random.random(shape, np.float32) for shape in shapes]


if __name__ == "__main__":
    main()
