"""How long a model takes on this computer: alone, several times, when nothing else is asked of it.

While a rendering runs beside it a model takes up to ten times as long, so a time from a
comparison says more about the comparison than about the model.
"""

import contextlib
import logging
import os
import statistics
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np

from gradio_app.models import ModelChoice
from gradio_app.workshop import Workshop

RUNS = 5
"""Undisturbed runs, of which the median counts."""

_QUIET_BEFORE = 2.0
"""Seconds without a task before a run; the visitor's browser is often on this computer, too."""
_LOOK_EVERY = 0.2
_LONGEST_PAUSE = 60.0
_MOST_OF_OTHERS = 1.1
"""A run that took longer than this times its own computing shared its core with other programs."""
_LOWEST_PRIORITY = 19


@dataclass(frozen=True)
class Run:
    """One run of a model.

    Attributes:
        seconds: that passed.
        computing: seconds that the core worked on it.
    """

    seconds: float
    computing: float


class SpeedMeter:
    """Measures models one after another, each once for the life of the server.

    It works at the lowest priority and begins a run only while the workshop has no task. A run
    during which a task came, or another program took the core, does not count and is repeated.
    """

    def __init__(
        self,
        workshop: Workshop,
        load: Callable[[ModelChoice], Callable[[], Run]] | None = None,
        quiet_before: float = _QUIET_BEFORE,
    ):
        """Measures nothing yet.

        Args:
            workshop: whose tasks come first.
            load: gives what runs a model once; its first run is not counted.
            quiet_before: seconds without a task before a run.
        """
        self._workshop = workshop
        self._load = load or load_model
        self._quiet_before = quiet_before
        self._known: dict[str, float | None] = {}
        self._waiting: dict[str, ModelChoice] = {}
        self._lock = threading.Lock()
        self._is_running = False

    def ask(self, models: Iterable[ModelChoice]) -> None:
        """Has those measured that are not known yet; returns at once."""
        with self._lock:
            for model in models:
                if model.key not in self._known:
                    self._waiting.setdefault(model.key, model)
            if self._waiting and not self._is_running:
                self._is_running = True
                threading.Thread(target=self._work, name="speed", daemon=True).start()

    def known(self, models: Iterable[ModelChoice]) -> dict[str, float]:
        """Milliseconds of one run on one core, by the model's key, as far as they are known."""
        found = {model.key: self._known.get(model.key) for model in models}
        return {key: milliseconds for key, milliseconds in found.items() if milliseconds}

    def is_done(self, models: Iterable[ModelChoice]) -> bool:
        """Whether nothing more will become known; a model that cannot be run stays unknown."""
        return all(model.key in self._known for model in models)

    def _work(self) -> None:
        with contextlib.suppress(OSError):  # then at the same priority as all else
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _LOWEST_PRIORITY)
        while (model := self._next()) is not None:
            milliseconds = None
            try:
                milliseconds = 1e3 * self._measure(model)
            except Exception:
                logging.exception("%s could not be measured", model.label)
            with self._lock:
                self._known[model.key] = milliseconds
                del self._waiting[model.key]

    def _next(self) -> ModelChoice | None:
        with self._lock:
            model = next(iter(self._waiting.values()), None)
            self._is_running = model is not None
            return model

    def _measure(self, model: ModelChoice) -> float:
        """The median of undisturbed runs, in seconds."""
        runs: list[float] = []
        pause = _LOOK_EVERY
        while True:
            self._wait_until_quiet()
            run = self._load(model)
            run()
            while (seconds := self._undisturbed(run)) is not None:
                runs.append(seconds)
                if len(runs) == RUNS:
                    return statistics.median(runs)
            # Nothing stays loaded while others work.
            del run
            time.sleep(pause)
            pause = min(_LONGEST_PAUSE, 2 * pause)

    def _undisturbed(self, run: Callable[[], Run]) -> float | None:
        """Seconds of one run; None if anything else ran meanwhile."""
        before = self._workshop.requests
        if self._workshop.tasks:
            return None
        taken = run()
        if self._workshop.requests != before:
            return None
        return taken.seconds if taken.seconds <= _MOST_OF_OTHERS * taken.computing else None

    def _wait_until_quiet(self) -> None:
        since, seen = time.monotonic(), self._workshop.requests
        while time.monotonic() - since < self._quiet_before or self._workshop.tasks:
            time.sleep(_LOOK_EVERY)
            if self._workshop.tasks or self._workshop.requests != seen:
                since, seen = time.monotonic(), self._workshop.requests


def load_model(choice: ModelChoice) -> Callable[[], Run]:
    """What runs a model once, at the first of its working sizes."""
    model = choice.renderers()[0]
    random = np.random.default_rng(0)
    photo = random.random((*model.input_size, model.input_channels), np.float32)

    def run() -> Run:
        start, computing = time.perf_counter(), time.thread_time()
        model.run(photo)
        return Run(time.perf_counter() - start, time.thread_time() - computing)

    return run
