"""Composites: the subject is sharp, the background blurred, and results are reproducible."""

import dataclasses
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter
from skimage import data

from pocket_bokeh.errors import UserError
from pocket_bokeh.photo import write_photo
from train.composites import main
from train.data.composites import (
    Figure,
    close_figures,
    compose,
    coverage_in_focus,
    find_composites,
    shade_ground,
    smooth_detail,
    standing_figures,
)
from train.data.cut_out import CutSides, cut_out
from train.data.lenses import LARGEST_BLUR, compress_highlights, expand_highlights, random_lens
from train.data.pairs import find_pairs
from train.data.placing import Canvas, place_close, relight
from train.data.thin_lens import decode_srgb


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A blue disc in front of a noisy wall, with its mask; two backgrounds."""
    folder = tmp_path_factory.mktemp("scenes")
    rows, columns = np.mgrid[:160, :120]
    disc = np.hypot(rows - 70, columns - 60) < 40
    mask = gaussian_filter(disc.astype(float), 1.0)
    wall = np.random.default_rng(0).integers(0, 90, (160, 120, 3))
    photo = mask[..., None] * (30, 40, 220) + (1 - mask[..., None]) * wall
    subjects, backgrounds = folder / "subjects", folder / "backgrounds"
    for folder in (subjects / "original", subjects / "subject", backgrounds):
        folder.mkdir(parents=True)
    write_photo(subjects / "original" / "disc.png", photo.astype(np.uint8))
    coverage = (255 * mask).astype(np.uint8)
    write_photo(subjects / "subject" / "disc.png", np.dstack([coverage] * 3))
    write_photo(backgrounds / "cat.png", data.chelsea())
    write_photo(backgrounds / "cup.png", data.coffee())
    return subjects, backgrounds


def sharpness(photo: np.ndarray, where: np.ndarray) -> float:
    grey = photo.mean(axis=-1)
    return float(np.abs(grey - gaussian_filter(grey, 1))[where].mean())


def test_the_subject_stays_and_the_rest_blurs(folders: tuple[Path, Path]) -> None:
    pairs = find_composites(folders[:1], folders[1:], count=12, seed=0, size=(192, 256))
    left = []
    for index in range(len(pairs)):
        pair = pairs[index]
        assert sorted(pair.original.shape) == [3, 192, 256]
        # Neither the cat nor the cup has any blue.
        blue = pair.original[..., 2].astype(int) - pair.original[..., :2].max(axis=-1)
        subject = gaussian_filter((blue > 60).astype(float), 3) > 0.99
        behind = gaussian_filter((blue > 60).astype(float), 6) < 0.01
        assert subject.sum() > 300
        change = np.abs(pair.bokeh.astype(int) - pair.original)
        assert np.median(change[subject]) <= 1  # ground before its feet may spread over them
        # Far above, where the wall is.
        behind[behind.shape[0] // 3 :] = False
        left.append(sharpness(pair.bokeh, behind) / sharpness(pair.original, behind))
    assert max(left) < 1
    assert min(left) < 0.4
    assert np.median(left) < 0.8


def test_the_same_seed_gives_the_same_pair(folders: tuple[Path, Path]) -> None:
    size = (128, 128)
    first, again = (find_composites(folders[:1], folders[1:], 3, 5, size)[2] for _ in range(2))
    other = find_composites(folders[:1], folders[1:], 3, 6, size)[2]
    assert np.array_equal(first.bokeh, again.bokeh)
    assert not np.array_equal(first.original, other.original)


@pytest.mark.parametrize(("several", "counts"), [(0.0, {1}), (1.0, {2, 3})])
def test_scenes_have_as_many_subjects_as_asked(
    folders: tuple[Path, Path], several: float, counts: set[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[int] = []

    def count(random: Any, subjects: Sequence[Any], background: Any, size: Any) -> Any:
        seen.append(len(subjects))
        return (np.zeros((64, 64, 3), np.uint8),) * 2 + (np.zeros((64, 64), np.uint8),)

    monkeypatch.setattr("train.data.composites.compose", count)
    found = find_composites(folders[:1], folders[1:], 20, 0, (64, 64), several)
    pairs = dataclasses.replace(found, subjects=found.subjects * 3)
    for index in range(20):
        pairs[index]
    assert set(seen) == counts


def test_a_cut_out_has_none_of_its_old_background() -> None:
    """Red in front of green: where the mask says half, the cut-out colour is pure red."""
    mask = np.repeat(np.clip(np.linspace(-255, 510, 96), 0, 255)[None], 96, 0).astype(np.uint8)
    part = mask[..., None] / 255
    photo = np.rint(part * (200, 20, 20) + (1 - part) * (20, 200, 20)).astype(np.uint8)
    subject = cut_out(photo, mask)
    assert subject.coverage.min() > 0.49
    rim = subject.coverage < 0.9
    # In the photograph green is as bright there as red.
    assert subject.colour[0, rim].mean() > 4 * subject.colour[1, rim].mean()


def test_a_close_subject_is_anywhere_and_reaches_beyond_the_frame() -> None:
    """A white disc; cut off at the bottom in every other photograph."""
    rows, columns = np.mgrid[:80, :80]
    mask = np.where(np.hypot(rows - 40, columns - 40) < 38, 255, 0).astype(np.uint8)
    photo, canvas = np.full((80, 80, 3), 255, np.uint8), Canvas(100, 128, margin=10)
    tops, bottoms, visible = [], [], []
    for seed in range(40):
        height = 80 if seed % 2 else 60
        subject = cut_out(photo[:height], mask[:height])
        assert subject.cut.bottom == (seed % 2 == 0)
        random = np.random.default_rng(seed)
        shares = random.uniform(0.5, 1.3, 2)
        planes = place_close(random, subject, canvas, (shares[0], shares[1]), random.random())
        covered = np.flatnonzero(canvas.frame(planes)[3].max(axis=1) > 0.5)
        tops.append(covered[0])
        bottoms.append(covered[-1])
        visible.append((canvas.frame(planes)[3] > 0.5).mean())
        if subject.cut.bottom:
            assert covered[-1] == 99, "what was cut off is cut off again"
            assert covered[0] > 0 or planes[3, 9].max() > 0.5
    assert min(tops[1::2]) == 0
    assert max(tops[1::2]) > 30
    assert min(bottoms[1::2]) < 95
    assert min(visible) > 0.05


@pytest.mark.parametrize("side", ["left", "right", "top", "bottom"])
def test_what_a_photograph_cuts_off_the_frame_cuts_off_again(side: str) -> None:
    """A square that touches one border of its photograph never shows that edge again."""
    mask = np.zeros((90, 90), np.uint8)
    mask[30:60, 30:60] = 255
    border: dict[str, Any] = {
        "left": np.s_[:, :30],
        "right": np.s_[:, 60:],
        "top": np.s_[:30],
        "bottom": np.s_[60:],
    }
    mask[border[side]] = mask[45] if side in ("top", "bottom") else mask[:, 45:46]
    subject = cut_out(np.full((90, 90, 3), 255, np.uint8), mask)
    assert subject.cut == CutSides()._replace(**{side: True})
    assert subject.mirrored().cut.left == subject.cut.right
    canvas = Canvas(100, 128, margin=12)
    outer: dict[str, Any] = {
        "left": np.s_[:, 0],
        "right": np.s_[:, -1],
        "top": np.s_[0],
        "bottom": np.s_[-1],
    }
    for seed in range(20):
        random = np.random.default_rng(seed)
        for figure in close_figures(random, [subject], canvas):
            assert figure.planes[3][outer[side]].max() == pytest.approx(1, abs=0.01)


def test_of_several_subjects_the_first_is_in_focus_and_stays_visible() -> None:
    square = cut_out(
        np.full((80, 60, 3), 255, np.uint8), np.pad(np.full((60, 40), 255, np.uint8), 10)
    )
    canvas, depths = Canvas(128, 192, margin=8), []
    for seed in range(60):
        random = np.random.default_rng(seed)
        figures = close_figures(random, [square] * 3, canvas)
        standing, ground = standing_figures(random, [square] * 3, canvas)
        for group in (figures, standing):
            assert group[0].inverse_depth == 1
            depths += [figure.inverse_depth for figure in group[1:]]
            nearer = [figure.planes[3] for figure in group[1:] if figure.inverse_depth >= 1]
            visible = group[0].planes[3] * np.prod([1 - cover for cover in nearer], axis=0)
            assert visible.sum() >= 0.65 * group[0].planes[3].sum()
        for figure in standing[1:]:  # farther people are smaller and higher up in the picture
            feet = np.flatnonzero(figure.planes[3].max(axis=1) > 0.5)
            if feet.size and figure.inverse_depth < 0.8:
                expected = canvas.margin + (ground.row(figure.inverse_depth) + 0.02) * canvas.height
                assert feet[-1] == pytest.approx(expected, abs=2)
    assert min(depths) < 0.6
    assert max(depths) > 1.4
    assert 1 in depths


def test_what_is_nearer_hides_what_is_in_focus() -> None:
    full, half = np.ones((4, 8, 8), np.float32), np.zeros((4, 8, 8), np.float32)
    half[:, :, 4:] = 1
    seen = coverage_in_focus([Figure(full, 1.0), Figure(half, 1.5)])
    assert seen[:, :4].min() == 1
    assert seen[:, 4:].max() == 0
    assert coverage_in_focus([Figure(full, 1.0), Figure(half, 0.5)]).min() == 1


def test_a_subject_throws_a_shadow_at_its_feet_alone() -> None:
    planes, ground = np.zeros((4, 100, 80), np.float32), np.ones((3, 100, 80), np.float32)
    planes[:, 20:70, 30:50] = 1
    shade_ground(np.random.default_rng(0), ground, Figure(planes, 1.0))
    assert ground[0, 69, 40] < 0.75
    assert ground[:, :50].min() > 0.99
    assert ground[:, 85:].min() > 0.99


def test_most_of_the_lenses_are_wide_and_some_blur_hardly() -> None:
    """The same subject each time, so that only the lens differs."""
    wide = 1.12 * LARGEST_BLUR * 100
    lenses = [random_lens(np.random.default_rng(seed), 1.0, 100) for seed in range(300)]
    opened = np.array([lens.strength for lens in lenses]) / wide
    assert 0.8 < np.mean(opened > 0.92) < 0.96
    assert opened.max() < 1.09
    assert opened.min() < 0.15
    assert np.mean((opened > 0.2) & (opened < 0.6)) > 0.03


def test_a_plain_wall_keeps_its_light_and_little_else() -> None:
    radiance = decode_srgb(data.coffee()).transpose(2, 0, 1)
    plain = smooth_detail(np.random.default_rng(0), radiance, 384)
    assert plain.mean() == pytest.approx(radiance.mean(), rel=0.02)
    coarse = [one - gaussian_filter(one, (0, 3, 3)) for one in (radiance, plain)]
    assert coarse[1].std() < 0.2 * coarse[0].std()


def test_the_light_on_a_subject_is_of_another_colour_each_time() -> None:
    grey = cut_out(np.full((40, 40, 3), 120, np.uint8), np.full((40, 40), 255, np.uint8))
    means = np.array(
        [relight(np.random.default_rng(seed), grey, 0.8).mean((1, 2)) for seed in range(40)]
    )
    red_to_blue = means[:, 0] / means[:, 2]
    assert 0.7 < red_to_blue.min() < 0.9
    assert 1.1 < red_to_blue.max() < 1.4


def test_highlights_rise_and_come_back() -> None:
    radiance = np.linspace(0, 1, 101)
    assert expand_highlights(radiance)[-1] == pytest.approx(2.92)
    np.testing.assert_allclose(
        compress_highlights(expand_highlights(radiance)), radiance, atol=1e-6
    )


def test_a_subject_fits_any_canvas(folders: tuple[Path, Path]) -> None:
    subject = cut_out(np.full((50, 300, 3), 200, np.uint8), np.full((50, 300), 255, np.uint8))
    assert all(subject.cut)
    for seed in range(12):
        random = np.random.default_rng(seed)
        original, bokeh, in_focus = compose(random, [subject], data.coffee(), (64, 128))
        assert original.shape == bokeh.shape == (64, 128, 3)
        assert in_focus.shape == (64, 128)


def test_a_narrow_subject_is_seen_in_every_frame() -> None:
    post = cut_out(
        np.full((200, 100, 3), 255, np.uint8),
        np.pad(np.full((160, 6), 255, np.uint8), ((20, 20), (47, 47))),
    )
    canvas = Canvas(128, 192, margin=8)
    for seed in range(100):
        random = np.random.default_rng(seed)
        for figures in (
            close_figures(random, [post], canvas),
            standing_figures(random, [post] * 2, canvas)[0],
        ):
            assert canvas.frame(figures[0].planes[3]).sum() > 0.4 * figures[0].planes[3].sum() > 40


def test_the_command_makes_a_folder_that_trains(
    folders: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    subjects, backgrounds = map(str, folders)
    command = ["composites", "--subjects", subjects, "--backgrounds", backgrounds]
    command += ["--out", str(tmp_path / "pairs"), "--count", "3", "--size", "64", "128"]
    monkeypatch.setattr(sys, "argv", command)
    main()
    pairs = find_pairs(tmp_path / "pairs", "train", subjects=True)
    assert len(pairs) == 2  # and one to judge by
    assert all(pair.subject is not None and pair.subject.max() == 255 for pair in pairs)
    monkeypatch.setattr(sys, "argv", [*command, "--seed", "1"])
    with pytest.raises(UserError, match="was begun with seed 0"):
        main()


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"subjects": [Path("nowhere")]}, "no masks in subject/"),
        ({"backgrounds": [Path("nowhere")]}, "no photographs for backgrounds"),
        ({"count": 0}, "--count"),
        ({"several": 1.5}, "--several 1.5: expected a share from 0 to 1"),
        ({"size": (100, 128)}, "multiples of 64"),
    ],
)
def test_what_is_missing_is_named(
    folders: tuple[Path, Path], change: dict[str, Any], complaint: str
) -> None:
    options: dict[str, Any] = {"count": 1, "seed": 0, "size": (64, 64)}
    options |= {"subjects": folders[:1], "backgrounds": folders[1:]} | change
    with pytest.raises(UserError, match=complaint):
        find_composites(**options)


@pytest.mark.parametrize(
    ("mask", "complaint"),
    [
        (np.zeros((160, 120, 3), np.uint8), "it marks no subject"),
        (np.full((80, 60, 3), 255, np.uint8), "its size differs from its photograph's"),
    ],
)
def test_a_useless_mask_is_named(
    folders: tuple[Path, Path], tmp_path: Path, mask: np.ndarray, complaint: str
) -> None:
    shutil.copytree(folders[0], tmp_path / "subjects")
    write_photo(tmp_path / "subjects" / "subject" / "disc.png", mask)
    with pytest.raises(UserError, match=rf"files cannot be used: subject/disc\.png \({complaint}"):
        find_composites([tmp_path / "subjects"], folders[1:], 1, 0, (64, 64))


@pytest.mark.parametrize("which", [0, 1])
def test_a_damaged_file_is_named_before_anything_is_made(
    folders: tuple[Path, Path], tmp_path: Path, which: int
) -> None:
    subjects, backgrounds = tmp_path / "subjects", tmp_path / "backgrounds"
    shutil.copytree(folders[0], subjects)
    shutil.copytree(folders[1], backgrounds)
    file = [subjects / "original/disc.png", next(backgrounds.iterdir())][which]
    file.write_bytes(file.read_bytes()[:200])
    with pytest.raises(UserError, match=rf"cannot be used: \w+/{file.name} \(damaged"):
        find_composites([subjects], [backgrounds], 1, 0, (64, 64))


def test_a_mask_belongs_to_its_photograph_in_either_spelling(
    folders: tuple[Path, Path], tmp_path: Path
) -> None:
    shutil.copytree(folders[0], tmp_path / "subjects")
    (tmp_path / "subjects/original/disc.png").rename(tmp_path / "subjects/original/caf\u00e9.png")
    (tmp_path / "subjects/subject/disc.png").rename(tmp_path / "subjects/subject/cafe\u0301.png")
    found = find_composites([tmp_path / "subjects"], folders[1:], 1, 0, (64, 64))
    assert len(found.subjects) == len(list((folders[0] / "subject").iterdir()))
