"""Folders as researchers keep them, and what becomes of their pairs."""

import dataclasses
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from pocket_bokeh.errors import UserError
from pocket_bokeh.photo import write_photo
from train.data.pairs import (
    Pair,
    at_level,
    augment,
    check_decodable,
    crop,
    cut_to_multiple,
    decoded_for,
    find_pairs,
    find_whole_folder,
    fingerprint,
    limit_pairs,
    network_input,
    relit,
    scale_pair,
    training_batches,
    zoomed,
)
from train.network.presets import SCHEDULES, TrainConfig

SMALL = TrainConfig(
    short_side=64, crop=64, augmentation="rotate", reduction="bicubic", schedules=()
)


def test_a_flat_folder_holds_out_the_same_pairs_when_files_are_added(pairs_folder: Path) -> None:
    train, val = find_pairs(pairs_folder, "train"), find_pairs(pairs_folder, "val")
    assert len(train) + len(val) == 12
    assert len(val) >= 1
    taught = {pair.name for pair in train}
    assert taught.isdisjoint(pair.name for pair in val)
    for kind in ("original", "bokeh"):
        shutil.copy(pairs_folder / kind / "0.png", pairs_folder / kind / "added.png")
    moved = {pair.name for pair in find_pairs(pairs_folder, "train")} ^ taught
    assert moved <= {"added"}
    assert fingerprint(find_pairs(pairs_folder, "train")) != fingerprint(train)


def test_a_folder_of_splits_is_read_split_by_split(pairs_folder: Path, tmp_path: Path) -> None:
    for split in ("train", "val", "test"):
        shutil.copytree(pairs_folder, tmp_path / "splits" / split)
    assert [len(find_pairs(tmp_path / "splits", split)) for split in ("train", "val")] == [12, 12]
    shutil.rmtree(tmp_path / "splits" / "val")
    held_out = find_pairs(tmp_path / "splits", "val")
    assert len(held_out) + len(find_pairs(tmp_path / "splits", "train")) == 12
    assert len(find_pairs(tmp_path / "splits", "test")) == 12


def test_pairs_are_decoded_in_the_order_of_their_names(pairs_folder: Path) -> None:
    for pair in find_pairs(pairs_folder, "train"):
        assert pair.original.shape == pair.bokeh.shape == (96, 128, 3)
        np.testing.assert_array_equal(pair.original[:, 40:], pair.bokeh[:, 40:])


