"""RGB encodings other than sRGB: conversion to sRGB, and equivalent ICC profiles.

High dynamic range (PQ and HLG, ITU-R BT.2100) is converted in the simplest way that does not change
the rest of the picture: reference white, 203 cd/m² by ITU-R BT.2408, becomes 255. Brighter pixels
(lamps, the sun on water) keep their hue and are darkened until their largest channel is 255.
"""

import struct
from dataclasses import dataclass
from typing import Literal

import numpy as np

Curve = Literal["srgb", "pq", "hlg"] | float
"""Transfer function from codes to light; a number is the exponent of a power function, where 1
means linear codes."""

_D65 = (0.3127, 0.3290)
_SRGB_PRIMARIES = (0.64, 0.33, 0.30, 0.60, 0.15, 0.06, *_D65)
_D50_XYZ = np.array([0.9642, 1.0, 0.8249])
_BRADFORD = np.array(
    [[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]]
)
_REFERENCE_WHITE = 203.0
_HLG_PEAK = 1000.0
"""Peak luminance of the display for which HLG is graded, in cd/m²."""
_PIXELS_AT_A_TIME = 500_000
_LIGHT_STEPS = 65535


@dataclass(frozen=True)
class ColourEncoding:
    """The meaning of RGB codes.

    Attributes:
        curve: transfer function from codes to light.
        primaries: CIE x and y of red, green, blue and white.
    """

    curve: Curve = "srgb"
    primaries: tuple[float, ...] = _SRGB_PRIMARIES

    @property
    def is_srgb(self) -> bool:
        return self.curve == "srgb" and bool(
            np.allclose(self.primaries, _SRGB_PRIMARIES, atol=0.0015)
        )

    @property
    def is_for_viewing(self) -> bool:
        """Whether 8 bits are enough for it, because its codes are perceptually spaced."""
        return self.curve == "srgb" or (
            isinstance(self.curve, int | float) and 1.7 <= self.curve <= 2.7
        )


