"""A run folder: everything a training leaves behind, and everything needed to repeat it.

config.json            network, schedule, data with its fingerprint, options, package versions
data_files.json        size and SHA-256 of every file that it is trained on or judged by
history.csv            level, step, loss, PSNR, learning rate
metrics.json           validation per level, beside the untouched input
events.*               the same for TensorBoard
level_7/ … level_1/    pictures.png and the last two checkpoints
model.keras            level 1, for inference
"""

import dataclasses
import json
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import keras
from filelock import FileLock, Timeout

from pocket_bokeh.errors import UserError
from pocket_bokeh.photo import write_atomically
from train.data.data_files import (
    compare_files,
    describe_changes,
    describe_files,
    read_files,
    write_files,
)
from train.data.named_pairs import BUILT_IN, open_pairs
from train.data.pairs import PairSource, Split, check_decodable, fingerprint
from train.loop.devices import is_first_host
from train.network.network_file import Network, read_network
from train.network.presets import LevelSchedule, Precision, PyNETConfig, TrainConfig

_RECORDED_PACKAGES = ("grain", "keras", "numpy", "pillow")


@dataclass(frozen=True)
class Run:
    """A training and where it lives.

    Attributes:
        folder: the run folder.
        preset: the name of the network, for people.
        network: the network itself.
        train: crops, levels, steps.
        data: the folder of pairs, or `built-in`.
        seed: of the weights, the order of the pairs and the crops.
        limit: how many training pairs are taken at most.
        precision: what the network computes in while it trains.
        vgg_weights: the file of VGG-19, where a level's loss needs it.
    """

    folder: Path
    preset: str
    network: PyNETConfig
    train: TrainConfig
    data: str
    seed: int
    limit: int | None = None
    precision: Precision = "float32"
    vgg_weights: str | None = None

    @property
    def model_file(self) -> Path:
        """The finished network, level 1, for inference."""
        return self.folder / "model.keras"

    def level_folder(self, level: int) -> Path:
        return self.folder / f"level_{level}"

    def pairs(self, split: Split) -> PairSource:
        """The pairs that this run is trained (`train`), judged (`val`) or tested on.

        Raises:
            UserError: the folder of pairs is gone or broken.
        """
        depth = self.network.input_channels == 4
        return open_pairs(self.data, split, depth, self.limit if split == "train" else None)


def create_run(run: Run, options: Mapping[str, Any] | None = None) -> None:
    """Makes the folder and writes `config.json`.

    Args:
        run: what is to be trained.
        options: the command's flags, for people who read the file.

    Raises:
        UserError: the folder exists already, or photographs are damaged; they are named.
    """
    if run.folder.exists():
        raise UserError(_exists(run.folder))
    splits = _checked_splits(run)
    config = _to_json(run) | {"options": json.loads(json.dumps(options or {}, default=str))}
    run.folder.parent.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(prefix=f".{run.folder.name}.", dir=run.folder.parent) as beside:
        unfinished = Path(beside) / run.folder.name
        unfinished.mkdir()
        files = describe_files(splits)
        if files is not None:
            write_files(unfinished, files, [])
        write_atomically(unfinished / "config.json", json.dumps(config, indent=2) + "\n")
        unfinished.rename(run.folder)


def check_same_run(run: Run, accept_data_changes: bool = False) -> None:
    """Refuses to go on with a run that was started with another configuration or other data.

    Args:
        run: what is to be gone on with.
        accept_data_changes: go on although files of the data differ; they are said and noted.

    Raises:
        UserError: there is no run in the folder, or its fields or files differ; they are named.
            Or photographs are damaged.
    """
    # Read as a run first: what a run of an older version does not name has its default.
    stored = _flat(_read_json(run.folder) | _fields(read_run(run.folder)))
    asked = _flat(_to_json(run))
    differing = [
        f"{name} (was {stored.get(name)}, asked for {asked.get(name)})"
        for name in sorted(stored.keys() | asked.keys())
        if not name.startswith(("packages.", "options.")) and stored.get(name) != asked.get(name)
        if name != "data_fingerprint" or run.data == BUILT_IN
    ]
    if differing:
        more = f" and {len(differing) - 3} more" if len(differing) > 3 else ""
        raise UserError(
            f"{run.folder}: was started with other {', '.join(differing[:3])}{more}; "
            "resume with the same options or name another --out"
        )
    _check_same_data(run, stored["data_fingerprint"], accept_data_changes)


def _checked_splits(run: Run) -> dict[str, PairSource]:
    """The pairs of a run, all files decoded once."""
    splits: dict[str, PairSource] = {"train": run.pairs("train"), "val": run.pairs("val")}
    check_decodable(*splits.values())
    return splits


