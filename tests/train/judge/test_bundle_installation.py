"""A bundle replaces another completely, or the other stays intact."""

import json
import os
import shutil
from pathlib import Path
from typing import Any

import pytest

from pocket_bokeh.errors import UserError
from train.judge.bundle_installation import check_destination, install_bundle, other_files


def bundle(folder: Path, model: str) -> Path:
    """What is read of a bundle: one model, its description, and a card."""
    folder.mkdir(parents=True)
    described = {
        "models": [{"file": "model.tflite", "sha256": model}],
        "golden": [
            {
                "input": "in.png",
                "input_sha256": "",
                "output": "out.png",
                "output_sha256": "",
                "focus_points": [[0.3, 0.6]],
            }
        ],
        "records": {"history.csv": ""},
    }
    (folder / "bundle.json").write_text(json.dumps(described))
    for name in ("model.tflite", "in.png", "out.png", "history.csv", "card.md"):
        (folder / name).write_text(model)
    return folder


def model_in(folder: Path) -> str:
    """Which bundle lies there, whole."""
    assert len(list(folder.iterdir())) == 6
    (content,) = {file.read_text() for file in folder.iterdir() if file.name != "bundle.json"}
    return content


def test_a_bundle_is_replaced_only_when_told_to(tmp_path: Path) -> None:
    made, place = bundle(tmp_path / "made/pocket", "new"), bundle(tmp_path / "pocket", "old")
    kept = tmp_path / "replaced"
    with pytest.raises(UserError, match="already a bundle"):
        install_bundle(made, place, False, kept)
    assert model_in(place) == "old"
    install_bundle(made, place, True, kept)
    assert (model_in(place), model_in(kept / "1"), model_in(made)) == ("new", "old", "new")
    check_destination(place, made, replace=False)  # the same models lie there already
    assert sorted(file.name for file in tmp_path.iterdir()) == ["made", "pocket", "replaced"]
    (tmp_path / "photos").mkdir()
    with pytest.raises(UserError, match="not a bundle"):
        check_destination(tmp_path / "photos", made, replace=True)


@pytest.mark.parametrize(
    ("module", "name", "call"),
    [(shutil, "copytree", 1), (os, "rename", 1), (os, "rename", 2), (shutil, "move", 1)],
)
@pytest.mark.parametrize("dies", [False, True])
def test_stopped_anywhere_one_bundle_is_whole_and_the_next_call_ends_it(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    module: Any,
    name: str,
    call: int,
    dies: bool,
) -> None:
    """By Ctrl-C, or by a power failure, after which nothing is put right before the next call."""
    made, place = bundle(tmp_path / "made/pocket", "new"), bundle(tmp_path / "pocket", "old")
    step, calls = getattr(module, name), []

    def stop(*arguments: Any) -> Any:
        calls.append(arguments)
        if len(calls) == call or (dies and len(calls) > call):
            raise KeyboardInterrupt
        return step(*arguments)

    with monkeypatch.context() as patched:
        patched.setattr(module, name, stop)
        with pytest.raises(KeyboardInterrupt):
            install_bundle(made, place, True, tmp_path / "replaced")
    check_destination(place, made, replace=True)
    assert model_in(place) == ("new" if name == "move" else "old")
    install_bundle(made, place, True, tmp_path / "replaced")
    assert (model_in(place), model_in(tmp_path / "replaced/1")) == ("new", "old")
    assert sorted(file.name for file in tmp_path.iterdir()) == ["made", "pocket", "replaced"]


def test_peoples_own_files_are_told_from_the_bundles(tmp_path: Path) -> None:
    folder = bundle(tmp_path / "pocket", "old")
    assert [file.name for file in other_files(folder)] == ["card.md"]
    assert other_files(tmp_path / "nowhere") == []
