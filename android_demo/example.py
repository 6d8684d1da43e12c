"""Makes the first screen's example with the model that ships: python -m android_demo.example

Run it again when that model changes; a test says when.
"""

from pathlib import Path

import numpy as np

import pocket_bokeh
from android_demo.versions import SOURCES
from pocket_bokeh.errors import run_command
from pocket_bokeh.photo import resize_photo

ORIGINAL, BOKEH = (
    SOURCES / "res" / "drawable-nodpi" / f"example_{name}.webp" for name in ("original", "bokeh")
)

_PHOTO = Path(__file__).parent.parent / "tests" / "models" / "photos" / "portrait_road.jpg"
_PART = (slice(0, 720), slice(80, 1010))
"""The rows and columns that are shown."""

_WIDTH = 720
"""Of the pictures in the app, in pixels."""

_QUALITY = 85


def main() -> None:
    ORIGINAL.parent.mkdir(exist_ok=True)
    for file, picture in zip((ORIGINAL, BOKEH), make_example(), strict=True):
        pocket_bokeh.write_photo(file, picture, quality=_QUALITY)
        print(f"{file}: {file.stat().st_size / 1e3:.0f} kB")


def make_example() -> tuple[np.ndarray, np.ndarray]:
    """The photo and its rendering, both height × width × 3, uint8."""
    photo = pocket_bokeh.read_photo(_PHOTO)
    original, bokeh = (_shown(picture) for picture in (photo, pocket_bokeh.load().render(photo)))
    return original, bokeh


def _shown(picture: np.ndarray) -> np.ndarray:
    part = picture[_PART]
    return resize_photo(part, round(part.shape[0] * _WIDTH / part.shape[1]), _WIDTH)


if __name__ == "__main__":
    run_command(main)
