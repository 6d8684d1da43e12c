"""A network file restores the whole network, or is refused in one line."""

import dataclasses
import json
import os
import shutil
import zipfile
from collections import namedtuple
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from pocket_bokeh.errors import UserError
from train.network.network_file import read_network, write_network
from train.network.presets import NETWORKS
from train.network.pynet import build_pynet

CONFIG = dataclasses.replace(NETWORKS["reference"], width=1 / 32)
LEVEL = 7
PHOTO = np.random.default_rng(0).random((1, 32, 64, 4), np.float32)


@pytest.fixture(scope="module")
def model() -> Any:
    return build_pynet(CONFIG, LEVEL)


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory, model: Any) -> Path:
    file = tmp_path_factory.mktemp("written") / "model.keras"
    write_network(file, model, "narrow", CONFIG, LEVEL)
    return file


@pytest.fixture
def file(written: Path, tmp_path: Path) -> Path:
    """A network's file, to do anything to."""
    return Path(shutil.copy(written, tmp_path))


def test_a_network_comes_back_with_what_it_is(file: Path, model: Any) -> None:
    network = read_network(file)
    assert (network.preset, network.config, network.level) == ("narrow", CONFIG, LEVEL)
    np.testing.assert_array_equal(network.model(PHOTO), model(PHOTO))
    assert os.listdir(file.parent) == ["model.keras"]


@pytest.mark.parametrize(("channels", "name"), [(3, "none"), (4, "depth")])
def test_a_file_of_an_older_version_has_its_fourth_channel_by_number(
    file: Path, channels: int, name: str
) -> None:
    with zipfile.ZipFile(file) as archive:
        entries = {entry: archive.read(entry) for entry in archive.namelist()}
    description = json.loads(entries["pynet.json"])
    del description["network"]["fourth_channel"]
    description["network"]["input_channels"] = channels
    with zipfile.ZipFile(file, "w") as archive:
        for entry, content in (entries | {"pynet.json": json.dumps(description)}).items():
            archive.writestr(entry, content)
    assert read_network(file).config.fourth_channel == name


def test_keras_alone_loads_it_too(file: Path, model: Any) -> None:
    np.testing.assert_array_equal(keras.models.load_model(file)(PHOTO), model(PHOTO))


def test_a_compiled_network_is_written_and_read_as_one_for_inference(tmp_path: Path) -> None:
    model = build_pynet(CONFIG, LEVEL)
    model.compile("adam", "mae")
    model.optimizer.build(model.trainable_variables)
    write_network(tmp_path / "model.keras", model, "narrow", CONFIG, LEVEL)
    network = read_network(tmp_path / "model.keras")
    assert not network.model.compiled
    np.testing.assert_array_equal(network.model(PHOTO), model(PHOTO))


def test_a_full_disk_keeps_what_there_was(
    file: Path, model: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = file.read_bytes()
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage(10, 10, 0))
    with pytest.raises(OSError, match="No space left"):
        write_network(file, model, "narrow", CONFIG, LEVEL)
    assert os.listdir(file.parent) == ["model.keras"]
    assert file.read_bytes() == before


def test_a_write_that_fails_midway_leaves_nothing(
    tmp_path: Path, model: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def write_half(file: Path) -> None:
        Path(file).write_bytes(b"half")
        raise OSError("pulled the plug")

    monkeypatch.setattr(model, "save", write_half)
    with pytest.raises(OSError, match="plug"):
        write_network(tmp_path / "model.keras", model, "narrow", CONFIG, LEVEL)
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize(
    ("name", "message"),
    [("model.h5", "must end in .keras"), ("none/model.keras", "no such folder")],
)
def test_a_name_that_will_not_do_is_refused(
    tmp_path: Path, model: Any, name: str, message: str
) -> None:
    with pytest.raises(UserError, match=message):
        write_network(tmp_path / name, model, "narrow", CONFIG, LEVEL)


def complaint(file: Path) -> str:
    with pytest.raises(UserError) as refused:
        read_network(file)
    assert "\n" not in str(refused.value)
    assert str(file) in str(refused.value)
    return str(refused.value)


def test_what_is_no_file_is_refused(tmp_path: Path) -> None:
    assert "no such file" in complaint(tmp_path / "model.keras")
    assert "a folder" in complaint(tmp_path)


@pytest.mark.parametrize("kept", [0, 5000, -30])
def test_a_file_cut_short_is_refused(file: Path, kept: int) -> None:
    file.write_bytes(file.read_bytes()[:kept])
    assert "damaged or not a .keras file" in complaint(file)


def test_a_single_wrong_byte_is_found(file: Path) -> None:
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)
    assert "damaged" in complaint(file)


def test_a_keras_model_of_other_origin_is_refused(tmp_path: Path, model: Any) -> None:
    model.save(tmp_path / "other.keras")
    assert "not written by this project" in complaint(tmp_path / "other.keras")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"format_version": 2}, "format version 2, but this program reads 1"),
        ({"network": {"magic": 1}}, "not of this version"),
        ({"network": None}, "not of this version"),
        ({"level": "fine"}, "not of this version"),
    ],
)
def test_a_description_of_another_version_is_refused(
    file: Path, change: dict[str, Any], message: str
) -> None:
    other = file.with_name("other.keras")
    with zipfile.ZipFile(file) as source, zipfile.ZipFile(other, "w") as target:
        for name in source.namelist():
            content = source.read(name)
            if name == "pynet.json":
                content = json.dumps(json.loads(content) | change).encode()
            target.writestr(name, content)
    assert message in complaint(other)


def test_an_archive_without_weights_is_damaged(file: Path) -> None:
    other = file.with_name("other.keras")
    with zipfile.ZipFile(file) as source, zipfile.ZipFile(other, "w") as target:
        for name in ("config.json", "metadata.json", "pynet.json"):
            target.writestr(name, source.read(name))
    assert "damaged" in complaint(other)
