"""Validates a level on held-out pairs and compares it with the untouched photograph."""

from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
from keras import ops
from tqdm import tqdm

from pocket_bokeh.photo import to_uint8
from pocket_bokeh.picture_grid import picture_grid
from train.data.focus_points import pair_input
from train.data.pair_transforms import at_level, cut_to_multiple, scale_pair
from train.data.pairs import PairSource, decoded_for
from train.loop.interruption import uninterrupted
from train.loop.metrics import SSIM_WINDOW, psnr, ssim
from train.network.presets import TrainConfig

_PAIRS_IN_GRID = 4


@dataclass(frozen=True)
class Quality:
    """Means over the held-out pairs: PSNR in dB, and SSIM if pictures have 11 pixels a side."""

    psnr: float
    ssim: float | None


@dataclass(frozen=True)
class LevelReport:
    """The quality of a level's output and of the untouched photograph.

    Attributes:
        level: the level.
        output: means over the level's outputs.
        untouched: means over the untouched photographs.
        psnr_by_photo: PSNR of each output in dB, in the order of the pairs.
        rows: input, output and target of the first few pairs, each uint8 sRGB.
        pictures: the rows as one picture, uint8 sRGB.
    """

    level: int
    output: Quality
    untouched: Quality
    psnr_by_photo: tuple[float, ...]
    rows: tuple[tuple[np.ndarray, ...], ...]
    pictures: np.ndarray

    def line(self) -> str:
        """The report in one line."""
        return report_line(self.level, self.output, self.untouched)


def report_line(level: int, output: Quality, untouched: Quality) -> str:
    """A level's quality in one line, with a warning if the untouched photograph is no worse."""
    gain = output.psnr - untouched.psnr
    warning = "" if gain > 0 else "  ← no better than doing nothing"
    return f"level {level}: {_text(output)}, untouched {_text(untouched)}, {gain:+.2f} dB{warning}"


def validate_level(
    model: Any, level: int, pairs: PairSource, config: TrainConfig, sees_focus: bool = False
) -> LevelReport:
    """Runs a model cut at `level` on whole photographs and compares at the level's output size.

    The photographs are scaled to the schedule's short side. "Untouched" is the original photograph,
    reduced to the level's size in the same way as the target. A network with a focus map is told
    nothing, except where a pair needs a focus point.
    """
    count = min(len(pairs), config.validation_photos)
    outputs, untouched, rows, labels = [], [], [], []
    pairs = decoded_for(pairs, config.short_side)
    for index in tqdm(range(count), desc=f"level {level} validation", leave=False, mininterval=2):
        pair = cut_to_multiple(scale_pair(pairs[index], config.short_side))
        target = at_level(pair.bokeh, level, config.reduction)
        original = at_level(pair.original, level, config.reduction)
        whole = _predict(model, pair_input(pair, sees_focus))
        output = np.clip(whole[..., :3], 0.0, 1.0)  # without a sharpness channel
        outputs.append(_quality(output, target))
        untouched.append(_quality(original, target))
        if index < _PAIRS_IN_GRID:
            rows.append(tuple(to_uint8(picture) for picture in (original, output, target)))
            labels.append([pair.name, f"{outputs[-1].psnr:.2f} dB", ""])
            labels[-1][0] += f", untouched {untouched[-1].psnr:.2f} dB"
    grid = picture_grid(rows, ["input", f"level {level}", "target"], labels, cell_height=256)
    psnrs = tuple(quality.psnr for quality in outputs)
    return LevelReport(level, _mean(outputs), _mean(untouched), psnrs, tuple(rows), grid)


def _predict(model: Any, photo: np.ndarray) -> np.ndarray:
    """The network's output for one photograph of any shape.

    On TensorFlow the graph takes a fifth of the time of a direct call, and after two shapes it
    accepts any other. JAX would compile for every shape, so there the network is called directly.
    """
    with uninterrupted():
        if keras.backend.backend() == "tensorflow":
            return model.predict_on_batch(photo[None])[0]
        return ops.convert_to_numpy(model(photo[None], training=False))[0]


def _quality(picture: np.ndarray, target: np.ndarray) -> Quality:
    a, b = picture[None], target[None]
    structured = min(picture.shape[:2]) >= SSIM_WINDOW
    return Quality(float(psnr(a, b)[0]), float(ssim(a, b)[0]) if structured else None)


def _mean(qualities: list[Quality]) -> Quality:
    structured = [quality.ssim for quality in qualities if quality.ssim is not None]
    return Quality(
        psnr=float(np.mean([quality.psnr for quality in qualities])),
        ssim=float(np.mean(structured)) if structured else None,
    )


def _text(quality: Quality) -> str:
    structure = "" if quality.ssim is None else f" SSIM {quality.ssim:.4f}"
    return f"PSNR {quality.psnr:.2f} dB{structure}"