def test_broken_folders_are_refused_by_name(pairs_folder: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no such folder"):
        find_pairs(tmp_path / "missing", "train")
    (tmp_path / "empty").mkdir()
    with pytest.raises(UserError, match="no pairs; expected original/NAME"):
        find_pairs(tmp_path / "empty", "train")
    photo = np.zeros((96, 128, 3), np.uint8)
    write_photo(pairs_folder / "original" / "lonely.jpg", photo)
    with pytest.raises(UserError, match="original/lonely has no partner in bokeh/"):
        find_pairs(pairs_folder, "train")
    write_photo(pairs_folder / "bokeh" / "lonely.jpg", photo[:, :100])
    with pytest.raises(UserError, match=r"lonely\.jpg \(128×96 pixels, but .* has 100×96"):
        find_pairs(pairs_folder, "train")
    (pairs_folder / "bokeh" / "lonely.jpg").write_bytes(b"")
    with pytest.raises(UserError, match=r"bokeh/lonely\.jpg \(an empty file"):
        find_pairs(pairs_folder, "train")
    write_photo(pairs_folder / "bokeh" / "lonely.png", photo)
    with pytest.raises(UserError, match=r"both lonely\.jpg and lonely\.png"):
        find_pairs(pairs_folder, "train")


def test_a_reduced_photo_is_that_of_tensorflow() -> None:
    photo = np.random.default_rng(0).integers(0, 256, (128, 192, 3), np.uint8)
    for level in (2, 4, 7):
        size = (128 // 2 ** (level - 1), 192 // 2 ** (level - 1))
        reference = tf.image.resize(photo / 255, size, method="bicubic", antialias=True).numpy()
        ours = at_level(photo, level, "bicubic")
        # Pillow rounds to bytes between rows and columns, as TensorFlow does not.
        assert np.abs(ours - np.clip(reference, 0, 1)).max() < 6 / 255
    np.testing.assert_allclose(at_level(photo, 1, "bicubic") * 255, photo, atol=1e-4)
    np.testing.assert_array_equal(at_level(photo, 2, "average"), network_input(photo))
    pooled = tf.nn.avg_pool2d(network_input(photo)[None], 8, 8, "VALID")[0]
    np.testing.assert_allclose(at_level(photo, 5, "average"), pooled, atol=1e-6)


def test_both_photographs_are_cut_turned_and_scaled_alike() -> None:
    photo = np.random.default_rng(0).integers(0, 256, (150, 210, 3), np.uint8)
    pair = Pair("same", photo, photo)
    random = np.random.default_rng(1)
    seen = set()
    for _ in range(40):
        example = augment(crop(scale_pair(pair, 96), 64, random), "rotate", random)
        assert example.original.shape == (64, 64, 3)
        np.testing.assert_array_equal(example.original, example.bokeh)
        seen.add(example.original.tobytes())
    assert len(seen) > 20
    assert cut_to_multiple(pair).original.shape == (128, 192, 3)
    assert scale_pair(pair, 96).original.shape == (96, 134, 3)


def test_mirroring_keeps_a_subject_on_its_feet() -> None:
    photo = np.zeros((64, 64, 3), np.uint8)
    photo[32:] = 255
    random = np.random.default_rng(0)
    for _ in range(10):
        np.testing.assert_array_equal(
            augment(Pair("standing", photo, photo), "mirror", random).original, photo
        )


def test_another_light_falls_on_both_photographs_alike() -> None:
    codes = np.arange(256, dtype=np.uint8)
    photo = np.broadcast_to(codes[None, :, None], (1, 256, 3))
    pair = Pair("same", photo, photo, np.zeros((1, 256), np.uint8))
    assert relit(pair, 0.0, np.random.default_rng(0)) is pair
    seen = []
    for seed in range(20):
        lit = relit(pair, 0.15, np.random.default_rng(seed))
        np.testing.assert_array_equal(lit.original, lit.bokeh)
        assert lit.depth is pair.depth
        assert (np.diff(lit.original.astype(int), axis=1) >= 0).all()
        seen.append(lit.original[0, 128])
    # A middle grey gets lighter, darker, warmer and cooler, and by no more than asked for.
    light = np.array(seen, float) / 128
    assert 0.7 < light.min() < 0.9
    assert 1.1 < light.max() < 1.35
    warmth = light[:, 0] / light[:, 2]
    assert warmth.min() < 0.95
    assert warmth.max() > 1.05


def test_a_photograph_is_enlarged_by_no_more_than_asked_for() -> None:
    config = dataclasses.replace(SCHEDULES["release"], short_side=200, largest_zoom=1.2)
    sides = {zoomed(config, np.random.default_rng(seed)) for seed in range(200)}
    assert min(sides) in (200, 201)
    assert max(sides) in (239, 240)
    assert zoomed(dataclasses.replace(config, largest_zoom=1.0), np.random.default_rng(0)) == 200


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


def add_depth(folder: Path) -> None:
    """A ramp from left to right, at half the photographs' size."""
    (folder / "original_depth").mkdir()
    ramp = np.tile(np.linspace(0, 255, 64).astype(np.uint8), (48, 1))
    for file in (folder / "original").iterdir():
        write_photo(folder / "original_depth" / file.name, ramp)


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


def test_depth_follows_its_photograph_through_every_change(pairs_folder: Path) -> None:
    add_depth(pairs_folder)
    pairs = find_pairs(pairs_folder, "train", depth=True)
    pair = pairs[0]
    assert pair.depth is not None
    assert pair.depth.shape == (96, 128)
    # A photograph that shows the depth: what is done to the one must be done to the other.
    pair = dataclasses.replace(pair, original=np.dstack([pair.depth] * 3))
    random = np.random.default_rng(3)
    for kind in ("mirror", "rotate"):
        changed = augment(crop(scale_pair(pair, 80), 64, random), kind, random)
        assert changed.depth is not None
        np.testing.assert_array_equal(changed.original[..., 0], changed.depth)
    seen = network_input(changed.original, changed.depth)
    assert seen.shape == (32, 32, 4)
    np.testing.assert_array_equal(seen[..., 0], seen[..., 3])
    batch = next(training_batches(pairs, 7, 2, SMALL, seed=0))
    assert batch["input"].shape == (2, 32, 32, 4)


def test_depth_maps_that_are_missing_or_misshapen_are_named(pairs_folder: Path) -> None:
    with pytest.raises(UserError, match=r"no map of 0 \(12 missing of 12\)"):
        find_pairs(pairs_folder, "train", depth=True)
    add_depth(pairs_folder)
    write_photo(pairs_folder / "original_depth" / "4.png", np.zeros((64, 64), np.uint8))
    with pytest.raises(UserError, match=r"4.png \(64×64 pixels, another shape"):
        find_pairs(pairs_folder, "train", depth=True)
    assert find_pairs(pairs_folder, "train")[0].depth is None


def test_a_limit_takes_some_of_those_that_a_larger_one_takes(pairs_folder: Path) -> None:
    pairs = find_pairs(pairs_folder, "train")
    few, more = ({pair.name for pair in limit_pairs(pairs, count)} for count in (3, 6))
    assert len(few) == 3
    assert len(more) == 6
    assert few < more
    assert len(limit_pairs(pairs, 1000)) == len(pairs)


def test_a_large_jpeg_is_decoded_no_larger_than_needed(tmp_path: Path) -> None:
    smooth = np.kron(np.random.default_rng(0).integers(0, 256, (8, 10, 3)), np.ones((80, 80, 1)))
    for kind in ("original", "bokeh"):
        (tmp_path / kind).mkdir()
        for name in ("a", "b"):
            write_photo(tmp_path / kind / f"{name}.jpg", smooth.astype(np.uint8))
    whole = find_pairs(tmp_path, "train")
    enough = decoded_for(whole, 100)
    assert whole[0].original.shape == (640, 800, 3)
    assert enough[0].original.shape == (160, 200, 3)
    small, large = (scale_pair(pairs[0], 100).original.astype(float) for pairs in (enough, whole))
    # Edges of the blocks apart, another way of reducing gives the same picture.
    assert np.median(np.abs(small - large)) <= 1


COMPOSED, DECOMPOSED = "caf\u00e9", "cafe\u0301"
"""One word as Linux and as macOS write it into a file name."""


def test_one_name_in_two_spellings_is_one_pair(pairs_folder: Path) -> None:
    alone = find_whole_folder(pairs_folder)
    (pairs_folder / "original/3.png").rename(pairs_folder / f"original/{COMPOSED}.png")
    (pairs_folder / "bokeh/3.png").rename(pairs_folder / f"bokeh/{DECOMPOSED}.png")
    pairs = find_whole_folder(pairs_folder)
    assert len(pairs) == len(alone)
    (found,) = (pair for pair in pairs if pair.name not in {str(n) for n in range(12)})
    assert found.name == COMPOSED
    np.testing.assert_array_equal(found.original[:, 40:], found.bokeh[:, 40:])
    (pairs_folder / f"bokeh/{DECOMPOSED}.png").rename(pairs_folder / f"bokeh/{COMPOSED}.png")
    held_out = [find_pairs(pairs_folder, "val").files, find_pairs(pairs_folder, "train").files]
    for kind in ("original", "bokeh"):
        (pairs_folder / f"{kind}/{COMPOSED}.png").rename(pairs_folder / f"{kind}/{DECOMPOSED}.png")
    again = [find_pairs(pairs_folder, "val").files, find_pairs(pairs_folder, "train").files]
    assert [len(files) for files in held_out] == [len(files) for files in again]


def test_two_files_whose_names_look_alike_are_refused(pairs_folder: Path) -> None:
    for name in (COMPOSED, DECOMPOSED):
        shutil.copy(pairs_folder / "original/0.png", pairs_folder / f"original/{name}.png")
    with pytest.raises(UserError, match="two spellings of one name"):
        find_pairs(pairs_folder, "train")


CASES = Path("../shared/cases/pairs")
"""Folders from public bug reports; not part of the repository."""


@pytest.mark.skipif(not CASES.is_dir(), reason="the folders are not part of the repository")
def test_folders_from_bug_reports() -> None:
    assert len(find_whole_folder(CASES / "nfd")) == 6
    with pytest.raises(UserError, match=r"truncated: 1 of 12 files cannot be used: original/2.jpg"):
        check_decodable(find_whole_folder(CASES / "truncated"))
