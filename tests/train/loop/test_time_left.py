"""The time left is estimated from the cost of the levels."""

import time
from collections.abc import Callable
from datetime import datetime

import pytest

from train.loop.run_folder import Run
from train.loop.time_left import TimeLeft


def test_the_coming_level_counts_by_its_arithmetic(
    tiny_run: Callable[..., Run], monkeypatch: pytest.MonkeyPatch
) -> None:
    left = TimeLeft(tiny_run(steps=1000))
    now = time.monotonic()
    monkeypatch.setattr(time, "monotonic", lambda: now)
    left.start(7)
    assert left.text(7, steps_taken=0, steps_left=999) == "?"
    monkeypatch.setattr(time, "monotonic", lambda: now + 100)
    at_6 = left.text(7, steps_taken=500, steps_left=500)
    parsed = datetime.strptime(at_6, "%H:%M:%S")
    seconds = parsed.hour * 3600 + parsed.minute * 60 + parsed.second
    # 100 s for the rest of level 7, and level 6 costs more than level 7 did.
    assert 100 + 200 < seconds < 100 + 200 * 4
    left.start(6)
    monkeypatch.setattr(time, "monotonic", lambda: now + 200)
    assert left.text(6, steps_taken=500, steps_left=500) == "0:01:40"
