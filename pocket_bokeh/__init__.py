"""Blurs the background of a photograph as a large lens would.

    import pocket_bokeh

    photo = pocket_bokeh.read_photo("photo.jpg")
    model = pocket_bokeh.load()
    pocket_bokeh.write_photo("bokeh.jpg", model.render(photo))

Photographs are NumPy arrays: height × width × 3, uint8, RGB, sRGB-encoded, upright. Problems that
the caller can fix, such as a missing file, raise `UserError` with a message of one line.
"""

from pocket_bokeh.errors import UserError
from pocket_bokeh.model import SHIPPED_RECIPE, Model, load
from pocket_bokeh.photo import CameraPhoto, read_camera_photo, read_depth, read_photo, write_photo

__all__ = [
    "SHIPPED_RECIPE",
    "CameraPhoto",
    "Model",
    "UserError",
    "load",
    "read_camera_photo",
    "read_depth",
    "read_photo",
    "write_photo",
]
