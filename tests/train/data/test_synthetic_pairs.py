"""Built-in pairs are reproducible and look like a shallow depth of field."""

from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

import train.data.pairs
from pocket_bokeh.errors import UserError, run_command
from pocket_bokeh.photo import read_depth, read_photo, write_photo
from train.data import synthetic_pairs as synthetic
from train.data.scenery import OUTLINES, cut_out, photograph
from train.data.synthetic_pairs import SyntheticPairs, render_scene
from train.data.thin_lens import Lens, SceneLayer, encode_srgb
from train.synthetic import main

SIZE = (128, 192)


def scene_layers(
    monkeypatch: pytest.MonkeyPatch, seed: int, index: int
) -> tuple[np.ndarray, np.ndarray, list[SceneLayer], Lens]:
    """A scene's pictures, and the layers and the lens that it was made with."""
    seen: list[tuple[list[SceneLayer], Lens | None]] = []
    expose = synthetic.expose

    def spy(layers: list[SceneLayer], lens: Lens | None = None) -> np.ndarray:
        seen.append((layers, lens))
        return expose(layers, lens)

    with monkeypatch.context() as patch:
        patch.setattr(synthetic, "expose", spy)
        original, bokeh, _ = render_scene(seed, index, SIZE)
    layers, lens = seen[-1]
    assert lens is not None
    return original, bokeh, layers, lens


def test_pairs_are_photographs_of_one_size() -> None:
    pairs = SyntheticPairs(count=3, seed=5, size=SIZE)
    assert len(pairs) == 3
    for index in range(len(pairs)):
        pair = pairs[index]
        for photo in (pair.original, pair.bokeh):
            assert photo.shape == (*SIZE, 3)
            assert photo.dtype == np.uint8
            assert photo.std() > 5
        assert np.abs(pair.original.astype(int) - pair.bokeh).max() > 10


def test_the_same_scene_has_the_same_bytes_in_any_order_on_any_thread() -> None:
    pairs = SyntheticPairs(count=6, seed=1, size=SIZE)
    forward = [pairs[index] for index in range(6)]
    photograph.cache_clear()
    cut_out.cache_clear()
    synthetic._remembered_scene.cache_clear()
    with ThreadPoolExecutor(4) as threads:
        backward = list(threads.map(pairs.__getitem__, reversed(range(6))))[::-1]
    for first, second in zip(forward, backward, strict=True):
        assert first.name == second.name
        assert first.original.tobytes() == second.original.tobytes()
        assert first.bokeh.tobytes() == second.bokeh.tobytes()


def test_another_index_or_seed_is_another_scene() -> None:
    scenes = {
        render_scene(seed, index, SIZE)[0].tobytes() for seed in range(2) for index in range(4)
    }
    assert len(scenes) == 8


@pytest.mark.parametrize("index", range(8))
def test_the_layer_in_focus_is_the_same_in_both(
    monkeypatch: pytest.MonkeyPatch, index: int
) -> None:
    original, bokeh, layers, lens = scene_layers(monkeypatch, 3, index)
    radii = [lens.circle_of_confusion(layer.inverse_depth) for layer in layers]
    assert radii.count(0.0) == 1
    assert 2 <= len(layers) <= 4
    assert all(far.inverse_depth < near.inverse_depth for far, near in pairwise(layers))
    assert 0.02 * min(SIZE) < max(map(abs, radii)) <= 0.034 * min(SIZE) * (1 + 1e-9)
    in_focus = radii.index(0.0)
    clear = layers[in_focus].planes[3] == 1
    for nearer in layers[in_focus + 1 :]:
        reach = int(np.ceil(lens.strength * 2)) + 1
        rows, columns = np.nonzero(nearer.planes[3])
        clear[
            max(rows.min() - reach, 0) : rows.max() + reach,
            max(columns.min() - reach, 0) : columns.max() + reach,
        ] = False
    margin = (clear.shape[0] - SIZE[0]) // 2
    clear = clear[margin:-margin, margin:-margin]
    assert clear.any()
    np.testing.assert_array_equal(bokeh[clear], original[clear])


