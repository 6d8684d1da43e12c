"""Creates small photo files with every kind of colour encoding and orientation."""

import io
import struct
import zlib
from collections.abc import Callable, Sequence

import numpy as np
import pillow_heif
import tifffile
from PIL import Image, TiffImagePlugin

from pocket_bokeh.photo_file.colour import ColourEncoding, icc_profile

P3_PRIMARIES = (0.680, 0.320, 0.265, 0.690, 0.150, 0.060, 0.3127, 0.3290)
P3_PROFILE = icc_profile(ColourEncoding("srgb", P3_PRIMARIES))
GAMMA_18_PROFILE = icc_profile(ColourEncoding(1.8))

PATCH = 16
"""Side length in pixels."""

_COLOURS = [
    [(200, 40, 30), (40, 160, 60), (30, 50, 190), (12, 12, 12)],
    [(210, 160, 130), (128, 128, 128), (60, 30, 90), (255, 255, 255)],
]
_PQ_COLOURS = [
    [(120, 60, 50), (60, 120, 70), (50, 60, 120), (20, 20, 20)],
    [(130, 115, 105), (100, 100, 100), (70, 50, 80), (148, 148, 148)],
]
"""All at or below reference white."""
_HLG_COLOURS = [
    [tuple(round(1.3 * code) for code in patch) for patch in row] for row in _PQ_COLOURS
]


_BRIGHT_COLOURS = [
    [(200, 80, 70), (90, 160, 70), (70, 90, 190), (60, 60, 60)],
    [(210, 160, 130), (128, 128, 128), (100, 70, 90), (255, 255, 255)],
]
"""Chromium reads 8 bits of linear codes and cannot distinguish darker ones well."""


def patches(colours: Sequence[Sequence[tuple[int, ...]]] = _COLOURS) -> np.ndarray:
    """2 × 4 patches of one colour each: 32 × 64 × 3, uint8."""
    return np.array(colours, np.uint8).repeat(PATCH, 0).repeat(PATCH, 1)


def middles(pixels: np.ndarray) -> np.ndarray:
    """The mean colour of each patch, without its border: rows × columns × 3."""
    rows, columns = pixels.shape[0] // PATCH, pixels.shape[1] // PATCH
    cells = pixels[..., :3].reshape(rows, PATCH, columns, PATCH, 3)[:, 5:-5, :, 5:-5]
    return cells.astype(np.float64).mean((1, 3))


def _saved(kind: str, pixels: np.ndarray | Image.Image | None = None, **options: object) -> bytes:
    stream = io.BytesIO()
    if pixels is None:
        pixels = patches()
    image = Image.fromarray(pixels) if isinstance(pixels, np.ndarray) else pixels
    image.save(stream, kind, **options)
    return stream.getvalue()


def png(
    pixels: np.ndarray | None = None, *chunks: tuple[bytes, bytes], after: bool = False
) -> bytes:
    """Of 8 or 16 bits, RGB or grey, with further chunks before its pixels or after them."""
    pixels = patches() if pixels is None else pixels
    grey, deep = pixels.ndim == 2, pixels.dtype == np.uint16
    header = struct.pack(
        ">IIBBBBB", pixels.shape[1], pixels.shape[0], 16 if deep else 8, 0 if grey else 2, 0, 0, 0
    )
    rows = pixels.astype(">u2") if deep else pixels
    data = zlib.compress(b"".join(b"\0" + row.tobytes() for row in rows))
    body = [(b"IHDR", header), *chunks, (b"IDAT", data), (b"IEND", b"")]
    if after:
        body = [(b"IHDR", header), (b"IDAT", data), *chunks, (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(content))
        + name
        + content
        + struct.pack(">I", zlib.crc32(name + content))
        for name, content in body
    )


def gama(gamma: float) -> tuple[bytes, bytes]:
    """A gAMA chunk with the exponent of the encoding, 1/2.2 for most pictures."""
    return b"gAMA", struct.pack(">I", round(gamma * 100_000))


def chrm(primaries: tuple[float, ...] = P3_PRIMARIES) -> tuple[bytes, bytes]:
    numbers = (*primaries[6:], *primaries[:6])
    return b"cHRM", struct.pack(">8I", *(round(number * 100_000) for number in numbers))


