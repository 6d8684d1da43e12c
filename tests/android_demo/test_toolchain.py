"""Files in the shared cache are complete or do not exist."""

import resource
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from android_demo.toolchain import make_whole, unpack_classes


@contextmanager
def full_disk(limit: int) -> Iterator[None]:
    """Limits the size of files to so many bytes."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_full_disk_leaves_no_incomplete_jar(tmp_path: Path) -> None:
    archive = tmp_path / "library.aar"
    with zipfile.ZipFile(archive, "w") as package:
        package.writestr("classes.jar", bytes(100_000))
    cache = tmp_path / "cache"
    cache.mkdir()
    with full_disk(50_000), pytest.raises(OSError, match="too large"):
        unpack_classes(archive, cache / "classes.jar")
    assert not list(cache.iterdir())
    unpack_classes(archive, cache / "classes.jar")
    assert (cache / "classes.jar").stat().st_size == 100_000


def test_a_folder_that_could_not_be_filled_does_not_exist(tmp_path: Path) -> None:
    def fill(folder: Path) -> None:
        (folder / "first").touch()
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        make_whole(tmp_path / "unpacked", fill)
    assert not list(tmp_path.iterdir())


def test_two_that_unpack_at_once_both_succeed(tmp_path: Path) -> None:
    """For example two workers of one test run, on a machine without a cache."""
    unpacked = tmp_path / "unpacked"

    def fill_while_another_does(folder: Path) -> None:
        make_whole(unpacked, lambda other: (other / "tool").write_text("the other's"))
        (folder / "tool").write_text("ours")

    make_whole(unpacked, fill_while_another_does)
    assert (unpacked / "tool").read_text() == "the other's"
    assert list(tmp_path.iterdir()) == [unpacked]
