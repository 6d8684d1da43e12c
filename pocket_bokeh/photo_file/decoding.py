"""Decodes an opened photo file to an array, in sRGB or in its own colours."""

import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from PIL import Image, ImageCms, ImageFile

from pocket_bokeh.photo_file.colour import ColourEncoding, to_srgb
from pocket_bokeh.photo_file.colour_tags import said_colours
from pocket_bokeh.photo_file.exif import forget_xmp
from pocket_bokeh.photo_file.jpeg_fallback import decode_jpeg
from pocket_bokeh.photo_file.opening import OpenedPhoto, refusing_damage
from pocket_bokeh.photo_file.value_range import DEEP_GREY, grey_photo

_PIXELS_AT_A_TIME = 1_000_000


@dataclass(frozen=True)
class DecodedPhoto:
    """A decoded picture, before it is converted and turned upright.

    Attributes:
        image: 8-bit RGB, L, CMYK or LAB; unused if `deep` is set.
        deep: height × width × 3, uint16, if the file has RGB with more than 8 bits.
        alpha: height × width, uint8, if the picture is transparent.
        colours: an ICC profile, an encoding, or None for sRGB.
    """

    image: Image.Image
    deep: np.ndarray | None
    alpha: np.ndarray | None
    colours: ColourEncoding | bytes | None

    @property
    def mode(self) -> str:
        """Pillow's: RGB, L, CMYK or LAB."""
        return self.image.mode if self.deep is None else "RGB"

    def in_srgb(self) -> np.ndarray:
        """The pixels in sRGB, height × width × 3, uint8, blended over white if transparent."""
        if isinstance(self.colours, ColourEncoding):
            codes = self._converted(_to_rgb) if self.deep is None else self.deep
            return self._over_white(to_srgb(codes, self.colours))
        if self.mode == "LAB":
            convert = _through(ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")), "LAB")
        elif self.colours:
            convert = _through_profile(self.mode, self.colours)
        else:
            convert = _to_rgb
        return self._over_white(self._converted(convert))

    def in_its_own_colours(self) -> np.ndarray:
        """The pixels in `colours`, height × width × 3, uint8, blended over white if transparent."""
        return self._over_white(self._converted(_to_rgb))

    def _converted(self, convert: Callable[[Image.Image], Image.Image]) -> np.ndarray:
        if self.deep is None:
            return _filled(self.image, convert)
        pixels = np.empty(self.deep.shape, np.uint8)
        for rows in _strips(*self.deep.shape[:2]):
            rounded = (self.deep[rows].astype(np.uint32) + 128) // 257
            pixels[rows] = np.asarray(convert(Image.fromarray(rounded.astype(np.uint8))))
        return pixels

    def _over_white(self, pixels: np.ndarray) -> np.ndarray:
        if self.alpha is None:
            return pixels
        for rows in _strips(pixels.shape[0], pixels.shape[1]):
            alpha = self.alpha[rows, :, None].astype(np.float32) / 255
            pixels[rows] = np.rint(255 - (255 - pixels[rows].astype(np.float32)) * alpha)
        return pixels


def decode(photo: OpenedPhoto, short_side: int | None = None) -> DecodedPhoto:
    """Decodes an opened photograph without turning it upright.

    Args:
        photo: the opened file.
        short_side: shorter side in pixels that is needed at least; JPEGs are decoded smaller.

    Raises:
        UserError: it is damaged, or its kind is not supported.
    """
    image = photo.image
    photo.stream.seek(0)
    colours = said_colours(image, photo.stream, photo.name)
    with refusing_damage(photo.name):
        if image.format in ("JPEG", "MPO") and short_side:
            image.draft(None, (short_side, short_side))
        deep, alpha = _deep_rgb(photo), None
        if deep is None or image.mode != "RGB":
            image = _loaded(photo)
            if image.has_transparency_data:
                image = image.convert("RGBA")
                alpha = np.asarray(image.getchannel("A"))
            image = _in_plain_mode(image, photo.name)
    return DecodedPhoto(image, deep, alpha, colours)


def _in_plain_mode(image: Image.Image, name: str) -> Image.Image:
    if image.mode in DEEP_GREY:
        return Image.fromarray(grey_photo(image, name))
    if image.mode == "1":
        return image.convert("L")
    return image if image.mode in ("RGB", "L", "CMYK", "LAB") else image.convert("RGB")


def is_rgb_profile(profile: bytes) -> bool:
    """Whether it is a valid ICC profile for RGB."""
    try:
        opened = ImageCms.ImageCmsProfile(io.BytesIO(profile))
    except (ImageCms.PyCMSError, OSError):
        return False
    return opened.profile.xcolor_space.strip() == "RGB"


def _loaded(photo: OpenedPhoto) -> Image.Image:
    image = photo.image
    forget_xmp(image)
    try:
        image.load()
    except OSError:
        if image.format not in ("JPEG", "MPO"):
            raise
        again = decode_jpeg(photo.content)
        if again is None:
            raise
        return again
    return image


def _deep_rgb(photo: OpenedPhoto) -> np.ndarray | None:
    """RGB with more than 8 bits, height × width × 3, uint16; None for other files."""
    image = photo.image
    if image.format == "HEIF":
        if image.mode != "RGB" or image.info.get("bit_depth", 8) <= 8:
            return None
        import pillow_heif

        return np.asarray(pillow_heif.open_heif(photo.content, convert_hdr_to_8bit=False))
    if image.format not in ("PNG", "TIFF") or image.mode not in ("RGB", "RGBA"):
        return None
    assert isinstance(image, ImageFile.ImageFile)
    raw = {_raw_mode(tile.args) for tile in image.tile}
    if not raw <= {f"{mode};16{order}" for mode in ("RGB", "RGBA") for order in "BLN"}:
        return None
    # Pillow keeps one of the two bytes, depending on the byte order, so it decodes the file twice.
    high_byte, low_byte = ("B", "L") if raw.pop()[-1] == "B" else ("L", "B")
    deep = np.zeros((image.height, image.width, 3), np.uint16)
    for order, shift in ((high_byte, 8), (low_byte, 0)):
        with Image.open(io.BytesIO(photo.content)) as half:
            assert isinstance(half, ImageFile.ImageFile)
            forget_xmp(half)
            half.tile = [tile._replace(args=_with_order(tile.args, order)) for tile in half.tile]
            half.load()
            for rows in _strips(half.height, half.width):
                strip = half.crop((0, rows.start, half.width, rows.stop)).convert("RGB")
                deep[rows] |= np.asarray(strip).astype(np.uint16) << shift
    return deep


def _raw_mode(arguments: Any) -> str:
    return arguments if isinstance(arguments, str) else str(arguments[0])


def _with_order(arguments: Any, order: str) -> Any:
    mode = _raw_mode(arguments)[:-1] + order
    return mode if isinstance(arguments, str) else (mode, *arguments[1:])


def _to_rgb(image: Image.Image) -> Image.Image:
    return image.convert("RGB")


def _through_profile(mode: str, profile: bytes) -> Callable[[Image.Image], Image.Image]:
    try:
        opened = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        if mode == "L" and is_rgb_profile(profile):
            through_rgb = _through(opened, "RGB")
            return lambda image: through_rgb(image.convert("RGB"))
        return _through(opened, mode)
    except (ImageCms.PyCMSError, OSError):
        # Profiles that do not match their picture are common, so the picture is still accepted.
        return _to_rgb


def _through(profile: ImageCms.ImageCmsProfile, mode: str) -> Callable[[Image.Image], Image.Image]:
    transform = ImageCms.buildTransform(profile, ImageCms.createProfile("sRGB"), mode, "RGB")
    return transform.apply


def _filled(image: Image.Image, convert: Callable[[Image.Image], Image.Image]) -> np.ndarray:
    """The pixels of a converted picture, in strips to avoid a copy of the whole picture."""
    pixels = np.empty((image.height, image.width, 3), np.uint8)
    for rows in _strips(image.height, image.width):
        strip = image.crop((0, rows.start, image.width, rows.stop))
        pixels[rows] = np.asarray(convert(strip))
    return pixels


def _strips(height: int, width: int) -> Iterator[slice]:
    rows = max(1, _PIXELS_AT_A_TIME // width)
    for start in range(0, height, rows):
        yield slice(start, min(start + rows, height))
