"""What can be judged: a network, the recipes of a bundle, another program's results, nothing done.

A candidate makes a picture of the part of a pair that a window names.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

import numpy as np
from keras import ops
from scipy.ndimage import gaussian_filter

from pocket_bokeh.bundle import read_bundle
from pocket_bokeh.errors import UserError
from pocket_bokeh.photo import (
    network_input,
    photo_size,
    read_photo,
    resize_photo,
    to_float,
    to_uint8,
)
from pocket_bokeh.render import Renderer, render_photo
from pocket_bokeh.transposed_model import in_every_shape
from train.data.pair_transforms import at_level
from train.data.pairs import SIZE_MULTIPLE, FolderPairs, Pair
from train.data.photo_folder import check_photos, photos_by_name
from train.loop.run_folder import finished_network, read_run
from train.network.network_file import Network, read_network

Window = tuple[slice, slice]
"""Rows and columns of a photograph."""

OUTPUT = "output"
"""The name of the candidate where there is only one."""


class Candidate(Protocol):
    """Makes pictures that are held against the target."""

    def picture(self, pair: Pair, window: Window, /) -> np.ndarray:
        """float32, RGB, sRGB-encoded, perhaps beyond 0…1; the window's height and width, or at a
        coarser level those divided by 2^(level-1)."""
        ...


@dataclass(frozen=True)
class Untouched:
    """The original photograph, reduced to a level's size as targets are."""

    level: int

    def picture(self, pair: Pair, window: Window, /) -> np.ndarray:
        return at_level(pair.original[window], self.level, "bicubic")


@dataclass(frozen=True)
class UniformBlur:
    """The whole photograph blurred by one Gaussian: what a network that finds no subject can do.

    `share` is the Gaussian's sigma over the photograph's short side.
    """

    share: float
    level: int

    def picture(self, pair: Pair, window: Window, /) -> np.ndarray:
        sigma = self.share * min(pair.original.shape[:2])
        blurred = gaussian_filter(to_float(pair.original), (sigma, sigma, 0))
        return at_level(to_uint8(blurred)[window], self.level, "bicubic")


@dataclass(frozen=True)
class NetworkOutput:
    """What a network makes of the window, seen as a whole."""

    network: Network

    def picture(self, pair: Pair, window: Window, /) -> np.ndarray:
        seen = pair.transform(lambda photo: photo[window])
        height, width = (side // 2 ** (self.network.level - 1) for side in seen.original.shape[:2])
        seen = seen.transform(_pad_to_multiple)
        batch = network_input(seen.original, seen.depth)[None]
        # Called rather than predict()ed: photographs of many shapes would each be traced anew.
        output = ops.convert_to_numpy(self.network.model(batch, training=False))[0]
        return output[:height, :width]


def _pad_to_multiple(photo: np.ndarray) -> np.ndarray:
    """Lengthened below and on the right by repeating the edge, where a side is no multiple."""
    borders = [(0, -side % SIZE_MULTIPLE) for side in photo.shape[:2]]
    return np.pad(photo, borders + [(0, 0)] * (photo.ndim - 2), mode="edge")


@dataclass(frozen=True)
class RecipeOutput:
    """What a user of a bundle gets: the whole photograph at its own size, with its own detail."""

    models: Sequence[Renderer]

    def picture(self, pair: Pair, window: Window, /) -> np.ndarray:
        return to_float(render_photo(pair.original, self.models, pair.depth)[window])


@dataclass(frozen=True)
class FolderOutput:
    """Another program's pictures, NAME.png or .jpg of each pair; scaled as the pair is."""

    folder: Path
    files: Mapping[str, Path]

    def picture(self, pair: Pair, window: Window, /) -> np.ndarray:
        picture = read_photo(self.files[pair.name])
        return to_float(resize_photo(picture, *pair.original.shape[:2])[window])

    def check(self, every: FolderPairs, chosen: FolderPairs) -> None:
        """Holds the folder against the pairs before anything is computed.

        Args:
            every: the pairs that pictures may be of.
            chosen: those that are judged, each of which needs a picture of its size.

        Raises:
            UserError: a picture is missing, belongs to no pair, has another size, or is damaged.
        """
        names = {files.name for files in every.files}
        wanted = {files.name: files.original for files in chosen.files}
        for found, what in (
            (
                sorted(wanted.keys() - self.files.keys()),
                f"no picture of this pair of {every.folder}",
            ),
            (sorted(self.files.keys() - names), f"a picture of no pair in {every.folder}"),
        ):
            if found:
                more = f" (and {len(found) - 1} more)" if len(found) > 1 else ""
                raise UserError(f"{self.folder}: {found[0]}{more}: {what}; add or remove it")
        for name, original in wanted.items():
            (height, width), other = photo_size(original), photo_size(self.files[name])
            if (height, width) != other:
                raise UserError(
                    f"{self.files[name]}: {other[1]}×{other[0]} pixels, but {original} has "
                    f"{width}×{height}; a result has the size of its pair"
                )
        check_photos(self.folder, [self.files[name] for name in wanted])


@dataclass(frozen=True)
class Judged:
    """Everything that one evaluation judges.

    Attributes:
        kind: what the path turned out to be.
        candidates: by the name of their row.
        level: whose output it is, 7 … 1 (the photograph's size).
        sees_depth: whether the pairs must carry their depth maps.
        data: the pairs that it was trained on, a folder or `built-in`, where that is known.
        short_side: of the photographs that it was trained on, where that is known.
    """

    kind: Literal["run", "model", "bundle", "folder"]
    candidates: Mapping[str, Candidate]
    level: int = 1
    sees_depth: bool = False
    data: str | None = None
    short_side: int | None = None


def open_judged(path: Path, recipe: str | None = None) -> Judged:
    """Finds out what a path is and makes it ready to be judged.

    Args:
        path: a run folder, a network's .keras file, a bundle or a folder of pictures.
        recipe: of a bundle; None judges all that it has.

    Raises:
        UserError: it is none of these, a broken one, or has no such recipe.
    """
    if not path.exists():
        raise UserError(
            f"{path}: not there; name a run, a network's .keras file, a bundle or a folder of "
            "results"
        )
    if (path / "bundle.json").is_file():
        return _bundle(path, recipe)
    if recipe is not None:
        raise UserError(f"{path}: not a bundle, and only a bundle has recipes; leave --recipe out")
    if (path / "config.json").is_file():
        return _run(path)
    if path.is_dir():
        return _folder(path)
    return _network(read_network(path))


def _network(network: Network) -> Judged:
    candidates = {OUTPUT: NetworkOutput(network)}
    return Judged("model", candidates, network.level, network.config.input_channels == 4)


def _run(folder: Path) -> Judged:
    run = read_run(folder)
    of_model = _network(finished_network(run))
    return Judged(
        "run",
        of_model.candidates,
        of_model.level,
        of_model.sees_depth,
        data=run.data,
        short_side=run.train.short_side,
    )


def _bundle(folder: Path, recipe: str | None) -> Judged:
    bundle = read_bundle(folder)
    candidates = {
        name: RecipeOutput([shaped.load() for shaped in in_every_shape(bundle, name)])
        for name in ([recipe] if recipe else bundle.recipes)
    }
    return Judged("bundle", candidates, sees_depth=bundle.sees_depth)


def _folder(folder: Path) -> Judged:
    files = photos_by_name(folder)
    if not files:
        raise UserError(
            f"{folder}: neither a run (config.json), a bundle (bundle.json) nor a folder of "
            "pictures (NAME.png or NAME.jpg)"
        )
    return Judged("folder", {OUTPUT: FolderOutput(folder, files)})
