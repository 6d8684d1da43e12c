"""What an evaluation can compare: a network, a bundle's recipes, or another program's results.

Each candidate renders a given window of a pair's photograph.
"""

import dataclasses
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
    photo_size,
    read_photo,
    resize_photo,
    to_float,
    to_uint8,
)
from pocket_bokeh.render import Renderer, render_photo
from pocket_bokeh.shaped_model import in_every_shape
from train.data.data_folders import Data
from train.data.focus_points import needed_points, pair_input
from train.data.pair_transforms import at_level
from train.data.pairs import SIZE_MULTIPLE, FolderPairs, Pair
from train.data.photo_folder import check_photos, photos_by_name
from train.loop.run_folder import finished_network, read_run
from train.network.network_file import Network, read_network

Window = tuple[slice, slice]
"""Rows and columns of a photograph."""

OUTPUT = "output"
"""The name of the candidate if there is only one."""


class Candidate(Protocol):
    """Renders pictures that are compared with the target."""

    def picture(self, pair: Pair, window: Window, /) -> np.ndarray:
        """Renders a window of a pair's photograph; told where to focus if the pair needs it.

        Returns:
            float32, RGB, sRGB-encoded, not clipped to 0…1; height and width of the window, divided
            by 2^(level-1) at coarser levels.
        """
        ...


@dataclass(frozen=True)
class Untouched:
    """The original photograph, reduced to a level's size in the same way as the target."""

    level: int

    def picture(self, pair: Pair, window: Window, /) -> np.ndarray:
        return at_level(pair.original[window], self.level, "bicubic")


@dataclass(frozen=True)
class UniformBlur:
    """The whole photograph blurred by one Gaussian, a baseline that knows no subject.

    `share` is the Gaussian's sigma relative to the photograph's short side.
    """

    share: float
    level: int

    def picture(self, pair: Pair, window: Window, /) -> np.ndarray:
        sigma = self.share * min(pair.original.shape[:2])
        blurred = gaussian_filter(to_float(pair.original), (sigma, sigma, 0))
        return at_level(to_uint8(blurred)[window], self.level, "bicubic")


