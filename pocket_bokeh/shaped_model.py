"""Finds a recipe's models for landscape and for portrait photographs."""

from collections.abc import Callable
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
    """A bundle's model at one working size.

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

    def load(self, threads: int = 2) -> LiteRTModel:
        """Loads the model, ready to run.

        Raises:
            UserError: as `LiteRTModel`.
        """
        source = transposed(self.file.read_bytes()) if self.is_transposed else self.file
        return LiteRTModel(source, threads, fourth_channel=self.fourth_channel)

    def when_run(self) -> "LoadedWhenRun":
        """The model, which is loaded when it first runs."""
        return LoadedWhenRun(self.load, self.working_size, self.fourth_channel)


class LoadedWhenRun:
    """A model that is loaded when it first runs; a `pocket_bokeh.render.Renderer`.

    Most photographs need only one of two orientations, and a loaded model takes 70 MB.

    Attributes:
        input_size, input_channels, fourth_channel, output_size: as those of `LiteRTModel`.
    """

    def __init__(
        self, load: Callable[[], LiteRTModel], output_size: Size, fourth_channel: FourthChannel
    ):
        """Takes what is known of the model before it is loaded, and how to load it."""
        self._load = load
        height, width = self.output_size = output_size
        self.input_size: Size = (height // 2, width // 2)
        self.fourth_channel: FourthChannel = fourth_channel
        self.input_channels = 3 if fourth_channel == "none" else 4

    def run(self, photo: np.ndarray, /) -> np.ndarray:
        """Renders a photograph; see `LiteRTModel.run`."""
        return self._model.run(photo)

    @cached_property
    def _model(self) -> LiteRTModel:
        return self._load()


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
