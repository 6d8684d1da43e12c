"""Results on disk: lossless, bounded, and only in their folder."""

import os
import time
from pathlib import Path

import numpy as np
import pytest

from gradio_app.result_store import ResultStore
from pocket_bokeh.photo import read_photo


def noise(side: int = 32) -> np.ndarray:
    return np.random.default_rng(side).integers(0, 256, (side, side, 3), np.uint8)


def test_a_picture_comes_back_as_it_was(tmp_path: Path) -> None:
    store = ResultStore(tmp_path)
    assert not store.has("photo", "original")
    store.write_picture("photo", "original", noise())
    assert store.has("photo", "original")
    np.testing.assert_array_equal(read_photo(store.picture_file("photo", "original")), noise())
    with store.in_use("photo"):
        np.testing.assert_array_equal(store.read_picture("photo", "original"), noise())
    # The raw pixels are for the work alone, and are made again when they are needed again.
    assert not list(tmp_path.glob("*/*.npy"))
    with store.in_use("photo"):
        np.testing.assert_array_equal(store.read_picture("photo", "original"), noise())


def test_notes_are_kept_by_name(tmp_path: Path) -> None:
    store = ResultStore(tmp_path)
    assert store.read_note("photo", "a~b") is None
    store.write_note("photo", "a~b", {"psnr": 40.5})
    assert store.read_note("photo", "a~b") == {"psnr": 40.5}


@pytest.mark.parametrize("name", ["..", "../x", "a/b", "", ".x", "a.b", "x~y~z", "A"])
def test_names_that_lead_elsewhere_are_refused(tmp_path: Path, name: str) -> None:
    store = ResultStore(tmp_path)
    with pytest.raises(ValueError, match="not a valid name"):
        store.picture_file(name, "original")
    with pytest.raises(ValueError, match="not a valid name"):
        store.picture_file("photo", name)
    with pytest.raises(ValueError, match="not a valid name"):
        store.write_table("photo", name, "")


def test_beyond_the_bound_the_longest_unused_goes_first(tmp_path: Path) -> None:
    store = ResultStore(tmp_path, most_bytes=int(3.6 * noise(128).nbytes))  # three of four
    for age, photo in enumerate(("new", "middle", "old")):
        store.write_picture(photo, "original", noise(128))
        (tmp_path / photo / "original.npy").unlink()
        os.utime(tmp_path / photo, (time.time() - 10 * age,) * 2)
    store.write_picture("fresh", "original", noise(128))
    (tmp_path / "fresh" / "original.npy").unlink()
    with store.in_use("old"):
        store.sweep()
        assert store.has("old", "original")  # someone works on it
        assert not store.has("middle", "original")
    assert store.has("new", "original")


def test_after_an_hour_all_is_deleted(tmp_path: Path) -> None:
    store = ResultStore(tmp_path, longest_age=3600)
    for photo, age in (("yesterday", 3700), ("now", 3500)):
        store.write_picture(photo, "original", noise())
        os.utime(tmp_path / photo, (time.time() - age,) * 2)
    store.sweep()
    assert [folder.name for folder in tmp_path.iterdir()] == ["now"]
