"""Draws the before and after that the page opens with: python -m gradio_app.showcase

Run it again whenever the model that ships has changed; a test says so.
"""

import io
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import tyro
from PIL import Image

from gradio_app.photos import list_examples
from pocket_bokeh.bundle import SHIPPED_BUNDLE
from pocket_bokeh.disk import write_atomically
from pocket_bokeh.errors import run_command
from pocket_bokeh.model import load

SHOWCASE_FOLDER = Path(__file__).parent / "showcase"
BEFORE, AFTER = "before.jpg", "after.jpg"
EXAMPLE = "portrait"

_QUALITY = 80


@dataclass(frozen=True)
class ShowcaseOptions:
    """Draws the two pictures that the page opens with, by the model that ships."""

    bundle: Path = SHIPPED_BUNDLE
    """A folder written by `quantize.export`."""


def main() -> None:
    options = tyro.cli(ShowcaseOptions)
    before = list_examples()[EXAMPLE].decode()
    SHOWCASE_FOLDER.mkdir(exist_ok=True)
    for name, pixels in ((BEFORE, before), (AFTER, render_showcase(options.bundle))):
        write_atomically(SHOWCASE_FOLDER / name, _jpeg(pixels))
        print(SHOWCASE_FOLDER / name)


def render_showcase(bundle: Path) -> np.ndarray:
    """The example as the fine-tuned int8 model of a bundle renders it: height × width × 3, uint8.

    Raises:
        UserError: the bundle cannot be read or lacks the recipe.
    """
    return load(bundle).render(list_examples()[EXAMPLE].decode())


def _jpeg(pixels: np.ndarray) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "JPEG", quality=_QUALITY, optimize=True, progressive=True)
    return stream.getvalue()


if __name__ == "__main__":
    run_command(main)
