"""JPEG files that browsers show and Pillow refuses: arithmetic coding, and no end marker.

A file that lacks its end marker alone is whole. One that was cut earlier is told apart by what
the decoder says when an end marker is put behind it: it then misses data, and warns.
"""

import struct

import numpy as np
from PIL import Image

_END = b"\xff\xd9"
_BASELINE, _ARITHMETIC = (0xC0, 0xC1, 0xC2), (0xC9, 0xCA)
_START_OF_SCAN = 0xDA
_COEFFICIENTS = 64


def decode_jpeg(content: bytes, mode: str) -> Image.Image | None:
    """Decodes a JPEG that Pillow refused.

    Args:
        content: the whole file.
        mode: Pillow's for the picture, L, RGB or CMYK.

    Returns:
        None where the file is damaged, or the decoder is not installed.
    """
    try:
        import simplejpeg
    except ImportError:
        return None
    scans = _Scans(content)
    has_end = content.find(_END, scans.last_start) >= 0
    # An arithmetic decoder does not notice missing data: to it they are zeros.
    if not scans.complete or (scans.is_arithmetic and not has_end):
        return None
    colours = {"L": "GRAY", "RGB": "RGB", "CMYK": "CMYK"}[mode]
    try:
        pixels = simplejpeg.decode_jpeg(
            content if has_end else content + _END, colours, strict=True
        )
    except ValueError:
        return None
    if mode == "L":
        pixels = pixels[..., 0]
    # Photoshop writes ink the other way round, and so does everybody since.
    return Image.fromarray(255 - pixels if mode == "CMYK" else pixels, mode)


class _Scans:
    """What the markers of a JPEG say.

    Attributes:
        is_arithmetic: whether it is coded so.
        complete: whether its scans bring each coefficient of each colour to full precision. A
            progressive JPEG that was cut between two scans does not.
        last_start: where the last scan begins.
    """

    def __init__(self, content: bytes) -> None:
        self.is_arithmetic = False
        self.last_start = 0
        missing_bits: dict[int, np.ndarray] = {}
        place = 2
        while place + 4 <= len(content):
            place = content.find(b"\xff", place)
            if place < 0 or place + 4 > len(content):
                break
            marker, length = struct.unpack_from(">xBH", content, place)
            if marker in (0x00, 0x01, 0xFF) or 0xD0 <= marker <= 0xD9:
                place += 1 if marker == 0xFF else 2
                continue
            segment = content[place + 4 : place + 2 + length]
            if marker in _BASELINE + _ARITHMETIC:
                self.is_arithmetic = marker in _ARITHMETIC
                missing_bits = {part: np.full(_COEFFICIENTS, 16) for part in segment[6::3]}
            elif marker == _START_OF_SCAN:
                self.last_start = place
                count = segment[0]
                first, last, bits = segment[1 + 2 * count : 4 + 2 * count]
                for part in segment[1 : 1 + 2 * count : 2]:
                    missing_bits[part][first : last + 1] = bits & 0x0F
            place += 2 + length
        self.complete = bool(missing_bits) and not any(
            missing.any() for missing in missing_bits.values()
        )
