"""A run folder: the results of a training and everything needed to repeat or resume it.

config.json            network, schedule, data and its fingerprint, options, package versions
data_files.json        size and SHA-256 of every training and validation file
history.csv            level, step, loss, PSNR, learning rate
precision.json         the precision of each level, with `--precision auto`
metrics.json           validation of each level, and of the untouched input
events.*               the same for TensorBoard
level_7/ … level_1/    pictures.png and the last two checkpoints
start.keras            the network that the training started from, with `--start-from`
model.keras            level 1, for inference
"""

import json
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, fields, replace
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import keras
from filelock import FileLock, Timeout

from pocket_bokeh.errors import UserError
from pocket_bokeh.photo import write_atomically
from pocket_bokeh.strict_json import read_json
from train.data.data_files import (
    compare_files,
    describe_changes,
    describe_files,
    read_files,
    write_files,
)
from train.data.data_folders import BUILT_IN, Data
from train.data.named_pairs import open_pairs
from train.data.pairs import PairSource, Split, check_decodable, fingerprint
from train.loop.devices import is_first_host
from train.network.bundled_network import read_bundled_network
from train.network.network_file import Network, read_network, write_network
from train.network.presets import PrecisionChoice, PyNETConfig, TrainConfig, with_fourth_channel

_RECORDED_PACKAGES = ("grain", "keras", "numpy", "pillow")


@dataclass(frozen=True)
class Run:
    """The configuration of a training.

    Attributes:
        folder: the run folder.
        preset: the name of the network, for messages.
        network: the architecture.
        train: crops, levels, steps.
        data: the folders of pairs as `--data` takes them, or `built-in`.
        seed: of the initial weights, the order of the pairs and the crops.
        limit: the most training pairs to use; None uses all.
        precision: the data type that the network computes in during training; `auto` chooses one
            for each level.
        vgg_weights: the file with VGG-19's weights, if a level's loss needs it.
        start_from: the bundle or network file that the first level starts from; None starts from
            random weights.
    """

    folder: Path
    preset: str
    network: PyNETConfig
    train: TrainConfig
    data: Data
    seed: int
    limit: int | None = None
    precision: PrecisionChoice = "float32"
    vgg_weights: str | None = None
    start_from: str | None = None

    @property
    def start_file(self) -> Path:
        """A copy of the network in `start_from`, which may have changed since."""
        return self.folder / "start.keras"

    @property
    def model_file(self) -> Path:
        """The trained network, cut at level 1, for inference."""
        return self.folder / "model.keras"

    @property
    def trains_gate(self) -> bool:
        """Whether the network has a gate and is trained to tell what is in focus."""
        return self.network.has_gate and self.train.asks_sharpness(level=2)

    def level_folder(self, level: int) -> Path:
        return self.folder / f"level_{level}"

    def pairs(self, split: Split) -> PairSource:
        """The pairs for training (`train`), validation (`val`) or testing (`test`).

        Raises:
            UserError: the folder of pairs is missing or broken.
        """
        return open_pairs(
            self.data,
            split,
            depth=self.network.sees_depth,
            limit=self.limit if split == "train" else None,
            subjects=self.network.sees_focus,
        )


@dataclass(frozen=True)
class _Record(Run):
    """The contents of `config.json`, which leaves out the folder.

    Attributes:
        data_fingerprint: of the training and the validation pairs.
        packages: versions of packages, and Keras's backend.
        options: the command's options, for people who read the file.
    """

    data_fingerprint: Any = None
    packages: Mapping[str, str] = field(default_factory=dict)
    options: Mapping[str, Any] = field(default_factory=dict)


def create_run(run: Run, options: Mapping[str, Any] | None = None) -> None:
    """Creates the run folder with `config.json` and `data_files.json`.

    Args:
        run: the configuration.
        options: the command's options, recorded for people who read the file.

    Raises:
        UserError: the folder already exists, photographs are damaged (they are named), or the
            training cannot start from `run.start_from`.
    """
    if run.folder.exists():
        raise UserError(_folder_exists(run.folder))
    start = _start_network(run)
    splits = _checked_splits(run)
    config = asdict(_record(run, options))
    del config["folder"]
    run.folder.parent.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(prefix=f".{run.folder.name}.", dir=run.folder.parent) as beside:
        unfinished = Path(beside) / run.folder.name
        unfinished.mkdir()
        files = describe_files(splits)
        if files is not None:
            write_files(unfinished, files, [])
        if start:
            file = unfinished / run.start_file.name
            write_network(
                file, start.model, start.preset, start.config, start.level, start.gate_is_trained
            )
        content = json.dumps(config, indent=2, default=str)
        write_atomically(unfinished / "config.json", content + "\n")
        unfinished.rename(run.folder)


def check_same_run(run: Run, accept_data_changes: bool = False) -> None:
    """Checks that a run can be resumed with this configuration and this data.

    Args:
        run: the configuration to resume with.
        accept_data_changes: resume although data files differ; prints and records the changes.

    Raises:
        UserError: the folder is not a run, settings or data files differ, or photographs are
            damaged; they are named.
    """
    before, now = _read_record(run.folder), _record(run)
    stored, asked = _flat(asdict(before)), _flat(asdict(now))
    differing = [
        f"{name} (was {stored.get(name)}, asked for {asked.get(name)})"
        for name in sorted(stored.keys() | asked.keys())
        if not name.startswith(("packages.", "options.")) and stored.get(name) != asked.get(name)
        if name != "data_fingerprint" or run.data == (BUILT_IN,)
    ]
    if differing:
        more = f" and {len(differing) - 3} more" if len(differing) > 3 else ""
        raise UserError(
            f"{run.folder}: started with other settings: {', '.join(differing[:3])}{more}; "
            "resume with the same options, choose another --out, or remove the folder to start anew"
        )
    same_names = before.data_fingerprint == now.data_fingerprint
    _check_same_data(run, same_names, accept_data_changes)


