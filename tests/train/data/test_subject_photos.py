"""Photographs with masks and without a target: found, and refused in one line."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from pocket_bokeh.errors import UserError
from pocket_bokeh.photo import write_photo
from train.data.pairs import FolderPairs
from train.data.subject_photos import (
    check_subjects,
    find_subject_photos,
    have_targets,
    read_kinds,
    subject_folder,
    with_subject,
)

NAMES = ("a", "b", "c", "d")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Four photographs of noise with the left half as their subject."""
    random = np.random.default_rng(0)
    mask = np.zeros((96, 128, 3), np.uint8)
    mask[:, :64] = 255
    for name in NAMES:
        write(tmp_path / "original" / f"{name}.png", random.integers(0, 256, mask.shape, np.uint8))
        write(tmp_path / "subject" / f"{name}.png", mask)
    return tmp_path


def write(file: Path, photo: np.ndarray) -> None:
    file.parent.mkdir(exist_ok=True)
    write_photo(file, photo)


def opened(folder: Path) -> FolderPairs:
    found = find_subject_photos(folder)
    check_subjects(found)
    return found


def test_photographs_carry_their_masks_and_have_no_target(folder: Path) -> None:
    photos = opened(folder)
    assert [photo.name for photo in photos] == list(NAMES)
    assert photos[0].subject is not None
    assert photos[0].subject[:, :64].min() == 255
    assert with_subject(photos) == [0, 1, 2, 3]
    assert not have_targets(photos)


def test_a_folder_with_targets_is_left_to_the_pairs(folder: Path) -> None:
    assert subject_folder(folder, "test") == folder
    (folder / "test" / "subject").mkdir(parents=True)
    assert subject_folder(folder, "test") == folder / "test"
    assert subject_folder(folder, "val") == folder
    (folder / "test" / "bokeh").mkdir()
    assert subject_folder(folder, "test") is None
    assert subject_folder(folder / "nowhere", "test") is None


def _remove(*names: str) -> Callable[[Path], None]:
    def remove(folder: Path) -> None:
        for name in names:
            (folder / name).unlink()

    return remove


def _replace(name: str, picture: np.ndarray) -> Callable[[Path], None]:
    return lambda folder: write_photo(folder / name, picture)


@pytest.mark.parametrize(
    ("break_it", "said"),
    [
        (
            _remove("subject/b.png", "subject/c.png"),
            r"original/b has no mask in subject/ \(2 of 4 are missing\); add them",
        ),
        (_remove(*(f"original/{name}.png" for name in NAMES)), "subject/a has no photograph in"),
        (_remove(*(f"subject/{name}.png" for name in NAMES)), "no masks in subject/"),
        (
            _replace("subject/c.png", np.full((128, 96, 3), 255, np.uint8)),
            r"1 of 4 files cannot be used: subject/c.png \(its size differs from its photograph's",
        ),
        (
            _replace("subject/c.png", np.zeros((96, 128, 3), np.uint8)),
            r"subject/c.png \(it marks no subject\)",
        ),
    ],
    ids=["half of the masks", "no photographs", "no masks", "another size", "empty"],
)
def test_broken_folders_are_refused(
    break_it: Callable[[Path], None], said: str, folder: Path
) -> None:
    break_it(folder)
    with pytest.raises(UserError, match=said) as refused:
        opened(folder)
    assert "\n" not in str(refused.value)


def test_kinds_are_read_from_a_table_with_other_columns(folder: Path, tmp_path: Path) -> None:
    table = tmp_path / "kinds.tsv"
    lines = ["split\tname\tkind", *(f"test\t{name}\tanimal" for name in NAMES), "val\tz\tfood"]
    table.write_text("\n".join(lines))
    assert read_kinds(table, opened(folder)) == dict.fromkeys(NAMES, "animal")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("name\tkind\na\tfood\n", r"no kind for b \(3 of 4 photographs are missing\)"),
        ("name,kind\na,food\n", "no columns name and kind"),
        ("", "no columns name and kind"),
        (None, "No such file or directory"),
    ],
)
def test_other_tables_are_refused(
    content: str | None, said: str, folder: Path, tmp_path: Path
) -> None:
    table = tmp_path / "kinds.tsv"
    if content is not None:
        table.write_text(content)
    with pytest.raises(UserError, match=said):
        read_kinds(table, opened(folder))
