"""Build hook that adds the most useful models to the wheel of `pocket_bokeh`.

The whole bundle has 34 MB, but rendering needs only one recipe for the CPU and one for the GPU.
"""

import json
import shutil
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

RECIPES = ("int8_qat", "float16")
BUNDLE = Path("models/pocket")
BESIDE = ("MODEL_CARD.md",)
"""Files of the bundle's folder that `bundle.json` does not name."""


class ModelsInWheel(BuildHookInterface):
    """Adds a smaller bundle to the wheel; an editable install uses the whole bundle."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        if version == "editable":
            return
        self._folder = tempfile.TemporaryDirectory()
        write_smaller_bundle(Path(self.root) / BUNDLE, Path(self._folder.name))
        build_data["force_include"][self._folder.name] = "pocket_bokeh/models/pocket"

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:
        if version != "editable":
            self._folder.cleanup()


def write_smaller_bundle(whole: Path, smaller: Path) -> None:
    """Copies the models of `RECIPES` with their golden pairs and records."""
    bundle = json.loads((whole / "bundle.json").read_text())
    bundle["models"] = [model for model in bundle["models"] if model["recipe"] in RECIPES]
    files = {model["file"] for model in bundle["models"]} | set(bundle["records"]) | set(BESIDE)
    for pair in bundle["golden"]:
        files |= {
            pair[field.removesuffix("_sha256")] for field in pair if field.endswith("_sha256")
        }
    for name in files:
        shutil.copyfile(whole / name, smaller / name)
    (smaller / "bundle.json").write_text(json.dumps(bundle, indent=2, sort_keys=True) + "\n")
