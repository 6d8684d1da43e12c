"""Reads a photo file's colour encoding: an ICC profile, or colour codes and numbers."""

import io
import struct
from typing import BinaryIO

from PIL import Image

from pocket_bokeh.errors import UserError
from pocket_bokeh.photo_file.colour import ColourEncoding, Curve

_D65 = (0.3127, 0.3290)
_C = (0.310, 0.316)
_BT470BG = (0.64, 0.33, 0.29, 0.60, 0.15, 0.06, *_D65)
_SMPTE170M = (0.630, 0.340, 0.310, 0.595, 0.155, 0.070, *_D65)

_PRIMARIES: dict[int, tuple[float, ...]] = {
    1: ColourEncoding.primaries,
    2: ColourEncoding.primaries,  # unspecified
    4: (0.67, 0.33, 0.21, 0.71, 0.14, 0.08, *_C),
    5: _BT470BG,
    6: _SMPTE170M,
    7: _SMPTE170M,
    8: (0.681, 0.319, 0.243, 0.692, 0.145, 0.049, *_C),
    9: (0.708, 0.292, 0.170, 0.797, 0.131, 0.046, *_D65),
    10: (1, 0, 0, 1, 0, 0, 1 / 3, 1 / 3),
    11: (0.680, 0.320, 0.265, 0.690, 0.150, 0.060, 0.314, 0.351),
    12: (0.680, 0.320, 0.265, 0.690, 0.150, 0.060, *_D65),
    22: (0.630, 0.340, 0.295, 0.605, 0.155, 0.077, *_D65),
}
"""CIE x and y of red, green, blue and white, by ColourPrimaries of ITU-T H.273."""

_CURVES: dict[int, Curve] = {
    **dict.fromkeys((1, 2, 6, 7, 11, 12, 13, 14, 15), "srgb"),
    4: 2.2,
    5: 2.8,
    8: 1.0,
    16: "pq",
    18: "hlg",
}
"""Curves by TransferCharacteristics of H.273. The curves of video describe cameras; viewers,
Chromium among them, show such files as sRGB."""

_METADATA_FIRST = 1_000_000
"""Bytes to read of an AVIF, more than the boxes before its pixels take."""


def said_colours(image: Image.Image, stream: BinaryIO, name: str) -> ColourEncoding | bytes | None:
    """The colour encoding of an opened picture.

    Args:
        image: as Pillow opened it.
        stream: a second stream of the same file, because Pillow's own must not be moved.
        name: of the file, for messages.

    Returns:
        An encoding that is not sRGB, an ICC profile, or None for sRGB.

    Raises:
        UserError: the file has a colour code that is not supported.
    """
    profile: bytes | None = image.info.get("icc_profile")
    if image.format == "PNG":
        return _of_png(png_chunks(stream), profile, name)
    if profile:
        return profile
    codes = None
    if image.format == "HEIF" and (nclx := image.info.get("nclx_profile")):
        codes = (nclx["color_primaries"], nclx["transfer_characteristics"])
    if image.format == "AVIF":
        codes = _nclx_codes(stream.read(_METADATA_FIRST))
    return _encoding(codes[0], codes[1], name) if codes else None


def _of_png(
    chunks: dict[bytes, bytes], profile: bytes | None, name: str
) -> ColourEncoding | bytes | None:
    """Precedence as in the PNG specification, third edition: cICP, iCCP, sRGB, gAMA with cHRM."""
    if len(chunks.get(b"cICP", b"")) == 4:
        return _encoding(chunks[b"cICP"][0], chunks[b"cICP"][1], name)
    if profile:
        return profile
    if b"sRGB" in chunks or len(chunks.get(b"gAMA", b"")) != 4:
        return None
    gamma = struct.unpack(">I", chunks[b"gAMA"])[0] / 100_000
    if not 0.1 <= gamma <= 10:
        return None
    if primaries := _chrm_primaries(chunks.get(b"cHRM", b"")):
        return ColourEncoding(1 / gamma, primaries)
    # Most programs write a gamma of 1/2.2 alone to mean sRGB, and Chromium treats it so.
    return None if abs(gamma - 1 / 2.2) < 0.005 else ColourEncoding(1 / gamma)


def _chrm_primaries(content: bytes) -> tuple[float, ...] | None:
    """The primaries of a cHRM chunk; None if the colours do not form a triangle."""
    if len(content) != 32:
        return None
    white_x, white_y, *others = (number / 100_000 for number in struct.unpack(">8I", content))
    red_x, red_y, green_x, green_y, blue_x, blue_y = others
    twice_the_area = (green_x - red_x) * (blue_y - red_y) - (blue_x - red_x) * (green_y - red_y)
    if min(white_y, red_y, green_y, blue_y) <= 0 or not 0.01 < abs(twice_the_area) < 4:
        return None
    return (*others, white_x, white_y)


def _encoding(primaries: int, transfer: int, name: str) -> ColourEncoding | None:
    if primaries not in _PRIMARIES or transfer not in _CURVES:
        raise UserError(
            f"{name}: its colour codes are not supported (primaries {primaries}, transfer "
            f"{transfer} of ITU-T H.273); convert it to sRGB first"
        )
    encoding = ColourEncoding(_CURVES[transfer], _PRIMARIES[primaries])
    return None if encoding.is_srgb else encoding


def png_chunks(stream: BinaryIO) -> dict[bytes, bytes]:
    """The small chunks of a PNG by name, the first of each kind; pixels are skipped."""
    chunks: dict[bytes, bytes] = {}
    stream.seek(8)
    while len(head := stream.read(8)) == 8:
        length, name = struct.unpack(">I4s", head)
        if name in (b"cICP", b"sRGB", b"gAMA", b"cHRM", b"eXIf"):
            chunks.setdefault(name, stream.read(length))
            length = 0
        stream.seek(length + 4, io.SEEK_CUR)
    return chunks


def _nclx_codes(content: bytes) -> tuple[int, int] | None:
    """ColourPrimaries and TransferCharacteristics of an AVIF's colr box (ISO/IEC 14496-12)."""
    start = content.find(b"colrnclx")
    if start < 0 or len(content) < start + 12:
        return None
    primaries, transfer = struct.unpack_from(">HH", content, start + 8)
    return primaries, transfer
