"""The command `train.render_pairs`: a folder that trains, goes on, and refuses bad input."""

import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from skimage import data

from pocket_bokeh.errors import UserError
from pocket_bokeh.photo import read_photo, write_photo
from train.data import growing_folder
from train.data.pairs import find_whole_folder
from train.render_pairs import main


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """Five photographs of a cat with a mask each, and one without."""
    folder, cat = tmp_path / "photos", data.chelsea()[:192, :256]
    rows, columns = np.mgrid[:192, :256]
    mask = np.where(np.hypot(rows - 100, columns - 120) < 60, 255, 0).astype(np.uint8)
    for kind in ("original", "subject"):
        (folder / kind).mkdir(parents=True)
    for name in range(6):
        write_photo(folder / "original" / f"{name}.jpg", np.roll(cat, 9 * name, 1))
        if name < 5:
            write_photo(folder / "subject" / f"{name}.png", mask)
    return folder


@pytest.fixture
def render(photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Path]:
    """Runs the command; returns the folder it writes."""

    def run(*options: str) -> Path:
        command = ["render_pairs", str(photos), "--out", str(tmp_path / "out")]
        monkeypatch.setattr(sys, "argv", [*command, "--soft-share", "1", *options])
        main()
        return tmp_path / "out"

    return run


def test_photographs_become_a_folder_of_pairs(
    render: Callable[..., Path], photos: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    behind = ("--backgrounds", str(photos / "original"), "--scenes", "4")
    out = render("--count", "7", "--short-side", "96", *behind)
    assert "11 pairs, 11 of them new" in capsys.readouterr().out
    pairs = find_whole_folder(out, subjects=True)
    assert len(pairs) == 11
    assert sum(pair.subject is not None for pair in pairs) == 7
    assert {pair.original.shape for pair in pairs} == {(96, 128, 3)}
    assert read_photo(out / "contact_sheet.jpg").shape[1] > 1000


def test_a_run_that_was_stopped_goes_on(
    render: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = growing_folder.write_pair
    written: list[str] = []

    def stop_after_two(folder: Path, pair: growing_folder.Pair) -> None:
        if len(written) == 2:
            raise KeyboardInterrupt
        written.append(pair.name)
        whole(folder, pair)

    monkeypatch.setattr(growing_folder, "write_pair", stop_after_two)
    with pytest.raises(KeyboardInterrupt):
        render("--count", "6")
    monkeypatch.setattr(growing_folder, "write_pair", whole)
    out = Path(render("--count", "6"))
    files = {file: file.stat().st_mtime_ns for file in out.rglob("0*.*")}
    assert len(files) == 18
    render("--count", "8")  # more of the same
    assert all(file.stat().st_mtime_ns == time for file, time in files.items())
    assert len(list(out.rglob("0*.*"))) == 24
    with pytest.raises(UserError, match="was begun with seed 0"):
        render("--seed", "1")


def test_leftovers_of_a_killed_run_are_replaced(render: Callable[..., Path]) -> None:
    out = render("--count", "4")
    gone = next((out / "original").iterdir())
    before = gone.read_bytes()
    gone.rename(out / "original" / f".{gone.name}.x1")
    render("--count", "4")
    assert gone.read_bytes() == before
    assert len(list((out / "original").iterdir())) == 4


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        (["--count", "0"], "--count 0: expected 1 or more"),
        (["--scenes", "-1"], "--scenes -1: expected 1 or more"),
        (["--short-side", "20"], "--short-side 20: expected 64 or more"),
        (["--soft-share", "2"], "--soft-share 2.0: expected 0 to 1"),
        (["--backgrounds", "nowhere"], "nowhere: no photographs for --backgrounds"),
    ],
)
def test_bad_options_are_named(
    render: Callable[..., Path], tmp_path: Path, options: list[str], complaint: str
) -> None:
    with pytest.raises(UserError, match=complaint):
        render(*options)
    assert not (tmp_path / "out").exists()


def shrink(folder: Path) -> None:
    """Makes a photograph and its mask 50 pixels high."""
    write_photo(folder / "original/1.jpg", np.zeros((50, 80, 3), np.uint8))
    write_photo(folder / "subject/1.png", np.full((50, 80), 255, np.uint8))


@pytest.mark.parametrize(
    ("break_it", "complaint"),
    [
        (
            lambda folder: write_photo(folder / "subject/1.png", np.ones((9, 9), np.uint8)),
            r"subject/1\.png \(its size differs",
        ),
        (
            lambda folder: write_photo(folder / "subject/1.png", np.zeros((192, 256), np.uint8)),
            r"subject/1\.png \(it marks no subject\)",
        ),
        (
            shrink,
            r"subject/1\.png \(80×50 pixels; each side needs 64 or more\)",
        ),
        (
            lambda folder: (folder / "original/1.jpg").unlink(),
            r"subject/1 has no photograph in original/",
        ),
        (
            lambda folder: [file.unlink() for file in (folder / "subject").iterdir()],
            "no masks in subject/",
        ),
        (
            lambda folder: (folder / "original/1.jpg").write_bytes(b"\xff\xd8\xff\xe0 half"),
            r"original/1\.jpg",
        ),
    ],
)
def test_bad_photographs_are_named_and_nothing_is_written(
    render: Callable[..., Path],
    photos: Path,
    tmp_path: Path,
    break_it: Callable[[Path], object],
    complaint: str,
) -> None:
    break_it(photos)
    with pytest.raises(UserError, match=complaint):
        render()
    assert not (tmp_path / "out").exists()


def test_a_folder_with_something_else_is_left_alone(
    render: Callable[..., Path], tmp_path: Path
) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "thesis.txt").write_text("mine")
    with pytest.raises(UserError, match="not empty and not begun by this command"):
        render()
