"""A small rendering brought to the photograph's size with the photograph's detail. No TensorFlow.

A rendering says where the photograph is blurred and by how much; what stays sharp has more detail
than a rendering can hold. With x the photograph at working size, y its rendering and m, 0…1, how
much of the detail in x survives in y:

    up(y) + m · (photo − up(x)),   computed as   up(m) · photo + up(y − m · x)

Where m is 1 this is the photograph in the tones of the rendering; where m is 0, the rendering.
"""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from PIL import Image

from pocket_bokeh.gaussian_filter import box_filter, gaussian_filter
from pocket_bokeh.guided_filter import spread_over_surfaces
from pocket_bokeh.photo import to_float

WINDOW_SIGMA = 2.0
"""Of the window that survival is measured in, in pixels of the working size."""

TONE_SIGMA = 4.0
"""What is coarser keeps the tones of a coarse rendering; what is finer is the photograph's. With 2
instead of 4 a subject keeps a twelfth less of its detail (docs/experiments.md)."""


@dataclass(frozen=True)
class Measure:
    """How survival is measured, by how fine a rendering can be. Sigmas are in pixels of the working
    size, values 0…1; `quantize.detail_figures` tells what they are worth.

    Attributes:
        is_coarse: whether detail is that of the photograph as a network sees it.
        low_pass_sigma: what is finer is not looked at; 0 looks at all. The finest that a network
            gives is softer than the photograph halved, and holds the grain of integers.
        high_pass_sigma: what counts as detail, coarser than that.
        gate: survival that counts as blurred and as sharp.
        regulariser: of the regression. More hides the grain of integers where a picture is blurred,
            and makes skin look like wax (docs/experiments.md).
        certainty: energy of detail at which survival is measured with a certainty of one half.
            Where there is less detail, the guided filter carries survival over from places with
            more. None switches the filter off.
        border: pixels at each edge that are as sharp as what is next to them. Of what lies beyond
            its edges a network sees nothing, and leaves a frayed rim sharp.
    """

    is_coarse: bool
    low_pass_sigma: float
    high_pass_sigma: float
    gate: tuple[float, float]
    regulariser: float
    certainty: float | None
    border: int


COARSE = Measure(True, 1.0, 1.6, (0.5, 0.85), 1e-5, 1e-4, 12)
"""Of networks. They see half the working size: held against the photograph, even what one leaves
alone would count as blurred."""

FINE = Measure(False, 0.0, 0.8, (0.6, 0.95), 1e-4, None, 0)
"""Of a lens, or by hand."""

LEAST_CERTAINTY = 1e-3
"""Where a photograph is perfectly smooth, and survival means nothing."""

_BAND = 64
"""Rows of the photograph at a time."""

_THREADS = 2


@dataclass(frozen=True)
class Overlay:
    """What a rendering does to a photograph of any size: up(gain) · photo + up(offset).

    Attributes:
        gain: h × w, 0…1, the detail of the photograph that survives.
        offset: h × w × 3, in values 0…1 of the photograph.
    """

    gain: np.ndarray
    offset: np.ndarray


def transfer_detail(
    photo: np.ndarray, small: np.ndarray, rendered: np.ndarray, measure: Measure = COARSE
) -> np.ndarray:
    """Brings a rendering to the photograph's size, with the photograph's detail where it is sharp.

    Args:
        photo: height × width × 3, uint8.
        small: h × w × 3, uint8, the photograph at working size.
        rendered: h × w × 3, float, 0…1.
        measure: `COARSE` where a network made the rendering, else `FINE`.

    Returns:
        height × width × 3, uint8. Of 12 megapixels it takes 1 s of one core and 40 MB.
    """
    return lay_over(photo, find_overlay(small, rendered, measure))


def find_overlay(small: np.ndarray, rendered: np.ndarray, measure: Measure = COARSE) -> Overlay:
    """What a rendering does to the photograph that it was made of, as `transfer_detail` says."""
    small = to_float(small)
    survival = surviving_detail(small, rendered, measure)[..., None]
    offset = rendered - survival * small
    if measure.is_coarse:
        # What fine detail a coarse rendering has itself would come twice.
        offset -= survival * _high_pass(rendered - small, TONE_SIGMA)
    return Overlay(survival[..., 0], offset)


def mean_overlay(overlays: Sequence[Overlay]) -> Overlay:
    """What several renderings of one photograph do in the mean, at the first one's size."""
    size = overlays[0].gain.shape
    planes = [
        [_resize(plane, *size) for plane in (one.gain, *np.moveaxis(one.offset, -1, 0))]
        for one in overlays
    ]
    gain, *offset = np.mean(planes, axis=0)
    return Overlay(gain, np.stack(offset, axis=-1))


