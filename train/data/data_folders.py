"""The folders of pairs that `--data` names: FOLDER[:WEIGHT][:focus], or `built-in`.

A weight of 3 draws each pair of a folder three times as often as one of a folder without a weight.
`:focus` marks photographs that are focused elsewhere than a camera would focus by itself.
"""

import dataclasses
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pocket_bokeh.errors import UserError

BUILT_IN = "built-in"
"""The name of the built-in pairs."""

Data = tuple[str, ...]
"""The pairs of a command, as `--data` takes them; `(BUILT_IN,)` for the built-in ones."""

_FOCUS = ":focus"
_SPLITS = ("train", "val", "test")


@dataclass(frozen=True)
class DataFolder:
    """One folder of pairs.

    Attributes:
        path: the folder.
        weight: how often each of its training pairs is drawn, relative to other folders' pairs.
        needs_focus: whether its photographs are focused elsewhere than automatically.
    """

    path: Path
    weight: float = 1.0
    needs_focus: bool = False

    def __str__(self) -> str:
        """The folder as `--data` takes it."""
        weight = "" if self.weight == 1 else f":{self.weight:.15g}"
        return f"{self.path}{weight}{_FOCUS if self.needs_focus else ''}"


def parse_data(data: Sequence[str]) -> list[DataFolder]:
    """Parses the folders of a command.

    Raises:
        UserError: a weight is not a number above 0, a folder is named twice, or the built-in pairs
            are among them.
    """
    if BUILT_IN in data:
        raise UserError(
            f"--data {BUILT_IN}: cannot be mixed with folders; write these pairs to a folder with "
            "python -m train.synthetic"
        )
    folders = [_parse_folder(text) for text in data]
    _check_distinct(folders)
    return folders


def resolved_data(data: Sequence[str]) -> Data:
    """The same folders with absolute paths, to be recorded; the built-in pairs if there are none.

    Raises:
        UserError: as `parse_data`.
    """
    if not data or tuple(data) == (BUILT_IN,):
        return (BUILT_IN,)
    resolved = (
        dataclasses.replace(folder, path=folder.path.resolve()) for folder in parse_data(data)
    )
    return tuple(str(folder) for folder in resolved)


def _parse_folder(text: str) -> DataFolder:
    if Path(text).is_dir():  # its own name may have a colon
        return DataFolder(Path(text))
    weighted = text.removesuffix(_FOCUS)
    path, weight = Path(weighted), 1.0
    before, colon, number = weighted.rpartition(":")
    if colon and not path.is_dir():
        path, weight = Path(before), _weight(text, number)
    return DataFolder(path, weight, needs_focus=weighted != text)


def _weight(text: str, number: str) -> float:
    try:
        weight = float(number)
    except ValueError:
        weight = math.nan
    if not 0 < weight < math.inf:
        raise UserError(f"--data {text}: expected FOLDER[:WEIGHT][:focus], with a WEIGHT above 0")
    return weight


def _check_distinct(folders: Sequence[DataFolder]) -> None:
    """Checks that no folder is read twice; its pairs might be validated on and trained on."""
    seen: dict[Path, DataFolder] = {}
    for folder in folders:
        path = folder.path.resolve()
        if path in seen:
            raise UserError(f"--data {folder}: named twice; give it a weight, FOLDER:WEIGHT")
        seen[path] = folder
    for path, folder in seen.items():
        whole = seen.get(path.parent)
        if whole and path.name in _SPLITS and (whole.path / "train").is_dir():
            raise UserError(f"--data {folder}: is a part of {whole}; name one of the two")
