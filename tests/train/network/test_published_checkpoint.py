"""The authors' checkpoint gives the authors' output, or is refused in one line."""

import dataclasses
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from pocket_bokeh.errors import UserError
from train import published_checkpoint
from train.network.network_file import read_network
from train.network.presets import LEVELS, NETWORKS, PyNETConfig
from train.network.published_checkpoint import published_tensors, read_checkpoint

from .published_graph import PublishedGraph, Variables, write_checkpoint

REFERENCE = NETWORKS["reference"]
NARROW = dataclasses.replace(REFERENCE, width=1 / 32)
TOLERANCE = 2e-4
PHOTO = np.random.default_rng(3).random((1, 64, 96, 4), np.float32)

FIRST_INDEX = {
    "encoder_3": 0,
    "encoder_4": 4,
    "encoder_5": 12,
    "encoder_6": 20,
    "level_7": 28,
    "level_6": 64,
    "level_5": 108,
    "level_4": 184,
    "level_3": 324,
    "level_2": 434,
    "level_1": 437,
}


@dataclasses.dataclass(frozen=True)
class Published:
    """A graph with random weights, what it makes of `PHOTO`, and its checkpoint."""

    graph: PublishedGraph
    outputs: dict[int, np.ndarray]
    prefix: Path

    @property
    def values(self) -> list[np.ndarray]:
        return self.graph.variables.values


def publish(folder: Path, width: float) -> Published:
    variables = Variables(seed=0)
    graph = PublishedGraph(variables, width)
    outputs = {level: picture.numpy() for level, picture in graph.outputs_of(PHOTO).items()}
    prefix = folder / "pynet_bokeh_level_0"
    write_checkpoint(prefix, variables.names(), variables.values)
    return Published(graph, outputs, prefix)


@pytest.fixture(scope="module")
def narrow(tmp_path_factory: pytest.TempPathFactory) -> Published:
    """The published graph with a 32nd of its filters."""
    return publish(tmp_path_factory.mktemp("narrow"), NARROW.width)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Published:
    """The published graph: 440 tensors, 190 MB."""
    return publish(tmp_path_factory.mktemp("whole"), 1.0)


def test_every_part_begins_at_its_published_index(narrow: Published) -> None:
    parts: dict[str, int] = {}
    for index, weight in enumerate(published_tensors(REFERENCE).values()):
        part = "_".join(weight.layer.split("_")[:2])
        # What doubles a level's features is created with the level above.
        if weight.layer in ("level_3_up", "level_2_up"):
            part = f"level_{int(part[-1]) - 1}"
        parts.setdefault(part, index)
    assert parts == FIRST_INDEX
    assert narrow.graph.first_index == FIRST_INDEX
    assert list(published_tensors(REFERENCE)) == narrow.graph.variables.names()
    assert len(narrow.values) == 440


def assert_level_equals(published: Published, config: PyNETConfig, level: int) -> None:
    model = read_checkpoint(published.prefix, config, level)
    ours = np.asarray(model(PHOTO, training=False))
    expected = published.outputs[level]
    # A picture of one colour, or one that the tanh has flattened, would agree with anything.
    assert expected.std() > 0.05
    assert (np.abs(expected - 0.5) > 0.57).mean() < 0.05
    assert ours.shape == expected.shape
    assert np.abs(ours - expected).max() < TOLERANCE


@pytest.mark.parametrize("level", LEVELS)
def test_a_narrow_network_gives_the_published_pictures(narrow: Published, level: int) -> None:
    assert_level_equals(narrow, NARROW, level)


@pytest.mark.slow
@pytest.mark.parametrize("level", LEVELS)
def test_the_network_gives_the_published_pictures(whole: Published, level: int) -> None:
    assert_level_equals(whole, REFERENCE, level)


def test_shift_and_scale_in_the_other_order_would_be_seen(
    narrow: Published, tmp_path: Path
) -> None:
    names, values = narrow.graph.variables.names(), list(narrow.values)
    shift = FIRST_INDEX["level_6"] - 6  # level 7's last; scale, two ups and a head follow
    values[shift : shift + 2] = reversed(values[shift : shift + 2])
    write_checkpoint(tmp_path / "swapped", names, values)
    model = read_checkpoint(tmp_path / "swapped", NARROW, 7)
    difference = np.asarray(model(PHOTO, training=False)) - narrow.outputs[7]
    assert np.abs(difference).max() > 100 * TOLERANCE


