"""The measurements of a comparison: as table rows, as a data frame and as CSV."""

import csv
import io
from dataclasses import dataclass

import pandas as pd

from gradio_app.comparison import Comparison, Picture
from gradio_app.tasks import Measured

SPEED = "ms on this computer"
PSNR_TO_FLOAT32 = "PSNR to float32"
LARGEST_DIFFERENCE = "largest pixel difference (of 255)"
VISIBLE = "visible difference (% of the picture)"
PSNR_TO_TARGET = "PSNR to real blur (test pairs)"
COLUMNS = (
    "picture",
    "MB",
    SPEED,
    PSNR_TO_FLOAT32,
    "SSIM to float32",
    LARGEST_DIFFERENCE,
    VISIBLE,
    PSNR_TO_TARGET,
    "remark",
)
TO_CHOOSE_HORIZONTALLY = ("MB", SPEED)
TO_CHOOSE_VERTICALLY = (PSNR_TO_FLOAT32, "SSIM to float32", PSNR_TO_TARGET)

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
        """A row per picture, in the order of `COLUMNS`.

        MB is the size of the model's file. PSNR is in dB. The largest pixel difference is the one
        to float32's picture. The PSNR to real blur is the bundle's, over its test pairs.
        """
        return [self._row(picture) for picture in self.comparison.pictures]

    def frame(self) -> pd.DataFrame:
        """The rows with the names of their columns."""
        return pd.DataFrame(self.rows(), columns=list(COLUMNS))

    def csv(self) -> str:
        """The rows for a spreadsheet; each also has the photo's name and size and the recipe."""
        height, width = self.comparison.size
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(("photo", "width", "height", "recipe", *COLUMNS))
        for picture in self.comparison.pictures:
            recipe = picture.model.name if picture.model else ""
            cells = ["" if cell is None else cell for cell in self._row(picture)]
            about = (_plain(self.comparison.photo.name), width, height, _plain(recipe))
            writer.writerow((*about, *map(_plain, cells)))
        return text.getvalue()

    def _row(self, picture: Picture) -> list[Cell]:
        model, measured = picture.model, picture.to_reference
        is_reference = model is not None and model.key == model.reference
        return [
            picture.label,
            None if model is None else round(model.bytes / 1e6, 2),
            None if model is None else _rounded(self.speeds.get(model.weights), 1),
            *_differences(measured),
            None if model is None else _rounded(model.to_target, 2),
            picture.failure or ("reference for “to float32”" if is_reference else ""),
        ]


def _differences(measured: Measured | None) -> list[Cell]:
    """The cells that compare a picture with float32's."""
    if measured is None:
        return [None, None, None, None]
    metrics = measured.metrics
    return [
        round(metrics.psnr, 2),
        _rounded(metrics.ssim, 4),
        metrics.largest_step,
        round(100 * measured.visible, 2),
    ]


def _rounded(value: float | None, digits: int) -> float | None:
    return None if value is None else round(value, digits)


def _plain(cell: str | float) -> str | float:
    """Text that no spreadsheet takes for a formula."""
    return f"'{cell}" if isinstance(cell, str) and cell[:1] in ("=", "+", "-", "@") else cell
