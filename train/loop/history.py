"""`history.csv`: loss and PSNR during training, a row every few steps of every level."""

import csv
import io
from dataclasses import astuple, dataclass, fields
from pathlib import Path

from pocket_bokeh.photo import write_atomically


@dataclass(frozen=True)
class Record:
    """Means over the steps since the last record.

    Attributes:
        level: 7 (coarsest) … 1.
        step: the last of these steps, counted within the level.
        loss: the training loss.
        psnr: of the training crops, in dB.
        learning_rate: at that step.
    """

    level: int
    step: int
    loss: float
    psnr: float
    learning_rate: float


class History:
    """The rows of a run so far. They are written with each checkpoint, so that both agree."""

    def __init__(self, file: Path, level: int, steps_done: int):
        """Reads the file and drops the rows of `level` after the last checkpoint."""
        self.file = file
        self.rows: list[list[str]] = []
        if file.exists():
            with file.open(newline="") as stream:
                rows = list(csv.reader(stream))[1:]
            self.rows = [row for row in rows if int(row[0]) != level or int(row[1]) <= steps_done]

    def append(self, record: Record) -> None:
        """Adds a row; `write` saves it."""
        self.rows.append([f"{value:.6g}" for value in astuple(record)])

    def write(self) -> None:
        """Writes the file atomically."""
        text = io.StringIO()
        header = [field.name for field in fields(Record)]
        csv.writer(text, lineterminator="\n").writerows([header, *self.rows])
        write_atomically(self.file, text.getvalue())
