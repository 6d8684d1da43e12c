"""What is exported: a trained network, and the pairs it is fine-tuned on and judged by."""

import dataclasses
from dataclasses import dataclass
from pathlib import Path

from pocket_bokeh.errors import UserError
from train.data.named_pairs import BUILT_IN, open_pairs
from train.data.pairs import PairSource, Split, check_decodable
from train.loop.run_folder import finished_network, read_run
from train.network.network_file import Network, read_network
from train.network.presets import SCHEDULES, TrainConfig


@dataclass(frozen=True)
class Source:
    """A network of level 1 and its pairs.

    Attributes:
        name: of the run or the file.
        network: the trained network.
        data: the folder of pairs, or `built-in`.
        train: how pairs become crops, should the network be fine-tuned.
        seed: of the order of the pairs and the crops.
        limit: how many training pairs are taken at most.
    """

    name: str
    network: Network
    data: str = BUILT_IN
    train: TrainConfig = SCHEDULES["quick"]
    seed: int = 0
    limit: int | None = None

    def pairs(self, split: Split) -> PairSource:
        """One split of the pairs, with their depth maps where the network sees them.

        Raises:
            UserError: the folder of pairs is gone or broken, or has no depth maps.
        """
        depth = self.network.config.input_channels == 4
        return open_pairs(self.data, split, depth, self.limit if split == "train" else None)

    def splits(self) -> dict[str, PairSource]:
        """The pairs that the network is fine-tuned on, and those that it is judged by."""
        return {"train": self.pairs("train"), "val": self.pairs("val")}


def source_name(path: Path) -> str:
    """What a run folder or a network's file is called."""
    resolved = path.resolve()
    return resolved.stem if resolved.is_file() else resolved.name


def open_source(path: Path, data: str | None) -> Source:
    """A run folder or a network's file, checked as far as seconds allow.

    Args:
        path: what a training made, or a `.keras` file of `train.network.network_file`.
        data: a folder of pairs or `built-in`; None takes the run's own, for a file the built-in.

    Raises:
        UserError: it is neither, the training has not come to its end, the network gives another
            level than 1, or its pairs are not there or damaged.
    """
    source = _from_run(path) if path.is_dir() else Source(source_name(path), read_network(path))
    if data is not None:
        source = dataclasses.replace(source, data=data, limit=None)
    if source.network.level != 1:
        raise UserError(
            f"{path}: a network cut at level {source.network.level}; a bundle is made of level 1, "
            "which gives pictures of the photograph's size"
        )
    check_decodable(*source.splits().values())
    return source


def _from_run(folder: Path) -> Source:
    run = read_run(folder)
    network = finished_network(run)
    return Source(source_name(folder), network, run.data, run.train, run.seed, run.limit)
