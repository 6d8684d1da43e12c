"""How long a model takes on this computer: several runs, alone, while the server is idle.

Beside a rendering a model takes up to ten times as long. A time taken during a comparison would say
more about the comparison than about the model.
"""

import contextlib
import logging
import os
import platform
import statistics
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from gradio_app.model_catalogue import ModelChoice
from gradio_app.task_pool import TaskPool

RUNS = 5
"""Undisturbed runs; their median counts."""

_QUIET_BEFORE = 2.0
"""Seconds without a task before a run; the visitor's browser often runs on this computer, too."""
_POLL_EVERY = 0.2
_LONGEST_PAUSE = 60.0
_MOST_WALL_PER_CPU = 1.1
"""A run with more wall time per CPU time than this shared its core with another program."""
_LOWEST_PRIORITY = 19


@dataclass(frozen=True)
class Run:
    """One run of a model.

    Attributes:
        seconds: wall time.
        cpu_seconds: CPU time of the thread.
    """

    seconds: float
    cpu_seconds: float


def computer_name() -> str:
    """The processor's name as the system gives it; otherwise its architecture."""
    with contextlib.suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text("utf-8", errors="replace").splitlines():
            name, _, value = line.partition(":")
            if name.strip() == "model name" and value.strip():
                return value.strip()
    return platform.processor() or platform.machine()


class SpeedMeter:
    """Measures models one after another, each once in the life of the server.

    It works at the lowest priority and only while the pool has no task. A run does not count and is
    repeated if a task arrived meanwhile or another program used the core.
    """

    def __init__(
        self,
        pool: TaskPool,
        load: Callable[[ModelChoice], Callable[[], Run]] | None = None,
        quiet_before: float = _QUIET_BEFORE,
    ):
        """Measures nothing yet.

        Args:
            pool: its tasks go first.
            load: loads a model and returns a function that runs it once; the first run does not
                count.
            quiet_before: seconds without a task before a run.
        """
        self._pool = pool
        self._load = load or load_model
        self._quiet_before = quiet_before
        self._known: dict[str, float | None] = {}
        self._waiting: dict[str, ModelChoice] = {}
        self._lock = threading.Lock()
        self._is_running = False

    def request(self, models: Iterable[ModelChoice]) -> None:
        """Has models measured unless they were before; returns at once."""
        with self._lock:
            for model in models:
                if model.weights not in self._known:
                    self._waiting.setdefault(model.weights, model)
            if self._waiting and not self._is_running:
                self._is_running = True
                threading.Thread(target=self._work, name="speed", daemon=True).start()

    def known(self, models: Iterable[ModelChoice]) -> dict[str, float]:
        """Milliseconds of one run on one core, by the model's weights, as far as measured."""
        found = {model.weights: self._known.get(model.weights) for model in models}
        return {key: milliseconds for key, milliseconds in found.items() if milliseconds}

    def is_done(self, models: Iterable[ModelChoice]) -> bool:
        """Whether all models were measured, or failed to run."""
        return all(model.weights in self._known for model in models)

    def _work(self) -> None:
        with contextlib.suppress(OSError):  # then at normal priority
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _LOWEST_PRIORITY)
        while (model := self._next()) is not None:
            milliseconds = None
            try:
                milliseconds = 1e3 * self._measure(model)
            except Exception:
                logging.exception("%s could not be measured", model.label)
            with self._lock:
                self._known[model.weights] = milliseconds
                del self._waiting[model.weights]

    def _next(self) -> ModelChoice | None:
        with self._lock:
            model = next(iter(self._waiting.values()), None)
            self._is_running = model is not None
            return model

    def _measure(self, model: ModelChoice) -> float:
        """The median of undisturbed runs, in seconds."""
        runs: list[float] = []
        pause = _POLL_EVERY
        while True:
            self._wait_until_quiet()
            run = self._load(model)
            run()
            while (seconds := self._undisturbed(run)) is not None:
                runs.append(seconds)
                if len(runs) == RUNS:
                    return statistics.median(runs)
            # Frees the memory while others work.
            del run
            time.sleep(pause)
            pause = min(_LONGEST_PAUSE, 2 * pause)

    def _undisturbed(self, run: Callable[[], Run]) -> float | None:
        """Seconds of one run; None if anything else ran meanwhile."""
        before = self._pool.requests
        if self._pool.unfinished:
            return None
        taken = run()
        if self._pool.requests != before:
            return None
        return taken.seconds if taken.seconds <= _MOST_WALL_PER_CPU * taken.cpu_seconds else None

    def _wait_until_quiet(self) -> None:
        since, seen = time.monotonic(), self._pool.requests
        while time.monotonic() - since < self._quiet_before or self._pool.unfinished:
            time.sleep(_POLL_EVERY)
            if self._pool.unfinished or self._pool.requests != seen:
                since, seen = time.monotonic(), self._pool.requests


def load_model(choice: ModelChoice) -> Callable[[], Run]:
    """Loads a model at its first working size; the returned function runs it once."""
    model = choice.renderers()[0]
    random = np.random.default_rng(0)
    photo = random.random((*model.input_size, model.input_channels), np.float32)

    def run() -> Run:
        start, cpu_start = time.perf_counter(), time.thread_time()
        model.run(photo)
        return Run(time.perf_counter() - start, time.thread_time() - cpu_start)

    return run
