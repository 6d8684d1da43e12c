"""Enlarges a small rendering to the photograph's size and restores the photograph's detail.

The network renders at a small working size. It decides where the photograph is blurred; where the
photograph stays sharp, the output takes its detail from the full-size photograph. Let x be the
photograph at working size, y its rendering and m, 0…1, the share of detail in x that survives in y:

    output = up(y) + m · (photo − up(x)),   computed as   up(m) · photo + up(y − m · x)

A network that predicts sharpness says where the photograph stays sharp, and m follows from that.
For other renderings m is measured.

Where m = 1, the output is the photograph with the tones of the rendering; where m = 0, it is the
enlarged rendering. Renderings of a network (`COARSE`) also have fine detail of their own. Where m
is large, it must not count twice: from y − m · x, m times the high-pass of y − x is subtracted.
Where m is small, it is grain and traces of what was there: y is smoothed first.
"""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from PIL import Image

from pocket_bokeh.gaussian_filter import box_filter, gaussian_filter
from pocket_bokeh.guided_filter import guided_filter
from pocket_bokeh.photo import to_float
from pocket_bokeh.predicted_sharpness import sharp_share

WINDOW_SIGMA = 2.0
"""Sigma of the Gaussian window of the regression that measures survival, in working-size pixels."""

TONE_SIGMA = 4.0
"""Sigma in working-size pixels that separates tones, taken from a coarse rendering, from detail,
taken from the photograph. With 2 instead of 4 a subject loses a twelfth of its detail
(docs/experiments.md)."""


@dataclass(frozen=True)
class DetailSettings:
    """How to measure which detail survives in a rendering.

    Sigmas are in pixels of the working size, values are 0…1. `quantize.detail_figures` measures
    the quality that the settings give.

    Attributes:
        is_coarse: whether to compare with the photograph as the network sees it, at half the
            working size, instead of the photograph at working size.
        low_pass_sigma: detail finer than this is ignored; 0 uses all. A network's finest detail is
            softer than the halved photograph and contains quantization noise.
        high_pass_sigma: structure coarser than this is not detail.
        gate: survival at and below which a place is blurred, and at and above which it is sharp.
        regulariser: of the regression. A larger one hides quantization noise in blurred places, but
            makes skin look like wax (docs/experiments.md).
        certainty: energy of detail at which the measured survival has half the full weight. The
            guided filter fills places with little detail from places with more. None switches the
            filter off.
        smoothing_sigma: of the Gaussian that smooths blurred places; 0 leaves them. No wide lens
            leaves detail as fine as a network does.
        border: pixels at each edge that copy the survival of the nearest pixel inside. A network
            does not see beyond the edges and leaves an uneven sharp rim there.
    """

    is_coarse: bool
    low_pass_sigma: float
    high_pass_sigma: float
    gate: tuple[float, float]
    regulariser: float
    certainty: float | None
    smoothing_sigma: float
    border: int


COARSE = DetailSettings(True, 1.0, 1.6, (0.4, 0.5), 1e-5, 1e-4, 2.0, 12)
"""For renderings by a network. It sees the photograph at half the working size, so compared with
the photograph at working size even an unchanged place would count as blurred."""

FINE = DetailSettings(False, 0.0, 0.8, (0.6, 0.95), 1e-4, None, 0.0, 0)
"""For renderings as sharp as the photograph at working size: by a lens, or edited by hand."""

LEAST_CERTAINTY = 1e-3
"""Weight of places without any detail, where survival cannot be measured; it must not be 0."""

_BAND = 64
"""Rows of the photograph processed at a time."""

_THREADS = 2


@dataclass(frozen=True)
class Overlay:
    """A rendering as a change to a photograph of any size: up(gain) · photo + up(offset).

    Attributes:
        gain: h × w, 0…1, the share of the photograph's detail that survives.
        offset: h × w × 3, float, in units where the photograph's values are 0…1.
    """

    gain: np.ndarray
    offset: np.ndarray


def transfer_detail(
    photo: np.ndarray, small: np.ndarray, rendered: np.ndarray, settings: DetailSettings = COARSE
) -> np.ndarray:
    """Enlarges a rendering to the photograph's size and restores detail where it is sharp.

    12 megapixels take 1 s on one core and 40 MB.

    Args:
        photo: height × width × 3, uint8.
        small: h × w × 3, uint8, the photograph at working size.
        rendered: h × w × 3, or 4 with predicted sharpness, float, 0…1.
        settings: `COARSE` for renderings by a network, `FINE` for others.

    Returns:
        height × width × 3, uint8.
    """
    return lay_over(photo, find_overlay(small, rendered, settings))


def find_overlay(
    small: np.ndarray, rendered: np.ndarray, settings: DetailSettings = COARSE
) -> Overlay:
    """The overlay that turns a photograph into its rendering; arguments as `transfer_detail`."""
    small = to_float(small)
    rendered, sharpness = rendered[..., :3], rendered[..., 3:]
    if sharpness.size:
        survival = sharp_share(small, sharpness[..., 0])[..., None]
    else:
        survival = surviving_detail(small, rendered, settings)[..., None]
    smoothed = smooth_background(rendered, survival, settings.smoothing_sigma)
    offset = smoothed - survival * small
    if settings.is_coarse:
        # The rendering's own fine detail would otherwise be added to the photograph's.
        offset -= survival * _high_pass(rendered - small, TONE_SIGMA)
    return Overlay(survival[..., 0], offset)


