"""JPEGs without an end marker are read; truncated ones are refused."""

import base64
import contextlib
import io

import numpy as np
import pytest
from PIL import Image, ImageFile
from skimage import data

from pocket_bokeh.errors import UserError
from pocket_bokeh.photo import photo_size, read_camera_photo, read_photo

from .photo_files import CMYK, P3_PROFILE, exif, jpeg, middles, patches

END = b"\xff\xd9"
ARITHMETIC = base64.b85decode(
    "|JeWF01!$>Nk#wx0RR9200961|JwjV00RO70s;a90s;a90|NsD1_T5I1Ox~M1_cHQ2nq@b2nh)a3=a$n3l0kj2@Meq"
    "4i69z5fBOt5)%>-6Aus&5dYf%LjeN=0|WyE2m}NO5DN(l5D*X$5D*X$5D*X$5D*X$5D*X$5D*X$5D*X$5D*X$5D*X$"
    "5D*X$5D*X$5D*X$5D*X$5D@>#01*fPAOJuE0TBQK5di}c0sqVZ3IGrg1pyEd1^?Or3<CiG0ucid06zf#0MYd4zuS4T"
    "E38>v(H`}6<k7j_$6$S1l~&_CC&TP8PYLYy1CoKo%!&YHV*C0)s#9@vc5zpKlnFg~HS*|ep9)*b;Q!e"
)
"""The patches with arithmetic coding, written by libjpeg with arith_code."""


def photograph(**options: object) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(data.astronaut()[:203, :301]).save(stream, "JPEG", quality=90, **options)
    return stream.getvalue()


@pytest.mark.parametrize("block", [65_536, ARITHMETIC.index(b"\xff\xda") + 30])
def test_arithmetic_coding_is_read(monkeypatch: pytest.MonkeyPatch, block: int) -> None:
    """Also for files larger than the blocks that Pillow passes to its decoder."""
    monkeypatch.setattr(ImageFile, "MAXBLOCK", block)
    np.testing.assert_allclose(middles(read_photo(ARITHMETIC)), middles(patches()), atol=2)


@pytest.mark.parametrize("progressive", [False, True])
@pytest.mark.parametrize("mode", ["RGB", "L", "CMYK"])
def test_a_missing_end_marker_changes_nothing(progressive: bool, mode: str) -> None:
    stream = io.BytesIO()
    image = Image.fromarray(data.astronaut()[:203, :301]).convert(mode)
    image.save(stream, "JPEG", quality=90, progressive=progressive)
    whole = stream.getvalue()
    assert whole.endswith(END)
    for cut in (whole[:-2], whole[:-1]):
        difference = read_photo(cut).astype(int) - read_photo(whole)
        assert np.abs(difference).max() <= 2


def test_profile_turn_and_notes_survive_a_missing_end_marker() -> None:
    photo = read_camera_photo(jpeg(icc_profile=P3_PROFILE, exif=exif(6))[:-2])
    assert photo.pixels.shape == (64, 32, 3)
    assert photo.profile == P3_PROFILE
    assert photo.exif


def test_cmyk_is_not_inverted() -> None:
    np.testing.assert_allclose(
        middles(read_photo(jpeg(CMYK)[:-2])), middles(read_photo(jpeg(CMYK))), atol=1
    )


@pytest.mark.parametrize("progressive", [False, True])
def test_a_truncated_file_is_refused(progressive: bool) -> None:
    """Truncated anywhere; a progressive one also right after a scan."""
    whole = photograph(progressive=progressive)
    scans = [place for place in range(len(whole)) if whole.startswith(b"\xff\xda", place)]
    between = scans[1:]
    for cut in (*range(600, len(whole) - 12, 97), *between, len(whole) - 12):
        with pytest.raises(UserError, match=r"damaged|not an image"):
            read_photo(whole[:cut])
        if cut in between:
            with pytest.raises(UserError, match="damaged"):
                read_photo(whole[:cut] + b"\xff")


def test_truncated_arithmetic_coding_is_refused() -> None:
    for cut in range(len(ARITHMETIC) - 60, len(ARITHMETIC) - 1, 7):
        with pytest.raises(UserError, match=r"damaged|not an image"):
            read_photo(ARITHMETIC[:cut])


def test_any_changed_byte_gives_a_photo_or_a_user_error() -> None:
    for content in (ARITHMETIC, jpeg()[:-2]):
        for place in range(2, len(content)):
            changed = content[:place] + bytes([content[place] ^ 0xFF]) + content[place + 1 :]
            with contextlib.suppress(UserError):
                assert read_photo(changed).shape[:2] == photo_size(changed)
