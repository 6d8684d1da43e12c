"""Arranges pictures in a grid with labels."""

from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw, ImageFont

_GAP = 8
_LABEL_HEIGHT = 26
_FONT_SIZE = 15
_PAPER = (250, 250, 248)
_INK = (40, 40, 40)


def picture_grid(
    rows: Sequence[Sequence[np.ndarray]],
    column_labels: Sequence[str],
    cell_labels: Sequence[Sequence[str]] | None = None,
    cell_height: int | None = None,
) -> np.ndarray:
    """Arranges rows of pictures in one picture.

    Args:
        rows: pictures, height × width × 3, uint8, sRGB; every row has one per column.
        column_labels: the heading of each column.
        cell_labels: the line below each picture.
        cell_height: height to which every picture is scaled. Enlarging repeats pixels, so that the
            low resolution of a coarse level stays visible. None keeps the sizes.

    Returns:
        height × width × 3, uint8, sRGB.
    """
    scaled = [[_to_height(picture, cell_height) for picture in row] for row in rows]
    widths = [max(cell.width for cell in column) for column in zip(*scaled, strict=True)]
    heights = [max(cell.height for cell in row) for row in scaled]
    below = _LABEL_HEIGHT if cell_labels else 0
    sheet = Image.new(
        "RGB",
        (
            sum(widths) + _GAP * (len(widths) + 1),
            _LABEL_HEIGHT + sum(height + below + _GAP for height in heights),
        ),
        _PAPER,
    )
    draw = ImageDraw.Draw(sheet)
    font = ImageFont.load_default(size=_FONT_SIZE)
    lefts = [_GAP + sum(widths[:column]) + _GAP * column for column in range(len(widths))]
    for left, label in zip(lefts, column_labels, strict=True):
        draw.text((left, 4), label, _INK, font)
    top = _LABEL_HEIGHT
    for row, (cells, height) in enumerate(zip(scaled, heights, strict=True)):
        for column, cell in enumerate(cells):
            sheet.paste(cell, (lefts[column], top))
            if cell_labels:
                draw.text((lefts[column], top + height + 3), cell_labels[row][column], _INK, font)
        top += height + below + _GAP
    return np.asarray(sheet)


def _to_height(picture: np.ndarray, height: int | None) -> Image.Image:
    image = Image.fromarray(picture)
    if height is None or height == image.height:
        return image
    width = max(1, round(image.width * height / image.height))
    grows = height > image.height
    resampling = Image.Resampling.NEAREST if grows else Image.Resampling.BICUBIC
    return image.resize((width, height), resampling)
