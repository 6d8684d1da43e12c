"""Finds a recipe's models for landscape and for portrait photographs."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from pocket_bokeh.bundle import Bundle
from pocket_bokeh.litert_model import LiteRTModel
from pocket_bokeh.photo import FourthChannel, Size
from pocket_bokeh.transposed_model import transposed


@dataclass(frozen=True)
class ShapedModel:
    """A bundle's model at one working size; a `pocket_bokeh.render.Renderer`.

    It is loaded when it first runs: most photographs need only one of two orientations, and a model
    takes 70 MB.

    Attributes:
        file: the .tflite file.
        working_size: height and width of the output.
        is_transposed: whether the file is for the other orientation and must be transposed.
        bytes: size of the file.
        fourth_channel: what the network sees beside the colours.
    """

    file: Path
    working_size: Size
    is_transposed: bool
    bytes: int
    fourth_channel: FourthChannel

    @property
    def output_size(self) -> Size:
        """Height and width of the output."""
        return self.working_size

    @property
    def input_size(self) -> Size:
        """Height and width of the input."""
        return self.working_size[0] // 2, self.working_size[1] // 2

    @property
    def input_channels(self) -> int:
        """3 for RGB, 4 for RGB and a depth or focus map."""
        return 3 if self.fourth_channel == "none" else 4

    def run(self, photo: np.ndarray, /) -> np.ndarray:
        """Renders a photograph; see `LiteRTModel.run`."""
        return self._loaded.run(photo)

    @cached_property
    def _loaded(self) -> LiteRTModel:
        return self.load()

    def load(self, threads: int = 2) -> LiteRTModel:
        """Loads the model, ready to run.

        Raises:
            UserError: as `LiteRTModel`.
        """
        source = transposed(self.file.read_bytes()) if self.is_transposed else self.file
        return LiteRTModel(source, threads, fourth_channel=self.fourth_channel)


def in_every_shape(bundle: Bundle, recipe: str) -> list[ShapedModel]:
    """A recipe's models at every working size of its bundle, transposed where one is missing.

    A bundle may have some recipes in landscape only. Portraits scaled to fit a landscape model
    would lose quality, and could not be compared with the other recipes.

    Raises:
        UserError: the bundle does not have the recipe.
    """
    by_size = {model.working_size: model for model in bundle.models_of(recipe)}
    shaped = []
    for size in dict.fromkeys(model.working_size for model in bundle.models):
        model = by_size.get(size) or by_size.get(size[::-1])
        if model is not None:
            file = bundle.folder / model.file
            is_transposed = size not in by_size
            shaped.append(
                ShapedModel(file, size, is_transposed, model.bytes, bundle.fourth_channel)
            )
    return shaped
