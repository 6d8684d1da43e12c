"""Batches of one level's training examples, cut from pairs by a grain pipeline."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import grain
import numpy as np

from pocket_bokeh.photo import to_float
from train.data.focus_points import halved_input, random_points
from train.data.pair_cache import cached
from train.data.pair_transforms import (
    at_level,
    augment,
    average_blocks,
    change_light,
    halve,
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
        short_side, crop = random_short_side(self.config, rng) / 2, self.config.crop // 2
        if needs_whole_size(self.level, self.config):
            pair = self._varied(element, round(2 * short_side), 2 * crop, rng)
            halved = halve(pair)
            target = at_level(pair.bokeh, self.level, self.config.reduction)
        else:
            halved = self._varied(element, round(short_side), crop, rng)
            target = average_blocks(to_float(halved.bokeh), self.level)
        points = random_points(halved, rng) if self.sees_focus else ()
        seen = halved_input(halved, self.sees_focus, points, short_side)
        if self.config.asks_sharpness(self.level):
            target = np.dstack([target, _in_focus(halved, self.level)])
        return {"name": element.name, "input": seen, "target": target}

    def _varied(self, pair: Pair, short_side: int, crop: int, rng: np.random.Generator) -> Pair:
        """A random crop of a scaled pair, augmented."""
        pair = augment(scaled_crop(pair, short_side, crop, rng), self.config.augmentation, rng)
        return change_light(pair, self.config.largest_light_change, rng)


def needs_whole_size(level: int, config: TrainConfig) -> bool:
    """Whether a level's target is made of the whole crop.

    The other levels need it only at the half size that the network sees. Reading it that large
    takes a third of the time.
    """
    return level == 1 or config.reduction != "average"


def _in_focus(halved: Pair, level: int) -> np.ndarray:
    """The second target: from the pair's mask if it has one, else from its detail."""
    if halved.subject is not None:
        return mask_target(halved.subject, level)
    return sharpness_target(to_float(halved.original), to_float(halved.bokeh), level)


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
    pairs = decoded_for(pairs, _needed_short_side(level, config))
    examples = _endless_order(pairs, seed).random_map(MakeExample(level, config, sees_focus))
    # The position in the stream seeds the crop there, so any part can be computed on its own.
    examples = examples[start * batch + share.index :: share.count]
    batch //= share.count
    # Prefetch examples rather than batches: a batch of 50 large crops takes 160 MB.
    workers = min(16, os.cpu_count() or 1)
    ahead = grain.ReadOptions(num_threads=workers, prefetch_buffer_size=2 * workers + batch)
    return iter(examples.to_iter_dataset(ahead).batch(batch))


def _needed_short_side(level: int, config: TrainConfig) -> int:
    """The shorter side, in pixels, that photographs must be decoded at.

    The coarse levels, 7 to 4, see no difference if the largest crops are enlarged a little.
    """
    zoom = config.largest_zoom if level < 4 else 1
    return round(zoom * config.short_side / (1 if needs_whole_size(level, config) else 2))


def _endless_order(pairs: PairSource, seed: int) -> grain.MapDataset:
    """The pairs in a seeded order without an end, as often as their weights say."""
    groups = pairs.by_weight() if isinstance(pairs, FolderPairs) else {1.0: pairs}
    sources = [cached(group, len(group) / len(pairs)) for group in groups.values()]
    orders = [grain.MapDataset.source(source).seed(seed).shuffle().repeat() for source in sources]
    if len(orders) == 1:
        return orders[0]
    shares = [weight * len(group) for weight, group in groups.items()]
    return grain.MapDataset.mix(orders, shares).seed(seed)
