"""Measures on photographs with masks whether candidates keep the subject and blur the background.

`train.judge.separation` defines what is measured. No target is needed.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import chain
from typing import Any

import numpy as np
from scipy.ndimage import binary_dilation, binary_erosion

from pocket_bokeh.errors import UserError
from pocket_bokeh.photo import to_float, to_uint8
from pocket_bokeh.picture_grid import picture_grid
from train.data.pair_transforms import scale_pair
from train.data.pairs import Pair, PairSource
from train.judge.candidates import Candidate
from train.judge.separation import (
    MeanSeparation,
    Separation,
    inside,
    mean_separation,
    measure_separation,
    softened_area,
)

ALL = "all"
"""The kind of the row over all photographs."""

WORST = 12
"""The number of photographs on the sheet."""

_SHEET_HEIGHT = 400
_OUTLINE = np.array([0, 255, 255], np.uint8)
_SOFTENED = np.array([255, 0, 0], np.uint8)


@dataclass(frozen=True)
class PhotoSeparation:
    """One photograph: its kind, and how each candidate separates its subject."""

    name: str
    kind: str
    figures: Mapping[str, Separation]


@dataclass(frozen=True)
class SubjectEvaluation:
    """An evaluation of candidates on photographs with masks; keeps one of them in memory.

    Attributes:
        candidates: by row.
        photographs: pairs; their targets are not looked at.
        indices: those with a mask.
        kinds: the kind of each photograph by name; one that is missing has no kind.
        short_side: that photographs are scaled to; None keeps their size.
    """

    candidates: Mapping[str, Candidate]
    photographs: PairSource
    indices: Sequence[int]
    kinds: Mapping[str, str]
    short_side: int | None = None

    def judge(self, index: int) -> PhotoSeparation:
        """Measures one photograph.

        Raises:
            UserError: a candidate's picture is not finite.
        """
        pair, mask = self._read(index)
        photo = to_float(pair.original)
        figures = {
            row: measure_separation(_render(candidate, pair, row), photo, mask)
            for row, candidate in self.candidates.items()
        }
        return PhotoSeparation(pair.name, self.kinds.get(pair.name, ""), figures)

    def _read(self, index: int) -> tuple[Pair, np.ndarray]:
        pair = self.photographs[index]
        pair = pair if self.short_side is None else scale_pair(pair, self.short_side)
        if pair.subject is None:
            raise ValueError(f"{pair.name} has no mask")
        return pair, pair.subject

    def worst_sheet(self, scores: Sequence[PhotoSeparation], row: str) -> np.ndarray:
        """A grid of the photographs that a row renders worst, two side by side.

        Args:
            scores: of `judge`, in the order of `indices`.
            row: the candidate.
        """
        order = sorted(range(len(scores)), key=lambda i: -scores[i].figures[row].shortfall)
        cells, labels = [], []
        # Render these again, since the pictures of a whole dataset do not fit into memory.
        for place in order[:WORST]:
            pair, mask = self._read(self.indices[place])
            picture = _render(self.candidates[row], pair, row)
            softened = softened_area(picture, to_float(pair.original), mask)
            marked = mark_subject(pair.original, mask, softened)
            cells.append([pair.original, to_uint8(picture), marked])
            labels.append(_captions(scores[place], row))
        columns = 2 if len(cells) > 1 else 1
        while len(cells) % columns:
            cells.append([np.full((1, 1, 3), 255, np.uint8)] * 3)
            labels.append([""] * 3)
        headings = ["photograph", row, "subject's outline, softened area red"] * columns
        return picture_grid(
            _side_by_side(cells, columns), headings, _side_by_side(labels, columns), _SHEET_HEIGHT
        )


def _side_by_side(rows: Sequence[list[Any]], columns: int) -> list[list[Any]]:
    return [list(chain(*rows[first : first + columns])) for first in range(0, len(rows), columns)]


def _captions(score: PhotoSeparation, row: str) -> list[str]:
    figures = score.figures[row]
    return [
        f"{score.name} {score.kind}".strip(),
        f"kept {_share(figures.subject_kept)}, background {_share(figures.background_kept)}",
        f"softened {_share(figures.softened)}",
    ]


def _render(candidate: Candidate, pair: Pair, row: str) -> np.ndarray:
    height, width = pair.original.shape[:2]
    picture = candidate.picture(pair, (slice(0, height), slice(0, width)))
    if not np.isfinite(picture).all():
        raise UserError(
            f"{pair.name}: the {row} has values that are not finite; the model is broken"
        )
    return np.clip(picture, 0, 1)


def mark_subject(photo: np.ndarray, mask: np.ndarray, softened: np.ndarray) -> np.ndarray:
    """Draws a subject's outline and tints its softened area.

    Args:
        photo: height × width × 3, uint8.
        mask: height × width, uint8.
        softened: height × width, bool.
    """
    marked = photo.copy()
    marked[softened] = photo[softened] // 2 + _SOFTENED // 2
    subject = inside(mask)
    marked[binary_dilation(subject) & ~binary_erosion(subject)] = _OUTLINE
    return marked


def means_by_kind(scores: Sequence[PhotoSeparation]) -> dict[str, dict[str, MeanSeparation]]:
    """The means of each row, over all photographs and for each kind; frequent kinds first."""
    kinds = [kind for kind, _ in Counter(one.kind for one in scores).most_common() if kind]
    return {
        row: {
            kind: mean_separation([one.figures[row] for one in scores if kind in (ALL, one.kind)])
            for kind in (ALL, *kinds)
        }
        for row in scores[0].figures
    }


def describe_separation(scores: Sequence[PhotoSeparation]) -> dict[str, Any]:
    """The part of `metrics.json` about subjects: means by row and kind, and every photograph."""
    return {
        "photographs": len(scores),
        "means": {
            row: {kind: asdict(mean) for kind, mean in kinds.items()}
            for row, kinds in means_by_kind(scores).items()
        },
        "pictures": [asdict(one) for one in scores],
    }


def separation_table(means: Mapping[str, Mapping[str, Mapping[str, Any]]]) -> str:
    """The means of `describe_separation` as a text table."""
    across = max(len(row) for row in means)
    kind_across = max(len(kind) for kinds in means.values() for kind in kinds)
    lines = [f"{'':{across + kind_across}}  photos  right  subject kept  softened  background kept"]
    for row, kinds in means.items():
        for kind, mean in kinds.items():
            name = row if kind == ALL else ""
            lines.append(
                f"{name:{across}} {kind:{kind_across}} {mean['photographs']:7}"
                f"  {mean['right']:5.2f}  {_share(mean['subject_kept']):>12}"
                f"  {mean['softened']:8.2f}  {_share(mean['background_kept']):>15}"
            )
    lines.append(
        "right: share of photographs with a sharp subject and a soft background; kept: share of "
        "the photograph's own gradients; softened: share of the subject's area"
    )
    return "\n".join(lines)


def _share(value: float | None) -> str:
    return "–" if value is None else f"{value:.2f}"
