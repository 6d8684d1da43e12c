"""Finds the photographs in a folder and checks that each of them decodes.

A damaged photograph should not stop a training in its third hour, so every file is decoded once, on
all cores, before a long run. The results are cached in the user's cache folder, since the dataset
folder may be read-only and several runs share it.
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

LISTED_FILES = 10
"""The most files that a message lists; it counts the others."""

_READER = f"1, pillow {version('pillow')}"
"""Cache entries of another reader are ignored. Increase the number when `read_photo` changes."""


@dataclass(frozen=True)
class FileState:
    """The state of one file when it was last checked.

    Attributes:
        size: in bytes.
        modified: modification time in nanoseconds.
        sha256: hash of the content, hexadecimal.
        problem: why the file does not decode; empty if it does.
    """

    size: int
    modified: int
    sha256: str
    problem: str = ""


def photos_by_name(folder: Path) -> dict[str, Path]:
    """The photographs in a folder, by name without suffix; empty if there is no folder.

    Names are normalized to Unicode NFC. macOS and some archives write é as e plus an accent, which
    looks the same but would not match the name of the other photograph.

    Raises:
        UserError: two files have the same name.
    """
    found: dict[str, Path] = {}
    if not folder.is_dir():
        return found
    for file in sorted(folder.iterdir(), key=lambda file: normalized_name(file.name)):
        if file.suffix.lower() not in PHOTO_SUFFIXES or file.name.startswith("."):
            continue
        name = normalized_name(file.stem)
        if name in found:
            other = found[name]
            alike = " (the same name, encoded differently)" if other.stem != file.stem else ""
            raise UserError(
                f"{folder}: has both {other.name} and {file.name}{alike}; keep one of them"
            )
        found[name] = file
    return found


def normalized_name(name: str) -> str:
    """A file's name in Unicode NFC, the same on every system."""
    return unicodedata.normalize("NFC", name)


def check_photos(
    folder: Path, files: Iterable[Path], known: Mapping[Path, str] | None = None
) -> None:
    """Checks that photographs decode.

    Args:
        folder: the dataset, for the message.
        files: photographs, masks and depth maps.
        known: problems found earlier, by file.

    Raises:
        UserError: files are damaged; the message lists them.
    """
    files, problems = list(files), dict(known or {})
    states = photo_states(file for file in files if file not in problems)
    problems |= {file: state.problem for file, state in states.items()}
    names = names_of(files)
    bad = [f"{names[file]} ({problems[file]})" for file in files if problems[file]]
    if bad:
        more = f" and {len(bad) - LISTED_FILES} more" if len(bad) > LISTED_FILES else ""
        raise UserError(
            f"{folder}: {len(bad)} of {len(files)} files cannot be used: "
            f"{', '.join(bad[:LISTED_FILES])}{more}; replace or remove them"
        )


def photo_states(files: Iterable[Path]) -> dict[Path, FileState]:
    """The state of each file; only files that changed since the last check are decoded.

    A missing or unreadable file gets a `problem`, like a damaged one.
    """
    real = _resolved(files)
    by_folder: dict[Path, list[Path]] = {}
    for file in dict.fromkeys(real.values()):
        by_folder.setdefault(file.parent, []).append(file)
    remembered = {folder: _read_cache(folder) for folder in by_folder}
    states = {
        file: before
        for folder, some in by_folder.items()
        for file in some
        if (before := remembered[folder].get(file.name)) and _is_as_before(file, before)
    }
    wanted = [file for some in by_folder.values() for file in some if file not in states]

    def look(file: Path) -> FileState:
        return _state(file, remembered[file.parent].get(file.name))

    with ThreadPoolExecutor(os.cpu_count()) as threads:
        found = threads.map(look, wanted)
        progress = tqdm(found, "checking files", len(wanted), leave=False, delay=1)
        states |= zip(wanted, progress, strict=True)
    for folder in dict.fromkeys(file.parent for file in wanted):
        here = {file.name: states[file] for file in by_folder[folder]}
        if any(remembered[folder].get(name) != state for name, state in here.items()):
            _write_cache(folder, remembered[folder] | here)
    return {file: states[place] for file, place in real.items()}


def _resolved(files: Iterable[Path]) -> dict[Path, Path]:
    """The real place of each file. Resolving every path from its root would take seconds."""
    files = list(files)
    folders = {folder: folder.resolve() for folder in {file.parent for file in files}}
    return {
        file: file.resolve() if file.is_symlink() else folders[file.parent] / file.name
        for file in files
    }


def _is_as_before(file: Path, before: FileState) -> bool:
    """Whether a file was intact and has the same size and time."""
    try:
        found = file.stat()
    except OSError:
        return False
    return not before.problem and (before.size, before.modified) == (
        found.st_size,
        found.st_mtime_ns,
    )


def short_name(file: Path) -> str:
    """A file with its folder, for messages: original/0001.jpg."""
    return f"{file.parent.name}/{normalized_name(file.name)}"


def names_of(files: Iterable[Path]) -> dict[Path, str]:
    """Names of files for messages and records, as `short_name`.

    If they lie in several folders of pairs, these come first: composites/original/0001.jpg.
    """
    files = list(files)
    folders = dict.fromkeys(file.parent.parent for file in files)
    if len(folders) <= 1:
        return {file: short_name(file) for file in files}
    above = folder_above(folders)
    places = {folder: Path(os.path.relpath(folder, above)) for folder in folders}
    return {file: (places[file.parent.parent] / short_name(file)).as_posix() for file in files}


def folder_above(folders: Iterable[Path]) -> Path:
    """The folder that all folders lie in."""
    return Path(os.path.commonpath([os.path.abspath(folder) for folder in folders]))


def _state(file: Path, before: FileState | None) -> FileState:
    try:
        found = file.stat()
        now = (found.st_size, found.st_mtime_ns)
        with file.open("rb") as stream:
            sha256 = hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as error:
        return FileState(0, 0, "", error.strerror or "cannot be read")
    sound = before is not None and not before.problem and before.sha256 == sha256
    problem = "" if sound else _problem(file)
    return FileState(*now, sha256, problem)


def _problem(file: Path) -> str:
    """Why a file does not decode; empty if it does."""
    try:
        size, decoded = photo_size(file), read_photo(file).shape[:2]
    except UserError as error:
        return str(error).removeprefix(f"{file}: ").partition(";")[0]
    if size == decoded:
        return ""
    return f"its header says {size[1]}×{size[0]}, but it decodes to {decoded[1]}×{decoded[0]}"


def cache_folder() -> Path:
    """The folder in the user's cache that records which photographs are intact."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return cache / "pocket-bokeh" / "photos"


def _cache_file(folder: Path) -> Path:
    return cache_folder() / f"{hashlib.sha256(str(folder).encode()).hexdigest()[:32]}.json"


def _read_cache(folder: Path) -> dict[str, FileState]:
    """The cached states of a folder's files; empty if unreadable or of another reader."""
    try:
        stored = json.loads(_cache_file(folder).read_text())
        if stored["reader"] != _READER or stored["folder"] != str(folder):
            return {}
        return {name: FileState(*state) for name, state in stored["files"].items()}
    except (OSError, ValueError, KeyError, TypeError):
        return {}


def _write_cache(folder: Path, states: Mapping[str, FileState]) -> None:
    """Caches a folder's states. If the cache is not writable, the next start decodes again."""
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
        print(
            f"{file}: {error.strerror}; every start will decode all photos again", file=sys.stderr
        )