def _start_network(run: Run) -> Network | None:
    """The network that a run starts from, if it does not start from random weights."""
    if run.start_from is None:
        return None
    path = Path(run.start_from)
    start = read_bundled_network(path) if path.is_dir() else read_network(path)
    if start.config != run.network:
        raise UserError(
            f"--start-from {path}: a network of preset {start.preset} with fourth channel "
            f"{start.config.fourth_channel}, but the training is for preset {run.preset} with "
            f"{run.network.fourth_channel}; use the same --preset and --fourth-channel"
        )
    return start


def _checked_splits(run: Run) -> dict[str, PairSource]:
    """The training and validation pairs of a run, after checking that all files decode."""
    splits: dict[str, PairSource] = {"train": run.pairs("train"), "val": run.pairs("val")}
    check_decodable(*splits.values())
    return splits


def _check_same_data(run: Run, same_names: bool, accept: bool) -> None:
    now = describe_files(_checked_splits(run))
    if now is None:
        return
    before, accepted = read_files(run.folder)
    if before is not None:
        changes = compare_files(before, now)
        found = describe_changes(changes)
    else:  # started by an older version, which recorded only a hash of names and sizes
        found = "" if same_names else "names or sizes of files; the run did not record which"
        changes = {} if same_names else {"changed": [found]}
    if changes and not accept:
        raise UserError(
            f"{run.folder}: the data changed since the run started ({found}); restore the files, "
            "or continue with --accept-data-changes"
        )
    if changes:
        print(f"{run.folder}: continues with changed data ({found})", file=sys.stderr)
    if (changes or before is None) and is_first_host():
        write_files(run.folder, now, [*accepted, changes] if changes else accepted)


def read_run(folder: Path) -> Run:
    """Reads the configuration that `create_run` wrote.

    Raises:
        UserError: the folder is not a run, or of another version of this project.
    """
    record = _read_record(folder)
    return Run(**{one.name: getattr(record, one.name) for one in fields(Run)})


@contextmanager
def lock_run(run: Run) -> Iterator[None]:
    """Keeps other processes from training the run until this one leaves the block or ends.

    Raises:
        UserError: another process is training the run.
    """
    try:
        with FileLock(run.folder / ".lock", timeout=0):
            yield
    except Timeout:
        raise UserError(
            f"{run.folder}: another process is training this run; wait for it, or choose another "
            "--out"
        ) from None


def finished_network(run: Run) -> Network:
    """The network of a finished run.

    Raises:
        UserError: the training has not finished, or the file is damaged.
    """
    if not run.model_file.is_file():
        raise UserError(
            f"{run.folder}: no {run.model_file.name}, so the training has not finished; continue "
            "it with --resume"
        )
    # Files of older runs do not say whether their gate is trained.
    return replace(read_network(run.model_file), gate_is_trained=run.trains_gate)


def _record(run: Run, options: Mapping[str, Any] | None = None) -> _Record:
    fingerprints = [fingerprint(run.pairs(split)) for split in ("train", "val")]
    packages = {name: version(name) for name in _RECORDED_PACKAGES}
    packages["backend"] = keras.backend.backend()
    return _Record(
        **vars(run), data_fingerprint=fingerprints, packages=packages, options=options or {}
    )


def _flat(value: Any, name: str = "") -> dict[str, Any]:
    """Flattens nested dictionaries and tuples to dotted names such as `train.level_7.steps`."""
    if isinstance(value, dict):
        items = list(value.items())
    elif isinstance(value, tuple) and value and isinstance(value[0], dict):
        items = [(f"level_{entry.get('level')}", entry) for entry in value]
    else:
        return {name: value}
    flat: dict[str, Any] = {}
    for key, entry in items:
        flat |= _flat(entry, f"{name}.{key}" if name else str(key))
    return flat


def _read_record(folder: Path) -> _Record:
    """Reads `config.json`; settings that an older version did not have get their defaults."""
    file = folder / "config.json"
    if not file.is_file():
        raise UserError(f"{folder}: not a run folder (it has no config.json)")
    try:
        # Older versions had a choice of optimizers, and a loss after detail transfer.
        return read_json(
            file.read_bytes(),
            _Record,
            obsolete={"optimizer": "adam", "detail_transfer": False},
            upgrade=_of_this_version,
            folder=folder,
        )
    except ValueError as error:
        raise UserError(
            f"{file}: damaged, or not a run of this version ({error}); start a new run"
        ) from error


def _of_this_version(stored: dict[str, Any]) -> dict[str, Any]:
    """What an older version stored, as this version stores it.

    Older versions had one folder of data, as a string, and the number of the network's channels.
    """
    data = stored.get("data")
    several = {"data": [data]} if isinstance(data, str) else {}
    return with_fourth_channel(stored | several)


def _folder_exists(folder: Path) -> str:
    if (folder / "config.json").is_file():
        return f"{folder}: already a run; continue it with --resume or choose another --out"
    return f"{folder}: exists but is not a run; choose another --out"
