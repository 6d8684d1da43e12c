"""The pool runs as many tasks as there are cores, each once, and none that nobody needs."""

import os
import threading
import time
from types import SimpleNamespace
from typing import Any

import numpy as np

from gradio_app.result_store import ORIGINAL
from gradio_app.task_pool import TaskPool, WaitingLine
from gradio_app.tasks import measure, render


def test_one_task_a_core_and_the_same_task_once(pool: TaskPool) -> None:
    go, running, most = threading.Event(), [0], [0]
    lock = threading.Lock()

    def work() -> None:
        with lock:
            running[0] += 1
            most[0] = max(most[0], running[0])
        go.wait(10)
        with lock:
            running[0] -= 1

    tasks = [pool.request(visitor, f"task {n}", work) for visitor in (1, 2) for n in range(5)]
    assert len(set(map(id, tasks))) == 5
    assert pool.unfinished == 5
    time.sleep(0.2)
    go.set()
    for task in tasks:
        task.result(10)
    assert most[0] == pool.cores == 2


def test_a_task_is_not_begun_when_nobody_waits_for_it_any_more(pool: TaskPool) -> None:
    go, done = threading.Event(), list[str]()

    def wait() -> None:
        go.wait(10)

    for blocker in range(pool.cores):
        pool.request("someone", f"blocker {blocker}", wait)
    alone = pool.request("leaving", "alone", lambda: done.append("alone"))
    shared = pool.request("leaving", "shared", lambda: done.append("shared"))
    assert pool.request("staying", "shared", lambda: None) is shared
    pool.withdraw("leaving")
    go.set()
    shared.result(10)
    assert alone.cancelled()
    assert done == ["shared"]


def test_the_line_says_how_many_are_ahead_and_when_it_is_full() -> None:
    line = WaitingLine(places=2, most_waiting=2)
    tickets = [line.join() for _ in range(4)]
    assert None not in tickets
    assert line.join() is None
    assert [line.ahead(ticket) for ticket in tickets] == [0, 0, 1, 2]
    line.leave(tickets[1])
    assert [line.ahead(ticket) for ticket in (tickets[0], *tickets[2:])] == [0, 0, 1]
    assert line.join() is not None


def test_what_a_task_works_on_is_kept_though_its_visitor_has_left(pool: TaskPool) -> None:
    store = pool.store
    store.write_picture("photo", ORIGINAL, np.full((64, 64, 3), 128, np.uint8))

    class Doubling:
        input_size, output_size, input_channels = (32, 32), (64, 64), 3
        fourth_channel = "none"

        def run(self, photo: np.ndarray) -> np.ndarray:
            os.utime(store.picture_file("photo", ORIGINAL).parent, (0, 0))
            store.sweep()
            return photo.repeat(2, 0).repeat(2, 1)

    model: Any = SimpleNamespace(key="doubling", focus=None, renderers=lambda: [Doubling()])
    render(store, "photo", model)
    measure(store, "photo", "doubling", ORIGINAL)
    assert store.read_note("photo", f"doubling~{ORIGINAL}") is not None
