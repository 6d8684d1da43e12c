"""Multiply-adds compared with published figures and a convolution counted by hand."""

import keras
import numpy as np
import pytest

from train.network.cost import by_level, level_costs, multiply_adds
from train.network.presets import LEVELS, NETWORKS, PyNETConfig
from train.network.pynet import build_pynet

PUBLISHED = {7: 7.7, 6: 13.2, 5: 47.9, 4: 167.0, 3: 422.2}
"""10⁹ multiply-adds of a 1024×1536 photograph; levels 2 and 1 take 0.5 together, all 658.4."""

TINY = PyNETConfig(**{**vars(NETWORKS["reference"]), "width": 1 / 32})


def heads(height: int, width: int) -> dict[int, int]:
    """The heads that the reference cut at level 1 does not have, from the paper's widths."""
    widest = {7: 512, 6: 256, 5: 128, 4: 64, 3: 32}
    return {
        level: (height >> level - 2) * (width >> level - 2) * 9 * 3 * channels
        for level, channels in widest.items()
    }


def test_the_reference_costs_what_is_published() -> None:
    counts = by_level(multiply_adds(NETWORKS["reference"], 1, (512, 768)))
    for level, count in heads(512, 768).items():
        counts[level] += count
    assert list(counts) == list(LEVELS)
    for level, published in PUBLISHED.items():
        assert counts[level] / 1e9 == pytest.approx(published, abs=0.06)
    assert (counts[2] + counts[1]) / 1e9 == pytest.approx(0.5, abs=0.06)
    assert sum(counts.values()) / 1e9 == pytest.approx(658.4, abs=0.06)


def test_a_convolution_is_counted_as_it_computes() -> None:
    """Ones through ones: the sum over the output is the number of products."""
    counts = multiply_adds(TINY, 6, (64, 64))
    model = build_pynet(TINY, 6, (64, 64))
    for name in ("encoder_4_3x3_first", "level_7_up_a"):
        layer = model.get_layer(name)
        _, height, width, channels = layer.input.shape
        layer.set_weights([np.zeros_like(weight) for weight in layer.get_weights()])
        layer.kernel.assign(np.ones(layer.kernel.shape))
        # With a margin of zeros no product of the middle falls off the edge.
        photo = np.pad(np.ones((height, width, channels)), ((2, 2), (2, 2), (0, 0)))
        products = keras.ops.sum(layer(photo[None].astype(np.float32)))
        assert float(products) == counts[name]


@pytest.mark.parametrize("preset", ["reference", "mobile", "pocket"])
def test_a_level_costs_what_its_output_reaches(preset: str) -> None:
    config = PyNETConfig(**{**vars(NETWORKS[preset]), "width": 1 / 32})
    costs = level_costs(config, crop=128)
    assert list(costs) == list(LEVELS)
    for level in (7, 4, 3, 2):
        counts = multiply_adds(config, level, (64, 64))
        head = counts[f"level_{level}_head"] if level > 2 else 0
        assert costs[level] == sum(counts.values()) - head
