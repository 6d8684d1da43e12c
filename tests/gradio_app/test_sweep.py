"""Old files are deleted, whatever others do in the folder meanwhile."""

import itertools
import logging
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from gradio_app.model_uploads import sweep_uploads
from gradio_app.result_store import ResultStore
from gradio_app.sweep import bytes_on_disk, delete_older, sweep_on


@contextmanager
def busy(*works: object) -> Iterator[None]:
    """Threads that repeat their work until the end of the block."""
    ended = threading.Event()
    failures: list[BaseException] = []

    def repeat(work: object) -> None:
        try:
            while not ended.is_set():
                work()  # type: ignore[operator]
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=repeat, args=(work,)) for work in works]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        ended.set()
        for thread in threads:
            thread.join()
    assert not failures


def test_the_store_is_swept_while_others_write(tmp_path: Path) -> None:
    """Files vanish while the sweep runs, because others rename and delete them."""
    store = ResultStore(tmp_path)
    pixels = np.zeros((4, 4, 3), np.uint8)
    numbers = itertools.count()

    def write_notes() -> None:
        with store.in_use("photo"):
            store.write_note("photo", f"n{next(numbers) % 7}", {"x": 1})

    def write_pictures() -> None:
        with store.in_use("photo"):
            store.write_picture("photo", f"p{next(numbers) % 3}", pixels)

    with busy(write_notes, write_notes, write_pictures):
        for _ in range(1500):
            store.sweep()
    assert store.has("photo", "p0")


def test_a_sweep_that_cannot_be_done_spoils_no_comparison(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(folder: Path) -> int:
        raise OSError("the disk is gone")

    monkeypatch.setattr("gradio_app.result_store.bytes_on_disk", fail)
    store = ResultStore(tmp_path)
    with store.in_use("photo"):
        store.write_note("photo", "n", {"x": 1})
    assert store.read_note("photo", "n") == {"x": 1}
    assert "could not be deleted" in caplog.text


def test_the_sweep_goes_on_after_a_failure(caplog: pytest.LogCaptureFixture) -> None:
    done = threading.Semaphore(0)

    def fail() -> None:
        raise FileNotFoundError("vanished")

    with caplog.at_level(logging.ERROR):
        ended = sweep_on([fail, done.release], every=0.01)
        for _ in range(3):
            assert done.acquire(timeout=60)
        ended.set()
    assert "deleting old files failed" in caplog.text
    assert "vanished" in caplog.text


def test_folders_that_vanish_are_no_failure(tmp_path: Path) -> None:
    for folder in (tmp_path / "never", tmp_path):
        sweep_uploads(folder, 0)
        delete_older(folder, 0)
        ResultStore(folder).sweep()
        assert bytes_on_disk(folder) == 0


def test_visitors_models_are_swept_while_they_come_and_go(tmp_path: Path) -> None:
    def come_and_go() -> None:
        for number in range(20):
            (tmp_path / f"file_{number}").mkdir(exist_ok=True)
        for number in range(20):
            folder = tmp_path / f"file_{number}"
            if folder.exists():
                try:
                    folder.rmdir()
                except FileNotFoundError:
                    continue

    with busy(come_and_go):
        for _ in range(400):
            sweep_uploads(tmp_path, 3600)


def test_old_files_go_and_what_is_spared_stays(tmp_path: Path) -> None:
    for name in ("old/photo.jpg", "new/photo.jpg", "old/thumbnail.jpg", "tmp_of_a_failed_upload"):
        file = tmp_path / name
        file.parent.mkdir(exist_ok=True)
        file.write_bytes(b"x")
        if "new" not in name:
            os.utime(file, (time.time() - 4000,) * 2)
    (tmp_path / "empty").mkdir()
    for folder in ("old", "empty"):
        os.utime(tmp_path / folder, (time.time() - 4000,) * 2)
    delete_older(tmp_path, 3600, spared={tmp_path / "old" / "thumbnail.jpg"})
    left = {str(entry.relative_to(tmp_path)) for entry in tmp_path.rglob("*")}
    assert left == {"old", "old/thumbnail.jpg", "new", "new/photo.jpg"}


def test_small_files_count_with_the_blocks_that_they_take(tmp_path: Path) -> None:
    for number in range(100):
        (tmp_path / f"{number}").write_bytes(b"x")
    counted = bytes_on_disk(tmp_path)
    assert counted == sum(512 * file.stat().st_blocks for file in tmp_path.iterdir())
    assert counted >= 100 * 512
