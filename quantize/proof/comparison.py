"""How far a model is from the float network and from the target, at working size.

No TensorFlow: the float network comes in as its outputs.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

from pocket_bokeh.photo import network_input, resize_photo, to_float
from pocket_bokeh.render import Renderer
from train.data.pairs import Pair, PairSource

Size = tuple[int, int]


@dataclass(frozen=True)
class Sample:
    """A pair at one working size and what the float network makes of it.

    `pair` has uint8 photographs of the working size; `output` is float32, clipped to 0…1.
    """

    pair: Pair
    output: np.ndarray

    @property
    def input(self) -> np.ndarray:
        """What the network sees of the pair, as `pair_input` gives it."""
        return pair_input(self.pair)


def pair_input(pair: Pair) -> np.ndarray:
    """What the network sees: half the size, float32 0…1, R, G, B and the depth, if there is one."""
    return network_input(pair.original, pair.depth)


def fill(pair: Pair, size: Size) -> Pair:
    """The middle of a pair, scaled so that it fills a working size; depth and all alike."""
    height, width = pair.original.shape[:2]
    scale = max(size[0] / height, size[1] / width)
    scaled = (max(size[0], round(height * scale)), max(size[1], round(width * scale)))
    top, left = (scaled[0] - size[0]) // 2, (scaled[1] - size[1]) // 2
    window = (slice(top, top + size[0]), slice(left, left + size[1]))
    return pair.transform(lambda photo: resize_photo(photo, *scaled)[window])


def spread(pairs: PairSource, count: int) -> list[Pair]:
    """At most `count` pairs, evenly spread over all there are."""
    count = min(count, len(pairs))
    return [pairs[index * len(pairs) // count] for index in range(count)]


def compare(model: Renderer, samples: Sequence[Sample], golden: Sample) -> Mapping[str, float]:
    """Runs a model on samples whose float output is known.

    Args:
        model: any of a working size.
        samples: of that size.
        golden: one more, which the bundle holds.

    Returns:
        Means over the samples. `psnr_to_float32`, `largest_step` and `mean_step` (of 255; the
        largest over all samples) against the float network; `psnr_to_target`, `ssim_to_target`,
        and beside them `untouched_psnr_to_target`, `untouched_ssim_to_target` of the photograph
        as it is. `golden_largest_step` and `golden_mean_step` are the golden sample's, whose float
        output is compared as the 8-bit picture that the bundle holds.
    """
    outputs = [np.clip(model.run(sample.input), 0.0, 1.0) for sample in samples]
    pairs = list(zip(outputs, samples, strict=True))
    steps = [255.0 * np.abs(output - sample.output) for output, sample in pairs]
    golden_output = np.clip(model.run(golden.input), 0.0, 1.0)
    off = np.abs(np.rint(255.0 * golden_output) - np.rint(255.0 * golden.output))
    targets = [to_float(sample.pair.bokeh) for sample in samples]
    originals = [to_float(sample.pair.original) for sample in samples]
    figures = {
        "psnr_to_float32": np.mean([psnr(output, sample.output) for output, sample in pairs]),
        "largest_step": max(step.max() for step in steps),
        "mean_step": np.mean([step.mean() for step in steps]),
        "psnr_to_target": np.mean([psnr(*both) for both in zip(outputs, targets, strict=True)]),
        "ssim_to_target": np.mean([ssim(*both) for both in zip(outputs, targets, strict=True)]),
        "untouched_psnr_to_target": np.mean(
            [psnr(*both) for both in zip(originals, targets, strict=True)]
        ),
        "untouched_ssim_to_target": np.mean(
            [ssim(*both) for both in zip(originals, targets, strict=True)]
        ),
        "golden_largest_step": off.max(),
        "golden_mean_step": off.mean(),
    }
    return {name: round(float(figure), 4) for name, figure in figures.items()}


def psnr(picture: np.ndarray, target: np.ndarray) -> float:
    """Peak signal-to-noise ratio in dB of float pictures 0…1; at most 100."""
    if np.array_equal(picture, target):
        return 100.0
    return min(100.0, float(peak_signal_noise_ratio(target, picture, data_range=1.0)))


def ssim(picture: np.ndarray, target: np.ndarray) -> float:
    """Structural similarity of float pictures 0…1, with the parameters of train.loop.metrics."""
    return float(
        structural_similarity(
            target,
            picture,
            data_range=1.0,
            channel_axis=-1,
            gaussian_weights=True,
            sigma=1.5,
            use_sample_covariance=False,
        )
    )
