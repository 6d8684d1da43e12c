"""Records a run's training and validation files, and finds changes since the run started.

`data_files.json` in the run folder lists each file's size and SHA-256 by split, and the changes
that the user accepted.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pocket_bokeh.photo import write_atomically
from train.data.pairs import FolderPairs, PairSource
from train.data.photo_folder import names_of, photo_states

NAME = "data_files.json"

LISTED_FILES = 5
"""The most files that a message lists for each kind of change; it counts the others."""

DataFiles = Mapping[str, Mapping[str, list[Any]]]
"""Size in bytes and SHA-256, by split and by name such as original/0001.jpg."""

Changes = Mapping[str, list[str]]
"""Names of files with their split, under `changed`, `removed` and `added`."""


def describe_files(splits: Mapping[str, PairSource]) -> DataFiles | None:
    """Size and SHA-256 of every file of the pairs; None for built-in pairs."""
    if not all(isinstance(pairs, FolderPairs) for pairs in splits.values()):
        return None
    paths = {
        split: pairs.paths() for split, pairs in splits.items() if isinstance(pairs, FolderPairs)
    }
    states = photo_states(path for some in paths.values() for path in some)
    return {
        split: {
            name: [states[path].size, states[path].sha256] for path, name in names_of(some).items()
        }
        for split, some in paths.items()
    }


def compare_files(before: DataFiles, now: DataFiles) -> Changes:
    """The differences between two lists of files; empty if there are none."""
    old, new = (
        {
            f"{name} ({split})": state
            for split, files in all_files.items()
            for name, state in files.items()
        }
        for all_files in (before, now)
    )
    changes = {
        "changed": [name for name in old if name in new and old[name] != new[name]],
        "removed": [name for name in old if name not in new],
        "added": [name for name in new if name not in old],
    }
    return {kind: names for kind, names in changes.items() if names}


def describe_changes(changes: Changes) -> str:
    """The changes in one line, for a message."""
    parts = []
    for kind, names in changes.items():
        more = f" and {len(names) - LISTED_FILES} more" if len(names) > LISTED_FILES else ""
        parts.append(f"{len(names)} {kind}: {', '.join(names[:LISTED_FILES])}{more}")
    return "; ".join(parts)


def read_files(folder: Path) -> tuple[DataFiles | None, list[Changes]]:
    """Reads the files and accepted changes that a run folder records.

    The files are None if the run was started by an older version, which did not record them.
    """
    file = folder / NAME
    if not file.is_file():
        return None, []
    stored = json.loads(file.read_text())
    return stored["files"], stored["accepted"]


def write_files(folder: Path, files: DataFiles, accepted: list[Changes]) -> None:
    """Writes `data_files.json` atomically."""
    content = {"files": files, "accepted": accepted}
    write_atomically(folder / NAME, json.dumps(content, indent=1) + "\n")
