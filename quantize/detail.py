"""A small rendering brought to the photograph's size with the photograph's detail. No TensorFlow.

A rendering says where the photograph is blurred and by how much; what stays sharp has more detail
than a rendering can hold. With x the photograph at working size, y its rendering and m, 0…1, how
much of the detail in x survives in y:

    up(y) + m · (photo − up(x)),   computed as   up(m) · photo + up(y − m · x)

Where m is 1 this is the photograph in the tones of the rendering; where m is 0, the rendering.
"""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
from PIL import Image

from train.photo import to_float

_WINDOW_SIGMA = 2.0
_REGULARISER = 1e-5
_TONE_SIGMA = 2.0
_HIGH_PASS_SIGMA = (1.6, 0.8)
_GATE = ((0.5, 0.85), (0.6, 0.95))
"""Of a coarse rendering and of a fine one, in pixels of the working size and on values 0…1.

`quantize.detail_figures` tells what they are worth; docs/experiments.md has figures."""

_SHARPEST = 98
_FINE = (0.25, 0.9)
"""The percentile of a rendering that counts as its sharpest, and how much fine detail it shows
there when it is coarse and when it is fine. Of the 35 pairs' coarse renderings 32 show less than
0.25, none more than 0.58; of their true targets 31 show more than 0.9."""

_BAND = 64
"""Rows of the photograph at a time."""

_THREADS = 2


def transfer_detail(
    photo: np.ndarray, small: np.ndarray, rendered: np.ndarray, fineness: float = 0.0
) -> np.ndarray:
    """Brings a rendering to the photograph's size, with the photograph's detail where it is sharp.

    Args:
        photo: height × width × 3, uint8.
        small: h × w × 3, uint8, the photograph at working size.
        rendered: h × w × 3, float, 0…1.
        fineness: 0 where a network made the rendering, which sees half the working size; of one
            by lens or by hand, `shown_fineness`.

    Returns:
        height × width × 3, uint8. Of 12 megapixels it takes 1 s of one core and 40 MB.
    """
    small = to_float(small)
    seen = as_the_network_sees(small)
    survival = surviving_detail(seen + fineness * (small - seen), rendered, fineness)[..., None]
    # What fine detail a coarse rendering has itself would come twice.
    twice = (1.0 - fineness) * _high_pass(rendered - small, _TONE_SIGMA)
    offset = rendered - survival * (twice + small)
    return _enlarge_onto(photo, survival[..., 0], offset)


def shown_fineness(small: np.ndarray, rendered: np.ndarray) -> float:
    """How much of the detail that halving takes away a rendering shows where it is sharpest, 0…1.

    A network sees half the working size: held against the photograph, even what it leaves alone
    would count as blurred. A rendering by lens or by hand shows all, and held against half the
    size its slight blur would count as sharp. This says which of them the measure should be. Of
    networks' renderings, which are known to be coarse, it is not asked: it is wrong about many.

    Args:
        small: h × w × 3, float, 0…1, the photograph at working size.
        rendered: the same, its rendering.
    """
    seen = as_the_network_sees(small)
    lost, shown = small - seen, rendered - seen
    energy = _local_product(lost, lost)
    share = _local_product(lost, shown) / (
        np.maximum(energy, _local_product(shown, shown)) + _REGULARISER
    )
    sharpest = np.percentile(share[energy >= np.median(energy)], _SHARPEST)
    return float(np.clip((sharpest - _FINE[0]) / (_FINE[1] - _FINE[0]), 0.0, 1.0))


def surviving_detail(reference: np.ndarray, rendered: np.ndarray, fineness: float) -> np.ndarray:
    """How much of a reference's detail is left in a rendering, 0…1, h × w.

    The local regression of one high-pass on the other, over all channels, smoothed; a smoothstep
    makes nearly sharp sharp and half blurred blurred.
    """
    coarse_sigma, fine_sigma = _HIGH_PASS_SIGMA
    sigma = coarse_sigma + fineness * (fine_sigma - coarse_sigma)
    blurred, sharp = np.array(_GATE[0]) + fineness * (np.array(_GATE[1]) - _GATE[0])
    before, after = _high_pass(reference, sigma), _high_pass(rendered, sigma)
    share = _local_product(before, after) / (_local_product(before, before) + _REGULARISER)
    step = np.clip((_smooth(np.clip(share, 0.0, 1.0)) - blurred) / (sharp - blurred), 0.0, 1.0)
    return step * step * (3.0 - 2.0 * step)


def as_the_network_sees(picture: np.ndarray) -> np.ndarray:
    """A float picture halved, and doubled as the network doubles what it leaves alone."""
    height, width = picture.shape[:2]
    halves = (height + 1) // 2, (width + 1) // 2
    half = np.dstack([_resize(plane, *halves) for plane in np.moveaxis(picture, -1, 0)])
    doubled = half.repeat(2, axis=0).repeat(2, axis=1)[:height, :width]
    from scipy.ndimage import uniform_filter  # as in _gaussian

    return uniform_filter(doubled, (3, 3, 0))


def _enlarge_onto(photo: np.ndarray, gain: np.ndarray, offset: np.ndarray) -> np.ndarray:
    """up(gain) · photo + up(offset), in bands of rows: whole float planes would take 200 MB."""
    height, width = photo.shape[:2]
    planes = [_image(plane) for plane in (gain, *np.moveaxis(255.0 * offset, -1, 0))]
    scale = gain.shape[0] / height
    result = np.empty_like(photo)

    def fill(top: int) -> None:
        bottom = min(top + _BAND, height)
        # Pillow looks beyond the box: the bands fit together without a seam.
        box = (0, top * scale, gain.shape[1], bottom * scale)
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


def _local_product(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    return _smooth((one * other).sum(axis=-1))


def _high_pass(picture: np.ndarray, sigma: float) -> np.ndarray:
    return picture - _gaussian(picture, (sigma, sigma, 0))


def _smooth(plane: np.ndarray) -> np.ndarray:
    return _gaussian(plane, (_WINDOW_SIGMA, _WINDOW_SIGMA))


def _gaussian(picture: np.ndarray, sigma: tuple[float, ...]) -> np.ndarray:
    # Here, because it takes half a second that the browser page need not wait for.
    from scipy.ndimage import gaussian_filter

    return gaussian_filter(picture, sigma)


def _image(plane: np.ndarray) -> Image.Image:
    return Image.fromarray(np.ascontiguousarray(plane, dtype=np.float32))


def _resize(plane: np.ndarray, height: int, width: int) -> np.ndarray:
    """A float plane at another size, bicubic."""
    return np.asarray(_image(plane).resize((width, height), Image.Resampling.BICUBIC))
