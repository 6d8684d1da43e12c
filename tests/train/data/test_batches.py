"""Batches are reproducible, resume anywhere, and carry the targets that a level asks for."""

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from pocket_bokeh.photo import write_photo
from train.data.batches import training_batches
from train.data.pairs import find_pairs
from train.network.presets import TrainConfig

SMALL = TrainConfig(
    short_side=64, crop=64, augmentation="rotate", reduction="bicubic", schedules=()
)


def test_batches_repeat_with_their_seed_and_go_on_where_they_stopped(pairs_folder: Path) -> None:
    pairs = find_pairs(pairs_folder, "train")

    def batches(seed: int) -> Any:
        return training_batches(pairs, level=3, batch=4, config=SMALL, seed=seed)

    first, again, other = batches(1), batches(1), batches(2)
    taken = [next(first) for _ in range(3)]
    position = first.get_state()
    taken += [next(first) for _ in range(4)]
    assert taken[0]["input"].shape == (4, 32, 32, 3)
    assert taken[0]["target"].shape == (4, 16, 16, 3)
    for batch in taken:
        np.testing.assert_array_equal(batch["input"], next(again)["input"])
    assert any((next(other)["input"] != batch["input"]).any() for batch in taken)
    resumed = batches(1)
    resumed.set_state(position)
    for batch in taken[3:]:
        after = next(resumed)
        np.testing.assert_array_equal(batch["target"], after["target"])
        assert list(batch["name"]) == list(after["name"])


def test_levels_7_to_3_are_asked_for_sharpness_where_the_schedule_says_so(
    pairs_folder: Path,
) -> None:
    pairs, asked = find_pairs(pairs_folder, "train"), dataclasses.replace(SMALL, sharpness=1.0)
    for level, channels in ((3, 5), (2, 3)):
        batch = next(training_batches(pairs, level, 2, asked, seed=0))
        plain = next(training_batches(pairs, level, 2, SMALL, seed=0))
        assert batch["target"].shape[-1] == channels
        np.testing.assert_array_equal(batch["target"][..., :3], plain["target"])
        if level == 3:
            assert 0 <= batch["target"][..., 3:].min() < batch["target"][..., 3:].max() <= 1


def test_depth_is_the_fourth_channel_of_the_input(
    pairs_folder: Path, add_depth: Callable[[], None]
) -> None:
    add_depth()
    pairs = find_pairs(pairs_folder, "train", depth=True)
    batch = next(training_batches(pairs, 7, 2, SMALL, seed=0))
    assert batch["input"].shape == (2, 32, 32, 4)


def test_a_focus_map_follows_the_crop_the_zoom_the_mirror_and_the_rotation(
    pairs_folder: Path,
) -> None:
    """The subject is the white spot of black photographs, so every disc must lie on white."""
    spot = np.zeros((96, 128), np.uint8)
    spot[30:70, 30:60] = 255
    photo = np.dstack([spot] * 3)
    for index in range(12):
        for kind, picture in (("original", photo), ("bokeh", photo // 2), ("subject", spot)):
            (pairs_folder / kind).mkdir(exist_ok=True)
            write_photo(pairs_folder / kind / f"{index}.png", picture)
    pairs = find_pairs(pairs_folder, "train", subjects=True)
    config = dataclasses.replace(SMALL, largest_zoom=1.5)
    batch = next(training_batches(pairs, 7, 64, config, seed=0, sees_focus=True))
    assert batch["input"].shape == (64, 32, 32, 4)
    discs = 0
    for seen in batch["input"]:
        place = np.unravel_index(seen[..., 3].argmax(), (32, 32))
        if seen[..., 3].any():
            discs += 1
            assert seen[*place, 0] > 0.1
    assert 16 <= discs <= 48


def test_without_a_focus_map_the_batches_are_the_same_colours(pairs_folder: Path) -> None:
    pairs = find_pairs(pairs_folder, "train")
    told = next(training_batches(pairs, 7, 4, SMALL, seed=0, sees_focus=True))
    plain = next(training_batches(pairs, 7, 4, SMALL, seed=0))
    np.testing.assert_array_equal(told["input"][..., :3], plain["input"])
    np.testing.assert_array_equal(told["target"], plain["target"])