def _check_same_data(run: Run, old_fingerprint: Any, accept: bool) -> None:
    now = describe_files(_checked_splits(run))
    if now is None:
        return
    before, accepted = read_files(run.folder)
    if before is not None:
        changes = compare_files(before, now)
        found = describe_changes(changes)
    else:  # started by an older version, which noted names and sizes as one number
        same = old_fingerprint == _to_json(run)["data_fingerprint"]
        found = "" if same else "names or sizes of files, it was not noted which"
        changes = {} if same else {"changed": [found]}
    if changes and not accept:
        raise UserError(
            f"{run.folder}: its data changed since it started ({found}); put them back, or go on "
            "with --accept-data-changes"
        )
    if changes:
        print(f"{run.folder}: goes on with changed data ({found})", file=sys.stderr)
    if (changes or before is None) and is_first_host():
        write_files(run.folder, now, [*accepted, changes] if changes else accepted)


def read_run(folder: Path) -> Run:
    """Reads what `create_run` wrote.

    Raises:
        UserError: the folder is no run, or of another version of this project.
    """
    stored = _read_json(folder)
    try:
        schedules = tuple(_schedule(entry, folder) for entry in stored["train"].pop("schedules"))
        network = stored["network"]
        network["normalized_levels"] = tuple(network["normalized_levels"])
        plain = ("preset", "data", "seed", "limit", "precision", "vgg_weights")
        return Run(
            folder=folder,
            network=PyNETConfig(**network),
            train=TrainConfig(schedules=schedules, **stored["train"]),
            **{name: stored[name] for name in plain if name in stored},
        )
    except (KeyError, TypeError) as error:
        raise UserError(f"{folder}/config.json: not a run of this version ({error})") from error


@contextmanager
def held(run: Run) -> Iterator[None]:
    """Keeps other processes from training the run, until this one is done or dead.

    Raises:
        UserError: another is at it.
    """
    try:
        with FileLock(run.folder / ".lock", timeout=0):
            yield
    except Timeout:
        raise UserError(
            f"{run.folder}: another process is training this run; wait for it, or name another "
            "--out"
        ) from None


def finished_network(run: Run) -> Network:
    """The network of a run that came to its end.

    Raises:
        UserError: it has not yet, or its file is damaged.
    """
    if not run.model_file.is_file():
        raise UserError(
            f"{run.folder}: no {run.model_file.name}, the training has not finished; go on with "
            "--resume"
        )
    return read_network(run.model_file)


def _schedule(entry: dict[str, Any], folder: Path) -> LevelSchedule:
    """A level's schedule; older versions named an optimizer, too."""
    optimizer = entry.pop("optimizer", "adam")
    if optimizer != "adam":
        raise UserError(
            f"{folder}: trained with {optimizer}, which this version does not have; start it anew"
        )
    return LevelSchedule(**entry)


def _fields(run: Run) -> dict[str, Any]:
    fields = dataclasses.asdict(run)
    del fields["folder"]
    # Through JSON once, so that what is compared later (tuples, for one) is what was stored.
    return json.loads(json.dumps(fields))


def _to_json(run: Run) -> dict[str, Any]:
    fields = _fields(run)
    fields["data_fingerprint"] = [fingerprint(run.pairs(split)) for split in ("train", "val")]
    fields["packages"] = {name: version(name) for name in _RECORDED_PACKAGES}
    fields["packages"]["backend"] = keras.backend.backend()
    return fields


def _flat(value: Any, name: str = "") -> dict[str, Any]:
    """Nested dictionaries and lists by dotted name; a level's schedule by its level."""
    if isinstance(value, dict):
        items = list(value.items())
    elif isinstance(value, list) and value and isinstance(value[0], dict):
        items = [(f"level_{entry.get('level')}", entry) for entry in value]
    else:
        return {name: value}
    flat: dict[str, Any] = {}
    for key, entry in items:
        flat |= _flat(entry, f"{name}.{key}" if name else str(key))
    return flat


def _read_json(folder: Path) -> dict[str, Any]:
    file = folder / "config.json"
    if not file.is_file():
        raise UserError(f"{folder}: not a run folder (no config.json); name one that is")
    try:
        return json.loads(file.read_text())
    except ValueError as error:
        raise UserError(f"{file}: damaged ({error}); start the run anew") from error


def _exists(folder: Path) -> str:
    if (folder / "config.json").is_file():
        return f"{folder}: a run already; continue it with --resume or name another --out"
    return f"{folder}: exists and is not a run; name another --out"
