"""Installs the wheel alone in a fresh environment and uses it."""

import os
import shutil
import subprocess
import zipfile
from pathlib import Path

import numpy as np
import pytest
from skimage import data

from pocket_bokeh.photo import read_photo, write_photo

ROOT = Path(__file__).resolve().parents[2]


def _uv(*arguments: object, cwd: Path = ROOT) -> str:
    program = os.environ.get("UV") or shutil.which("uv")
    assert program is not None, "uv runs these tests, so it must be there"
    ended = subprocess.run([program, *map(str, arguments)], cwd=cwd, capture_output=True, text=True)
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    _uv("build", "--wheel", "--out-dir", folder)
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def environment(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A fresh virtual environment with the wheel and its dependencies, at the locked versions."""
    folder = tmp_path_factory.mktemp("fresh") / "environment"
    locked = folder.with_name("locked.txt")
    export = ("export", "--frozen", "--no-dev", "--no-emit-project", "--no-hashes")
    locked.write_text(_uv(*export, "--quiet"))
    _uv("venv", "--no-project", folder)
    _uv("pip", "install", "--python", folder / "bin" / "python", "-c", locked, wheel)
    return folder


def test_it_holds_the_library_and_four_models(wheel: Path) -> None:
    assert wheel.stat().st_size < 25e6
    names = zipfile.ZipFile(wheel).namelist()
    assert {name.split("/")[0].split("-")[0] for name in names} == {"pocket_bokeh"}
    models = {Path(name).name for name in names if name.endswith(".tflite")}
    assert models == {
        f"{recipe}_{size}.tflite"
        for recipe in ("int8_qat", "float16")
        for size in ("384x512", "512x384")
    }
    assert "pocket_bokeh/py.typed" in names
    assert "pocket_bokeh/models/pocket/MODEL_CARD.md" in names


def test_the_environment_is_small_and_without_training(environment: Path) -> None:
    files = [file for file in environment.rglob("*") if file.is_file() and not file.is_symlink()]
    assert sum(file.stat().st_size for file in files) < 250e6
    installed = {file.name for file in environment.glob("lib/python*/site-packages/*")}
    assert installed.isdisjoint({"tensorflow", "keras", "jax", "gradio", "scipy", "train"})


def test_the_command_renders_a_photo(environment: Path, tmp_path: Path) -> None:
    photo = tmp_path / "coffee.png"
    write_photo(photo, data.coffee())
    ended = subprocess.run(
        [environment / "bin" / "pocket-bokeh", photo.name],
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout == "coffee_bokeh.png: 600×400 pixels, rendered with int8_qat\n"
    wood = np.s_[60:200, 510:600]
    before, after = data.coffee()[wood], read_photo(tmp_path / "coffee_bokeh.png")[wood]
    assert after.std() < before.std()


def test_five_lines_of_python_render_a_photo(environment: Path, tmp_path: Path) -> None:
    write_photo(tmp_path / "photo.jpg", data.coffee())
    program = (
        "import pocket_bokeh\n"
        "photo = pocket_bokeh.read_photo('photo.jpg')\n"
        "model = pocket_bokeh.load(recipe='float16')\n"
        "pocket_bokeh.write_photo('bokeh.jpg', model.render(photo, strength=0.5))\n"
    )
    python = environment / "bin" / "python"
    subprocess.run([python, "-c", program], cwd=tmp_path, check=True)
    assert read_photo(tmp_path / "bokeh.jpg").shape == data.coffee().shape
