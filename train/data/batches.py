"""Batches of one level's training examples, cut from pairs by a grain pipeline."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import grain
import numpy as np

from pocket_bokeh.photo import network_input, to_float
from train.data.focus_points import pair_input, random_points
from train.data.pair_transforms import (
    at_level,
    augment,
    change_light,
    random_short_side,
    scaled_crop,
)
from train.data.pairs import FolderPairs, Pair, PairSource, decoded_for
from train.data.sharpness_target import mask_target, sharpness_target
from train.network.presets import TrainConfig


@dataclass(frozen=True)
class MakeExample(grain.transforms.RandomMap):
    """Turns a pair into one training example of a level: scaled, cropped, augmented, reduced."""

    level: int
    config: TrainConfig
    sees_focus: bool

    def random_map(self, element: Pair, rng: np.random.Generator) -> dict[str, Any]:
        short_side = random_short_side(self.config, rng)
        pair = scaled_crop(element, short_side, self.config.crop, rng)
        pair = augment(pair, self.config.augmentation, rng)
        pair = change_light(pair, self.config.largest_light_change, rng)
        points = random_points(pair, rng) if self.sees_focus else ()
        seen = pair_input(pair, self.sees_focus, points, short_side)
        target = at_level(pair.bokeh, self.level, self.config.reduction)
        if self.config.asks_sharpness(self.level):
            target = np.dstack([target, _in_focus(pair, seen, self.level)])
        if self.config.asks_detail_transfer(self.level):
            target = np.dstack([target, to_float(pair.original)])
        return {"name": pair.name, "input": seen, "target": target}


def _in_focus(pair: Pair, seen: np.ndarray, level: int) -> np.ndarray:
    """The second target: from the pair's mask if it has one, else from its detail."""
    if pair.subject is not None:
        return mask_target(pair.subject, level)
    return sharpness_target(seen[..., :3], network_input(pair.bokeh), level)


@dataclass(frozen=True)
class HostShare:
    """Which examples of each batch a host makes: of `count` hosts, host `index` makes every
    `count`-th example."""

    index: int = 0
    count: int = 1


WHOLE_BATCH = HostShare()


def training_batches(
    pairs: PairSource,
    level: int,
    batch: int,
    config: TrainConfig,
    seed: int,
    start: int = 0,
    share: HostShare = WHOLE_BATCH,
    sees_focus: bool = False,
) -> Iterator[dict[str, Any]]:
    """An endless, seeded stream of one level's batches, from any position.

    All pairs of one weight are drawn once before any of them is drawn again. Pairs of different
    weights come in a fixed, even mixture.

    Args:
        pairs: the photographs that crops are cut from.
        level: its output size is that of the targets.
        batch: crops per batch, over all hosts.
        config: crops and augmentation.
        seed: the same seed gives the same batches, whatever the number of hosts.
        start: batches to skip; they are not computed.
        share: this host's part of every batch.
        sees_focus: whether the network takes a focus map.

    Yields:
        Dictionaries. `input` is batch × crop/2 × crop/2 × 3, or × 4 with a depth or focus map.
        `target` is batch × h × h × 3 with h = crop / 2^(level-1). It has 5 channels where `config`
        asks this level for sharpness (`train.data.sharpness_target`), and 6, the photograph too,
        for detail transfer. Both are float32, 0…1. `name` holds the names of the pairs.
    """
    pairs = decoded_for(pairs, round(config.largest_zoom * config.short_side))
    examples = _endless_order(pairs, seed).random_map(MakeExample(level, config, sees_focus))
    # The position in the stream seeds the crop there, so any part can be computed on its own.
    examples = examples[start * batch + share.index :: share.count]
    batch //= share.count
    # Prefetch examples rather than batches: a batch of 50 large crops takes 160 MB.
    workers = min(16, os.cpu_count() or 1)
    ahead = grain.ReadOptions(num_threads=workers, prefetch_buffer_size=2 * workers + batch)
    return iter(examples.to_iter_dataset(ahead).batch(batch))


def _endless_order(pairs: PairSource, seed: int) -> grain.MapDataset:
    """The pairs in a seeded order without an end, as often as their weights say."""
    groups = pairs.by_weight() if isinstance(pairs, FolderPairs) else {1.0: pairs}
    orders = [
        grain.MapDataset.source(group).seed(seed).shuffle().repeat() for group in groups.values()
    ]
    if len(orders) == 1:
        return orders[0]
    shares = [weight * len(group) for weight, group in groups.items()]
    return grain.MapDataset.mix(orders, shares).seed(seed)
