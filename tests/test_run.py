"""The script that sets everything up: in whose folder it runs, and that any clone can start it."""

import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
RUN = ROOT / "run"


def _run(folder: Path, *arguments: str) -> str:
    ended = subprocess.run([RUN, *arguments], cwd=folder, capture_output=True, text=True)
    assert ended.returncode == 0, ended.stderr
    return ended.stdout.strip()


def test_python_runs_in_the_callers_folder(tmp_path: Path) -> None:
    assert _run(tmp_path, "python", "-c", "import os; print(os.getcwd())") == str(tmp_path)


def test_our_packages_are_found_from_any_folder(tmp_path: Path) -> None:
    assert "usage:" in _run(tmp_path, "python", "-m", "pocket_bokeh", "--help")


def test_the_models_that_come_with_the_project_are_found_from_any_folder(tmp_path: Path) -> None:
    program = "from pocket_bokeh.bundle import *; print(len(read_bundle(SHIPPED_BUNDLE).models))"
    assert int(_run(tmp_path, "python", "-c", program)) > 0


def test_a_file_of_the_callers_does_not_hide_our_packages(tmp_path: Path) -> None:
    (tmp_path / "train.py").write_text("print('not this one')\n")
    assert "usage:" in _run(tmp_path, "python", "-m", "train.composites", "--help")


@pytest.mark.parametrize("file", ["run", ".ci/run"])
def test_a_clone_with_crlf_line_endings_keeps_the_scripts(tmp_path: Path, file: str) -> None:
    """What Git for Windows sets, also for a folder that Linux runs from (WSL, containers)."""

    def git(*arguments: str) -> None:
        subprocess.run(["git", *arguments], cwd=tmp_path, check=True, capture_output=True)

    git("init")
    git("config", "core.autocrlf", "true")
    for name in (".gitattributes", file):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes((ROOT / name).read_bytes())
    git("add", ".")
    (tmp_path / file).unlink()
    git("checkout", "--", file)
    assert (tmp_path / file).read_bytes() == (ROOT / file).read_bytes()
