"""Compares candidates with the targets of pairs: scores of each picture, and their means.

`train.evaluate` describes the two protocols.
"""

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from tqdm import tqdm

from pocket_bokeh.errors import UserError
from pocket_bokeh.photo import to_uint8
from pocket_bokeh.picture_grid import picture_grid
from train.data.pair_transforms import at_level, scale_pair
from train.data.pairs import SIZE_MULTIPLE, Pair, PairSource
from train.judge.candidates import (
    Candidate,
    CandidateSet,
    UniformBlur,
    Untouched,
    Window,
)
from train.judge.faithfulness import colour_shift, detail_kept
from train.judge.lens_blur import MASK_AND_LENS, MaskAndLensBlur
from train.loop.metrics import MS_SSIM_LEAST_SIDE, SSIM_WINDOW, ms_ssim, psnr, ssim

MeasurementProtocol = Literal["plain", "published"]

BORDER = 32
"""Pixels that are cropped from each side of the photograph before measuring."""

UNTOUCHED = "untouched"
"""The first row of every table: the original photograph."""

BLURRED = "uniform blur"
"""The optional second row: the whole photograph blurred by one Gaussian."""

BLUR_SIGMAS = tuple(0.001 * 2 ** (step / 2) for step in range(10))
"""The sigmas tried for it, relative to the photograph's short side: 0.4 to 8.7 at 384 pixels."""

_SHEET_HEIGHT = 448
"""Height of each picture in pixels, so that the scores fit under an upright one."""


@dataclass(frozen=True)
class PictureScores:
    """The scores of one picture, or means over pictures; None where a picture is too small.

    Attributes:
        psnr: in dB.
        ssim, ms_ssim: structural similarity.
        detail: share of the photograph's gradient energy that is kept where the target is sharp.
        colour: mean difference of red, green and blue from the target, in units of 1/255.
    """

    psnr: float
    ssim: float | None
    ms_ssim: float | None
    detail: float | None
    colour: tuple[float, ...]

    def caption(self) -> str:
        """The scores in one line, to go under a picture."""
        structure = "" if self.ssim is None else f", SSIM {self.ssim:.4f}"
        scales = "" if self.ms_ssim is None else f", MS-SSIM {self.ms_ssim:.4f}"
        return f"{self.psnr:.2f} dB{structure}{scales}"


@dataclass(frozen=True)
class PairScores:
    """The scores of one pair by candidate; `size` is the height and width that was measured."""

    name: str
    size: tuple[int, int]
    figures: Mapping[str, PictureScores]


@dataclass(frozen=True)
class PairPictures:
    """Target and pictures of one pair, by candidate, without border; float32, 0…1."""

    name: str
    target: np.ndarray
    pictures: Mapping[str, np.ndarray]


