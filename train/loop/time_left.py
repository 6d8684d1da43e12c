"""Estimates the time left of a training from the cost of its levels."""

import time
from datetime import timedelta

from train.loop.run_folder import Run
from train.network.cost import level_costs


class TimeLeft:
    """Estimates the time left of a run.

    The cost of a step differs a hundredfold between levels and is taken from their multiply-adds.
    The time per multiply-add is measured on the current level.
    """

    def __init__(self, run: Run):
        costs = level_costs(run.network, run.train.crop)
        self._step_cost = {s.level: s.batch * costs[s.level] for s in run.train.schedules}
        self._level_cost = {
            s.level: s.steps * self._step_cost[s.level] for s in run.train.schedules
        }
        self._later = 0.0
        self._started = 0.0

    def start(self, level: int) -> None:
        """Starts to time the steps of a level."""
        self._later = sum(cost for other, cost in self._level_cost.items() if other < level)
        self._started = time.monotonic()

    def text(self, level: int, steps_taken: int, steps_left: int) -> str:
        """The time left of the whole run as h:mm:ss, or `?` before the first measurement.

        Args:
            level: the current level.
            steps_taken: steps since `start`.
            steps_left: steps left of this level.
        """
        if steps_taken < 1:
            return "?"
        cost = self._step_cost[level]
        seconds_per_cost = (time.monotonic() - self._started) / (steps_taken * cost)
        return str(timedelta(seconds=round(seconds_per_cost * (steps_left * cost + self._later))))
