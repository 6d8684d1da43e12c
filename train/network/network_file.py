"""Reads and writes a trained network as one self-describing file.

The file is a Keras archive (`.keras`) with an extra entry, `pynet.json`, for preset, configuration
and level. Keras can load it like any other model.
"""

import json
import zipfile
import zlib
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import keras

from pocket_bokeh.disk import bring_to_disk, check_space
from pocket_bokeh.errors import UserError
from pocket_bokeh.strict_json import read_json
from train.network.presets import PyNETConfig, with_fourth_channel

FORMAT_VERSION = 1

_ENTRY = "pynet.json"
_ENDING = ".keras"


@dataclass(frozen=True)
class _Description:
    """The contents of `pynet.json`."""

    format_version: int
    preset: str
    level: int
    network: PyNETConfig
    gate_is_trained: bool = False  # older files lack it


@dataclass(frozen=True)
class Network:
    """A network for inference.

    Attributes:
        preset: the name of its configuration, for messages.
        config: the configuration that `model` was built from.
        level: the level of its output, 7 (coarsest) … 1 (the photograph's size).
        model: a model of `train.network.pynet.build_pynet`, not compiled.
        gate_is_trained: whether the network has a gate that was trained to answer "is this pixel
            in focus?" (`TrainConfig.sharpness`). Otherwise the gate says nothing of the kind.
    """

    preset: str
    config: PyNETConfig
    level: int
    model: Any
    gate_is_trained: bool = False


def write_network(
    file: Path,
    model: Any,
    preset: str,
    config: PyNETConfig,
    level: int,
    gate_is_trained: bool = False,
) -> None:
    """Writes a network for inference, atomically.

    Args:
        file: must end in `.keras`; an existing file is replaced.
        model: of `build_pynet(config, level)`, compiled or not.
        preset: the name of the configuration.
        config: the configuration that the model was built from.
        level: the level of the model's output.
        gate_is_trained: as in `Network`.

    Raises:
        UserError: as `check_writable`.
        OSError: the disk is full.
    """
    check_writable(file)
    check_space(file.parent, model)
    description = asdict(_Description(FORMAT_VERSION, preset, level, config, gate_is_trained))
    beside = file.with_name(f".writing_{file.name}")
    try:
        model.save(beside)
        with zipfile.ZipFile(beside, "a") as archive:
            archive.writestr(_ENTRY, json.dumps(description, indent=2) + "\n")
        bring_to_disk(beside)
        beside.replace(file)
    finally:
        beside.unlink(missing_ok=True)


def check_writable(file: Path) -> None:
    """Checks that `write_network` can write to a file.

    Raises:
        UserError: the name does not end in `.keras`, or its folder does not exist.
    """
    if file.suffix != _ENDING:
        raise UserError(f"{file}: the name of a network file must end in {_ENDING}")
    if not file.parent.is_dir():
        raise UserError(f"{file.parent}: no such folder; create it or choose another")


def read_network(file: Path) -> Network:
    """Reads what `write_network` wrote.

    Raises:
        UserError: the file is missing or damaged, or a Keras model from elsewhere.
    """
    description = _read_description(file)
    try:
        model = keras.models.load_model(file, compile=False)
    except (ValueError, TypeError, KeyError, OSError) as error:
        reason = str(error).strip().partition("\n")[0]
        raise UserError(f"{file}: damaged ({reason}); write the file again") from error
    return Network(
        description.preset,
        description.network,
        description.level,
        model,
        description.gate_is_trained,
    )


def _read_description(file: Path) -> _Description:
    """Reads `pynet.json` after checking the checksum of every entry of the archive."""
    if not file.is_file():
        found = "a folder" if file.is_dir() else "no such file"
        raise UserError(f"{file}: {found}; expected a network's {_ENDING} file")
    try:
        with zipfile.ZipFile(file) as archive:
            names = archive.namelist()
            if _ENTRY in names and (broken := archive.testzip()):
                raise UserError(f"{file}: damaged (in {broken}); write the file again")
            entry = archive.read(_ENTRY) if _ENTRY in names else None
    except (zipfile.BadZipFile, zlib.error, EOFError, ValueError) as error:
        raise UserError(
            f"{file}: damaged or not a {_ENDING} file ({error}); write the file again"
        ) from error
    if entry is None:
        raise UserError(
            f"{file}: not written by this project (no {_ENTRY} inside); give the model.keras of a "
            "finished run or a file from python -m train.published_checkpoint"
        )
    try:
        return read_json(
            entry,
            _Description,
            version=("format_version", FORMAT_VERSION),
            upgrade=with_fourth_channel,
        )
    except ValueError as error:
        raise UserError(
            f"{file}: its {_ENTRY} is not of this version ({error}); write the file again"
        ) from error