@dataclass(frozen=True)
class Evaluation:
    """An evaluation of candidates on pairs; keeps one photograph in memory at a time."""

    candidate_set: CandidateSet
    pairs: PairSource
    protocol: MeasurementProtocol
    short_side: int | None = None
    border: int = BORDER
    blur: UniformBlur | None = None
    lens_blur: MaskAndLensBlur | None = None

    @property
    def candidates(self) -> dict[str, Candidate]:
        """All candidates by row, baselines first."""
        return self.baselines | dict(self.candidate_set.candidates)

    @property
    def baselines(self) -> dict[str, Candidate]:
        """What the candidates are compared with, by row."""
        baselines: dict[str, Candidate] = {UNTOUCHED: Untouched(self.candidate_set.level)}
        if self.blur:
            baselines[BLURRED] = self.blur
        if self.lens_blur:
            baselines[MASK_AND_LENS] = self.lens_blur
        return baselines

    def judge(self, index: int) -> PairScores:
        """Scores one pair.

        Raises:
            UserError: the photograph is too small, or a network's output is not finite.
        """
        measured = self.measured(index)
        compared = {
            name: score_picture(picture, measured.target, measured.pictures[UNTOUCHED])
            for name, picture in measured.pictures.items()
        }
        height, width = measured.target.shape[:2]
        return PairScores(measured.name, (height, width), compared)

    def measured(self, index: int) -> PairPictures:
        """Renders a pair with every candidate and prepares the pictures as the protocol says."""
        pair = self.pairs[index]
        if self.short_side is not None:
            pair = scale_pair(pair, self.short_side)
        window = measured_window(pair, self.protocol)
        target = at_level(pair.bokeh[window], self.candidate_set.level, "bicubic")
        if self.protocol == "published":
            target = stretch(target)
        pictures = {name: one.picture(pair, window) for name, one in self.candidates.items()}
        for name, picture in pictures.items():
            if not np.isfinite(picture).all():
                raise UserError(
                    f"pair {pair.name}: the {name} has values that are not finite; the model is "
                    "broken"
                )
        border = self.border // 2 ** (self.candidate_set.level - 1)
        inside = slice(border, -border or None)
        return PairPictures(
            pair.name,
            target[inside, inside],
            {name: np.clip(it, 0, 1)[inside, inside] for name, it in pictures.items()},
        )

    def sheet(self, scores: Sequence[PairScores]) -> np.ndarray:
        """A grid of the best, median and worst pair by PSNR: input, outputs and target.

        With several recipes, the first one decides the ranking.
        """
        first = next(iter(self.candidate_set.candidates))
        order = sorted(range(len(scores)), key=lambda i: -scores[i].figures[first].psnr)
        ranks = {"best": order[0], "median": order[len(order) // 2], "worst": order[-1]}
        rows, labels = [], []
        # Render these again, since the pictures of a whole dataset do not fit into memory.
        for rank, index in ranks.items():
            measured, figures = self.measured(index), scores[index].figures
            pictures = [*measured.pictures.values(), measured.target]
            rows.append([to_uint8(picture) for picture in pictures])
            captions = [figures[name].caption() for name in measured.pictures]
            labels.append([*captions, f"{rank} of {len(scores)}: {measured.name}"])
        columns = ["input", *list(self.candidates)[1:], "target"]
        return picture_grid(rows, columns, labels, cell_height=_SHEET_HEIGHT)


def with_uniform_blur(evaluation: Evaluation) -> Evaluation:
    """Adds the uniform blur with the best mean PSNR to an evaluation.

    Its sigma is relative to each photograph's short side, so it suits photographs of any size.
    """
    level = evaluation.candidate_set.level
    blurs = {str(share): UniformBlur(share, level) for share in BLUR_SIGMAS}
    candidate_set = dataclasses.replace(evaluation.candidate_set, candidates=blurs)
    tried = dataclasses.replace(evaluation, candidate_set=candidate_set)
    totals = dict.fromkeys(blurs, 0.0)
    for index in tqdm(range(len(tried.pairs)), "uniform blur", leave=False):
        measured = tried.measured(index)
        for name in blurs:
            totals[name] += float(psnr(measured.pictures[name][None], measured.target[None])[0])
    return dataclasses.replace(evaluation, blur=blurs[max(totals, key=lambda name: totals[name])])


def score_picture(picture: np.ndarray, target: np.ndarray, original: np.ndarray) -> PictureScores:
    """The scores of a picture; all three are height × width × 3, float32, 0…1."""
    both, least = (picture[None], target[None]), min(target.shape[:2])
    return PictureScores(
        float(psnr(*both)[0]),
        float(ssim(*both)[0]) if least >= SSIM_WINDOW else None,
        float(ms_ssim(*both)[0]) if least >= MS_SSIM_LEAST_SIDE else None,
        detail_kept(picture, original, target),
        colour_shift(picture, target),
    )


def measured_window(pair: Pair, protocol: MeasurementProtocol) -> Window:
    """The centre crop to multiples of 64 pixels; the published protocol keeps the full width."""
    height, width = pair.original.shape[:2]
    rows = _middle(height)
    return (rows, _middle(width)) if protocol == "plain" else (rows, slice(0, width))


def _middle(length: int) -> slice:
    kept = length - length % SIZE_MULTIPLE
    first = (length - kept) // 2
    return slice(first, first + kept)


def stretch(target: np.ndarray) -> np.ndarray:
    """Stretches a picture's minimum and maximum, over all channels, to 0 and 1."""
    low, high = target.min(), target.max()
    return (target - low) / (high - low) if high > low else target


def mean_scores(figures: Sequence[PictureScores]) -> PictureScores:
    """Means over pictures. A mean is None if any picture lacks the score, because it would cover
    other pictures than the rest; only `detail` skips these pictures."""

    def mean(name: str) -> float | None:
        values = [getattr(one, name) for one in figures]
        return None if None in values else float(np.mean(values))

    with_detail = [one.detail for one in figures if one.detail is not None]
    return PictureScores(
        float(np.mean([one.psnr for one in figures])),
        mean("ssim"),
        mean("ms_ssim"),
        # Skip pictures in which nothing is in focus.
        float(np.mean(with_detail)) if with_detail else None,
        tuple(float(shift) for shift in np.mean([one.colour for one in figures], axis=0)),
    )
