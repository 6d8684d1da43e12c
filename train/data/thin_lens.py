"""Depth of field of a thin lens over flat layers, in linear light.

A scene is a list of layers, farthest first. Each layer lies at one depth z and is complete even
where a nearer layer hides it, so no background needs to be guessed. The lens spreads a point at
depth z over its circle of confusion, whose signed radius on the sensor is c · (1/z_focus - 1/z)
(Potmesil & Chakravarty, "A lens and aperture camera model for synthetic image generation",
SIGGRAPH 1981). It is positive behind the focus and negative in front of it, where the image of the
aperture is upside down. Layers are composited with "over" on premultiplied radiance, weighted by
their blurred coverage (Porter & Duff, "Compositing digital images", SIGGRAPH 1984).

Planes are channels × height × width, float32. The channels are R, G, B and, in a layer, coverage.
"""

from dataclasses import dataclass

import numpy as np
from scipy.fft import irfft2, next_fast_len, rfft2

_CODES = np.arange(256) / 255
_DECODED = np.where(_CODES <= 0.04045, _CODES / 12.92, ((_CODES + 0.055) / 1.055) ** 2.4)
_DECODED = _DECODED.astype(np.float32)
_STEPS = np.arange(65536) / 65535
_ENCODED = np.where(_STEPS <= 0.0031308, _STEPS * 12.92, 1.055 * _STEPS ** (1 / 2.4) - 0.055)
_ENCODED = np.round(_ENCODED * 255).astype(np.uint8)

BLADE_CURVATURE = 0.4  # 0: a polygon with straight sides, 1: a circle


def decode_srgb(codes: np.ndarray) -> np.ndarray:
    """uint8 sRGB codes, any shape, to linear radiance 0…1, float32 (IEC 61966-2-1)."""
    return _DECODED[codes]


def encode_srgb(radiance: np.ndarray) -> np.ndarray:
    """Linear radiance, any shape, to uint8 sRGB codes; clipped to 0…1."""
    steps = np.clip(radiance, 0, 1) * np.float32(65535) + np.float32(0.5)
    return _ENCODED[steps.astype(np.uint16)]


@dataclass(frozen=True)
class SceneLayer:
    """A flat layer of the scene.

    Attributes:
        planes: 4 × H × W: linear radiance times coverage, then coverage 0…1. A radiance of 1 is
            the sensor's white; lamps are brighter.
        inverse_depth: 1/z, in the unit of `Lens.focus`.
    """

    planes: np.ndarray
    inverse_depth: float


@dataclass(frozen=True)
class Lens:
    """A thin lens.

    Attributes:
        strength: radius of the circle of confusion in pixels, per unit of inverse depth.
        focus: inverse depth in focus, 1/z_focus.
        blades: sides of the aperture; 0 for a round one.
        rotation: of the blades, in radians.
    """

    strength: float
    focus: float
    blades: int = 0
    rotation: float = 0.0

    def circle_of_confusion(self, inverse_depth: float) -> float:
        """Signed radius in pixels; positive behind the focus."""
        return self.strength * (self.focus - inverse_depth)

    def aperture(self, radius: float) -> np.ndarray:
        """The blur kernel, side × side with an odd side, sum 1.

        Args:
            radius: in pixels, signed; of the circle with the same area as the aperture.
        """
        side = 2 * int(np.ceil(abs(radius) * 1.15)) + 1
        samples = max(8, 96 // side)  # per pixel and axis; a small kernel needs more of them
        axis = (np.arange(side * samples) + 0.5) / samples - side / 2
        distance = np.hypot(axis, axis[:, None])
        inside = distance <= abs(radius) * self._rim(np.arctan2(axis[:, None], axis))
        kernel = inside.reshape(side, samples, side, samples).mean((1, 3), dtype=np.float32)
        if kernel.sum() == 0:  # smaller than the sampling grid: a point
            kernel[side // 2, side // 2] = 1
        kernel /= kernel.sum()
        return kernel if radius >= 0 else kernel[::-1, ::-1]

    def _rim(self, angle: np.ndarray) -> np.ndarray:
        """The aperture's radius at each angle, for an area of π."""
        if not self.blades:
            return np.ones_like(angle)

        def rim(angle: np.ndarray) -> np.ndarray:
            half = np.pi / self.blades
            polygon = np.cos(half) / np.cos((angle - self.rotation) % (2 * half) - half)
            return polygon + BLADE_CURVATURE * (1 - polygon)

        around = np.linspace(0, 2 * np.pi, 720, endpoint=False)
        return rim(angle) / np.sqrt(np.mean(rim(around) ** 2))


def blur(planes: np.ndarray, kernel: np.ndarray) -> np.ndarray:
    """Convolves C × H × W planes with a kernel of sum 1; outside the border everything is 0.

    Only the surroundings of what the last plane covers are computed; the rest stays exactly 0.
    """
    rows, columns = (np.flatnonzero(planes[-1].any(axis)) for axis in (1, 0))
    spread = np.zeros_like(planes)
    if not rows.size:
        return spread
    top, bottom, left, right = rows[0], rows[-1] + 1, columns[0], columns[-1] + 1
    reach, (_, height, width) = len(kernel) // 2, planes.shape
    sides = (bottom - top + 2 * reach, right - left + 2 * reach)
    padded = tuple(next_fast_len(int(side), real=True) for side in sides)
    spectrum = rfft2(planes[:, top:bottom, left:right], padded) * rfft2(kernel, padded)
    full = irfft2(spectrum, padded)[:, : sides[0], : sides[1]]
    first_row, first_column = max(top - reach, 0), max(left - reach, 0)
    inside = full[
        :,
        first_row - top + reach : height - top + reach,
        first_column - left + reach : width - left + reach,
    ]
    # The FFT leaves noise of about 1e-7, which must not tint pixels that the layer does not reach.
    inside = inside * (inside[-1] > 1e-5)
    spread[
        :,
        first_row : first_row + inside.shape[1],
        first_column : first_column + inside.shape[2],
    ] = np.maximum(inside, 0)
    return spread


def expose(layers: list[SceneLayer], lens: Lens | None = None) -> np.ndarray:
    """Radiance on the sensor, 3 × H × W, of layers ordered from far to near.

    Without a lens the camera is a pinhole and everything is sharp. Blurred edges of the picture are
    too dark, because nothing lies beyond the border: render a margin as wide as the largest radius
    and crop it.
    """
    sensor = np.zeros_like(layers[0].planes[:3])
    for layer in layers:
        planes = layer.planes
        if lens and (radius := lens.circle_of_confusion(layer.inverse_depth)):
            planes = blur(planes, lens.aperture(radius))
        sensor *= 1 - planes[3]
        sensor += planes[:3]
    return sensor


def expose_depth(layers: list[SceneLayer]) -> np.ndarray:
    """Inverse depth seen through a pinhole, height × width; 0 where there is no layer."""
    depths = [
        SceneLayer(np.stack([layer.inverse_depth * layer.planes[3]] * 3 + [layer.planes[3]]), 0.0)
        for layer in layers
    ]
    return expose(depths)[0]
