"""A folder of masked photographs that grows: original/, subject/ and a list of those left out."""

import csv
import io
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from tqdm import tqdm

from pocket_bokeh.disk import write_atomically
from pocket_bokeh.errors import UserError
from pocket_bokeh.photo import read_photo, resize_photo, write_photo
from pocket_bokeh.picture_grid import picture_grid
from train.data.growing_folder import QUALITY
from train.data.mask_judgement import judge_mask, tidy_mask
from train.data.segmenter import Segmenter

SHEET_COLUMNS, SHEET_CELL = 8, 240


@dataclass(frozen=True)
class MaskingResult:
    """How many photographs have a mask and how many were left out, and the kinds of reasons."""

    masked: int
    left_out: int
    reasons: Counter[str]


def mask_missing_photos(
    folder: Path, photos: Mapping[str, Path], segmenter: Segmenter, short_side: int
) -> MaskingResult:
    """Masks the photographs that the folder lacks.

    Args:
        folder: the folder to write.
        photos: photographs by name.
        segmenter: the network.
        short_side: of the photographs that are written, in pixels at most.
    """
    for kind in ("original", "subject"):
        (folder / kind).mkdir(exist_ok=True)
        for unfinished in (folder / kind).glob(".*"):  # of a run that was killed
            unfinished.unlink()
    # A subject's mask is written last.
    there = {file.stem for file in (folder / "subject").iterdir()}
    left_out = _read_list(folder / "left_out.tsv")
    missing = [name for name in photos if name not in there and name not in left_out]
    known = len(photos) - len(missing)
    for name in tqdm(missing, unit="photo", initial=known, total=len(photos)):
        reason = _mask_photo(folder, name, photos[name], segmenter, short_side)
        if reason:
            left_out[name] = reason
            _write_list(folder / "left_out.tsv", left_out)
    masked = sum(1 for _ in (folder / "subject").iterdir())
    kinds = Counter(reason.partition(":")[0] for reason in left_out.values())
    return MaskingResult(masked, len(left_out), kinds)


def write_mask_sheet(folder: Path, shown: int) -> Path | None:
    """Writes `contact_sheet.jpg`: some masked photographs, dimmed outside their masks.

    Returns:
        The file; None if nothing is shown.
    """
    names = sorted(file.stem for file in (folder / "subject").iterdir())
    count = min(shown, len(names))
    if not count:
        return None
    chosen = [names[place * len(names) // count] for place in range(count)]
    cells = [_shown(folder, name) for name in chosen]
    cells += [np.full_like(cells[0], 255)] * (-count % SHEET_COLUMNS)
    labels = chosen + [""] * (-count % SHEET_COLUMNS)
    starts = range(0, len(cells), SHEET_COLUMNS)
    rows = [cells[start : start + SHEET_COLUMNS] for start in starts]
    below = [labels[start : start + SHEET_COLUMNS] for start in starts]
    file = folder / "contact_sheet.jpg"
    write_photo(file, picture_grid(rows, [""] * SHEET_COLUMNS, below), 90)
    return file


def _mask_photo(folder: Path, name: str, file: Path, segmenter: Segmenter, short_side: int) -> str:
    """Masks one photograph and writes it; returns why it was left out, or nothing."""
    try:
        photo = read_photo(file, short_side)
    except UserError as error:
        return "cannot be read: " + str(error).removeprefix(f"{file}: ").partition(";")[0]
    scale = min(1.0, short_side / min(photo.shape[:2]))
    height, width = (round(side * scale) for side in photo.shape[:2])
    if min(height, width) < 64:
        return f"too small a photograph: {width}×{height} pixels"
    photo = resize_photo(photo, height, width)
    mask = segmenter.mask(photo)
    if reason := judge_mask(mask):
        return reason
    write_photo(folder / "original" / f"{name}.jpg", photo, QUALITY)
    write_photo(folder / "subject" / f"{name}.png", tidy_mask(mask, photo))
    return ""


def _shown(folder: Path, name: str) -> np.ndarray:
    """A photograph in a square cell, dimmed and blue outside its mask."""
    photo = read_photo(folder / "original" / f"{name}.jpg")
    mask = read_photo(folder / "subject" / f"{name}.png")[..., :1] / 255
    outside = 0.25 * photo + np.array([40, 70, 190]) * 0.6
    shown = (mask * photo + (1 - mask) * outside).astype(np.uint8)
    scale = SHEET_CELL / max(shown.shape[:2])
    shown = resize_photo(shown, *(max(1, round(side * scale)) for side in shown.shape[:2]))
    cell = np.full((SHEET_CELL, SHEET_CELL, 3), 255, np.uint8)
    cell[: shown.shape[0], : shown.shape[1]] = shown
    return cell


def _read_list(file: Path) -> dict[str, str]:
    if not file.exists():
        return {}
    rows = csv.DictReader(file.read_text().splitlines(), delimiter="\t")
    return {row["name"]: row["reason"] for row in rows}


def _write_list(file: Path, left_out: Mapping[str, str]) -> None:
    text = io.StringIO()
    table = csv.writer(text, delimiter="\t", lineterminator="\n")
    table.writerow(["name", "reason"])
    table.writerows(sorted(left_out.items()))
    write_atomically(file, text.getvalue())