def cicp(primaries: int, transfer: int) -> tuple[bytes, bytes]:
    return b"cICP", bytes([primaries, transfer, 0, 1])


def iccp(profile: bytes) -> tuple[bytes, bytes]:
    return b"iCCP", b"profile\0\0" + zlib.compress(profile)


def exif(orientation: int) -> bytes:
    """With its leading name, as JPEG has it."""
    notes = Image.Exif()
    notes[0x0112] = orientation
    return notes.tobytes()


def xmp(orientation: int) -> bytes:
    return (
        '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF '
        'xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description '
        f'xmlns:tiff="http://ns.adobe.com/tiff/1.0/" tiff:Orientation="{orientation}"/>'
        "</rdf:RDF></x:xmpmeta>"
    ).encode()


def xmp_chunk(orientation: int) -> tuple[bytes, bytes]:
    return b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + xmp(orientation)


def lasting_exif(orientation: int) -> bytes:
    """Writes EXIF under a similar name, because Pillow removes an AVIF's orientation from EXIF."""
    notes = Image.Exif()
    notes[0x0113] = orientation
    return notes.tobytes()


def jpeg(image: np.ndarray | Image.Image | None = None, **options: object) -> bytes:
    return _saved("JPEG", image, quality=100, **options)


def without_adobe_marker(content: bytes) -> bytes:
    place = content.index(b"\xff\xee")
    length = struct.unpack_from(">H", content, place + 2)[0]
    return content[:place] + content[place + 2 + length :]


def avif(
    primaries: int = 1, transfer: int = 13, pixels: np.ndarray | None = None, **o: object
) -> bytes:
    """Replaces the codes that Pillow writes into the colr box."""
    content = _saved("AVIF", pixels, quality=100, subsampling="4:4:4", **o)
    place = content.index(b"colrnclx") + 8
    return content[:place] + struct.pack(">HH", primaries, transfer) + content[place + 4 :]


def heic(
    primaries: int = 1, transfer: int = 13, pixels: np.ndarray | None = None, **o: object
) -> bytes:
    """A HEIF file with 8 bits, or 10 bits for uint16 pixels."""
    pixels = patches() if pixels is None else pixels
    mode = "RGB;16" if pixels.dtype == np.uint16 else "RGB"
    heif = pillow_heif.from_bytes(mode, (pixels.shape[1], pixels.shape[0]), pixels.tobytes())
    for key, value in o.items():
        heif.info[key] = value
    stream = io.BytesIO()
    heif.save(
        stream,
        quality=95,
        chroma=444,
        color_primaries=primaries,
        transfer_characteristics=transfer,
        matrix_coefficients=1 if primaries == 1 else 9,
    )
    return stream.getvalue()


def deep_tiff(pixels: np.ndarray, profile: bytes) -> bytes:
    """A file with 16-bit RGB, which Pillow cannot write."""
    stream = io.BytesIO()
    tifffile.imwrite(stream, pixels, photometric="rgb", iccprofile=profile, compression="zlib")
    return stream.getvalue()


def deep(pixels: np.ndarray) -> np.ndarray:
    """The same of 16 bits."""
    return pixels.astype(np.uint16) * 257


def linear_deep(pixels: np.ndarray) -> np.ndarray:
    """sRGB of 8 bits as linear codes of 16."""
    codes = pixels / 255
    light = np.where(codes <= 0.04045, codes / 12.92, ((codes + 0.055) / 1.055) ** 2.4)
    return np.rint(light * 65535).astype(np.uint16)


LINEAR = linear_deep(patches(_BRIGHT_COLOURS))
PQ, HLG = patches(_PQ_COLOURS), patches(_HLG_COLOURS)
BT709, P3, BT2020, SRGB_CURVE, PQ_CURVE, HLG_CURVE = 1, 12, 9, 13, 16, 18

_GREY = patches()[..., 0]
CMYK = Image.fromarray(patches()).convert("CMYK")


def _palette() -> Image.Image:
    image = Image.fromarray(patches()).convert("P", palette=Image.Palette.ADAPTIVE)
    image.info["transparency"] = image.getpixel((60, 5))  # the nearly black patch
    return image


