"""Models are measured alone, and disturbed runs do not count."""

import threading
import time
from collections.abc import Callable

import pytest

from gradio_app.model_catalogue import ModelChoice, list_models
from gradio_app.speed import RUNS, Run, SpeedMeter, computer_name, load_model
from gradio_app.task_pool import TaskPool
from pocket_bokeh.bundle import Bundle


def wait_for(condition: Callable[[], bool]) -> None:
    for _ in range(1000):
        if condition():
            return
        time.sleep(0.02)
    raise AssertionError("it never came")


class Script:
    """A model whose runs take the given times; the last one repeats."""

    def __init__(self, *runs: Run | Callable[[], Run]):
        self.left = list(runs)
        self.taken = 0
        self.loaded = 0

    def load(self, model: ModelChoice) -> Callable[[], Run]:
        self.loaded += 1
        return self.run

    def run(self) -> Run:
        self.taken += 1
        run = self.left.pop(0) if len(self.left) > 1 else self.left[0]
        return run() if callable(run) else run


def quiet(seconds: float) -> Run:
    return Run(seconds, seconds)


def measured(pool: TaskPool, script: Script, models: list[ModelChoice]) -> SpeedMeter:
    meter = SpeedMeter(pool, script.load, quiet_before=0.0)
    meter.request(models)
    wait_for(lambda: meter.is_done(models))
    return meter


def test_the_median_of_undisturbed_runs_counts_and_the_first_run_does_not(
    pool: TaskPool, bundle: Bundle
) -> None:
    (model, _) = list_models(bundle)
    script = Script(quiet(9.0), *(quiet(seconds) for seconds in (0.5, 0.1, 0.3, 0.2, 0.4)))
    assert measured(pool, script, [model]).known([model]) == {model.key: 300.0}
    assert script.taken == 1 + RUNS


def test_a_run_beside_a_rendering_is_repeated(pool: TaskPool, bundle: Bundle) -> None:
    (model, _) = list_models(bundle)

    def beside() -> Run:
        pool.request("visitor", "rendering", lambda: None).result(10)
        return quiet(9.0)

    script = Script(quiet(1.0), quiet(0.1), beside, quiet(9.0), quiet(0.1))
    assert measured(pool, script, [model]).known([model]) == {model.key: 100.0}
    assert script.loaded == 2


def test_a_run_that_shared_its_core_is_repeated(pool: TaskPool, bundle: Bundle) -> None:
    (model, _) = list_models(bundle)
    script = Script(quiet(1.0), Run(seconds=0.9, cpu_seconds=0.1), quiet(1.0), quiet(0.1))
    assert measured(pool, script, [model]).known([model]) == {model.key: 100.0}


def test_nothing_is_measured_while_the_pool_has_a_task(pool: TaskPool, bundle: Bundle) -> None:
    models = list_models(bundle)
    go = threading.Event()

    def wait() -> None:
        go.wait(30)

    rendering = pool.request("visitor", "rendering", wait)
    script = Script(quiet(0.1))
    meter = SpeedMeter(pool, script.load, quiet_before=0.0)
    meter.request(models)
    time.sleep(0.5)
    assert (script.loaded, meter.known(models)) == (0, {})
    assert not meter.is_done(models)
    go.set()
    rendering.result(10)
    wait_for(lambda: meter.is_done(models))
    assert meter.known(models) == {model.key: 100.0 for model in models}


def test_each_model_is_measured_once_and_a_broken_one_not_for_ever(
    pool: TaskPool, bundle: Bundle, caplog: pytest.LogCaptureFixture
) -> None:
    good, bad = list_models(bundle)
    script = Script(quiet(0.1))

    def load(model: ModelChoice) -> Callable[[], Run]:
        if model is bad:
            raise RuntimeError("no longer here")
        return script.load(model)

    meter = SpeedMeter(pool, load, quiet_before=0.0)
    for _ in range(3):
        meter.request([bad, good])
        wait_for(lambda: meter.is_done([bad, good]))
    assert meter.known([bad, good]) == {good.key: 100.0}
    assert script.taken == 1 + RUNS
    assert caplog.text.count("could not be measured") == 1


def test_a_real_model_is_loaded_and_timed(bundle: Bundle) -> None:
    run = load_model(list_models(bundle)[1])
    assert all(taken.seconds > 0 and taken.cpu_seconds > 0 for taken in (run(), run()))


def test_the_computer_has_a_name() -> None:
    """So that nobody takes its times for those of another."""
    assert computer_name().strip() == computer_name() != ""
