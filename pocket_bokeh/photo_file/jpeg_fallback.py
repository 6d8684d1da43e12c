"""Decodes JPEG files that Pillow refuses: arithmetic coding, and missing end markers."""

import io
import random
import struct

import numpy as np
from PIL import Image, ImageFile

_END = b"\xff\xd9"
_START_OF_FRAME = (0xC0, 0xC1, 0xC2, 0xC9, 0xCA)
"""Baseline, extended and progressive; then extended and progressive with arithmetic coding."""
_START_OF_SCAN = 0xDA
_COEFFICIENTS = 64


def decode_jpeg(content: bytes) -> Image.Image | None:
    """Decodes a JPEG that Pillow refused because of arithmetic coding or a missing end marker.

    A file may lack only its end marker, or it may be truncated. To find out, it is decoded twice:
    with an end marker appended, and with noise and an end marker appended. If pixels are missing,
    the decoder makes them up from the appended bytes, and the two pictures differ.

    Args:
        content: the whole file.

    Returns:
        The picture, or None if the file is damaged.
    """
    try:
        scans = _Scans(content)
        if content.find(_END, scans.last_start) >= 0:
            return _in_one_piece(content)
        if not scans.complete:
            return None
        picture = _in_one_piece(content + _END)
        other = _in_one_piece(content + _noise() + _END)
    except (KeyError, IndexError, ValueError, OSError, SyntaxError, struct.error):
        return None
    return picture if np.array_equal(np.asarray(picture), np.asarray(other)) else None


def _in_one_piece(content: bytes) -> Image.Image:
    """Decodes a file as a single block, because an arithmetic decoder cannot pause for the next."""
    image = Image.open(io.BytesIO(content), formats=("JPEG", "MPO"))
    assert isinstance(image, ImageFile.ImageFile)
    image.decodermaxblock = len(content)
    image.load()
    return image


def _noise() -> bytes:
    """Random entropy-coded data, without the byte that starts a marker."""
    return bytes(random.Random(0).choices(range(255), k=4096))


class _Scans:
    """The scans of a JPEG, read from its markers.

    Attributes:
        complete: whether the scans contain every coefficient of every colour at full precision. A
            progressive JPEG that was truncated between two scans does not.
        last_start: offset of the last scan.
    """

    def __init__(self, content: bytes) -> None:
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
            if marker in _START_OF_FRAME:
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
