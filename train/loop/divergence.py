"""When a training has gone wrong: a loss that is no number, or one that explodes."""

import math
from collections import deque
from statistics import median

from pocket_bokeh.errors import UserError

REMEMBERED = 50
"""Steps that a loss is held against."""

EXPLOSION = 50.0
"""A loss this many times the median of the remembered ones has exploded.

Batches differ several times over (a blank sky, a hedge); nothing that learns differs fifty times.
"""


class DivergenceWatch:
    """Looks at every step's loss and stops a level that no longer learns."""

    def __init__(self) -> None:
        self._losses: deque[float] = deque(maxlen=REMEMBERED)

    def check(self, loss: float, where: str) -> None:
        """Takes the next loss.

        Args:
            loss: of one step.
            where: level, step, batch and the checkpoint to go back to, in words.

        Raises:
            UserError: the loss is no finite number, or exploded.
        """
        if not math.isfinite(loss):
            raise UserError(f"{where}: the loss is not a number{_WHAT_TO_DO}")
        if len(self._losses) >= 10 and loss > EXPLOSION * max(median(self._losses), 1e-6):
            usual = median(self._losses)
            raise UserError(
                f"{where}: the loss exploded, {loss:.4g} after {usual:.4g}{_WHAT_TO_DO}"
            )
        self._losses.append(loss)


_WHAT_TO_DO = "; look at these pairs, or lower the learning rate"
