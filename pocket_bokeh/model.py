"""A network in one number format, loaded and ready to render photographs."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pocket_bokeh.bundle import SHIPPED_BUNDLE, read_bundle
from pocket_bokeh.focus_map import Point
from pocket_bokeh.render import Renderer, render_photo
from pocket_bokeh.shaped_model import in_every_shape

SHIPPED_RECIPE = "int8_qat"
"""The recipe with 8-bit integers, fine-tuned: the smallest model and on most CPUs the fastest."""


@dataclass(frozen=True)
class Model:
    """A model that renders photographs of any size.

        model = pocket_bokeh.load()
        picture = model.render(photo, strength=0.7)

    Attributes:
        recipe: name of the recipe that made it, which stands for its number format.
        renderers: the network at each of its working sizes.
    """

    recipe: str
    renderers: Sequence[Renderer]

    @property
    def sees_depth(self) -> bool:
        """Whether `render` needs a depth map."""
        return self.renderers[0].fourth_channel == "depth"

    @property
    def sees_focus(self) -> bool:
        """Whether `render` can be told where to focus."""
        return self.renderers[0].fourth_channel == "focus"

    def render(
        self,
        photo: np.ndarray,
        depth: np.ndarray | None = None,
        strength: float = 1.0,
        focus: Point | Sequence[Point] = (),
    ) -> np.ndarray:
        """Blurs the background of a photograph.

            photo = pocket_bokeh.read_photo("photo.jpg")
            picture = model.render(photo)
            lighter = model.render(photo, strength=0.5)
            her = model.render(photo, focus=(0.4, 0.3))
            both = model.render(photo, focus=[(0.4, 0.3), (0.7, 0.25)])

        Args:
            photo: height × width × 3, uint8, RGB, sRGB-encoded, upright, of any size.
            depth: height × width, uint8, only for a network that takes a depth map (`sees_depth`).
            strength: strength of the blur, 0…1; 0 leaves the photograph unchanged.
            focus: what to keep sharp, only for a network that takes a focus map (`sees_focus`): a
                point (x, y) or several, in fractions of the photograph's width and height from its
                left and top. Without points the network finds the subject by itself.

        Returns:
            height × width × 3, uint8, RGB, sRGB-encoded.

        Raises:
            UserError: the photograph is too narrow, `depth` is missing or not supported, a focus
                point is outside the photograph or not supported, or the strength is out of range.
        """
        return render_photo(photo, self.renderers, depth, strength, focus)


def load(bundle: Path | str | None = None, recipe: str = SHIPPED_RECIPE) -> Model:
    """Opens a model. Its first photograph takes longer, because the network is loaded then.

        model = pocket_bokeh.load()                         # ships with the library
        model = pocket_bokeh.load("bundles/mine", "float16")

    Args:
        bundle: a folder created by `quantize.export`; None for the models of the library.
        recipe: which of the bundle's models. The library ships `int8_qat` and `float16`.

    Raises:
        UserError: the bundle does not exist, is damaged, or lacks the recipe.
    """
    folder = SHIPPED_BUNDLE if bundle is None else Path(bundle)
    shapes = in_every_shape(read_bundle(folder), recipe)
    return Model(recipe, [shape.when_run() for shape in shapes])
