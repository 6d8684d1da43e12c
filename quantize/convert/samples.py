"""The photographs that an export needs at one working size."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pocket_bokeh.photo import Size, network_input, resize_photo
from quantize.convert.trained_network import TrainedNetwork
from train.data.pairs import FolderPairs, Pair, PairSource


@dataclass(frozen=True)
class Sample:
    """A pair at one working size, with the float network's output for it.

    Attributes:
        pair: uint8 photographs of the working size.
        output: height × width × 3, float32, clipped to 0…1.
    """

    pair: Pair
    output: np.ndarray

    @property
    def input(self) -> np.ndarray:
        """The network's input, as `pair_input` returns it."""
        return pair_input(self.pair)


@dataclass(frozen=True)
class SizeSamples:
    """All samples of one working size.

    Attributes:
        held_out: samples on which a model's quality is measured.
        golden: the sample that goes into the bundle.
        calibration: network inputs from which activation ranges are taken, h × w × channels.
    """

    held_out: Sequence[Sample]
    golden: Sample
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
    return SizeSamples(
        [
            float_sample(trained, size, pair)
            for pair in evenly_spaced(trained.pairs("val"), held_out)
        ],
        float_sample(trained, size, golden),
        [
            pair_input(crop_to_fill(pair, size))
            for pair in evenly_spaced(trained.pairs("train"), calibration)
        ],
    )


def float_sample(trained: TrainedNetwork, size: Size, pair: Pair) -> Sample:
    """Crops a pair to a working size and runs the trained network on it."""
    pair = crop_to_fill(pair, size)
    output = trained.network.model(pair_input(pair)[None], training=False)
    return Sample(pair, np.clip(np.asarray(output)[0], 0.0, 1.0))


def pair_input(pair: Pair) -> np.ndarray:
    """The network's input for a pair: half its size, float32 0…1, RGB and depth if it has any."""
    return network_input(pair.original, pair.depth)


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
