"""Photographs with masks of their subjects and without a target.

The folder holds original/NAME.jpg and subject/NAME.png, and no bokeh/. Such a photograph cannot
say how the rendering should look, but where it must stay sharp.
"""

import csv
from collections.abc import Mapping
from pathlib import Path

from pocket_bokeh.errors import UserError
from train.data.masked_photos import MaskedPhoto, check_masks, find_masked_photos
from train.data.pairs import FolderPairs, PairFiles, PairSource, Split
from train.data.photo_folder import normalized_name, photos_by_name


def subject_folder(data: Path, split: Split) -> Path | None:
    """The folder that holds the photographs and masks of a split; None if data has targets.

    Args:
        data: a folder with original/ and subject/, or with a folder of these for each split.
        split: which part of it.
    """
    for folder in (data / split, data):
        if (folder / "bokeh").exists():
            return None
        if (folder / "subject").is_dir():
            return folder
    return None


def find_subject_photos(folder: Path) -> FolderPairs:
    """Finds photographs and masks; each photograph stands for its own target.

    Raises:
        UserError: there are no masks, or a mask or photograph is alone.
    """
    photographs = find_masked_photos(folder)
    originals = photos_by_name(folder / "original")
    alone = sorted(originals.keys() - {each.name for each in photographs})
    if alone:
        raise UserError(
            f"{folder}: original/{alone[0]} has no mask in subject/ ({len(alone)} of "
            f"{len(originals)} are missing); add them, or remove the photographs"
        )
    files = (PairFiles(each.photo, each.photo, subject=each.mask) for each in photographs)
    return FolderPairs(folder, tuple(files))


def have_targets(pairs: PairSource) -> bool:
    """Whether pairs have a target; those of `find_subject_photos` have none."""
    return not isinstance(pairs, FolderPairs) or any(
        files.bokeh != files.original for files in pairs.files
    )


def with_subject(pairs: PairSource) -> list[int]:
    """The indices of the pairs that have the mask of a subject."""
    if not isinstance(pairs, FolderPairs):
        return []
    return [index for index, files in enumerate(pairs.files) if files.subject]


def check_subjects(pairs: PairSource) -> None:
    """Checks that the masks of pairs decode, have the size of their photographs and mark something.

    Raises:
        UserError: some do not; the message lists them.
    """
    if isinstance(pairs, FolderPairs):
        masked = [MaskedPhoto(one.original, one.subject) for one in pairs.files if one.subject]
        check_masks(pairs.folder, masked)


def read_kinds(file: Path, pairs: PairSource) -> Mapping[str, str]:
    """Reads the kind of each photograph with a mask, such as portrait, by name.

    Args:
        file: tab-separated, with the columns name and kind; others are left alone.
        pairs: the photographs.

    Raises:
        UserError: the file is missing, is no such table, or lacks photographs.
    """
    expected = "expected a tab-separated file with the columns name and kind"
    try:
        rows = list(csv.DictReader(file.read_text().splitlines(), delimiter="\t"))
    except (OSError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", None) or "not a text file"
        raise UserError(f"{file}: {why}; {expected}") from error
    if not rows or not {"name", "kind"} <= rows[0].keys():
        raise UserError(f"{file}: no columns name and kind; {expected}")
    kinds = {normalized_name(row["name"] or ""): row["kind"] for row in rows if row["kind"]}
    files = pairs.files if isinstance(pairs, FolderPairs) else ()
    names = [one.name for one in files if one.subject]
    missing = [name for name in names if name not in kinds]
    if missing:
        raise UserError(
            f"{file}: no kind for {missing[0]} ({len(missing)} of {len(names)} photographs are "
            "missing); add them, or leave --kinds out"
        )
    return {name: kinds[name] for name in names}
