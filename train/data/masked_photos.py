"""Photographs with masks of their subjects: found, checked and measured once.

The folder holds original/NAME.jpg and subject/NAME.png. A photograph without a mask is left aside,
since not every photograph has a subject.
"""

import csv
import io
import os
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from tqdm import tqdm

from pocket_bokeh.disk import write_atomically
from pocket_bokeh.errors import UserError
from pocket_bokeh.photo import photo_size, read_mask, read_photo
from train.data.pairs import SIZE_MULTIPLE, find_masks
from train.data.photo_folder import check_photos, normalized_name, photos_by_name
from train.data.softness import MEASURED_SHORT_SIDE, Sharpness, measure_sharpness


@dataclass(frozen=True)
class MaskedPhoto:
    """A photograph and the mask of its subject."""

    photo: Path
    mask: Path

    @property
    def name(self) -> str:
        return normalized_name(self.photo.stem)


def find_masked_photos(folder: Path) -> tuple[MaskedPhoto, ...]:
    """Finds the photographs that have a mask, by name; reads nothing but the folder.

    Raises:
        UserError: there are none, or a mask has no photograph.
    """
    originals = photos_by_name(folder / "original")
    masks = find_masks(folder, originals)
    if not masks:
        raise UserError(
            f"{folder}: no masks in subject/; expected original/NAME.jpg and subject/NAME.png "
            "(python -m train.masks makes them)"
        )
    return tuple(MaskedPhoto(originals[name], masks[name]) for name in sorted(masks))


def mask_problem(photographs: MaskedPhoto) -> str:
    """Why a mask does not fit its photograph; empty if it does."""
    size = photo_size(photographs.photo)
    if photo_size(photographs.mask) != size:
        return "its size differs from its photograph's"
    if min(size) < SIZE_MULTIPLE:
        return f"{size[1]}×{size[0]} pixels; each side needs {SIZE_MULTIPLE} or more"
    return "" if (read_mask(photographs.mask, size) > 127).any() else "it marks no subject"


def check_masks(folder: Path, photographs: Iterable[MaskedPhoto]) -> None:
    """Checks that photographs and masks decode and fit each other.

    Raises:
        UserError: some do not; the message lists them.
    """
    photographs = list(photographs)
    check_photos(folder, [file for each in photographs for file in (each.photo, each.mask)])
    with ThreadPoolExecutor(os.cpu_count()) as threads:
        found = list(threads.map(mask_problem, photographs))
    problems = {each.mask: why for each, why in zip(photographs, found, strict=True) if why}
    if problems:
        check_photos(folder, [each.mask for each in photographs], problems)


def sharpness_of(photographs: Iterable[MaskedPhoto], file: Path) -> dict[str, Sharpness]:
    """The sharpness of photographs, by name; measured once and kept in a table.

    Args:
        photographs: checked photographs.
        file: the table, tab-separated. Only photographs that it lacks are measured.
    """
    photographs, known = list(photographs), _read_table(file)
    missing = [each for each in photographs if each.name not in known]

    def measure(each: MaskedPhoto) -> Sharpness:
        photo = read_photo(each.photo, MEASURED_SHORT_SIDE)
        return measure_sharpness(photo, read_mask(each.mask, photo.shape[:2]))

    with ThreadPoolExecutor(os.cpu_count()) as threads:
        progress = tqdm(threads.map(measure, missing), "measuring sharpness", len(missing), delay=1)
        measured = {each.name: found for each, found in zip(missing, progress, strict=True)}
    if measured:
        _write_table(file, known | measured)
    return {each.name: (known | measured)[each.name] for each in photographs}


def _read_table(file: Path) -> dict[str, Sharpness]:
    if not file.exists():
        return {}
    rows = csv.DictReader(file.read_text().splitlines(), delimiter="\t")
    return {row["name"]: Sharpness(float(row["subject"]), float(row["background"])) for row in rows}


def _write_table(file: Path, found: dict[str, Sharpness]) -> None:
    text = io.StringIO()
    table = csv.writer(text, delimiter="\t", lineterminator="\n")
    table.writerow(["name", "subject", "background"])
    for name in sorted(found):
        table.writerow([name, f"{found[name].subject:.3f}", f"{found[name].background:.3f}"])
    write_atomically(file, text.getvalue())
