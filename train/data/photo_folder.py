"""A folder of photographs: its files by name, and whether every one of them decodes.

A damaged photograph must not be found in the third hour of a training. So every file is decoded
once, by all cores, before anything long. What was found is remembered in the user's cache by size,
time and content, because a dataset folder may be read-only and several runs share it.
"""

import hashlib
import json
import os
import sys
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from tqdm import tqdm

from pocket_bokeh.errors import UserError
from pocket_bokeh.photo import PHOTO_SUFFIXES, photo_size, read_photo, write_atomically

NAMED = 10
"""Files that a message names; of more it says how many."""

_READER = f"1, pillow {version('pillow')}"
"""What is remembered under another reader is not believed. Count up when `read_photo` changes."""


@dataclass(frozen=True)
class FileState:
    """What is known about one file.

    Attributes:
        size: in bytes.
        modified: when, in nanoseconds.
        sha256: of its content, hexadecimal.
        problem: why it does not decode; empty where it does.
    """

    size: int
    modified: int
    sha256: str
    problem: str = ""


def photos_by_name(folder: Path) -> dict[str, Path]:
    """The photographs in a folder by their name without its ending; none where there is no folder.

    Names are composed (Unicode NFC): macOS and some archives write é as e and an accent, which
    looks the same and would match no other file.

    Raises:
        UserError: two files have one name.
    """
    found: dict[str, Path] = {}
    if not folder.is_dir():
        return found
    for file in sorted(folder.iterdir(), key=lambda file: composed(file.name)):
        if file.suffix.lower() not in PHOTO_SUFFIXES or file.name.startswith("."):
            continue
        name = composed(file.stem)
        if name in found:
            other = found[name]
            alike = " (two spellings of one name, in Unicode)" if other.stem != file.stem else ""
            raise UserError(f"{folder}: both {other.name} and {file.name}{alike}; keep one")
        found[name] = file
    return found


def composed(name: str) -> str:
    """A file's name as other systems would spell it, too."""
    return unicodedata.normalize("NFC", name)


def check_photos(
    folder: Path, files: Iterable[Path], known: Mapping[Path, str] | None = None
) -> None:
    """Refuses photographs that do not decode; all are named together.

    Args:
        folder: what they belong to, for the message.
        files: photographs, masks and depth maps.
        known: problems that were found before, by file.

    Raises:
        UserError: one or more are damaged.
    """
    files, problems = list(files), dict(known or {})
    states = photo_states(file for file in files if file not in problems)
    problems |= {file: state.problem for file, state in states.items()}
    bad = [f"{short_name(file)} ({problems[file]})" for file in files if problems[file]]
    if bad:
        more = f" and {len(bad) - NAMED} more" if len(bad) > NAMED else ""
        raise UserError(
            f"{folder}: {len(bad)} of {len(files)} files cannot be used: "
            f"{', '.join(bad[:NAMED])}{more}; replace or remove them"
        )


def photo_states(files: Iterable[Path]) -> dict[Path, FileState]:
    """Size, time, content and soundness of files; decoded are those that changed since last time.

    A file that cannot be found, or not be read, has a problem like a damaged one.
    """
    real = {file: file.resolve() for file in files}
    folders = sorted({file.parent for file in real.values()})
    remembered = {folder: _read_cache(folder) for folder in folders}
    wanted = sorted(set(real.values()))

    def look(file: Path) -> FileState:
        return _state(file, remembered[file.parent].get(file.name))

    with ThreadPoolExecutor(os.cpu_count()) as threads:
        found = threads.map(look, wanted)
        progress = tqdm(found, "looking at every file", len(wanted), leave=False, delay=1)
        states = dict(zip(wanted, progress, strict=True))
    for folder in folders:
        here = {file.name: state for file, state in states.items() if file.parent == folder}
        if any(remembered[folder].get(name) != state for name, state in here.items()):
            _write_cache(folder, remembered[folder] | here)
    return {file: states[place] for file, place in real.items()}


def short_name(file: Path) -> str:
    """A file with its folder, as it stands in messages: original/0001.jpg."""
    return f"{file.parent.name}/{composed(file.name)}"


def _state(file: Path, before: FileState | None) -> FileState:
    try:
        found = file.stat()
        now = (found.st_size, found.st_mtime_ns)
        if before and not before.problem and (before.size, before.modified) == now:
            return before
        with file.open("rb") as stream:
            sha256 = hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as error:
        return FileState(0, 0, "", error.strerror or "cannot be read")
    sound = before is not None and not before.problem and before.sha256 == sha256
    problem = "" if sound else _problem(file)
    return FileState(*now, sha256, problem)


def _problem(file: Path) -> str:
    """Why a file does not decode, in a few words; empty where it does."""
    try:
        size, decoded = photo_size(file), read_photo(file).shape[:2]
    except UserError as error:
        return str(error).removeprefix(f"{file}: ").partition(";")[0]
    if size == decoded:
        return ""
    return f"{size[1]}×{size[0]} by its header, {decoded[1]}×{decoded[0]} decoded"


def cache_folder() -> Path:
    """Where it is remembered which photographs are sound: a folder of the user's cache."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return cache / "pocket-bokeh" / "photos"


def _cache_file(folder: Path) -> Path:
    return cache_folder() / f"{hashlib.sha256(str(folder).encode()).hexdigest()[:32]}.json"


def _read_cache(folder: Path) -> dict[str, FileState]:
    """What is remembered of a folder; nothing where that cannot be read or is of another reader."""
    try:
        stored = json.loads(_cache_file(folder).read_text())
        if stored["reader"] != _READER or stored["folder"] != str(folder):
            return {}
        return {name: FileState(*state) for name, state in stored["files"].items()}
    except (OSError, ValueError, KeyError, TypeError):
        return {}


def _write_cache(folder: Path, states: Mapping[str, FileState]) -> None:
    """Remembers a folder; where the cache takes no writes, the next start decodes again."""
    files: dict[str, Sequence[object]] = {
        name: (state.size, state.modified, state.sha256, state.problem)
        for name, state in states.items()
        if (folder / name).exists()
    }
    content = json.dumps({"reader": _READER, "folder": str(folder), "files": files})
    file = _cache_file(folder)
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(file, content)
    except OSError as error:
        print(f"{file}: {error.strerror}; every start decodes all photos again", file=sys.stderr)