@pytest.mark.slow
def test_from_the_command_line(whole: Published, tmp_path: Path) -> None:
    out = tmp_path / "model.keras"
    arguments = [str(whole.prefix), "--level", "7", "--out", str(out)]
    command = [sys.executable, "-m", "train.published_checkpoint", *arguments]
    ended = subprocess.run(command, capture_output=True, text=True)
    assert ended.returncode == 0, ended.stderr
    network = read_network(out)
    assert (network.preset, network.config, network.level) == ("reference", REFERENCE, 7)
    ours = np.asarray(network.model(PHOTO, training=False))
    assert np.abs(ours - whole.outputs[7]).max() < TOLERANCE
    assert "quantize.export" not in ended.stdout  # which takes level 1 alone


@pytest.mark.parametrize("index", [0, 62, 439])
def test_a_missing_tensor_is_named(narrow: Published, tmp_path: Path, index: int) -> None:
    names, values = narrow.graph.variables.names(), list(narrow.values)
    missing = names.pop(index)
    del values[index]
    write_checkpoint(tmp_path / "incomplete", names, values)
    with pytest.raises(UserError, match=rf"no tensor {missing} \(one of 440\)"):
        read_checkpoint(tmp_path / "incomplete", NARROW, 1)


def test_a_tensor_of_another_shape_is_named(narrow: Published, tmp_path: Path) -> None:
    names, values = narrow.graph.variables.names(), list(narrow.values)
    values[28] = values[28][:, :, :-1]
    write_checkpoint(tmp_path / "wrong", names, values)
    message = r"tensor generator/Variable_28 is 3×3×7×16, expected 3×3×8×16; not a checkpoint"
    with pytest.raises(UserError, match=message):
        read_checkpoint(tmp_path / "wrong", NARROW, 7)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_tensor_that_is_no_number_is_named(
    narrow: Published, tmp_path: Path, value: float
) -> None:
    names, values = narrow.graph.variables.names(), list(narrow.values)
    values[5] = np.full_like(values[5], value)
    write_checkpoint(tmp_path / "runaway", names, values)
    with pytest.raises(UserError, match="generator/Variable_5 holds float32 values that are not"):
        read_checkpoint(tmp_path / "runaway", NARROW, 7)


def copied(published: Published, folder: Path) -> tuple[Path, Path, Path]:
    """A copy of a checkpoint: its prefix, index and data."""
    prefix = folder / "copy"
    index, data = Path(f"{prefix}.index"), Path(f"{prefix}.data-00000-of-00001")
    shutil.copy(f"{published.prefix}.index", index)
    shutil.copy(f"{published.prefix}.data-00000-of-00001", data)
    return prefix, index, data


def test_a_damaged_tensor_is_named(narrow: Published, tmp_path: Path) -> None:
    prefix, _, data = copied(narrow, tmp_path)
    content = bytearray(data.read_bytes())
    needle = narrow.values[30].tobytes()
    content[content.index(needle)] ^= 0xFF
    data.write_bytes(content)
    with pytest.raises(UserError, match="generator/Variable_30 cannot be read") as refused:
        read_checkpoint(prefix, NARROW, 7)
    assert "\n" not in str(refused.value)


def test_files_cut_short_are_refused_in_one_line(narrow: Published, tmp_path: Path) -> None:
    prefix, index, data = copied(narrow, tmp_path)
    data.write_bytes(data.read_bytes()[:20_000])
    assert "cannot be read" in complaint(prefix)
    data.unlink()
    assert "copy" in complaint(prefix)
    for content in (b"", b"no checkpoint at all", index.read_bytes()[:200]):
        index.write_bytes(content)
        assert "not a TensorFlow checkpoint, or a damaged one" in complaint(prefix)


def complaint(prefix: Path) -> str:
    with pytest.raises(UserError) as refused:
        read_checkpoint(prefix, NARROW, 7)
    assert "\n" not in str(refused.value)
    return str(refused.value)


def test_no_such_prefix_says_how_a_checkpoint_is_named(narrow: Published, tmp_path: Path) -> None:
    assert "no such checkpoint" in complaint(tmp_path / "nothing")
    assert "without suffixes" in complaint(Path(f"{narrow.prefix}.index"))


def test_without_tensorflow_it_says_what_to_install(
    narrow: Published, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "tensorflow", None)
    assert "pip install tensorflow" in complaint(narrow.prefix)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--level", "8"], "PyNET has levels 7"),
        (["--out", "model.h5"], "must end in .keras"),
        (["--out", "there.keras"], "there.keras: already exists"),
        (["--out", "nowhere/model.keras"], "no such folder"),
        ([], "no such checkpoint"),
    ],
)
def test_what_cannot_be_done_is_refused_before_any_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], message: str
) -> None:
    (tmp_path / "there.keras").touch()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["reference", "nothing", *arguments])
    with pytest.raises(UserError, match=message):
        published_checkpoint.main()
    assert os.listdir(tmp_path) == ["there.keras"]
