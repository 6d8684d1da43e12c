"""The input of an export: a trained network and its pairs."""

import dataclasses
from dataclasses import dataclass
from pathlib import Path

from pocket_bokeh.errors import UserError
from train.data.data_folders import BUILT_IN, Data
from train.data.named_pairs import open_pairs
from train.data.pairs import PairSource, Split, check_decodable
from train.loop.run_folder import finished_network, read_run
from train.network.network_file import Network, read_network
from train.network.presets import SCHEDULES, TrainConfig
from train.network.pynet import build_pynet, copy_weights


@dataclass(frozen=True)
class TrainedNetwork:
    """A network of level 1 with the pairs for fine-tuning and evaluation.

    Attributes:
        name: name of the run or file.
        network: the trained network. If it has a trained gate, its output has a fourth channel
            with predicted sharpness, as its exported models have.
        data: the folders of pairs as `--data` takes them, or `built-in`.
        train: how to crop the pairs for fine-tuning.
        seed: for the order of the pairs and the crops.
        limit: maximum number of training pairs.
    """

    name: str
    network: Network
    data: Data = (BUILT_IN,)
    train: TrainConfig = SCHEDULES["quick"]
    seed: int = 0
    limit: int | None = None

    def pairs(self, split: Split) -> PairSource:
        """One split of the pairs, with what the network needs beside the colours.

        Raises:
            UserError: the folder of pairs is missing or damaged, or has no depth maps.
        """
        return open_pairs(
            self.data,
            split,
            depth=self.network.config.sees_depth,
            limit=self.limit if split == "train" else None,
            subjects=self.network.config.sees_focus,
        )

    def splits(self) -> dict[str, PairSource]:
        """The training and validation pairs."""
        return {"train": self.pairs("train"), "val": self.pairs("val")}


def run_name(path: Path) -> str:
    """The name of a run folder or network file."""
    resolved = path.resolve()
    return resolved.stem if resolved.is_file() else resolved.name


def open_trained_network(path: Path, data: Data = ()) -> TrainedNetwork:
    """Opens a run folder or network file and makes the checks that take only seconds.

    Args:
        path: a run folder, or a `.keras` file of `train.network.network_file`.
        data: folders of pairs or `built-in`; empty means the run's own pairs, for a file the
            built-in ones.

    Raises:
        UserError: it is neither, the training has not finished, the network is not of level 1, or
            its pairs are missing or damaged.
    """
    if path.is_dir():
        trained = _from_run(path)
    else:
        trained = TrainedNetwork(run_name(path), read_network(path))
    if data:
        trained = dataclasses.replace(trained, data=data, limit=None)
    if trained.network.level != 1:
        raise UserError(
            f"{path}: a network cut at level {trained.network.level}; only networks of level 1, "
            "with output of the photograph's size, can be exported"
        )
    check_decodable(*trained.splits().values())
    return dataclasses.replace(trained, network=with_sharpness(trained.network))


def with_sharpness(network: Network) -> Network:
    """Adds predicted sharpness to a network of level 1, if it has a trained gate."""
    if not network.gate_is_trained:
        return network
    model = build_pynet(network.config, sharpness=True)
    copy_weights(network.model, model)
    return dataclasses.replace(network, model=model)


def _from_run(folder: Path) -> TrainedNetwork:
    run = read_run(folder)
    network = finished_network(run)
    return TrainedNetwork(run_name(folder), network, run.data, run.train, run.seed, run.limit)
