"""Candidates judged by the masks of subjects: means by kind, and a sheet of the worst."""

from dataclasses import dataclass

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from pocket_bokeh.errors import UserError
from pocket_bokeh.photo import to_float
from train.data.pairs import Pair
from train.judge.candidates import TappedOutput, Window
from train.judge.separation import MeanSeparation
from train.judge.subject_evaluation import (
    SubjectEvaluation,
    describe_separation,
    means_by_kind,
    separation_table,
)

KINDS = {f"p{index}": "animal" if index < 10 else "food" for index in range(14)}


def scene(name: str) -> Pair:
    """Noise whose left part is the subject; wider from photograph to photograph."""
    random = np.random.default_rng(0)
    photo = random.integers(60, 200, (24, 32, 3), np.uint8).repeat(4, 0).repeat(4, 1)
    mask = np.zeros(photo.shape[:2], np.uint8)
    mask[:, : 40 + 3 * int(name[1:])] = 255
    return Pair(name, photo, photo, subject=mask)


SCENES = [scene(name) for name in KINDS]


@dataclass(frozen=True)
class BlurredRightOf:
    """Blurs everything right of a column, or right of the subject if it is told where that is."""

    column: int

    def picture(self, pair: Pair, window: Window, /) -> np.ndarray:
        assert pair.subject is not None
        column = int((pair.subject[0] > 0).sum()) if pair.needs_focus else self.column
        photo = to_float(pair.original)
        picture = gaussian_filter(photo, (5, 5, 0))
        picture[:, :column] = photo[:, :column]
        return picture[window]


AUTOMATIC = BlurredRightOf(46)
EVALUATION = SubjectEvaluation(
    {"automatic": AUTOMATIC, "one tap": TappedOutput(AUTOMATIC)},
    SCENES,
    range(len(SCENES)),
    KINDS,
)
SCORES = [EVALUATION.judge(index) for index in range(len(SCENES))]


def test_wider_subjects_lose_more_of_themselves() -> None:
    kept = [score.figures["automatic"].subject_kept for score in SCORES]
    assert kept == sorted(kept, key=lambda share: -(share or 0))
    assert SCORES[0].figures["automatic"].is_right
    assert not SCORES[-1].figures["automatic"].is_right


def test_means_are_given_for_all_and_for_each_kind() -> None:
    means = means_by_kind(SCORES)
    assert list(means) == ["automatic", "one tap"]
    automatic = means["automatic"]
    assert [(kind, mean.photographs) for kind, mean in automatic.items()] == [
        ("all", 14),
        ("animal", 10),
        ("food", 4),
    ]
    assert 0 < automatic["all"].right < 1
    assert automatic["food"].right == 0  # the widest
    assert automatic["all"].softened == pytest.approx(
        np.mean([score.figures["automatic"].softened for score in SCORES])
    )
    assert means["one tap"]["all"].right == 1


def test_without_kinds_there_is_one_row() -> None:
    nameless = SubjectEvaluation({"automatic": AUTOMATIC}, SCENES, [0], {})
    (mean,) = means_by_kind([nameless.judge(0)])["automatic"].items()
    assert mean[0] == "all"
    assert isinstance(mean[1], MeanSeparation)


def test_the_table_shows_the_means() -> None:
    lines = separation_table(describe_separation(SCORES)["means"]).splitlines()
    assert lines[1].split()[:3] == ["automatic", "all", "14"]
    assert lines[2].split()[:2] == ["animal", "10"]
    assert lines[4].split()[:5] == ["one", "tap", "all", "14", "1.00"]


def test_the_sheet_shows_the_twelve_worst_with_the_softened_area() -> None:
    sheet = EVALUATION.worst_sheet(SCORES, "automatic")
    cell = sheet.shape[0] // 6  # twelve, two in a row
    assert cell >= 400
    column = sheet.shape[1] // 6
    first = sheet[:cell, 2 * column : 3 * column].astype(int)  # the widest subject of all
    is_red = (first[..., 0] - first[..., 1:].max(-1)) > 60
    share = SCORES[-1].figures["automatic"].softened * (40 + 3 * 13) / 128
    assert is_red.mean() == pytest.approx(share, abs=0.12)
    assert ((first == (0, 255, 255)).all(-1)).any()  # the outline


def test_a_single_photograph_has_a_sheet_too() -> None:
    alone = SubjectEvaluation({"automatic": AUTOMATIC}, SCENES, [3], KINDS)
    assert alone.worst_sheet([alone.judge(3)], "automatic").shape[0] > 400


def test_what_is_no_number_is_said() -> None:
    class Broken:
        def picture(self, pair: Pair, window: Window, /) -> np.ndarray:
            return np.full(pair.original.shape, np.nan)

    with pytest.raises(UserError, match="p0: the broken has values that are not finite"):
        SubjectEvaluation({"broken": Broken()}, SCENES, [0], {}).judge(0)