def _translucent() -> Image.Image:
    image = Image.fromarray(patches()).convert("RGBA")
    image.putalpha(100)
    return image


def _lossless_webp(**options: object) -> bytes:
    return _saved("WEBP", None, lossless=True, **options)


FILES: dict[str, Callable[[], bytes]] = {
    "png": png,
    "png, sRGB over gAMA": lambda: png(None, gama(1.0), (b"sRGB", b"\0")),
    "png, gAMA 1/2.2": lambda: png(None, gama(1 / 2.2)),
    "png, gAMA 1/1.8": lambda: png(None, gama(1 / 1.8)),
    "png, gAMA 1, 16 bits": lambda: png(LINEAR, gama(1.0)),
    "png, gAMA and cHRM of P3": lambda: png(None, gama(1 / 2.2), chrm()),
    "png, gAMA 1/2.2 and cHRM of sRGB": lambda: png(
        None, gama(1 / 2.2), chrm(ColourEncoding.primaries)
    ),
    "png, cHRM of P3 alone": lambda: png(None, chrm()),
    "png, grey, gAMA 1/1.8": lambda: png(_GREY, gama(1 / 1.8)),
    "png, iCCP": lambda: png(None, iccp(P3_PROFILE)),
    "png, iCCP over gAMA": lambda: png(None, gama(1.0), iccp(P3_PROFILE)),
    "png, iCCP over sRGB": lambda: png(None, (b"sRGB", b"\0"), iccp(P3_PROFILE)),
    "png, cICP of P3 over iCCP": lambda: png(None, cicp(P3, SRGB_CURVE), iccp(GAMMA_18_PROFILE)),
    "png, cICP of P3 over sRGB": lambda: png(None, cicp(P3, SRGB_CURVE), (b"sRGB", b"\0")),
    "png, cICP of BT.2020": lambda: png(None, cicp(BT2020, SRGB_CURVE)),
    "png, cICP linear, 16 bits": lambda: png(LINEAR, cicp(BT709, 8)),
    "png, cICP unspecified": lambda: png(None, cicp(2, 2)),
    "png, cICP PQ, 16 bits": lambda: png(deep(PQ), cicp(BT2020, PQ_CURVE)),
    "png, cICP HLG, 16 bits": lambda: png(deep(HLG), cicp(BT2020, HLG_CURVE)),
    "png, 16 bits, iCCP": lambda: png(deep(patches()), iccp(P3_PROFILE)),
    "png, palette, transparent": lambda: _saved("PNG", _palette()),
    "png, translucent": lambda: _saved("PNG", _translucent()),
    "png, eXIf 6": lambda: png(None, (b"eXIf", exif(6)[6:])),
    "png, eXIf 6 after its pixels": lambda: png(None, (b"eXIf", exif(6)[6:]), after=True),
    "png, XMP 6": lambda: png(None, xmp_chunk(6)),
    **{
        f"jpeg, EXIF {orientation}": lambda o=orientation: jpeg(exif=exif(o))  # type: ignore[misc]
        for orientation in range(10)
    },
    "jpeg, XMP 6": lambda: jpeg(xmp=xmp(6)),
    "jpeg, XMP 3 and EXIF 6": lambda: jpeg(xmp=xmp(3), exif=exif(6)),
    "jpeg, ICC and EXIF 6": lambda: jpeg(icc_profile=P3_PROFILE, exif=exif(6)),
    "jpeg, CMYK": lambda: jpeg(CMYK),
    "jpeg, CMYK without Adobe's marker": lambda: without_adobe_marker(jpeg(CMYK)),
    "jpeg, grey with an RGB profile": lambda: jpeg(_GREY, icc_profile=GAMMA_18_PROFILE),
    "jpeg, a second picture behind it": lambda: _saved(
        "MPO", None, quality=100, save_all=True, append_images=[Image.new("RGB", (64, 32))]
    ),
    "webp": _lossless_webp,
    "webp, ICC": lambda: _lossless_webp(icc_profile=P3_PROFILE),
    "webp, EXIF 6": lambda: _lossless_webp(exif=exif(6)),
    "webp, XMP 6": lambda: _lossless_webp(xmp=xmp(6)),
    "gif": lambda: _saved("GIF"),
    "bmp": lambda: _saved("BMP"),
    "avif": avif,
    "avif, unspecified": lambda: avif(2, 2),
    "avif, P3": lambda: avif(P3, SRGB_CURVE),
    "avif, BT.2020": lambda: avif(BT2020, 14),
    "avif, gamma 2.2": lambda: avif(1, 4),
    "avif, PQ": lambda: avif(BT2020, PQ_CURVE, PQ),
    "avif, HLG": lambda: avif(BT2020, HLG_CURVE, HLG),
    "avif, ICC": lambda: _saved(
        "AVIF", None, quality=100, subsampling="4:4:4", icc_profile=P3_PROFILE
    ),
    "avif, irot": lambda: avif(exif=exif(6)),
    "avif, EXIF 6 alone": lambda: avif(exif=lasting_exif(6)).replace(
        b"\x01\x13\0\3", b"\x01\x12\0\3"
    ),
    "avif, XMP 6": lambda: avif(xmp=xmp(6)),
}
"""Files that browsers show, by description."""


