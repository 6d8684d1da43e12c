"""Folders as researchers keep them, and what becomes of their pairs."""

import dataclasses
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from pocket_bokeh.errors import UserError
from pocket_bokeh.photo import write_photo
from train.data.pair_transforms import (
    scale_pair,
)
from train.data.pairs import (
    check_decodable,
    decoded_for,
    find_pairs,
    find_whole_folder,
    fingerprint,
    limit_pairs,
    write_pairs,
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


def test_a_mask_comes_with_its_pair_where_there_is_one(pairs_folder: Path, tmp_path: Path) -> None:
    height, width = find_pairs(pairs_folder, "train")[0].original.shape[:2]
    mask = np.zeros((height, width), np.uint8)
    mask[: height // 2] = 255
    name = find_pairs(pairs_folder, "train")[0].name
    (pairs_folder / "subject").mkdir()
    write_photo(pairs_folder / "subject" / f"{name}.png", mask)

    pairs = find_pairs(pairs_folder, "train", subjects=True)
    assert pairs[0].subject is not None
    np.testing.assert_array_equal(pairs[0].subject, mask)
    assert pairs[1].subject is None
    assert find_pairs(pairs_folder, "train")[0].subject is None
    write_pairs(tmp_path / "written", pairs)
    again = find_whole_folder(tmp_path / "written", subjects=True)
    np.testing.assert_array_equal(again[0].subject, mask)


def test_a_pair_that_needs_a_focus_stays_one(pairs_folder: Path) -> None:
    pairs = find_pairs(pairs_folder, "train")
    assert not pairs[0].needs_focus
    files = tuple(dataclasses.replace(one, needs_focus=True) for one in pairs.files)
    pair = dataclasses.replace(pairs, files=files)[0]
    assert pair.needs_focus
    assert scale_pair(pair, 64).needs_focus


def test_masks_that_do_not_fit_are_named(pairs_folder: Path) -> None:
    (pairs_folder / "subject").mkdir()
    write_photo(pairs_folder / "subject" / "nobody.png", np.zeros((64, 64), np.uint8))
    with pytest.raises(UserError, match=r"subject/nobody has no photograph in original/; add or"):
        find_pairs(pairs_folder, "train", subjects=True)
    (pairs_folder / "subject" / "nobody.png").unlink()
    name = find_pairs(pairs_folder, "train")[0].name
    write_photo(pairs_folder / "subject" / f"{name}.png", np.zeros((32, 64), np.uint8))
    with pytest.raises(UserError, match=rf"subject/{name}.png.*differs from its photograph's"):
        find_pairs(pairs_folder, "train", subjects=True)


def test_depth_maps_that_are_missing_or_misshapen_are_named(
    pairs_folder: Path, add_depth: Callable[[], None]
) -> None:
    with pytest.raises(UserError, match=r"no map for 0 \(12 of 12 are missing\)"):
        find_pairs(pairs_folder, "train", depth=True)
    add_depth()
    write_photo(pairs_folder / "original_depth" / "4.png", np.zeros((64, 64), np.uint8))
    with pytest.raises(UserError, match=r"4.png \(64×64 pixels, but its photo has 128×96"):
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
    with pytest.raises(UserError, match="the same name, encoded differently"):
        find_pairs(pairs_folder, "train")


CASES = Path("../shared/cases/pairs")
"""Folders from public bug reports; not part of the repository."""


@pytest.mark.skipif(not CASES.is_dir(), reason="the folders are not part of the repository")
def test_folders_from_bug_reports() -> None:
    assert len(find_whole_folder(CASES / "nfd")) == 6
    with pytest.raises(UserError, match=r"truncated: 1 of 12 files cannot be used: original/2.jpg"):
        check_decodable(find_whole_folder(CASES / "truncated"))
