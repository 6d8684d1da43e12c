"""Draws docs/strip.jpg, the pictures at the top of the README: ./run python docs/strip.py

Four photographs, and below each what the int8 model that ships makes of it. The portraits are
generated people (tests/models/photos); the cat (CC0) and the rocket (public domain) come with
scikit-image. The rocket is rendered with a tap on it.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import skimage.data
from PIL import Image, ImageDraw, ImageFont

import pocket_bokeh
from pocket_bokeh.focus_map import Point

ROOT = Path(__file__).resolve().parents[1]
SIDE = 440
"""Width and height of each picture in the strip, in pixels."""

GAP = 8
FONT_SIZE = 44
QUALITY = 88

Box = tuple[int, int, int, int]
"""Left, upper, right and lower edge in pixels."""


def main() -> None:
    """Renders the four photographs at their own size, then crops them to one shape."""
    portraits = ROOT / "tests" / "models" / "photos"
    shown: list[tuple[np.ndarray, Box, Sequence[Point]]] = [
        (pocket_bokeh.read_photo(portraits / "portrait_city.jpg"), (0, 0, 1024, 1024), ()),
        (pocket_bokeh.read_photo(portraits / "portrait_road.jpg"), (0, 0, 1024, 1024), ()),
        (skimage.data.chelsea(), (136, 0, 436, 300), ()),
        (skimage.data.rocket(), (0, 0, 427, 427), [(0.5, 0.55)]),
    ]
    model = pocket_bokeh.load()
    strip = Image.new("RGB", (len(shown) * (SIDE + GAP) - GAP, 2 * SIDE + GAP), "white")
    for column, (photo, box, focus) in enumerate(shown):
        left = column * (SIDE + GAP)
        strip.paste(_square(photo, box), (left, 0))
        strip.paste(_square(model.render(photo, focus=focus), box), (left, SIDE + GAP))
    _label(strip, 0, "photo")
    _label(strip, SIDE + GAP, "Pocket Bokeh, int8")
    strip.save(ROOT / "docs" / "strip.jpg", quality=QUALITY)


def _square(picture: np.ndarray, box: Box) -> Image.Image:
    """The part of a picture (height × width × 3, uint8, sRGB) that the strip shows."""
    cropped = Image.fromarray(picture).crop(box)
    return cropped.resize((SIDE, SIDE), Image.Resampling.LANCZOS)


def _label(strip: Image.Image, top: int, text: str) -> None:
    """Writes white text on black into a row's upper left corner."""
    draw = ImageDraw.Draw(strip)
    font = ImageFont.load_default(size=FONT_SIZE)
    _, _, right, bottom = draw.textbbox((12, top + 6), text, font)
    draw.rectangle((0, top, right + 12, bottom + 10), "black")
    draw.text((12, top + 6), text, "white", font)


if __name__ == "__main__":
    main()