def _tiff(orientation: int | None = None, **options: object) -> bytes:
    tags = TiffImagePlugin.ImageFileDirectory_v2()
    if orientation is not None:
        tags[274] = orientation
    if "xmp" in options:
        tags[700] = options.pop("xmp")
    return _saved("TIFF", None, tiffinfo=tags, **options)


UNKNOWN_TO_BROWSERS: dict[str, tuple[Callable[[], bytes], str]] = {
    "tiff": (_tiff, "png"),
    "tiff, orientation 6": (lambda: _tiff(6), "jpeg, EXIF 6"),
    "tiff, orientation 7, LZW": (lambda: _tiff(7, compression="tiff_lzw"), "jpeg, EXIF 7"),
    "tiff, orientation 9": (lambda: _tiff(9), "jpeg, EXIF 9"),
    "tiff, XMP 6": (lambda: _tiff(xmp=xmp(6)), "png"),
    "tiff, XMP 6, LZW": (lambda: _tiff(xmp=xmp(6), compression="tiff_lzw"), "png"),
    "tiff, ICC": (lambda: _tiff(icc_profile=P3_PROFILE), "png, iCCP"),
    "tiff, 16 bits, ICC": (
        lambda: deep_tiff(deep(patches()), P3_PROFILE),
        "png, iCCP",
    ),
    "png, eXIf 6 after its pixels": (FILES["png, eXIf 6 after its pixels"], "png, eXIf 6"),
    "webp, EXIF 6": (FILES["webp, EXIF 6"], "png, eXIf 6"),
    "heic": (heic, "png"),
    "heic, unspecified": (lambda: heic(2, 2), "png"),
    "heic, P3": (lambda: heic(P3, SRGB_CURVE), "avif, P3"),
    "heic, BT.2020": (lambda: heic(BT2020, 14), "avif, BT.2020"),
    "heic, ICC": (lambda: heic(icc_profile=P3_PROFILE), "png, iCCP"),
    "heic, PQ": (lambda: heic(BT2020, PQ_CURVE, PQ), "avif, PQ"),
    "heic, PQ, 10 bits": (lambda: heic(BT2020, PQ_CURVE, deep(PQ)), "avif, PQ"),
    "heic, HLG, 10 bits": (lambda: heic(BT2020, HLG_CURVE, deep(HLG)), "avif, HLG"),
    "heic, irot and EXIF 6": (lambda: heic(exif=exif(6)), "png, eXIf 6"),
    "heic, EXIF 6 alone": (
        lambda: heic(exif=lasting_exif(6)).replace(b"\x01\x13\0\3", b"\x01\x12\0\3"),
        "png",
    ),
    "heic, XMP 6": (
        # Orientation 1, because the writer converts it to irot.
        lambda: heic(xmp=xmp(1)).replace(b'Orientation="1"', b'Orientation="6"'),
        "png",
    ),
}
"""Files that Chromium cannot show or turn, with the file in `FILES` that looks the same."""