@dataclass(frozen=True)
class NetworkOutput:
    """The output of a network that gets the window as its input."""

    network: Network

    def picture(self, pair: Pair, window: Window, /) -> np.ndarray:
        seen = pair.transform(lambda photo: photo[window])
        height, width = (side // 2 ** (self.network.level - 1) for side in seen.original.shape[:2])
        seen = seen.transform(_pad_to_multiple)
        batch = pair_input(seen, self.network.config.sees_focus)[None]
        # Not `predict`, which would trace a graph for every shape of photograph.
        output = ops.convert_to_numpy(self.network.model(batch, training=False))[0]
        return output[:height, :width]


def _pad_to_multiple(photo: np.ndarray) -> np.ndarray:
    """Pads below and on the right to multiples of 64 pixels by repeating the edge."""
    borders = [(0, -side % SIZE_MULTIPLE) for side in photo.shape[:2]]
    return np.pad(photo, borders + [(0, 0)] * (photo.ndim - 2), mode="edge")


@dataclass(frozen=True)
class RecipeOutput:
    """What users of a bundle get: the whole photograph at its own size, after detail transfer."""

    models: Sequence[Renderer]

    def picture(self, pair: Pair, window: Window, /) -> np.ndarray:
        focus = needed_points(pair) if self.models[0].fourth_channel == "focus" else ()
        picture = render_photo(pair.original, self.models, pair.depth, focus=focus)
        return to_float(picture[window])


@dataclass(frozen=True)
class TappedOutput:
    """The output of a candidate that is told where to focus: at the subject's innermost point."""

    candidate: Candidate

    def picture(self, pair: Pair, window: Window, /) -> np.ndarray:
        return self.candidate.picture(dataclasses.replace(pair, needs_focus=True), window)


@dataclass(frozen=True)
class FolderOutput:
    """Another program's results, NAME.png or NAME.jpg for each pair; scaled like the pair."""

    folder: Path
    files: Mapping[str, Path]

    def picture(self, pair: Pair, window: Window, /) -> np.ndarray:
        picture = read_photo(self.files[pair.name])
        return to_float(resize_photo(picture, *pair.original.shape[:2])[window])

    def check(self, every: FolderPairs, chosen: FolderPairs) -> None:
        """Checks the folder against the pairs before anything is computed.

        Args:
            every: all pairs that the folder may have pictures of.
            chosen: the pairs to evaluate; each needs a picture of its size.

        Raises:
            UserError: a picture is missing, belongs to no pair, has another size, or is damaged.
        """
        names = {files.name for files in every.files}
        wanted = {files.name: files.original for files in chosen.files}
        for found, what in (
            (
                sorted(wanted.keys() - self.files.keys()),
                f"no picture for this pair of {every.folder}",
            ),
            (sorted(self.files.keys() - names), f"no pair of this name in {every.folder}"),
        ):
            if found:
                more = f" (and {len(found) - 1} more)" if len(found) > 1 else ""
                raise UserError(f"{self.folder}: {found[0]}{more}: {what}; add or remove it")
        for name, original in wanted.items():
            (height, width), other = photo_size(original), photo_size(self.files[name])
            if (height, width) != other:
                raise UserError(
                    f"{self.files[name]}: {other[1]}×{other[0]} pixels, but {original} has "
                    f"{width}×{height}; a result must have the size of its pair"
                )
        check_photos(self.folder, [self.files[name] for name in wanted])


@dataclass(frozen=True)
class CandidateSet:
    """The candidates found at a path, and what is known about them.

    Attributes:
        kind: what the path is.
        candidates: by the name of their row in the table.
        level: the level of their output, 7 … 1 (the photograph's size).
        sees_depth: whether the pairs must carry depth maps.
        sees_focus: whether the candidates can be told where to focus.
        data: the training pairs as `--data` takes them; empty if unknown.
        short_side: of the training photographs, in pixels; None if unknown.
    """

    kind: Literal["run", "model", "bundle", "folder"]
    candidates: Mapping[str, Candidate]
    level: int = 1
    sees_depth: bool = False
    sees_focus: bool = False
    data: Data = ()
    short_side: int | None = None


def open_candidates(path: Path, recipe: str | None = None) -> CandidateSet:
    """Opens the candidates at a path.

    Args:
        path: a run folder, a network's .keras file, a bundle or a folder of pictures.
        recipe: of a bundle; None takes all of its recipes.

    Raises:
        UserError: the path is none of these, is broken, or has no such recipe.
    """
    if not path.exists():
        raise UserError(
            f"{path}: not found; expected a run, a network's .keras file, a bundle or a folder of "
            "results"
        )
    if (path / "bundle.json").is_file():
        return _bundle(path, recipe)
    if recipe is not None:
        raise UserError(f"{path}: --recipe is for bundles, and this is not a bundle; remove it")
    if (path / "config.json").is_file():
        return _run(path)
    if path.is_dir():
        return _folder(path)
    return _network(read_network(path))


def _network(network: Network) -> CandidateSet:
    candidates = {OUTPUT: NetworkOutput(network)}
    config = network.config
    return CandidateSet("model", candidates, network.level, config.sees_depth, config.sees_focus)


def _run(folder: Path) -> CandidateSet:
    run = read_run(folder)
    of_model = _network(finished_network(run))
    return CandidateSet(
        "run",
        of_model.candidates,
        of_model.level,
        of_model.sees_depth,
        of_model.sees_focus,
        data=run.data,
        short_side=run.train.short_side,
    )


def _bundle(folder: Path, recipe: str | None) -> CandidateSet:
    bundle = read_bundle(folder)
    candidates = {
        name: RecipeOutput([shaped.load() for shaped in in_every_shape(bundle, name)])
        for name in ([recipe] if recipe else bundle.recipes)
    }
    return CandidateSet(
        "bundle", candidates, sees_depth=bundle.sees_depth, sees_focus=bundle.sees_focus
    )


def _folder(folder: Path) -> CandidateSet:
    files = photos_by_name(folder)
    if not files:
        raise UserError(
            f"{folder}: neither a run (config.json), a bundle (bundle.json) nor a folder of "
            "pictures (NAME.png or NAME.jpg)"
        )
    return CandidateSet("folder", {OUTPUT: FolderOutput(folder, files)})
