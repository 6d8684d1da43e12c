"""What the server computes for a photo: decoding, rendering and measuring, into the result store.

Every task marks its photo as in use by itself, because it may outlast the visitor who asked for it
and results that are not in use may be deleted.
"""

from dataclasses import asdict, dataclass

import numpy as np

from gradio_app.model_catalogue import ModelChoice
from gradio_app.photos import Photo
from gradio_app.result_store import ORIGINAL, ResultStore
from gradio_app.visible_difference import visible_share
from pocket_bokeh.errors import UserError
from pocket_bokeh.metrics import PictureMetrics, compare_pictures
from pocket_bokeh.render import nearest_shape, render_photo


def decode(store: ResultStore, photo: Photo) -> None:
    """Puts a photo into the store.

    Raises:
        UserError: the photo is damaged.
    """
    with store.in_use(photo.key):
        store.write_picture(photo.key, ORIGINAL, photo.decode())


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
        points = [] if model.focus is None else [model.focus]
        store.write_picture(photo, model.key, render_photo(original, [renderer], focus=points))


@dataclass(frozen=True)
class Measured:
    """How far a picture is from its reference.

    Attributes:
        metrics: PSNR, SSIM and the largest difference.
        visible: the share of the picture in which the two differ visibly, 0…1.
    """

    metrics: PictureMetrics
    visible: float


def measure(store: ResultStore, photo: str, picture: str, reference: str) -> None:
    """Stores how far two pictures of a photo are apart."""
    with store.in_use(photo):
        one, other = (store.read_picture(photo, name) for name in (picture, reference))
        measured = Measured(compare_pictures(one, other), visible_share(one, other))
        store.write_note(photo, f"{picture}~{reference}", asdict(measured))


def read_measurement(
    store: ResultStore, photo: str, picture: str, reference: str
) -> Measured | None:
    """What `measure` stored; None if it has not run."""
    note = store.read_note(photo, f"{picture}~{reference}")
    return None if note is None else Measured(PictureMetrics(**note["metrics"]), note["visible"])
