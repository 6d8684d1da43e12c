"""The command `train.masks`, with small networks for which everything red is a subject."""

import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from pocket_bokeh.errors import UserError
from pocket_bokeh.photo import read_mask, read_photo, write_photo
from train.data import mask_folder
from train.data.masked_photos import check_masks, find_masked_photos
from train.data.segmenter import PREPARATIONS, open_segmenter
from train.masks import main

Side = int | str


def red_network(
    file: Path,
    sides: tuple[Side, Side] = (64, 64),
    channels: int = 3,
    gain: float = 20.0,
    squash: bool = True,
    kind: int = TensorProto.FLOAT,
) -> Path:
    """Writes a network: gain times (red - green - 0.25), after a sigmoid or not."""
    weight = np.zeros((1, channels, 1, 1), np.float32)
    weight[0, :2, 0, 0] = gain, -gain
    numpy_type = helper.tensor_dtype_to_np_dtype(kind)
    constants = [
        numpy_helper.from_array(weight.astype(numpy_type), "weight"),
        numpy_helper.from_array(np.array([-0.25 * gain], numpy_type), "bias"),
    ]
    nodes = [helper.make_node("Conv", ["photo", "weight", "bias"], ["score"])]
    if squash:
        nodes.append(helper.make_node("Sigmoid", ["score"], ["mask"]))
    name = "mask" if squash else "score"
    graph = helper.make_graph(
        nodes,
        "red",
        [helper.make_tensor_value_info("photo", kind, [1, channels, *sides])],
        [helper.make_tensor_value_info(name, kind, [1, 1, *sides])],
        constants,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    onnx.save(model, file)
    return file


def red_disc(seed: int, radius: float = 50) -> np.ndarray:
    """A red disc before grey noise, 160 × 200."""
    rows, columns = np.mgrid[:160, :200]
    noise = np.random.default_rng(seed).integers(60, 160, (160, 200, 1)).repeat(3, -1)
    disc = (np.hypot(rows - 80, columns - 100) < radius)[..., None]
    return np.where(disc, (220, 30, 30), noise).astype(np.uint8)


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """Three photographs with a subject, one without, one damaged."""
    folder = tmp_path / "photos"
    folder.mkdir()
    for seed in range(3):
        write_photo(folder / f"disc{seed}.png", red_disc(seed))
    write_photo(folder / "empty.png", red_disc(3, 0))
    (folder / "damaged.jpg").write_bytes(b"\xff\xd8\xff\xe0 half")
    return folder


@pytest.fixture
def mask(photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Path]:
    """Runs the command; returns the folder it writes."""

    def run(*options: str, segmenter: Path | None = None) -> Path:
        network = segmenter or red_network(tmp_path / "red.onnx")
        command = ["masks", str(photos), "--segmenter", str(network)]
        monkeypatch.setattr(sys, "argv", [*command, "--out", str(tmp_path / "out"), *options])
        main()
        return tmp_path / "out"

    return run


def test_photographs_become_subjects(
    mask: Callable[..., Path], capsys: pytest.CaptureFixture[str]
) -> None:
    out = mask("--short-side", "80")
    found = find_masked_photos(out)
    check_masks(out, found)
    assert [each.name for each in found] == ["disc0", "disc1", "disc2"]
    assert read_photo(found[0].photo).shape == (80, 100, 3)
    coverage = read_mask(found[0].mask, (80, 100)) / 255
    assert coverage.sum() == pytest.approx(np.pi * 25**2, rel=0.05)
    assert coverage[40, 50] == 1
    assert coverage[5, 5] == 0
    rows = (out / "left_out.tsv").read_text().splitlines()
    assert rows[0] == "name\treason"
    assert rows[1].startswith("damaged\tcannot be read: ")
    assert rows[2] == "empty\tno subject"
    said = capsys.readouterr().out
    assert "3 subjects, 2 photographs left out" in said
    assert "1 no subject" in said
    assert read_photo(out / "contact_sheet.jpg").shape[1] > 1000


def test_a_run_that_was_stopped_goes_on(
    mask: Callable[..., Path], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    judge = mask_folder.judge_mask
    judged: list[tuple[int, ...]] = []

    def stop_at_the_third(found: np.ndarray) -> str:
        if len(judged) == 2:
            raise KeyboardInterrupt
        judged.append(found.shape)
        return judge(found)

    monkeypatch.setattr(mask_folder, "judge_mask", stop_at_the_third)
    with pytest.raises(KeyboardInterrupt):
        mask()
    out = tmp_path / "out"
    before = {file: file.stat().st_mtime_ns for file in (out / "subject").iterdir()}
    assert len(before) == 2
    assert "damaged" in (out / "left_out.tsv").read_text()
    monkeypatch.setattr(mask_folder, "judge_mask", judge)
    mask()
    assert len(list((out / "subject").iterdir())) == 3
    assert all(file.stat().st_mtime_ns == time for file, time in before.items())
    with pytest.raises(UserError, match="was begun with short_side 640"):
        mask("--short-side", "100")


@pytest.mark.parametrize(
    "changes",
    [
        {"sides": ("height", "width")},
        {"squash": False, "gain": 60.0},
        {"kind": TensorProto.FLOAT16},
    ],
)
def test_other_networks_of_the_kind_give_the_same_mask(
    tmp_path: Path, changes: dict[str, Any]
) -> None:
    """Of any size, without a sigmoid at the end, or in half precision."""
    segmenter = open_segmenter(red_network(tmp_path / "a.onnx", **changes), PREPARATIONS["isnet"])
    found = segmenter.mask(red_disc(0))
    assert found.shape == (160, 200)
    assert ((found > 127).mean()) == pytest.approx(np.pi * 50**2 / 32000, rel=0.05)


def test_the_input_is_normalized(tmp_path: Path) -> None:
    """With another mean of green, grey counts as red."""
    file, grey = red_network(tmp_path / "red.onnx"), np.full((64, 64, 3), 128, np.uint8)
    assert open_segmenter(file, PREPARATIONS["isnet"]).mask(grey).max() < 20
    other = PREPARATIONS["isnet"].__class__(64, (0.5, 0.9, 0.5), (0.2, 0.2, 0.2))
    assert open_segmenter(file, other).mask(grey).min() > 235


def no_onnx(file: Path) -> None:
    file.write_text("not a network")


def classifier(file: Path) -> None:
    """Ten numbers instead of a map."""
    nodes: Sequence[Any] = [
        helper.make_node("GlobalAveragePool", ["photo"], ["mean"]),
    ]
    entry = helper.make_tensor_value_info("photo", TensorProto.FLOAT, [1, 3, 64, 64])
    exit_ = helper.make_tensor_value_info("mean", TensorProto.FLOAT, [1, 3, 1, 1])
    graph = helper.make_graph(nodes, "classes", [entry], [exit_])
    onnx.save(
        helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9), file
    )


@pytest.mark.parametrize(
    ("make", "complaint"),
    [
        (no_onnx, "not an ONNX file that can be run"),
        (lambda file: None, "no such file; --segmenter takes an ONNX file"),
        (lambda file: red_network(file, channels=4), "no segmenter; expected one input of floats"),
        (classifier, r"no segmenter; expected one map .* \(its shape is 1 × 3 × 1 × 1\)"),
    ],
)
def test_what_is_no_segmenter_is_refused_before_anything_is_written(
    mask: Callable[..., Path], tmp_path: Path, make: Callable[[Path], object], complaint: str
) -> None:
    make(tmp_path / "bad.onnx")
    with pytest.raises(UserError, match=complaint) as raised:
        mask(segmenter=tmp_path / "bad.onnx")
    assert "\n" not in str(raised.value)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        (["--input-size", "100"], "--input-size 100: expected a multiple of 32"),
        (["--std", "0.2", "0", "0.2"], "--std 0.2 0.0 0.2: expected values above 0"),
        (["--short-side", "20"], "--short-side 20: expected 64 or more"),
    ],
)
def test_bad_options_are_named(
    mask: Callable[..., Path], options: list[str], complaint: str
) -> None:
    with pytest.raises(UserError, match=complaint):
        mask(*options)


def test_a_folder_without_photographs_is_refused(mask: Callable[..., Path], photos: Path) -> None:
    for file in photos.iterdir():
        file.unlink()
    with pytest.raises(UserError, match="no photographs; name a folder of them"):
        mask()


def test_a_missing_runtime_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(UserError, match=r"pip install 'pocket-bokeh\[masks\]'"):
        open_segmenter(tmp_path / "any.onnx", PREPARATIONS["isnet"])