def smooth_background(rendered: np.ndarray, survival: np.ndarray, sigma: float) -> np.ndarray:
    """Smooths a rendering where it is blurred, without drawing in colours of what is sharp.

    Args:
        rendered: h × w × 3, float.
        survival: h × w × 1, 0…1; where it is 1 nothing changes.
        sigma: of the Gaussian in pixels; 0 changes nothing.
    """
    if not sigma:
        return rendered
    blurred = 1.0 - survival
    weight = blurred + LEAST_CERTAINTY  # never 0, since it divides
    smoothed = gaussian_filter(weight * rendered, sigma) / gaussian_filter(weight, sigma)
    return rendered + blurred * (smoothed - rendered)


def with_mean_sharpness(renderings: Sequence[np.ndarray]) -> list[np.ndarray]:
    """Renderings of one photograph, each with the mean of the sharpness that all of them predict.

    Where they decided on their own and differently, half of a blur would be left.

    Args:
        renderings: h × w × 3, or 4 with predicted sharpness, each of its own size, none mirrored.
    """
    if renderings[0].shape[-1] == 3:
        return list(renderings)
    size = renderings[0].shape[:2]
    sharpness = np.mean([_resize(one[..., 3], *size) for one in renderings], axis=0)
    return [np.dstack([one[..., :3], _resize(sharpness, *one.shape[:2])]) for one in renderings]


def mean_overlay(overlays: Sequence[Overlay]) -> Overlay:
    """The mean of overlays for one photograph, at the size of the first."""
    size = overlays[0].gain.shape
    planes = [
        [_resize(plane, *size) for plane in (one.gain, *np.moveaxis(one.offset, -1, 0))]
        for one in overlays
    ]
    gain, *offset = np.mean(planes, axis=0)
    return Overlay(gain, np.stack(offset, axis=-1))


def at_strength(overlay: Overlay, strength: float) -> Overlay:
    """Weakens an overlay: strength 0 gives the photograph, 1 the rendering."""
    return Overlay(1.0 - strength * (1.0 - overlay.gain), strength * overlay.offset)


def lay_over(photo: np.ndarray, overlay: Overlay) -> np.ndarray:
    """Applies an overlay to a photograph, height × width × 3, uint8.

    It works in bands of rows, because whole float planes of 12 megapixels would take 200 MB.
    """
    height, width = photo.shape[:2]
    across = overlay.gain.shape[1]
    scale = overlay.gain.shape[0] / height
    offset = np.moveaxis(255.0 * overlay.offset, -1, 0)
    planes = [_image(plane) for plane in (overlay.gain, *offset)]
    result = np.empty_like(photo)

    def fill(top: int) -> None:
        bottom = min(top + _BAND, height)
        # Pillow also interpolates with pixels outside the box, so the bands join without a seam.
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


def surviving_detail(
    small: np.ndarray, rendered: np.ndarray, settings: DetailSettings
) -> np.ndarray:
    """The share of a photograph's detail that survives in its rendering, 0…1, h × w.

    It is the slope of a local linear regression of the rendering's detail on the photograph's, over
    all channels, smoothed. The guided filter fills the places where the photograph has no detail to
    measure by. A smoothstep then pushes it towards 0 and 1, and the border takes the values next to
    it.
    """
    reference = as_the_network_sees(small) if settings.is_coarse else small
    before, after = (_detail(picture, settings) for picture in (reference, rendered))
    energy = _local_product(before, before)
    share = _smooth(np.clip(_local_product(before, after) / (energy + settings.regulariser), 0, 1))
    if settings.certainty is not None:
        certainty = energy / (energy + settings.certainty)
        filled = guided_filter(share, np.maximum(certainty, LEAST_CERTAINTY), small)
        # Where a blurred window has the colour of the hair beside it, the filter calls it sharp.
        share = filled - certainty * np.maximum(filled - share, 0)
    survival = _smoothstep(share, settings.gate)
    rows, columns = (positions_inside(length, settings.border) for length in survival.shape)
    return survival[np.ix_(rows, columns)]


def _smoothstep(values: np.ndarray, gate: tuple[float, float]) -> np.ndarray:
    """0 at and below the gate's first value, 1 at and above its second, smooth between."""
    blurred, sharp = gate
    step = np.clip((values - blurred) / (sharp - blurred), 0.0, 1.0)
    return step * step * (3.0 - 2.0 * step)


def positions_inside(length: int, border: int) -> np.ndarray:
    """Maps every row or column to the nearest one outside the border.

    If the border covers everything, all map to the middle.
    """
    border = min(border, (length - 1) // 2)
    return np.clip(np.arange(length), border, length - 1 - border)


def as_the_network_sees(picture: np.ndarray) -> np.ndarray:
    """Halves a float picture and enlarges it as the network enlarges unchanged places."""
    height, width = picture.shape[:2]
    halves = (height + 1) // 2, (width + 1) // 2
    half = np.dstack([_resize(plane, *halves) for plane in np.moveaxis(picture, -1, 0)])
    doubled = half.repeat(2, axis=0).repeat(2, axis=1)[:height, :width]
    return box_filter(doubled, 3)


def _local_product(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    return _smooth((one * other).sum(axis=-1))


def _detail(picture: np.ndarray, settings: DetailSettings) -> np.ndarray:
    """The band of frequencies that counts as detail."""
    return _high_pass(gaussian_filter(picture, settings.low_pass_sigma), settings.high_pass_sigma)


def _high_pass(picture: np.ndarray, sigma: float) -> np.ndarray:
    return picture - gaussian_filter(picture, sigma)


def _smooth(plane: np.ndarray) -> np.ndarray:
    return gaussian_filter(plane, WINDOW_SIGMA)


def _image(plane: np.ndarray) -> Image.Image:
    return Image.fromarray(np.ascontiguousarray(plane, dtype=np.float32))


def _resize(plane: np.ndarray, height: int, width: int) -> np.ndarray:
    """Bicubic resize of a float plane."""
    return np.asarray(_image(plane).resize((width, height), Image.Resampling.BICUBIC))
