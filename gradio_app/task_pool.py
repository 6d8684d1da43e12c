"""Runs the server's tasks: as many at a time as there are cores, and each task only once."""

import logging
import os
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor

from gradio_app.result_store import ResultStore
from pocket_bokeh.errors import UserError


class TaskPool:
    """Runs tasks for visitors; visitors who ask for the same task share it.

    Attributes:
        store: where the tasks put their results.
        cores: how many tasks run at a time.
        requests: how often a task was requested so far.
    """

    def __init__(self, store: ResultStore, cores: int = 0):
        self.store = store
        self.cores = cores or len(os.sched_getaffinity(0))
        self._executor = ThreadPoolExecutor(self.cores, thread_name_prefix="task")
        self._lock = threading.RLock()
        self._tasks: dict[str, tuple[Future[None], set[object]]] = {}
        self.requests = 0

    @property
    def unfinished(self) -> int:
        """The number of tasks that run or wait."""
        return len(self._tasks)

    def request(self, visitor: object, name: str, work: Callable[[], None]) -> Future[None]:
        """Starts a task for a visitor, or joins the unfinished task of the same name."""
        with self._lock:
            self.requests += 1
            task, visitors = self._tasks.get(name, (None, set()))
            if task is None:
                task = self._executor.submit(_log_failures, work)
                self._tasks[name] = task, visitors
                task.add_done_callback(lambda _: self._remove(name))
            visitors.add(visitor)
            return task

    def withdraw(self, visitor: object) -> None:
        """Takes back a visitor's requests. Waiting tasks that nobody else needs are cancelled."""
        with self._lock:
            for task, visitors in list(self._tasks.values()):
                visitors.discard(visitor)
                if not visitors:
                    task.cancel()

    def close(self) -> None:
        """Cancels the waiting tasks and waits for the running ones."""
        self._executor.shutdown(wait=True, cancel_futures=True)

    def _remove(self, name: str) -> None:
        with self._lock:
            self._tasks.pop(name, None)


class WaitingLine:
    """Lets a few visitors in at a time and some more wait; the rest are turned away at once."""

    def __init__(self, places: int, most_waiting: int):
        self._places = places
        self._most = places + most_waiting
        self._tickets: list[object] = []
        self._lock = threading.Lock()

    def join(self) -> object | None:
        """A ticket for the end of the line; None if the line is full."""
        with self._lock:
            if len(self._tickets) >= self._most:
                return None
            self._tickets.append(ticket := object())
            return ticket

    def ahead(self, ticket: object) -> int:
        """How many visitors must leave before it is this ticket's turn; 0 when it is."""
        with self._lock:
            return max(0, self._tickets.index(ticket) - self._places + 1)

    def leave(self, ticket: object) -> None:
        """Gives up a ticket, so that the others move up."""
        with self._lock:
            self._tickets.remove(ticket)


def _log_failures(work: Callable[[], None]) -> None:
    try:
        work()
    except UserError:
        raise
    except Exception:
        logging.exception("a task failed")
        raise
