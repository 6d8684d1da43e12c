"""Every file is decoded once; the result is cached until the file changes."""

import os
import shutil
from pathlib import Path

import pytest

from pocket_bokeh.errors import UserError
from pocket_bokeh.photo import read_photo, write_photo
from train.data import photo_folder
from train.data.pairs import find_whole_folder
from train.data.photo_folder import check_photos, photo_states


@pytest.fixture
def decoded(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The files decoded since the list was last cleared."""
    files: list[str] = []

    def read(file: Path) -> object:
        files.append(photo_folder.short_name(file))
        return read_photo(file)

    monkeypatch.setattr(photo_folder, "read_photo", read)
    return files


def damage(file: Path) -> None:
    """Truncates a file after its header but keeps its time, as some copying tools do."""
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])


def test_the_second_look_decodes_nothing(pairs_folder: Path, decoded: list[str]) -> None:
    files = find_whole_folder(pairs_folder).paths()
    first = photo_states(files)
    assert len(decoded) == len(set(decoded)) == 24
    decoded.clear()
    assert photo_states(files) == first
    assert decoded == []
    # Copied, with another time and the same content; then another content.
    os.utime(files[0], ns=(1, 1))
    assert photo_states(files)[files[0]].sha256 == first[files[0]].sha256
    assert decoded == []
    write_photo(files[1], 255 - read_photo(files[1]))
    assert photo_states(files)[files[1]].sha256 != first[files[1]].sha256
    assert decoded == [photo_folder.short_name(files[1])]


def test_a_file_that_is_linked_often_is_decoded_once(
    pairs_folder: Path, tmp_path: Path, decoded: list[str]
) -> None:
    links = [tmp_path / f"{number}.png" for number in range(5)]
    for link in links:
        link.symlink_to(pairs_folder / "original/0.png")
    assert len({state.sha256 for state in photo_states(links).values()}) == 1
    assert decoded == ["original/0.png"]


def test_all_damaged_files_are_named_together(pairs_folder: Path) -> None:
    files = find_whole_folder(pairs_folder).paths()
    for file in files[:13]:
        damage(file)
    files[13].unlink()
    with pytest.raises(UserError) as raised:
        check_photos(pairs_folder, files)
    message = str(raised.value)
    assert message.startswith(f"{pairs_folder}: 14 of 24 files cannot be used: original/0.png (")
    assert message.count("damaged image") == 10
    assert message.endswith("and 4 more; replace or remove them")
    assert "\n" not in message


def test_a_repaired_file_is_good_again(pairs_folder: Path, tmp_path: Path) -> None:
    file = pairs_folder / "bokeh/7.png"
    whole = tmp_path / "whole.png"
    shutil.copy2(file, whole)
    damage(file)
    with pytest.raises(UserError, match=r"1 of 1 files cannot be used: bokeh/7.png"):
        check_photos(pairs_folder, [file])
    shutil.copy2(whole, file)
    check_photos(pairs_folder, [file])


def test_damaged_files_are_named_with_those_of_another_size(pairs_folder: Path) -> None:
    damage(pairs_folder / "original/3.png")
    write_photo(pairs_folder / "bokeh/5.png", read_photo(pairs_folder / "bokeh/5.png")[:64])
    with pytest.raises(UserError, match=r"2 of 24 .*original/3.png \(dam.*original/5.png \(128×96"):
        find_whole_folder(pairs_folder)


def test_a_cache_that_takes_no_writes_or_is_damaged_only_costs_time(
    pairs_folder: Path,
    tmp_path: Path,
    decoded: list[str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    files = [pairs_folder / "original/0.png"]
    photo_states(files)
    (remembered,) = photo_folder.cache_folder().iterdir()
    remembered.write_text("{")
    decoded.clear()
    photo_states(files)
    assert decoded == ["original/0.png"]
    (tmp_path / "file").write_text("not a folder")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    assert not photo_states(files)[files[0]].problem
    assert "every start will decode all photos again" in capsys.readouterr().err
