"""`history.csv`: the loss of every few steps of every level."""

import csv
import io
from pathlib import Path

from train.photo import write_atomically

_HEADER = ["level", "step", "loss"]


class History:
    """The rows of a run so far; written whole, beside a checkpoint, so that both agree."""

    def __init__(self, file: Path, level: int, steps_done: int):
        """Reads the file, less the rows of `level` that come after the last checkpoint."""
        self.file = file
        self.level = level
        self.rows: list[list[str]] = []
        if file.exists():
            with file.open(newline="") as stream:
                rows = list(csv.reader(stream))[1:]
            self.rows = [row for row in rows if int(row[0]) != level or int(row[1]) <= steps_done]

    def append(self, step: int, loss: float) -> None:
        """One row: the mean loss of the steps since the last row."""
        self.rows.append([str(self.level), str(step), f"{loss:.6g}"])

    def write(self) -> None:
        """Writes the file, whole or not at all."""
        text = io.StringIO()
        csv.writer(text, lineterminator="\n").writerows([_HEADER, *self.rows])
        write_atomically(self.file, text.getvalue())
