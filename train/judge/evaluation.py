"""Holds candidates against the targets of pairs: the figures of each picture, and their means.

`train.evaluate` tells the two protocols.
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
    Judged,
    UniformBlur,
    Untouched,
    Window,
)
from train.judge.faithfulness import colour_shift, detail_kept
from train.loop.metrics import MS_SSIM_LEAST_SIDE, SSIM_WINDOW, ms_ssim, psnr, ssim

Protocol = Literal["plain", "published"]

BORDER = 32
"""Pixels of the photograph that are cut from each side before anything is measured."""

UNTOUCHED = "untouched"
"""The first row of every table: the photograph as it is."""

BLURRED = "uniform blur"
"""The second, where it is asked for: nothing clever done."""

BLUR_SIGMAS = tuple(0.001 * 2 ** (step / 2) for step in range(10))
"""Tried for it, over the photograph's short side: at 384 pixels 0.4 to 8.7."""

_SHEET_HEIGHT = 448
"""Of each picture, in pixels: figures fit under an upright one."""


@dataclass(frozen=True)
class Figures:
    """Of one picture, or their means; None where the picture is too small.

    Attributes:
        psnr: in dB.
        ssim, ms_ssim: structural similarity.
        detail: gradient energy kept of the photograph's where the target is sharp.
        colour: steps of 255 that the mean of red, green and blue is above the target's.
    """

    psnr: float
    ssim: float | None
    ms_ssim: float | None
    detail: float | None
    colour: tuple[float, ...]

    def words(self) -> str:
        """For under a picture."""
        structure = "" if self.ssim is None else f", SSIM {self.ssim:.4f}"
        scales = "" if self.ms_ssim is None else f", MS-SSIM {self.ms_ssim:.4f}"
        return f"{self.psnr:.2f} dB{structure}{scales}"


@dataclass(frozen=True)
class Judgement:
    """The figures of one pair by candidate; size is the height and width that was measured."""

    name: str
    size: tuple[int, int]
    figures: Mapping[str, Figures]


@dataclass(frozen=True)
class Measured:
    """What is compared of one pair: float32 0…1, the border cut off; pictures by candidate."""

    name: str
    target: np.ndarray
    pictures: Mapping[str, np.ndarray]


