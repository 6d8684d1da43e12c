"""A diverging loss is detected; a loss that only fluctuates is not."""

import numpy as np
import pytest

from pocket_bokeh.errors import UserError
from train.loop.divergence import DivergenceWatch


@pytest.mark.parametrize("loss", [float("nan"), float("inf")])
def test_no_number(loss: float) -> None:
    with pytest.raises(UserError, match="level 3, step 7: the loss is not a number"):
        DivergenceWatch().check(loss, "level 3, step 7")


def test_an_explosion_but_not_a_hard_batch() -> None:
    watch = DivergenceWatch()
    random = np.random.default_rng(0)
    for loss in random.uniform(1, 8, 100):
        watch.check(float(loss), "before")
    watch.check(40.0, "a hedge after skies")
    with pytest.raises(UserError, match=r"there: the loss exploded from about \d.* to 900"):
        watch.check(900.0, "there")


def test_the_first_steps_may_fall_steeply() -> None:
    watch = DivergenceWatch()
    for loss in (5000.0, 300.0, 20.0, 5.0, 2.0):
        watch.check(loss, "start")
