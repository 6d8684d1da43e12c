"""Trains all levels of PyNET at once with level 1's loss, as a baseline for train.sequential.

The paper advises against it. By default it takes as many multiply-adds as the sequential training
of the same schedule, all of them on level 1.
"""

import dataclasses
from dataclasses import dataclass
from pathlib import Path

import tyro

from train.loop.devices import run_on_hosts, use_devices
from train.loop.run_folder import Run
from train.loop.training_options import TrainingOptions, make_run, run_from_options
from train.network.cost import level_costs
from train.network.presets import PyNETConfig, TrainConfig
from train.sequential import train_run


@dataclass(frozen=True)
class JointOptions(TrainingOptions):
    """The command line's options."""

    out: Path = Path("runs/joint")
    """The run folder to create."""


def main() -> None:
    options = tyro.cli(JointOptions, description=__doc__)
    planned = run_from_options(options)
    # Counting the costs builds a network, and JAX must connect the hosts before that.
    use_devices(options.machines, [s for s in planned.train.schedules if s.level == 1])
    run = make_run(joint_run(planned, options.steps), options)
    train_run(run)
    print(f"{run.model_file}: trained. Next: python -m quantize.export {run.folder}")


def joint_run(sequential: Run, steps: int | None = None) -> Run:
    """The joint counterpart of a sequential run: it trains only level 1.

    Args:
        sequential: the run to compare with.
        steps: of the joint training; None takes the same number of multiply-adds.
    """
    steps = steps or steps_of_same_work(sequential.network, sequential.train)
    (level_1,) = (s for s in sequential.train.schedules if s.level == 1)
    schedules = (dataclasses.replace(level_1, steps=steps),)
    return dataclasses.replace(
        sequential, train=dataclasses.replace(sequential.train, schedules=schedules)
    )


def steps_of_same_work(network: PyNETConfig, config: TrainConfig) -> int:
    """The steps of level 1 that cost as many multiply-adds as a whole sequential training."""
    costs = level_costs(network, config.crop)
    work = sum(s.steps * s.batch * costs[s.level] for s in config.schedules)
    (level_1,) = (s for s in config.schedules if s.level == 1)
    return round(work / (level_1.batch * costs[1]))


if __name__ == "__main__":
    run_on_hosts(main)