def at_strength(overlay: Overlay, strength: float) -> Overlay:
    """An overlay that blends: at 0 it gives the photograph, at 1 the rendering."""
    return Overlay(1.0 - strength * (1.0 - overlay.gain), strength * overlay.offset)


def lay_over(photo: np.ndarray, overlay: Overlay) -> np.ndarray:
    """The photograph, height × width × 3, uint8, as an overlay changes it, in bands of rows: whole
    float planes would take 200 MB."""
    height, width = photo.shape[:2]
    across = overlay.gain.shape[1]
    scale = overlay.gain.shape[0] / height
    offset = np.moveaxis(255.0 * overlay.offset, -1, 0)
    planes = [_image(plane) for plane in (overlay.gain, *offset)]
    result = np.empty_like(photo)

    def fill(top: int) -> None:
        bottom = min(top + _BAND, height)
        # Pillow looks beyond the box: the bands fit together without a seam.
        box = (0, top * scale, across, bottom * scale)
        size = (width, bottom - top)
        enlarged = (np.asarray(p.resize(size, Image.Resampling.BICUBIC, box)) for p in planes)
        factor = next(enlarged)
        for channel, summand in enumerate(enlarged):
            codes = factor * photo[top:bottom, :, channel]
            codes += summand
            np.rint(codes, out=codes)
            result[top:bottom, :, channel] = np.clip(codes, 0, 255, out=codes)

    with ThreadPoolExecutor(_THREADS) as threads:
        list(threads.map(fill, range(0, height, _BAND)))
    return result


def surviving_detail(small: np.ndarray, rendered: np.ndarray, measure: Measure) -> np.ndarray:
    """How much of a photograph's detail is left in its rendering, 0…1, h × w.

    The local regression of one's detail on the other's, over all channels, smoothed; a smoothstep
    makes nearly sharp sharp and half blurred blurred; the border goes on as the picture inside it.
    """
    reference = as_the_network_sees(small) if measure.is_coarse else small
    before, after = (_band(one, measure) for one in (reference, rendered))
    energy = _local_product(before, before)
    share = _smooth(np.clip(_local_product(before, after) / (energy + measure.regulariser), 0, 1))
    if measure.certainty is not None:
        certainty = np.maximum(energy / (energy + measure.certainty), LEAST_CERTAINTY)
        share = spread_over_surfaces(share, certainty, small)
    blurred, sharp = measure.gate
    step = np.clip((share - blurred) / (sharp - blurred), 0.0, 1.0)
    survival = step * step * (3.0 - 2.0 * step)
    rows, columns = (positions_inside(length, measure.border) for length in survival.shape)
    return survival[np.ix_(rows, columns)]


def positions_inside(length: int, border: int) -> np.ndarray:
    """For every row or column the nearest that is not in the border, or else the middle."""
    border = min(border, (length - 1) // 2)
    return np.clip(np.arange(length), border, length - 1 - border)


def as_the_network_sees(picture: np.ndarray) -> np.ndarray:
    """A float picture halved, and doubled as the network doubles what it leaves alone."""
    height, width = picture.shape[:2]
    halves = (height + 1) // 2, (width + 1) // 2
    half = np.dstack([_resize(plane, *halves) for plane in np.moveaxis(picture, -1, 0)])
    doubled = half.repeat(2, axis=0).repeat(2, axis=1)[:height, :width]
    return box_filter(doubled, 3)


def _local_product(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    return _smooth((one * other).sum(axis=-1))


def _band(picture: np.ndarray, measure: Measure) -> np.ndarray:
    return _high_pass(gaussian_filter(picture, measure.low_pass_sigma), measure.high_pass_sigma)


def _high_pass(picture: np.ndarray, sigma: float) -> np.ndarray:
    return picture - gaussian_filter(picture, sigma)


def _smooth(plane: np.ndarray) -> np.ndarray:
    return gaussian_filter(plane, WINDOW_SIGMA)


def _image(plane: np.ndarray) -> Image.Image:
    return Image.fromarray(np.ascontiguousarray(plane, dtype=np.float32))


def _resize(plane: np.ndarray, height: int, width: int) -> np.ndarray:
    """A float plane at another size, bicubic."""
    return np.asarray(_image(plane).resize((width, height), Image.Resampling.BICUBIC))
