"""Which files a run is trained on and judged by, and what has changed since it started.

`data_files.json` in the run folder has each file's size and SHA-256 by split, and the changes that
were accepted.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pocket_bokeh.photo import write_atomically
from train.data.pairs import FolderPairs, PairSource
from train.data.photo_folder import photo_states, short_name

NAME = "data_files.json"

NAMED = 5
"""Files that a message names of each kind of change; of more it says how many."""

DataFiles = Mapping[str, Mapping[str, list[Any]]]
"""By split and by name, such as original/0001.jpg: size in bytes and SHA-256."""

Changes = Mapping[str, list[str]]
"""`changed`, `removed` and `added`: names of files, each with its split."""


def files_of(splits: Mapping[str, PairSource]) -> DataFiles | None:
    """The files of some pairs as they are now; None for built-in pairs."""
    if not all(isinstance(pairs, FolderPairs) for pairs in splits.values()):
        return None
    paths = {
        split: pairs.paths() for split, pairs in splits.items() if isinstance(pairs, FolderPairs)
    }
    states = photo_states(path for some in paths.values() for path in some)
    return {
        split: {short_name(path): [states[path].size, states[path].sha256] for path in some}
        for split, some in paths.items()
    }


def compare_files(before: DataFiles, now: DataFiles) -> Changes:
    """What is different; empty where nothing is."""
    ours, theirs = (
        {
            f"{name} ({split})": state
            for split, files in all_files.items()
            for name, state in files.items()
        }
        for all_files in (before, now)
    )
    changes = {
        "changed": [name for name in ours if name in theirs and ours[name] != theirs[name]],
        "removed": [name for name in ours if name not in theirs],
        "added": [name for name in theirs if name not in ours],
    }
    return {kind: names for kind, names in changes.items() if names}


def words(changes: Changes) -> str:
    """Changes for people, in one line."""
    parts = []
    for kind, names in changes.items():
        more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
        parts.append(f"{len(names)} {kind}: {', '.join(names[:NAMED])}{more}")
    return "; ".join(parts)


def read_files(folder: Path) -> tuple[DataFiles | None, list[Changes]]:
    """What a run folder remembers: its files, and the changes that were accepted.

    None where an older version of this project, which noted no files, started the run.
    """
    file = folder / NAME
    if not file.is_file():
        return None, []
    stored = json.loads(file.read_text())
    return stored["files"], stored["accepted"]


def write_files(folder: Path, files: DataFiles, accepted: list[Changes]) -> None:
    """Writes `data_files.json`, whole or not at all."""
    content = {"files": files, "accepted": accepted}
    write_atomically(folder / NAME, json.dumps(content, indent=1) + "\n")
