"""Ctrl-C waits for the end of a computation."""

import signal
import threading
from collections.abc import Callable, Iterator

import pytest

from train.loop.interruption import uninterrupted


@pytest.fixture(autouse=True)
def as_in_a_terminal() -> Iterator[None]:
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def press_ctrl_c(times: int, then: Callable[[], object]) -> None:
    with uninterrupted():
        for _ in range(times):
            signal.raise_signal(signal.SIGINT)
        then()


def test_ctrl_c_comes_when_the_block_is_done() -> None:
    done: list[bool] = []
    with pytest.raises(KeyboardInterrupt):
        press_ctrl_c(1, then=lambda: done.append(True))
    assert done
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_ctrl_c_pressed_again_comes_at_once() -> None:
    with pytest.raises(KeyboardInterrupt):
        press_ctrl_c(2, then=lambda: pytest.fail("went on after the second"))


def test_an_error_in_the_block_stays_the_error() -> None:
    with pytest.raises(ZeroDivisionError):
        press_ctrl_c(1, then=lambda: 1 // 0)


def test_a_background_job_goes_on() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with uninterrupted():
        signal.raise_signal(signal.SIGINT)
    assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN


def test_another_thread_may_use_it() -> None:
    failures: list[BaseException] = []

    def work() -> None:
        try:
            with uninterrupted():
                pass
        except BaseException as error:
            failures.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert not failures
