"""Depth of field of a thin lens over flat layers, in linear light.

A scene is a list of layers, farthest first. Each layer lies at one depth z and is known whole, also
where a nearer one hides it, so nothing has to be guessed behind a sharp silhouette. The lens
spreads a point at depth z over its circle of confusion, whose signed radius on the sensor is
c · (1/z_focus - 1/z) (Potmesil & Chakravarty, "A lens and aperture camera model for synthetic image
generation", SIGGRAPH 1981): positive behind the focus; negative before it, where the aperture's
picture is upside down. A layer's blurred coverage tells how much of the layers behind still gets
through; they are composited by "over" on premultiplied radiance (Porter & Duff, "Compositing
digital images", SIGGRAPH 1984).

Planes are channels × height × width, float32; channels are R, G, B and, in a layer, coverage.
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
    """Linear radiance, any shape, to uint8 sRGB codes; the sensor clips below 0 and above 1."""
    steps = np.clip(radiance, 0, 1) * np.float32(65535) + np.float32(0.5)
    return _ENCODED[steps.astype(np.uint16)]


@dataclass(frozen=True)
class Layer:
    """A flat cut-out of the scene.

    planes: 4 × H × W; radiance (linear, 1 is the sensor's white, lights lie above) times coverage,
    then coverage 0…1. inverse_depth: 1/z, in the unit of Lens.focus.
    """

    planes: np.ndarray
    inverse_depth: float


@dataclass(frozen=True)
class Lens:
    """strength: pixels of circle of confusion per unit of inverse depth; focus: 1/z_focus;
    blades: sides of the aperture, 0 for a round one; rotation: of the blades, in radians."""

    strength: float
    focus: float
    blades: int = 0
    rotation: float = 0.0

    def circle_of_confusion(self, inverse_depth: float) -> float:
        """Signed radius in pixels; positive behind the focus."""
        return self.strength * (self.focus - inverse_depth)

    def aperture(self, radius: float) -> np.ndarray:
        """The picture of the aperture, odd side × side, sum 1.

        radius: signed, in pixels; that of the circle with the same area.
        """
        side = 2 * int(np.ceil(abs(radius) * 1.15)) + 1
        samples = max(8, 96 // side)  # per pixel and axis: a small aperture is nearly all rim
        axis = (np.arange(side * samples) + 0.5) / samples - side / 2
        distance = np.hypot(axis, axis[:, None])
        inside = distance <= abs(radius) * self._rim(np.arctan2(axis[:, None], axis))
        kernel = inside.reshape(side, samples, side, samples).mean((1, 3), dtype=np.float32)
        if kernel.sum() == 0:  # a circle smaller than the sampling grid is a point
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
    """C × H × W planes spread by a kernel of sum 1; beyond the border there is nothing.

    Worked out only around what the last plane covers: the rest stays exactly 0.
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
    # The transform leaves a noise of about 1e-7, which must not tint what the layer does not reach.
    inside = inside * (inside[-1] > 1e-5)
    spread[
        :,
        first_row : first_row + inside.shape[1],
        first_column : first_column + inside.shape[2],
    ] = np.maximum(inside, 0)
    return spread


def expose(layers: list[Layer], lens: Lens | None = None) -> np.ndarray:
    """Radiance 3 × H × W on the sensor, of layers from the farthest to the nearest.

    Without a lens everything is sharp: a pinhole. A blur lacks what lies beyond the border, as far
    in as its radius reaches; leave that much margin around the frame, and cut it off.
    """
    sensor = np.zeros_like(layers[0].planes[:3])
    for layer in layers:
        planes = layer.planes
        if lens and (radius := lens.circle_of_confusion(layer.inverse_depth)):
            planes = blur(planes, lens.aperture(radius))
        sensor *= 1 - planes[3]
        sensor += planes[:3]
    return sensor


def expose_depth(layers: list[Layer]) -> np.ndarray:
    """Inverse depth height × width as the pinhole sees it; 0 where there is no layer."""
    depths = [
        Layer(np.stack([layer.inverse_depth * layer.planes[3]] * 3 + [layer.planes[3]]), 0.0)
        for layer in layers
    ]
    return expose(depths)[0]
