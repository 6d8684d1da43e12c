"""How long a training has still to go, from what its levels cost."""

import time
from datetime import timedelta

from train.loop.run_folder import Run
from train.network.cost import level_costs


class TimeLeft:
    """Shares the time taken so far out over the steps to come.

    Levels differ a hundredfold in what a step costs; the multiply-adds of each say how. What a
    multiply-add takes is measured on the level at hand.
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
        """A level has started: what is counted from here on are its steps."""
        self._later = sum(cost for other, cost in self._level_cost.items() if other < level)
        self._started = time.monotonic()

    def words(self, level: int, steps_taken: int, steps_left: int) -> str:
        """The whole run's time left as h:mm:ss; `?` while nothing is known.

        Args:
            level: the level at hand.
            steps_taken: since `start`.
            steps_left: of this level.
        """
        if steps_taken < 1:
            return "?"
        cost = self._step_cost[level]
        seconds_per_cost = (time.monotonic() - self._started) / (steps_taken * cost)
        return str(timedelta(seconds=round(seconds_per_cost * (steps_left * cost + self._later))))
