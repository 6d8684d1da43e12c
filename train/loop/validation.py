"""How good a level is on held-out pairs, beside doing nothing at all."""

from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
from keras import ops
from tqdm import tqdm

from pocket_bokeh.photo import network_input, to_uint8
from pocket_bokeh.picture_grid import picture_grid
from train.data.pair_transforms import at_level, cut_to_multiple, scale_pair
from train.data.pairs import PairSource, decoded_for
from train.loop.interruption import uninterrupted
from train.loop.metrics import SSIM_WINDOW, psnr, ssim
from train.network.presets import TrainConfig

_PICTURED = 4


@dataclass(frozen=True)
class Quality:
    """Means over the held-out pairs: PSNR in dB, and SSIM where a picture has 11 pixels."""

    psnr: float
    ssim: float | None


@dataclass(frozen=True)
class LevelReport:
    """A level's output and the untouched photograph, both against the target.

    Attributes:
        level: whose output it is.
        output: means over the photographs.
        untouched: the same of doing nothing.
        psnr_by_photo: of the output, in the order of the pairs.
        rows: input, output and target of the first few pairs, each uint8 sRGB.
        pictures: the same as one picture.
    """

    level: int
    output: Quality
    untouched: Quality
    psnr_by_photo: tuple[float, ...]
    rows: tuple[tuple[np.ndarray, ...], ...]
    pictures: np.ndarray

    def line(self) -> str:
        """One line for people."""
        return report_line(self.level, self.output, self.untouched)


def report_line(level: int, output: Quality, untouched: Quality) -> str:
    """A level's quality in one line, which says so when doing nothing is better."""
    gain = output.psnr - untouched.psnr
    verdict = "" if gain > 0 else "  ← no better than doing nothing"
    return (
        f"level {level}: {_words(output)}, untouched {_words(untouched)}, {gain:+.2f} dB{verdict}"
    )


def validate_level(model: Any, level: int, pairs: PairSource, config: TrainConfig) -> LevelReport:
    """Runs a model cut at `level` on whole photographs and compares at that level's size.

    The photographs are scaled to the schedule's short side. Untouched means the original
    photograph, reduced to the level's size as the target is.
    """
    count = min(len(pairs), config.validation_photos)
    outputs, untouched, rows, labels = [], [], [], []
    pairs = decoded_for(pairs, config.short_side)
    for index in tqdm(range(count), desc=f"level {level} validation", leave=False, mininterval=2):
        pair = cut_to_multiple(scale_pair(pairs[index], config.short_side))
        target = at_level(pair.bokeh, level, config.reduction)
        original = at_level(pair.original, level, config.reduction)
        whole = _predict(model, network_input(pair.original, pair.depth))
        output = np.clip(whole[..., :3], 0.0, 1.0)  # sharpness may come with the picture
        outputs.append(_quality(output, target))
        untouched.append(_quality(original, target))
        if index < _PICTURED:
            rows.append(tuple(to_uint8(picture) for picture in (original, output, target)))
            labels.append([pair.name, f"{outputs[-1].psnr:.2f} dB", ""])
            labels[-1][0] += f", untouched {untouched[-1].psnr:.2f} dB"
    grid = picture_grid(rows, ["input", f"level {level}", "target"], labels, cell_height=256)
    psnrs = tuple(quality.psnr for quality in outputs)
    return LevelReport(level, _mean(outputs), _mean(untouched), psnrs, tuple(rows), grid)


def _predict(model: Any, photo: np.ndarray) -> np.ndarray:
    """The network's output for one photograph, of whatever shape.

    TensorFlow's graph takes a fifth of the time of calling the network, and after the second
    shape it takes all others. JAX would compile for each of them.
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


def _words(quality: Quality) -> str:
    structure = "" if quality.ssim is None else f" SSIM {quality.ssim:.4f}"
    return f"PSNR {quality.psnr:.2f} dB{structure}"
