"""What the page shows: one photograph as two recipes make it, and how far they are apart."""

import time
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from quantize.bundle import Bundle
from quantize.render import render_photo
from quantize.runtimes import LiteRTModel
from train.errors import UserError
from train.photo import read_photo

ORIGINAL = "original photo"
"""The choice that shows the photograph untouched."""

_REMEMBERED_RENDERS = 12


@dataclass(frozen=True)
class Render:
    """What one recipe makes of a photograph.

    Attributes:
        choice: the recipe, or `ORIGINAL`.
        picture: height × width × 3, uint8, sRGB, the photograph's own size.
        seconds: what rendering took; None for the photograph itself.
        file_bytes: size of the recipe's model at one working size.
    """

    choice: str
    picture: np.ndarray
    seconds: float | None = None
    file_bytes: int | None = None


class Comparison:
    """Renders photographs with the recipes of one bundle; each photo and recipe only once."""

    def __init__(self, bundle: Bundle):
        self.bundle = bundle
        self.render = lru_cache(maxsize=_REMEMBERED_RENDERS)(self._render)
        self._models = lru_cache(maxsize=None)(self._load)

    @property
    def choices(self) -> list[str]:
        """What each side of the slider can show."""
        return [ORIGINAL, *self.bundle.recipes]

    def _render(self, photo: bytes, choice: str) -> Render:
        """Decodes a photo file and renders it.

        Raises:
            UserError: the bytes are no photograph that can be read, or the models need a depth map.
        """
        decoded = read_photo(photo)
        if choice == ORIGINAL:
            return Render(choice, decoded)
        if self.bundle.sees_depth:
            raise UserError(
                "The models of this bundle see a depth map beside the photo, which this page does "
                "not take; render with python -m quantize.render BUNDLE PHOTO --depth FILE"
            )
        models = self._models(choice)
        start = time.perf_counter()
        picture = render_photo(decoded, models)
        seconds = time.perf_counter() - start
        size = max(model.bytes for model in self.bundle.models_of(choice))
        return Render(choice, picture, seconds, size)

    def _load(self, recipe: str) -> list[LiteRTModel]:
        files = (model.file for model in self.bundle.models_of(recipe))
        return [LiteRTModel(self.bundle.folder / file) for file in files]


def describe(left: Render, right: Render) -> str:
    """The figures below the slider, as Markdown."""
    difference = np.abs(left.picture.astype(np.int16) - right.picture)
    error = float(np.mean(difference.astype(np.float64) ** 2))
    likeness = "identical" if error == 0 else f"PSNR {10 * np.log10(255**2 / error):.1f} dB"
    height, width = left.picture.shape[:2]
    return "\n".join(
        [
            "| side | what | model size | time here |",
            "|---|---|---|---|",
            _row("left", left),
            _row("right", right),
            "",
            f"{width} × {height} pixels. Between the two sides: {likeness}, "
            f"largest difference {int(difference.max())} of 255.",
        ]
    )


def _row(side: str, render: Render) -> str:
    size = "" if render.file_bytes is None else f"{render.file_bytes / 1e6:.2f} MB"
    seconds = "" if render.seconds is None else f"{render.seconds:.2f} s"
    return f"| {side} | {render.choice} | {size} | {seconds} |"
