"""The photographs that an export needs at one working size."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pocket_bokeh.focus_map import Point
from pocket_bokeh.photo import Size, resize_photo
from quantize.convert.trained_network import TrainedNetwork
from train.data.focus_points import fixed_points, pair_input
from train.data.pairs import FolderPairs, Pair, PairSource

GOLDEN_FOCUS: tuple[Point, ...] = ((0.3, 0.6),)
"""Where a network is told to focus in the second golden sample, off the middle to either side."""


@dataclass(frozen=True)
class Sample:
    """A pair at one working size, with the float network's output for it.

    Attributes:
        pair: uint8 photographs of the working size.
        input: the network's input, as `pair_input` returns it.
        output: height × width × 3, or 4 with predicted sharpness, float32, clipped to 0…1.
        points: where the network is told to focus, in fractions of the pair.
    """

    pair: Pair
    input: np.ndarray
    output: np.ndarray
    points: tuple[Point, ...] = ()


@dataclass(frozen=True)
class SizeSamples:
    """All samples of one working size.

    Attributes:
        held_out: samples on which a model's quality is measured.
        golden: the samples that go into the bundle: one, or for a network that takes a focus map
            one without and one with a focus point.
        calibration: network inputs from which activation ranges are taken, h × w × channels. A
            network that takes a focus map is told where to focus in every second one.
    """

    held_out: Sequence[Sample]
    golden: Sequence[Sample]
    calibration: Sequence[np.ndarray]


def collect_samples(
    trained: TrainedNetwork, size: Size, held_out: int, calibration: int, golden: Pair
) -> SizeSamples:
    """Collects samples from the network's pairs and runs the float network on them.

    Args:
        trained: the network and its pairs.
        size: the working size.
        held_out: the number of validation pairs.
        calibration: the number of training photographs.
        golden: the pair that goes into the bundle.
    """
    sees_focus = trained.network.config.sees_focus
    told = [None, GOLDEN_FOCUS] if sees_focus else [None]
    return SizeSamples(
        [
            float_sample(trained, size, pair)
            for pair in evenly_spaced(trained.pairs("val"), held_out)
        ],
        [float_sample(trained, size, golden, points) for points in told],
        every_second_told(
            [
                crop_to_fill(pair, size)
                for pair in evenly_spaced(trained.pairs("train"), calibration)
            ],
            sees_focus,
        ),
    )


def float_sample(
    trained: TrainedNetwork, size: Size, pair: Pair, points: tuple[Point, ...] | None = None
) -> Sample:
    """Crops a pair to a working size and runs the trained network on it.

    Args:
        trained: the network.
        size: the working size.
        pair: of any size.
        points: where the network is told to focus, in fractions of the crop; as in `pair_input`.
    """
    pair = crop_to_fill(pair, size)
    seen = pair_input(pair, trained.network.config.sees_focus, points)
    output = trained.network.model(seen[None], training=False)
    return Sample(pair, seen, np.clip(np.asarray(output)[0], 0.0, 1.0), points or ())


def every_second_told(pairs: Sequence[Pair], sees_focus: bool) -> list[np.ndarray]:
    """Network inputs of pairs; a network that takes a focus map is told it for every second one."""
    return [
        pair_input(pair, sees_focus, fixed_points(pair) if sees_focus and index % 2 else None)
        for index, pair in enumerate(pairs)
    ]


def crop_to_fill(pair: Pair, size: Size) -> Pair:
    """Scales a pair, with its depth map, to cover a working size and crops it around the centre."""
    height, width = pair.original.shape[:2]
    scale = max(size[0] / height, size[1] / width)
    scaled = (max(size[0], round(height * scale)), max(size[1], round(width * scale)))
    top, left = (scaled[0] - size[0]) // 2, (scaled[1] - size[1]) // 2
    window = (slice(top, top + size[0]), slice(left, left + size[1]))
    return pair.transform(lambda photo: resize_photo(photo, *scaled)[window])


def evenly_spaced(pairs: PairSource, count: int) -> list[Pair]:
    """At most `count` pairs at even distances; a pair of weight 3 is as likely as three others."""
    count = min(count, len(pairs))
    weights = [1.0] * len(pairs)
    if isinstance(pairs, FolderPairs):
        weights = [files.weight for files in pairs.files]
    ends = np.cumsum(weights)
    places = np.searchsorted(ends, np.arange(count) * ends[-1] / count, side="right")
    return [pairs[int(place)] for place in places]
