"""Output paths that cannot be written are refused before the work starts."""

from pathlib import Path

import pytest

from pocket_bokeh.disk import check_can_make, check_can_write
from pocket_bokeh.errors import UserError


def test_writable_paths_are_accepted(tmp_path: Path) -> None:
    check_can_write(None)
    check_can_write(tmp_path / "figures.json")
    check_can_write(tmp_path / "picture.PNG", ".png", ".jpg")
    check_can_make(tmp_path / "new")
    check_can_make(tmp_path / "new/deep/down")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("name", "endings", "complaint"),
    [
        ("nowhere/figures.json", (), "no such folder; create it or choose another"),
        (".", (), "is a folder; name a file"),
        ("picture.tiff", (".png", ".jpg"), "the file name must end in .png or .jpg"),
    ],
)
def test_other_paths_are_refused_with_a_reason(
    tmp_path: Path, name: str, endings: tuple[str, ...], complaint: str
) -> None:
    with pytest.raises(UserError, match=complaint):
        check_can_write(tmp_path / name, *endings)


def test_a_folder_below_a_file_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match="file is a file; choose another folder"):
        check_can_make(tmp_path / "file/bundle")
