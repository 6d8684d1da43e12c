"""Backgrounds whose depth depends on the row alone: ground before a wall, or a wall alone.

Everything is in linear light, planes are channels × height × width, and the subject in focus has
inverse depth 1.
"""

from dataclasses import dataclass

import numpy as np
from scipy.fft import irfft2, next_fast_len, rfft2

from train.data.planes import double, halve
from train.data.scenery import Random
from train.data.thin_lens import Lens, blur

WALL_INVERSE_DEPTH = 0.14
"""Inverse depth of the wall behind the ground."""

NEAREST_INVERSE_DEPTH = 1.6
"""Inverse depth of the nearest ground."""

WALL_ALONE_INVERSE_DEPTH = (0.1, 0.6)
"""Inverse depth of a wall without ground. As in captured pairs, some walls are only a little behind
the subject."""

FEET_BELOW_FRAME = 1.38
"""Where a subject stands that the frame cuts off at the bottom, as a fraction of its height."""

COARSE_RADIUS = 5.0
"""Blurs of this radius in pixels and more are computed at half the size: no detail is left."""

RADIUS_RATIO = 1.35
"""Between two neighbouring radii that are computed; those between are mixed."""


@dataclass(frozen=True)
class Ground:
    """A ground plane in front of a wall; rows are fractions of the frame's height.

    Attributes:
        horizon: the row where the plane would end.
        feet: the row where its inverse depth is 1.
    """

    horizon: float
    feet: float

    def inverse_depth(self, rows: np.ndarray) -> np.ndarray:
        """The inverse depth at rows: on the ground proportional to the distance below the horizon.

        The rows may lie outside the frame.
        """
        plane = (rows - self.horizon) / (self.feet - self.horizon)
        wall, softness = WALL_INVERSE_DEPTH, 0.05  # softness of the corner between ground and wall
        depth = wall + softness * np.logaddexp(0, (plane - wall) / softness)
        return np.minimum(depth, NEAREST_INVERSE_DEPTH).astype(np.float32)

    def row(self, inverse_depth: float) -> float:
        """The row where something of this inverse depth stands; it may lie below the frame."""
        return self.horizon + inverse_depth * (self.feet - self.horizon)


def random_ground(random: Random, feet: float) -> Ground:
    """Ground on which a subject stands whose feet are in this row."""
    return Ground(min(random.uniform(0.3, 0.5), feet - 0.26), feet)


def blur_rows(radiance: np.ndarray, inverse_depth: np.ndarray, lens: Lens) -> np.ndarray:
    """Blurs a background without gaps, whose depth changes slowly from row to row.

    Args:
        radiance: 3 × height × width; continued by its mirror image beyond its border.
        inverse_depth: one value for each row.
        lens: the lens.
    """
    radii = np.array([lens.circle_of_confusion(float(depth)) for depth in inverse_depth])
    knots = computed_radii(radii)
    blurred = np.zeros_like(radiance)
    for index, radius in enumerate(knots):
        hat = np.zeros(len(knots))
        hat[index] = 1
        weight = np.interp(radii, knots, hat).astype(np.float32)
        rows = np.flatnonzero(weight > 1e-4)
        if rows.size:
            top, bottom = int(rows[0]), int(rows[-1]) + 1
            band = _blur_band(radiance, top, bottom, float(radius), lens)
            blurred[:, top:bottom] += weight[top:bottom, None] * band
    return blurred


def computed_radii(radii: np.ndarray) -> np.ndarray:
    """The signed radii to compute for signed radii in pixels: ascending, and 0 is one of them."""
    knots = [0.0]
    for sign in (1, -1):
        largest = max(0.0, float((sign * radii).max()))
        count = int(np.ceil(np.log(max(largest, 1.0)) / np.log(RADIUS_RATIO))) if largest else -1
        knots += [sign * largest * RADIUS_RATIO**-step for step in range(count + 1)]
    return np.sort(np.array(knots))


def blur_layer(planes: np.ndarray, lens: Lens, inverse_depth: float) -> np.ndarray:
    """Blurs one flat layer of the scene, 4 × height × width; see `thin_lens.SceneLayer`."""
    radius = lens.circle_of_confusion(inverse_depth)
    if abs(radius) < COARSE_RADIUS:
        return blur(planes, lens.aperture(radius)) if radius else planes
    small = blur(halve(planes), lens.aperture(radius / 2))
    return double(small, planes.shape[1:])


def lay_over(sensor: np.ndarray, planes: np.ndarray) -> None:
    """Composites 4 × height × width planes over 3 × height × width radiance, in place."""
    sensor *= 1 - planes[3]
    sensor += planes[:3]


def _blur_band(
    radiance: np.ndarray, top: int, bottom: int, radius: float, lens: Lens
) -> np.ndarray:
    """The rows from top to bottom, blurred by one radius."""
    if not radius:
        return radiance[:, top:bottom]
    if abs(radius) < COARSE_RADIUS:
        return _blur_mirrored(radiance, top, bottom, lens.aperture(radius))
    start, kernel = top // 2, lens.aperture(radius / 2)
    reach = len(kernel)
    first, last = max(0, 2 * (start - reach)), min(radiance.shape[1], bottom + 2 * reach)
    small = halve(radiance[:, first:last])
    band = _blur_mirrored(small, start - first // 2, small.shape[1], kernel)
    whole = double(band, (last - 2 * start, radiance.shape[2]))
    return whole[:, top - 2 * start : bottom - 2 * start]


def _blur_mirrored(radiance: np.ndarray, top: int, bottom: int, kernel: np.ndarray) -> np.ndarray:
    """Convolves the rows from top to bottom with a kernel; the border mirrors what is inside."""
    reach, (_, height, width) = len(kernel) // 2, radiance.shape
    first, last = max(0, top - reach), min(height, bottom + reach)
    beyond = (reach - (top - first), reach - (last - bottom))
    padded = np.pad(radiance[:, first:last], ((0, 0), beyond, (reach, reach)), "symmetric")
    size = tuple(next_fast_len(side, real=True) for side in padded.shape[1:])
    blurred = irfft2(rfft2(padded, size) * rfft2(kernel, size), size)
    blurred = blurred[:, 2 * reach : 2 * reach + bottom - top, 2 * reach : 2 * reach + width]
    return np.maximum(blurred, 0)
