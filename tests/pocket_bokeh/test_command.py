"""The command pocket-bokeh."""

import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from skimage import data

from pocket_bokeh.bundle import Bundle
from pocket_bokeh.command import main
from pocket_bokeh.errors import UserError
from pocket_bokeh.photo import read_photo, write_photo


def test_depth_from_the_command_line(
    depth_bundle: Bundle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    photo, depth = tmp_path / "photo.png", tmp_path / "depth.png"
    write_photo(photo, data.astronaut()[:256])
    slope = np.linspace(0, 255, 256).astype(np.uint8)[None].repeat(128, 0)
    pictures = []
    for index, plane in enumerate((slope, slope[:, ::-1])):
        write_photo(depth, plane)
        out = tmp_path / f"{index}.png"
        arguments = [str(photo), "--bundle", str(depth_bundle.folder), "--recipe", "float16"]
        command = ["pocket-bokeh", *arguments, "--depth", str(depth), "--out", str(out)]
        monkeypatch.setattr(sys, "argv", command)
        main()
        pictures.append(read_photo(out))
    assert pictures[0].shape == (256, 512, 3)
    assert (pictures[0] != pictures[1]).any()
    monkeypatch.setattr(sys, "argv", ["pocket-bokeh", *arguments])
    with pytest.raises(UserError, match=r"photo\.png: the network needs a depth map"):
        main()


def render(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "pocket_bokeh", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True)


def test_one_photo_from_the_command_line(tiny_bundle: Bundle, tmp_path: Path) -> None:
    photo, out = tmp_path / "photo.jpg", tmp_path / "bokeh.png"
    write_photo(photo, data.astronaut()[:200, :300])
    ended = render(photo, "--bundle", tiny_bundle.folder, "--out", out)
    assert ended.returncode == 0, ended.stderr
    assert read_photo(out).shape == (200, 300, 3)
    assert f"{out}: 300×200 pixels, rendered with int8_qat" in ended.stdout

    ended = render(photo, "--bundle", tiny_bundle.folder, "--focus", "0.4,0.3")
    assert ended.returncode == 2
    assert f"{photo}: the network cannot be told where to focus; leave --focus" in ended.stderr
    assert not (tmp_path / "photo_bokeh.jpg").exists()

    ended = render(photo, "--bundle", tiny_bundle.folder, "--recipe", "int3")
    assert ended.returncode == 2
    assert "no recipe 'int3'; it has " in ended.stderr
    assert "Traceback" not in ended.stderr


def test_a_photo_that_fails_does_not_stop_the_others(tiny_bundle: Bundle, tmp_path: Path) -> None:
    photos = [tmp_path / name for name in ("a.jpg", "cut.jpg", "c.png")]
    write_photo(photos[0], data.astronaut()[:200, :300])
    photos[1].write_bytes(photos[0].read_bytes()[:5000])
    write_photo(photos[2], data.astronaut()[:300, :150])
    out = tmp_path / "new" / "folder"
    ended = render(*photos, "--bundle", tiny_bundle.folder, "--out", out)
    assert ended.returncode == 2
    assert sorted(file.name for file in out.iterdir()) == ["a.jpg", "c.png"]
    assert read_photo(out / "a.jpg").shape == (200, 300, 3)
    assert read_photo(out / "c.png").shape == (300, 150, 3)
    assert f"error: {photos[1]}: damaged image" in ended.stderr
    assert (
        ended.stderr.rstrip()
        .splitlines()[-1]
        .startswith("error: 1 of 3 photos could not be rendered")
    )
    assert "Traceback" not in ended.stderr


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ([], "no photo given; name at least one"),
        (["a.jpg", "b.jpg", "--depth", "d.png"], "--depth belongs to a single photo"),
        (["a.jpg", "b.jpg", "--focus", "0.4,0.3"], "--focus belongs to a single photo"),
        (["--focus", "1.4,0.3", "a.jpg"], "focus 1.4,0.3 is outside the photo; expected x from"),
        (["--focus", "left", "a.jpg"], "focus 'left': expected X,Y such as 0.4,0.3"),
        (["a.jpg", "--strength", "1.5"], "strength 1.5 is out of range; expected 0"),
        (["missing.jpg"], "missing.jpg: no such file"),
        (["a.jpg", "b.jpg", "--out", "bokeh.jpg"], "bokeh.jpg: is a file; name a folder"),
    ],
)
def test_invalid_options_are_refused_in_one_line(
    tiny_bundle: Bundle,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    arguments: list[str],
    sentence: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(
        sys, "argv", ["pocket-bokeh", *arguments, "--bundle", str(tiny_bundle.folder)]
    )
    with pytest.raises(UserError, match=sentence):
        main()


def test_a_changed_model_file_is_refused(
    tiny_bundle: Bundle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "bundle"
    shutil.copytree(tiny_bundle.folder, folder)
    model = folder / tiny_bundle.models_of("int8_qat")[0].file
    model.write_bytes(model.read_bytes()[:-100])
    monkeypatch.setattr(
        sys, "argv", ["pocket-bokeh", str(tmp_path / "photo.jpg"), "--bundle", str(folder)]
    )
    with pytest.raises(UserError, match=f"{model.name}: changed since it was exported"):
        main()