@dataclass(frozen=True)
class Evaluation:
    """A subject before its pairs, one photograph in memory at a time."""

    subject: Judged
    pairs: PairSource
    protocol: Protocol
    short_side: int | None = None
    border: int = BORDER
    blur: UniformBlur | None = None

    @property
    def candidates(self) -> dict[str, Candidate]:
        """By row; the untouched photograph first."""
        nothing_done: dict[str, Candidate] = {UNTOUCHED: Untouched(self.subject.level)}
        if self.blur:
            nothing_done[BLURRED] = self.blur
        return nothing_done | dict(self.subject.candidates)

    def judge(self, index: int) -> Judgement:
        """The figures of one pair.

        Raises:
            UserError: the photograph is too small, or a network's output not a number.
        """
        measured = self.measured(index)
        compared = {
            name: compare(picture, measured.target, measured.pictures[UNTOUCHED])
            for name, picture in measured.pictures.items()
        }
        height, width = measured.target.shape[:2]
        return Judgement(measured.name, (height, width), compared)

    def measured(self, index: int) -> Measured:
        """A pair's target and what each candidate makes of it, as the protocol measures them."""
        pair = self.pairs[index]
        if self.short_side is not None:
            pair = scale_pair(pair, self.short_side)
        window = measured_window(pair, self.protocol)
        target = at_level(pair.bokeh[window], self.subject.level, "bicubic")
        if self.protocol == "published":
            target = stretch(target)
        pictures = {name: one.picture(pair, window) for name, one in self.candidates.items()}
        for name, picture in pictures.items():
            if not np.isfinite(picture).all():
                raise UserError(
                    f"pair {pair.name}: the {name} is not a number; the model is broken"
                )
        border = self.border // 2 ** (self.subject.level - 1)
        inside = slice(border, -border or None)
        return Measured(
            pair.name,
            target[inside, inside],
            {name: np.clip(it, 0, 1)[inside, inside] for name, it in pictures.items()},
        )

    def sheet(self, judgements: Sequence[Judgement]) -> np.ndarray:
        """The best, the median and the worst pair by PSNR: input, outputs and target.

        Several recipes are ranked by the first of them.
        """
        first = next(iter(self.subject.candidates))
        order = sorted(range(len(judgements)), key=lambda i: -judgements[i].figures[first].psnr)
        ranks = {"best": order[0], "median": order[len(order) // 2], "worst": order[-1]}
        rows, labels = [], []
        # Rendered once more: all pictures of a data set do not fit into memory.
        for rank, index in ranks.items():
            measured, figures = self.measured(index), judgements[index].figures
            pictures = [*measured.pictures.values(), measured.target]
            rows.append([to_uint8(picture) for picture in pictures])
            words = [figures[name].words() for name in measured.pictures]
            labels.append([*words, f"{rank} of {len(judgements)}: {measured.name}"])
        columns = ["input", *list(self.candidates)[1:], "target"]
        return picture_grid(rows, columns, labels, cell_height=_SHEET_HEIGHT)


def with_uniform_blur(evaluation: Evaluation) -> Evaluation:
    """The evaluation with a row for the one Gaussian whose mean PSNR is best.

    Its width is a share of each photograph's short side, so that it suits photographs of any size.
    """
    level = evaluation.subject.level
    blurs = {str(share): UniformBlur(share, level) for share in BLUR_SIGMAS}
    subject = dataclasses.replace(evaluation.subject, candidates=blurs)
    tried = dataclasses.replace(evaluation, subject=subject)
    totals = dict.fromkeys(blurs, 0.0)
    for index in tqdm(range(len(tried.pairs)), "uniform blur", leave=False):
        measured = tried.measured(index)
        for name in blurs:
            totals[name] += float(psnr(measured.pictures[name][None], measured.target[None])[0])
    return dataclasses.replace(evaluation, blur=blurs[max(totals, key=lambda name: totals[name])])


def compare(picture: np.ndarray, target: np.ndarray, original: np.ndarray) -> Figures:
    """The figures of a picture, all three height × width × 3, float32 0…1."""
    both, least = (picture[None], target[None]), min(target.shape[:2])
    return Figures(
        float(psnr(*both)[0]),
        float(ssim(*both)[0]) if least >= SSIM_WINDOW else None,
        float(ms_ssim(*both)[0]) if least >= MS_SSIM_LEAST_SIDE else None,
        detail_kept(picture, original, target),
        colour_shift(picture, target),
    )


def measured_window(pair: Pair, protocol: Protocol) -> Window:
    """The middle of a photograph in whole multiples of 64 pixels; as published all its width."""
    height, width = pair.original.shape[:2]
    rows = _middle(height)
    return (rows, _middle(width)) if protocol == "plain" else (rows, slice(0, width))


def _middle(length: int) -> slice:
    kept = length - length % SIZE_MULTIPLE
    first = (length - kept) // 2
    return slice(first, first + kept)


def stretch(target: np.ndarray) -> np.ndarray:
    """A picture from its own minimum and maximum, over all channels, to 0 and 1."""
    low, high = target.min(), target.max()
    return (target - low) / (high - low) if high > low else target


def mean_figures(figures: Sequence[Figures]) -> Figures:
    """Means over pictures; None where a picture has no such figure, or it would be another set."""

    def mean(name: str) -> float | None:
        values = [getattr(one, name) for one in figures]
        return None if None in values else float(np.mean(values))

    with_detail = [one.detail for one in figures if one.detail is not None]
    return Figures(
        float(np.mean([one.psnr for one in figures])),
        mean("ssim"),
        mean("ms_ssim"),
        # A picture without a sharp area says nothing about it.
        float(np.mean(with_detail)) if with_detail else None,
        tuple(float(shift) for shift in np.mean([one.colour for one in figures], axis=0)),
    )
