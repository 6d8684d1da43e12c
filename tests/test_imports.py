"""Imports go one way, and every package that is imported is declared where its users install it."""

import ast
import re
import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]

MAY_IMPORT = {
    "pocket_bokeh": set(),
    "train.network": {"pocket_bokeh"},
    "train.data": {"pocket_bokeh", "train.network"},
    "train.loop": {"pocket_bokeh", "train.network", "train.data"},
    "train.judge": {"pocket_bokeh", "train.network", "train.data", "train.loop"},
    "train": {"pocket_bokeh", "train.network", "train.data", "train.loop", "train.judge"},
    "quantize.convert": {"pocket_bokeh", "train.network", "train.data", "train.loop"},
    "quantize.compilers": {"pocket_bokeh", "train.network", "quantize.convert"},
    "quantize.proof": {
        "pocket_bokeh",
        "train.network",
        "train.data",
        "quantize.convert",
        "quantize.compilers",
    },
    "quantize": {
        "pocket_bokeh",
        "train.network",
        "train.data",
        "train.loop",
        "train.judge",
        "quantize.convert",
        "quantize.compilers",
        "quantize.proof",
    },
    "gradio_app": {
        "pocket_bokeh",
        "quantize",
        "quantize.convert",
        "quantize.compilers",
        "quantize.proof",
    },
    "android_demo": {"pocket_bokeh"},
}
"""By folder, the other folders that its files may import. A package's own files may import each
other, and commands other commands of their package."""

EXTRAS = {
    "pocket_bokeh": (),
    "train": ("train", "masks"),
    "quantize": ("train", "quantize"),
    "gradio_app": ("browser",),
    "android_demo": (),
}
"""By package, the extras of `pyproject.toml` that bring what it imports."""


def _files(folder: str) -> list[Path]:
    """The Python files of a folder; of one with rooms only the files beside the rooms."""
    path = ROOT / folder.replace(".", "/")
    has_rooms = any(other.startswith(f"{folder}.") for other in MAY_IMPORT)
    files = sorted(path.glob("*.py") if has_rooms else path.rglob("*.py"))
    assert files, f"{path}: no Python files found; this test looks at nothing"
    return files


def _imports(file: Path) -> Iterator[str]:
    """The names of the modules that a file imports, also inside its functions."""
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module
            # `from train import sequential` imports a module, too.
            if (ROOT / node.module.replace(".", "/")).is_dir():
                yield from (f"{node.module}.{alias.name}" for alias in node.names)


def _folder_of(module: str) -> str | None:
    """The folder in `MAY_IMPORT` that one of our modules lies in."""
    parts = module.split(".")
    for length in (2, 1):
        if ".".join(parts[:length]) in MAY_IMPORT:
            return ".".join(parts[:length])
    return None


@pytest.mark.parametrize("folder", MAY_IMPORT)
def test_imports_go_one_way(folder: str) -> None:
    allowed = MAY_IMPORT[folder] | {folder}
    for file in _files(folder):
        for module in _imports(file):
            found = _folder_of(module)
            # `import train` alone only makes its libraries keep quiet.
            if found is not None and module != "train":
                assert found in allowed, f"{file.relative_to(ROOT)} imports {module}"


@pytest.mark.parametrize("package", EXTRAS)
def test_every_package_that_is_imported_is_declared(package: str) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    declared = list(project["dependencies"])
    for extra in EXTRAS[package]:
        declared += project["optional-dependencies"][extra]
    names = {_normal(re.split(r"[<>=!;\[ ]", requirement)[0]) for requirement in declared}
    distributions = packages_distributions()
    files = sorted((ROOT / package).rglob("*.py"))
    assert files
    for file in files:
        for module in _imports(file):
            top = module.split(".")[0]
            if top in sys.stdlib_module_names or top in EXTRAS or top in _NOT_INSTALLED:
                continue
            found = {_normal(name) for name in distributions.get(top, [top])}
            assert found & names, f"{file.relative_to(ROOT)} imports {top}, which is not declared"


_NOT_INSTALLED = {
    *("tflite_runtime", "torch", "hatchling"),
    *("onnx", "onnxruntime", "onnxruntime_qnn", "rknn"),
}
"""Imported where they are: in an environment of their own, or where a user brought them."""


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
