"""The measurements of a comparison: as table rows, as a data frame and as CSV."""

import csv
import io
from dataclasses import dataclass

import pandas as pd

from gradio_app.comparison import Comparison, Picture
from gradio_app.result_store import TARGET

SPEED = "ms on this computer"
PSNR_TO_FLOAT32 = "PSNR to float32"
LARGEST_DIFFERENCE = "largest pixel difference (of 255)"
COLUMNS = (
    "picture",
    "MB",
    SPEED,
    PSNR_TO_FLOAT32,
    "SSIM to float32",
    LARGEST_DIFFERENCE,
    "PSNR to target",
    "SSIM to target",
    "remark",
)
TO_CHOOSE_HORIZONTALLY = ("MB", SPEED)
TO_CHOOSE_VERTICALLY = (PSNR_TO_FLOAT32, "SSIM to float32", "PSNR to target", "SSIM to target")

Cell = str | float | None


@dataclass(frozen=True)
class Measurements:
    """A comparison with the run times of its models.

    Attributes:
        comparison: the pictures and how far apart they are.
        speeds: milliseconds by the model's key, as far as `gradio_app.speed` has measured them.
    """

    comparison: Comparison
    speeds: dict[str, float]

    def rows(self) -> list[list[Cell]]:
        """A row per picture except the target, in the order of `COLUMNS`.

        MB is the size of the model's file. PSNR is in dB. The largest pixel difference is the one
        to float32's picture.
        """
        return [self._row(picture) for picture in self._pictures()]

    def frame(self) -> pd.DataFrame:
        """The rows with the names of their columns."""
        return pd.DataFrame(self.rows(), columns=list(COLUMNS))

    def csv(self) -> str:
        """The rows for a spreadsheet; each also has the photo's name and size and the recipe."""
        height, width = self.comparison.size
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(("photo", "width", "height", "recipe", *COLUMNS))
        for picture in self._pictures():
            recipe = picture.model.name if picture.model else ""
            cells = ["" if cell is None else cell for cell in self._row(picture)]
            about = (_plain(self.comparison.photo.name), width, height, _plain(recipe))
            writer.writerow((*about, *map(_plain, cells)))
        return text.getvalue()

    def _pictures(self) -> list[Picture]:
        return [picture for picture in self.comparison.pictures if picture.key != TARGET]

    def _row(self, picture: Picture) -> list[Cell]:
        model, to_reference, to_target = picture.model, picture.to_reference, picture.to_target
        milliseconds = self.speeds.get(picture.key)
        is_reference = model is not None and model.key == model.reference
        return [
            picture.label,
            None if model is None else round(model.bytes / 1e6, 2),
            None if milliseconds is None else round(milliseconds, 1),
            None if to_reference is None else round(to_reference.psnr, 2),
            None
            if to_reference is None or to_reference.ssim is None
            else round(to_reference.ssim, 4),
            None if to_reference is None else to_reference.largest_step,
            None if to_target is None else round(to_target.psnr, 2),
            None if to_target is None or to_target.ssim is None else round(to_target.ssim, 4),
            picture.failure or ("reference for “to float32”" if is_reference else ""),
        ]


def _plain(cell: str | float) -> str | float:
    """Text that no spreadsheet takes for a formula."""
    return f"'{cell}" if isinstance(cell, str) and cell[:1] in ("=", "+", "-", "@") else cell
