"""Checkpoints of a level: weights, optimizer state and step, saved together.

A checkpoint is a folder `step_000150/` that appears complete or not at all: it is written under
another name, synced to disk, then renamed. The last two are kept. If the newer one is damaged, the
older one is used.
"""

import json
import shutil
from pathlib import Path
from typing import Any

from pocket_bokeh.disk import bring_to_disk, check_space

_KEPT = 2
_WEIGHTS = "state.weights.h5"
_POSITION = "position.json"


def save_checkpoint(level_folder: Path, model: Any, step: int, position: Any) -> None:
    """Writes a checkpoint of a compiled model and deletes all but the last two.

    Args:
        level_folder: `RUN/level_N`.
        model: a compiled Keras model; the optimizer's variables are saved with its weights.
        step: the number of steps done.
        position: any other state of the training that JSON can hold.

    Raises:
        OSError: the disk is full; existing checkpoints stay.
    """
    level_folder.mkdir(parents=True, exist_ok=True)
    check_space(level_folder, model)
    beside = level_folder / f".writing_{step:06d}"
    shutil.rmtree(beside, ignore_errors=True)
    beside.mkdir()
    try:
        model.save_weights(beside / _WEIGHTS)
        described = {
            "step": step,
            "position": position,
            "weights_bytes": (beside / _WEIGHTS).stat().st_size,
        }
        (beside / _POSITION).write_text(json.dumps(described))
        for path in (beside / _WEIGHTS, beside / _POSITION, beside):
            bring_to_disk(path)
        final = level_folder / f"step_{step:06d}"
        if final.exists():
            shutil.rmtree(final)
        beside.rename(final)
        bring_to_disk(level_folder)
    except BaseException:
        shutil.rmtree(beside, ignore_errors=True)
        raise
    for old in _checkpoints(level_folder)[:-_KEPT]:
        shutil.rmtree(old)


def latest_step(level_folder: Path) -> int:
    """Steps done at the last checkpoint; 0 if there is none."""
    checkpoints = _checkpoints(level_folder)
    return int(checkpoints[-1].name.removeprefix("step_")) if checkpoints else 0


def load_checkpoint(level_folder: Path, model: Any) -> Any:
    """Loads the last checkpoint into a model.

    Args:
        level_folder: `RUN/level_N`, with at least one checkpoint.
        model: built like the saved one. If it is compiled, its optimizer must be built and is
            restored too.

    Returns:
        The `position` that was saved.
    """
    checkpoint = _checkpoints(level_folder)[-1]
    model.load_weights(checkpoint / _WEIGHTS)
    return json.loads((checkpoint / _POSITION).read_text())["position"]


def _checkpoints(level_folder: Path) -> list[Path]:
    """The complete checkpoints, oldest first."""
    return [folder for folder in sorted(level_folder.glob("step_*")) if _is_whole(folder)]


def _is_whole(checkpoint: Path) -> bool:
    try:
        position = json.loads((checkpoint / _POSITION).read_text())
        return (checkpoint / _WEIGHTS).stat().st_size == position["weights_bytes"]
    except (OSError, ValueError, KeyError, TypeError):
        return False
