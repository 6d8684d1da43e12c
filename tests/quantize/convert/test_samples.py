"""Pairs are cropped to a working size and chosen evenly."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from pocket_bokeh.photo import write_photo
from quantize.convert.samples import crop_to_fill, evenly_spaced, every_second_told
from train.data.focus_points import pair_input
from train.data.pairs import Pair, find_whole_folder


@pytest.mark.parametrize("size", [(48, 96), (200, 130), (64, 64)])
def test_a_crop_covers_the_size_and_keeps_the_aspect_ratio(size: tuple[int, int]) -> None:
    # A square in the middle stays a square.
    photo = np.zeros((*size, 3), np.uint8)
    middle = (size[0] // 2, size[1] // 2)
    photo[middle[0] - 10 : middle[0] + 10, middle[1] - 10 : middle[1] + 10] = 255
    filled = crop_to_fill(Pair("a", photo, photo.copy()), (64, 128))
    assert filled.original.shape == filled.bokeh.shape == (64, 128, 3)
    assert np.array_equal(filled.original, filled.bokeh)
    white = filled.original[..., 0] > 127
    assert abs(int(white.any(0).sum()) - int(white.any(1).sum())) <= 1


def test_a_depth_map_is_cropped_like_its_photograph() -> None:
    photo = np.random.default_rng(0).integers(0, 256, (100, 90, 3), np.uint8)
    filled = crop_to_fill(Pair("a", photo, photo, photo[..., 1]), (64, 128))
    assert filled.depth is not None
    assert np.array_equal(filled.depth, filled.original[..., 1])
    seen = pair_input(filled, sees_focus=False)
    assert seen.shape == (32, 64, 4)
    assert np.array_equal(seen[..., 3], seen[..., 1])


def test_every_second_calibration_photo_has_a_disc_on_what_is_sharp() -> None:
    photo = np.random.default_rng(0).integers(0, 256, (96, 128, 3), np.uint8)
    mask = np.zeros((96, 128), np.uint8)
    mask[:, 64:] = 255
    pairs = [Pair("a", photo, photo, subject=mask)] * 4
    maps = [seen[..., 3] for seen in every_second_told(pairs, sees_focus=True)]
    assert [bool(one.any()) for one in maps] == [False, True, False, True]
    assert maps[1][:, 32:].max() == 1
    assert not maps[1][:, :30].any()
    assert every_second_told(pairs, sees_focus=False)[1].shape == (48, 64, 3)


def test_pairs_are_evenly_spaced() -> None:
    pairs = [Pair(str(index), np.empty(0), np.empty(0)) for index in range(10)]
    assert [pair.name for pair in evenly_spaced(pairs, 4)] == ["0", "2", "5", "7"]
    assert len(evenly_spaced(pairs, 99)) == 10


def test_pairs_are_chosen_as_often_as_their_weights_say(tmp_path: Path) -> None:
    for kind in ("original", "bokeh"):
        (tmp_path / kind).mkdir()
        for index in range(12):
            write_photo(tmp_path / kind / f"{index:02d}.png", np.zeros((64, 64, 3), np.uint8))
    pairs = find_whole_folder(tmp_path)
    files = [dataclasses.replace(files, weight=4.0) for files in pairs.files[:4]]
    weighted = dataclasses.replace(pairs, files=(*files, *pairs.files[4:]))
    names = [pair.name for pair in evenly_spaced(weighted, 6)]
    assert names == ["00", "01", "02", "03", "04", "08"]
