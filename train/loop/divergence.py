"""Detects a diverging training: a loss that is not finite, or one that explodes."""

import math
from collections import deque
from statistics import median

from pocket_bokeh.errors import UserError

REMEMBERED = 50
"""The number of recent steps that a loss is compared with."""

EXPLOSION = 50.0
"""A loss this many times the median of recent losses has exploded.

The losses of healthy batches differ several times over (a blank sky, a hedge), but not fifty times.
"""


class DivergenceWatch:
    """Checks every step's loss and stops a level that diverges."""

    def __init__(self) -> None:
        self._losses: deque[float] = deque(maxlen=REMEMBERED)

    def check(self, loss: float, where: str) -> None:
        """Checks the next loss.

        Args:
            loss: of one step.
            where: level, step, batch and last checkpoint, for the message.

        Raises:
            UserError: the loss is not finite, or exploded.
        """
        if not math.isfinite(loss):
            raise UserError(f"{where}: the loss is not a number{_WHAT_TO_DO}")
        if len(self._losses) >= 10 and loss > EXPLOSION * max(median(self._losses), 1e-6):
            usual = median(self._losses)
            raise UserError(
                f"{where}: the loss exploded from about {usual:.4g} to {loss:.4g}{_WHAT_TO_DO}"
            )
        self._losses.append(loss)


_WHAT_TO_DO = "; check these pairs, or lower the learning rate"
