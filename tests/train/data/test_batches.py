"""Batches are reproducible, resume anywhere, and carry the targets that a level asks for."""

import dataclasses
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from pocket_bokeh.photo import read_photo, to_uint8, write_photo
from train.data import batches
from train.data.batches import HostShare, MakeExample, training_batches
from train.data.named_pairs import open_pairs
from train.data.pairs import FolderPairs, Pair, find_pairs, find_whole_folder
from train.network.presets import SCHEDULES, TrainConfig

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


def test_levels_7_to_2_are_asked_for_sharpness_where_the_schedule_says_so(
    pairs_folder: Path,
) -> None:
    pairs, asked = find_pairs(pairs_folder, "train"), dataclasses.replace(SMALL, sharpness=1.0)
    for level, channels in ((3, 5), (2, 5), (1, 3)):
        batch = next(training_batches(pairs, level, 2, asked, seed=0))
        plain = next(training_batches(pairs, level, 2, SMALL, seed=0))
        assert batch["target"].shape[-1] == channels
        np.testing.assert_array_equal(batch["target"][..., :3], plain["target"])
        if level > 1:
            assert 0 <= batch["target"][..., 3:].min() < batch["target"][..., 3:].max() <= 1


def test_pairs_with_a_mask_are_asked_for_it(pairs_folder: Path) -> None:
    asked = dataclasses.replace(SMALL, augmentation="mirror", sharpness=1.0)
    for file in (pairs_folder / "original").iterdir():
        (pairs_folder / "subject").mkdir(exist_ok=True)
        mask = np.full(read_photo(file).shape[:2], 255, np.uint8)
        write_photo(pairs_folder / "subject" / f"{file.stem}.png", mask)
    pairs = find_pairs(pairs_folder, "train", subjects=True)
    target = next(training_batches(pairs, 3, 2, asked, seed=0))["target"]
    np.testing.assert_array_equal(target[..., 3:], 1)


def test_depth_is_the_fourth_channel_of_the_input(
    pairs_folder: Path, add_depth: Callable[[], None]
) -> None:
    add_depth()
    pairs = find_pairs(pairs_folder, "train", depth=True)
    batch = next(training_batches(pairs, 7, 2, SMALL, seed=0))
    assert batch["input"].shape == (2, 32, 32, 4)


@pytest.mark.parametrize("level", [2, 4])
def test_examples_made_at_half_size_are_those_of_the_whole_size(
    level: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Crop, augmentation, focus and both targets are those of the longer way."""
    smooth = gaussian_filter(np.random.default_rng(3).normal(size=(256, 320, 3)), (4, 4, 0))
    original = to_uint8((smooth - smooth.min()) / np.ptp(smooth))
    bokeh = to_uint8(gaussian_filter(original / 255, (9, 9, 0)))
    subject = np.uint8(255) * (smooth[..., 0] > 0)
    pair = Pair("smooth", original, bokeh, subject=subject)
    config = dataclasses.replace(
        SCHEDULES["smoke"], short_side=128, crop=128, largest_light_change=0.1, sharpness=1.0
    )
    make = MakeExample(level, config, sees_focus=True)
    halved = make.random_map(pair, np.random.default_rng(5))
    monkeypatch.setattr(batches, "needs_whole_size", lambda *_: True)
    whole = make.random_map(pair, np.random.default_rng(5))
    for kind in ("input", "target"):
        assert halved[kind].shape == whole[kind].shape
        assert np.abs(halved[kind][..., :3] - whole[kind][..., :3]).mean() < 0.02


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
        disc = seen[..., 3]
        if disc.any():
            discs += 1
            assert seen[..., 0][disc == disc.max()].max() > 0.5
    assert 16 <= discs <= 48


def test_without_a_focus_map_the_batches_are_the_same_colours(pairs_folder: Path) -> None:
    pairs = find_pairs(pairs_folder, "train")
    told = next(training_batches(pairs, 7, 4, SMALL, seed=0, sees_focus=True))
    plain = next(training_batches(pairs, 7, 4, SMALL, seed=0))
    np.testing.assert_array_equal(told["input"][..., :3], plain["input"])
    np.testing.assert_array_equal(told["target"], plain["target"])


def weighted_pairs(folder: Path, weights: dict[int, float]) -> FolderPairs:
    """The pairs of a folder, some of them with a weight of their own, by number."""
    pairs = find_whole_folder(folder)
    files = (
        dataclasses.replace(files, weight=weights.get(int(files.name), 1.0))
        for files in pairs.files
    )
    return dataclasses.replace(pairs, files=tuple(files))


def test_pairs_are_drawn_as_often_as_their_weights_say(pairs_folder: Path) -> None:
    pairs = weighted_pairs(pairs_folder, {0: 3, 1: 3, 2: 0.5, 3: 0.5})
    batches = training_batches(pairs, 7, 3, SMALL, seed=0)
    drawn = Counter(name for _ in range(100) for name in next(batches)["name"])
    # A pass has 2·3 + 8·1 + 2·0.5 = 15 pairs, so 300 pairs are 20 passes.
    expected = {"0": 60, "1": 60, "2": 10, "3": 10} | {str(index): 20 for index in range(4, 12)}
    assert all(abs(drawn[name] - count) <= 1 for name, count in expected.items())


def test_weighted_batches_go_on_anywhere_and_are_the_same_on_two_hosts(pairs_folder: Path) -> None:
    pairs = weighted_pairs(pairs_folder, {0: 3, 1: 0.5})
    whole = training_batches(pairs, 7, 4, SMALL, seed=5)
    batches = [next(whole) for _ in range(6)]
    resumed = training_batches(pairs, 7, 4, SMALL, seed=5, start=4)
    hosts = [
        training_batches(pairs, 7, 4, SMALL, seed=5, start=4, share=HostShare(index, 2))
        for index in range(2)
    ]
    for batch in batches[4:]:
        np.testing.assert_array_equal(next(resumed)["target"], batch["target"])
        for index, host in enumerate(hosts):
            np.testing.assert_array_equal(next(host)["target"], batch["target"][index::2])


def test_a_weight_changes_nothing_where_all_pairs_have_it(pairs_folder: Path) -> None:
    plain = training_batches(find_pairs(pairs_folder, "train"), 7, 4, SMALL, seed=0)
    data = (f"{pairs_folder}:3",)
    weighted = training_batches(open_pairs(data, "train"), 7, 4, SMALL, seed=0)
    for _ in range(3):
        np.testing.assert_array_equal(next(plain)["target"], next(weighted)["target"])
