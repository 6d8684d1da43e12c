"""What the page's scripts ask of the server: an example, or another focus."""

import math
from dataclasses import dataclass
from typing import Any

from gradio_app.handlers import App
from gradio_app.photos import Photo
from pocket_bokeh.focus_map import Point


@dataclass(frozen=True)
class Wish:
    """One wish of a visitor.

    Attributes:
        photo: the example to show; None to keep the photo.
        focus: what to keep sharp in the photo; None: automatic.
    """

    photo: Photo | None = None
    focus: Point | None = None


def read_wish(app: App, data: Any) -> Wish | None:
    """Reads what a script sent: {"example": name} or {"focus": [x, y] or null}.

    Returns:
        None for anything else.
    """
    match data:
        case {"example": str(name)} if name in app.examples:
            return Wish(app.examples[name])
        case {"focus": None}:
            return Wish()
        case {"focus": [int() | float() as x, int() | float() as y]} if _inside(x, y):
            return Wish(focus=(round(x, 3), round(y, 3)))
    return None


def _inside(*fractions: float) -> bool:
    return all(math.isfinite(part) and 0 <= part <= 1 for part in fractions)
