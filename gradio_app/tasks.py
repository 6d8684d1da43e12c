"""What the server computes for a photo: decoding, rendering and measuring, into the result store.

Every task marks its photo as in use by itself, because it may outlast the visitor who asked for it
and results that are not in use may be deleted.
"""

from dataclasses import asdict

import numpy as np

from gradio_app.model_catalogue import ModelChoice
from gradio_app.photos import Photo
from gradio_app.result_store import ORIGINAL, TARGET, ResultStore
from pocket_bokeh.errors import UserError
from pocket_bokeh.metrics import PictureMetrics, compare_pictures
from pocket_bokeh.render import nearest_shape, render_photo


def decode(store: ResultStore, photo: Photo) -> None:
    """Puts a photo, and its target if it has one, into the store.

    Raises:
        UserError: the photo is damaged, or its target has another size.
    """
    with store.in_use(photo.key):
        original = photo.decode()
        if photo.decode_target is not None:
            target = photo.decode_target()
            if target.shape != original.shape:
                raise UserError(f"{photo.name}: photo and target have different sizes")
            store.write_picture(photo.key, TARGET, target)
        store.write_picture(photo.key, ORIGINAL, original)


def render(store: ResultStore, photo: str, model: ModelChoice) -> None:
    """Renders a photo of the store.

    Raises:
        UserError: the photo is too narrow, or the model needs a depth map.
    """
    with store.in_use(photo):
        original = np.asarray(store.read_picture(photo, ORIGINAL))
        renderer = nearest_shape(original.shape[:2], model.renderers())
        if renderer.fourth_channel == "depth":
            raise UserError(
                "needs a depth map, which this page does not take; use "
                "python -m pocket_bokeh BUNDLE PHOTO --depth FILE"
            )
        store.write_picture(photo, model.key, render_photo(original, [renderer]))


def measure(store: ResultStore, photo: str, picture: str, reference: str) -> None:
    """Stores PSNR, SSIM and the largest difference of two pictures of a photo."""
    with store.in_use(photo):
        pixels = (store.read_picture(photo, name) for name in (picture, reference))
        store.write_note(photo, f"{picture}~{reference}", asdict(compare_pictures(*pixels)))


def read_measurement(
    store: ResultStore, photo: str, picture: str, reference: str
) -> PictureMetrics | None:
    """What `measure` stored; None if it has not run."""
    note = store.read_note(photo, f"{picture}~{reference}")
    return None if note is None else PictureMetrics(**note)