def test_most_scenes_blur_the_background_and_some_lamps_are_clipped(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    blurred, bright = 0, 0
    for index in range(30):
        original, _, layers, lens = scene_layers(monkeypatch, 0, index)
        blurred += lens.circle_of_confusion(layers[0].inverse_depth) != 0
        bright += layers[0].planes[:3].max() > 8
        assert original.max() > 100
    assert 20 <= blurred < 30
    assert 8 <= bright < 30


def test_a_red_subject_leaves_no_red_in_the_bokeh_behind_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def red_square(random: np.random.Generator, name: str, height: int, width: int) -> np.ndarray:
        planes = np.zeros((4, height, width), np.float32)
        rows, columns = slice(height // 3, 2 * height // 3), slice(width // 3, 2 * width // 3)
        planes[0, rows, columns] = planes[3, rows, columns] = 1
        return planes

    def grey(random: np.random.Generator, taken: str, height: int, width: int) -> np.ndarray:
        planes = np.full((4, height, width), 0.2, np.float32)
        planes[3] = 1
        return planes

    def square_alone(random: np.random.Generator, *_: object) -> np.ndarray:
        return red_square(random, "", *canvas)

    margin = int(np.ceil(synthetic.LARGEST_BLUR * min(SIZE) * 1.2))
    canvas = (SIZE[0] + 2 * margin, SIZE[1] + 2 * margin)
    monkeypatch.setattr(synthetic, "background", grey)
    monkeypatch.setattr(synthetic, "cut_out_planes", red_square)
    monkeypatch.setattr(synthetic, "painted", square_alone)
    judged = 0
    for index in range(12):
        original, bokeh, layers, lens = scene_layers(monkeypatch, 0, index)
        if len(layers) > 2 or lens.focus != 1:
            continue
        outside = original[..., 1] > 0  # the subject has no green
        assert 0 < outside.sum() < outside.size
        assert (bokeh[outside] == encode_srgb(np.array(0.2))).all()
        judged += 1
    assert judged


@pytest.mark.parametrize("name", list(OUTLINES))
def test_a_cut_out_is_solid_with_a_soft_edge(name: str) -> None:
    coverage = np.asarray(cut_out(name))[..., 3]
    assert (coverage == 255).mean() > 0.5
    assert (coverage == 0).mean() > 0.05
    soft = ((coverage > 0) & (coverage < 255)).mean()
    assert 0.001 < soft < 0.06


def test_an_impossible_source_says_what_to_change() -> None:
    with pytest.raises(UserError, match="multiples of 64"):
        SyntheticPairs(size=(100, 128))
    with pytest.raises(UserError, match="count is 0"):
        SyntheticPairs(count=0)
    with pytest.raises(UserError, match="seed is -1"):
        SyntheticPairs(seed=-1)
    with pytest.raises(IndexError):
        SyntheticPairs(count=2)[2]


def test_the_command_writes_a_folder_of_pairs_and_never_over_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "sets" / "pairs"
    options = ["--out", str(out), "--count", "2", "--seed", "4", "--size", "64", "128"]
    monkeypatch.setattr("sys.argv", ["train.synthetic", *options])
    run_command(main)
    assert "2 pairs" in capsys.readouterr().out
    files = sorted(str(file.relative_to(out)) for file in out.rglob("*.*"))
    kinds = ("bokeh", "original", "original_depth")
    assert files == [f"{kind}/000{i}.png" for kind in kinds for i in range(2)]
    assert [entry.name for entry in out.parent.iterdir()] == ["pairs"]
    original, bokeh, depth = render_scene(4, 1, (64, 128))
    np.testing.assert_array_equal(read_photo(out / "original" / "0001.png"), original)
    np.testing.assert_array_equal(read_photo(out / "bokeh" / "0001.png"), bokeh)
    np.testing.assert_array_equal(read_depth(out / "original_depth" / "0001.png", (64, 128)), depth)

    with pytest.raises(SystemExit) as exit:
        run_command(main)
    assert exit.value.code == 2
    complaint = capsys.readouterr().err.strip().splitlines()
    assert len(complaint) == 1
    assert str(out) in complaint[0]


def test_an_interrupted_command_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(file: Path, photo: np.ndarray) -> None:
        if file.name == "0001.png":
            raise KeyboardInterrupt
        write_photo(file, photo)

    options = ["--out", str(tmp_path / "pairs"), "--count", "3", "--size", "64", "64"]
    monkeypatch.setattr("sys.argv", ["train.synthetic", *options])
    monkeypatch.setattr(train.data.pairs, "write_photo", broken)
    with pytest.raises(KeyboardInterrupt):
        main()
    assert list(tmp_path.iterdir()) == []