def to_srgb(codes: np.ndarray, encoding: ColourEncoding) -> np.ndarray:
    """Converts a picture to sRGB. Colours outside sRGB are clipped.

    Args:
        codes: height × width × 3, uint8 or full-range uint16, RGB.
        encoding: of the codes.

    Returns:
        height × width × 3, uint8, RGB, sRGB-encoded.
    """
    most = np.iinfo(codes.dtype).max
    light_of = _light(np.arange(most + 1) / most, encoding.curve).astype(np.float32)
    to_xyz = _rgb_to_xyz(encoding.primaries)
    srgb_to_xyz = _rgb_to_xyz(_SRGB_PRIMARIES)
    adaptation = _adaptation(to_xyz.sum(1), srgb_to_xyz.sum(1))
    matrix = (np.linalg.inv(srgb_to_xyz) @ adaptation @ to_xyz).astype(np.float32)
    luminance = to_xyz[1].astype(np.float32)
    encoded = _encoded_srgb()
    converted = np.empty(codes.shape, np.uint8)
    rows = max(1, _PIXELS_AT_A_TIME // codes.shape[1])
    for start in range(0, codes.shape[0], rows):
        light = light_of[codes[start : start + rows]]
        if encoding.curve == "hlg":
            # The system gamma of HLG, 1.2, applies to luminance.
            light *= (_HLG_PEAK / _REFERENCE_WHITE) * (light @ luminance)[..., None] ** 0.2
        light = light @ matrix.T
        if encoding.curve in ("pq", "hlg"):
            light /= np.maximum(1, light.max(-1, keepdims=True))
        steps = np.rint(np.clip(light, 0, 1) * _LIGHT_STEPS).astype(np.uint16)
        converted[start : start + rows] = encoded[steps]
    return converted


def icc_profile(encoding: ColourEncoding) -> bytes:
    """An ICC profile, version 4, for an encoding with sRGB's curve or a power function."""
    to_xyz = _rgb_to_xyz(encoding.primaries)
    adaptation = _adaptation(to_xyz.sum(1), _D50_XYZ)
    colorants = (adaptation @ to_xyz).T
    if encoding.curve == "srgb":
        shape, numbers = 3, [2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045]
    elif isinstance(encoding.curve, str):
        raise ValueError(f"no ICC curve for {encoding.curve}")
    else:
        shape, numbers = 0, [encoding.curve]
    curve = b"para" + bytes(4) + struct.pack(">HH", shape, 0) + _fixed(numbers)
    tags = {
        b"desc": _text("RGB as the photo's file describes it"),
        b"cprt": _text("none"),
        b"wtpt": b"XYZ " + bytes(4) + _fixed(_D50_XYZ),
        b"chad": b"sf32" + bytes(4) + _fixed(adaptation.ravel()),
        b"rXYZ": b"XYZ " + bytes(4) + _fixed(colorants[0]),
        b"gXYZ": b"XYZ " + bytes(4) + _fixed(colorants[1]),
        b"bXYZ": b"XYZ " + bytes(4) + _fixed(colorants[2]),
        b"rTRC": curve,
        b"gTRC": curve,
        b"bTRC": curve,
    }
    return _assembled(tags)


def _assembled(tags: dict[bytes, bytes]) -> bytes:
    """A display profile with these tags, in the layout of ICC.1:2010."""
    start = 128 + 4 + 12 * len(tags)
    directory, contents = struct.pack(">I", len(tags)), b""
    for name, content in tags.items():
        directory += struct.pack(">4sII", name, start + len(contents), len(content))
        contents += content + bytes(-len(content) % 4)
    header = struct.pack(
        ">I4xI4s4s4s6H4s24xI12s48x",
        start + len(contents),
        0x04200000,
        b"mntr",
        b"RGB ",
        b"XYZ ",
        *(2000, 1, 1, 0, 0, 0),
        b"acsp",
        1,
        _fixed(_D50_XYZ),
    )
    return header + directory + contents


def _text(text: str) -> bytes:
    encoded = text.encode("utf-16-be")
    return b"mluc" + struct.pack(">4xII4sII", 1, 12, b"enUS", len(encoded), 28) + encoded


def _fixed(numbers: np.ndarray | list[float]) -> bytes:
    return np.rint(np.asarray(numbers) * 65536).astype(">i4").tobytes()


def _rgb_to_xyz(primaries: tuple[float, ...]) -> np.ndarray:
    """The 3 × 3 matrix from linear RGB to CIE XYZ, where white has luminance 1."""
    x, y = np.reshape(primaries, (4, 2)).T
    columns = np.stack([x / y, np.ones(4), (1 - x - y) / y])
    return columns[:, :3] * np.linalg.solve(columns[:, :3], columns[:, 3])


def _adaptation(white: np.ndarray, other: np.ndarray) -> np.ndarray:
    """The 3 × 3 matrix from XYZ under one white to XYZ under another (Bradford)."""
    scale = (_BRADFORD @ other) / (_BRADFORD @ white)
    return np.linalg.inv(_BRADFORD) @ (scale[:, None] * _BRADFORD)


def _light(codes: np.ndarray, curve: Curve) -> np.ndarray:
    """Converts codes 0…1 to light.

    1 is white; PQ can exceed it. For HLG the result is scene light, 0…1.
    """
    if curve == "srgb":
        return np.where(codes <= 0.04045, codes / 12.92, ((codes + 0.055) / 1.055) ** 2.4)
    if curve == "pq":
        root = codes ** (32 / 2523)
        ratio = np.maximum(root - 3424 / 4096, 0) / (2413 / 128 - 2392 / 128 * root)
        return 10_000 / _REFERENCE_WHITE * ratio ** (16384 / 2610)
    if curve == "hlg":
        a = 0.17883277
        b, c = 1 - 4 * a, 0.5 - a * np.log(4 * a)
        return np.where(codes <= 0.5, codes**2 / 3, (np.exp((codes - c) / a) + b) / 12)
    return codes**curve


def _encoded_srgb() -> np.ndarray:
    """A table of sRGB codes by light in steps of 1/65535."""
    light = np.arange(_LIGHT_STEPS + 1) / _LIGHT_STEPS
    codes = np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)
    return np.rint(codes * 255).astype(np.uint8)
