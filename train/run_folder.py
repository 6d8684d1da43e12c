"""A run folder: everything a training leaves behind, and everything needed to repeat it.

config.json            network, schedule, data with its fingerprint, package versions
history.csv            level, step, loss
metrics.json           validation per level, beside the untouched input
events.*               the same for TensorBoard
level_7/ … level_1/    pictures.png and the last two checkpoints
model.keras            level 1, for inference
"""

import dataclasses
import json
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from train.errors import UserError
from train.pairs import PairSource, Split, find_pairs, fingerprint
from train.photo import write_atomically
from train.presets import LevelSchedule, PyNETConfig, TrainConfig
from train.synthetic import SyntheticPairs

BUILT_IN = "built-in"
"""What `data` says of a run that is trained on the built-in pairs."""

_BUILT_IN_SPLITS: dict[Split, SyntheticPairs] = {
    "train": SyntheticPairs(count=240, seed=1),
    "val": SyntheticPairs(count=16, seed=2),
    "test": SyntheticPairs(count=16, seed=3),
}

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
    """

    folder: Path
    preset: str
    network: PyNETConfig
    train: TrainConfig
    data: str
    seed: int

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
        return open_pairs(self.data, split)


def open_pairs(data: str, split: Split) -> PairSource:
    """One split of a folder of pairs, or of the built-in pairs.

    Raises:
        UserError: the folder has no pairs or broken ones.
    """
    return _BUILT_IN_SPLITS[split] if data == BUILT_IN else find_pairs(Path(data), split)


def create_run(run: Run) -> None:
    """Makes the folder and writes `config.json`.

    Raises:
        UserError: the folder exists already.
    """
    if run.folder.exists():
        raise UserError(_exists(run.folder))
    config = _to_json(run)
    run.folder.mkdir(parents=True)
    write_atomically(run.folder / "config.json", json.dumps(config, indent=2) + "\n")


def check_same_run(run: Run) -> None:
    """Refuses to go on with a run that was started with another configuration.

    Raises:
        UserError: there is no run in the folder, or its fields differ; they are named.
    """
    stored, asked = _read_json(run.folder), _to_json(run)
    differing = [
        field for field in asked if field != "packages" and stored.get(field) != asked[field]
    ]
    if differing:
        raise UserError(
            f"{run.folder}: was started with other {', '.join(differing)}; "
            "resume with the same options or name another --out"
        )


def read_run(folder: Path) -> Run:
    """Reads what `create_run` wrote.

    Raises:
        UserError: the folder is no run, or of another version of this project.
    """
    stored = _read_json(folder)
    try:
        schedules = tuple(LevelSchedule(**entry) for entry in stored["train"].pop("schedules"))
        network = stored["network"]
        network["normalized_levels"] = tuple(network["normalized_levels"])
        return Run(
            folder=folder,
            preset=stored["preset"],
            network=PyNETConfig(**network),
            train=TrainConfig(schedules=schedules, **stored["train"]),
            data=stored["data"],
            seed=stored["seed"],
        )
    except (KeyError, TypeError) as error:
        raise UserError(f"{folder}/config.json: not a run of this version ({error})") from error


def _to_json(run: Run) -> dict[str, Any]:
    fields = dataclasses.asdict(run)
    del fields["folder"]
    fields["data_fingerprint"] = [fingerprint(run.pairs(split)) for split in ("train", "val")]
    fields["packages"] = {name: version(name) for name in _RECORDED_PACKAGES}
    # Through JSON once, so that what is compared later (tuples, for one) is what was stored.
    return json.loads(json.dumps(fields))


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
