"""A photograph keeps its own size, colours and date, its detail where it is sharp."""

import io
import shutil
import struct
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pillow_heif
import pytest
from PIL import ExifTags, Image, ImageCms
from scipy.ndimage import gaussian_filter, uniform_filter
from skimage import data

from quantize.bundle import Bundle
from quantize.compare import psnr
from quantize.render import (
    frame,
    main,
    make_folder,
    nearest_shape,
    output_file,
    read_depth_of,
    render_file,
    render_photo,
)
from train.errors import UserError
from train.photo import network_input, read_photo, resize_photo, to_float, write_photo


class Stub:
    """A model that doubles its input and does something to it."""

    def __init__(
        self,
        output_size: tuple[int, int] = (384, 512),
        change: Callable[[np.ndarray], np.ndarray] = lambda picture: picture,
        input_channels: int = 3,
    ):
        self.input_channels = input_channels
        self.output_size = output_size
        self.input_size = (output_size[0] // 2, output_size[1] // 2)
        self.change = change
        self.seen: list[np.ndarray] = []

    def run(self, photo: np.ndarray) -> np.ndarray:
        assert photo.shape == (*self.input_size, self.input_channels)
        self.seen.append(photo)
        return self.change(photo[..., :3].repeat(2, 0).repeat(2, 1))


@pytest.mark.parametrize(
    "size", [(600, 800), (800, 600), (333, 517), (64, 48), (1, 1), (2, 3), (100, 1000), (2000, 180)]
)
def test_the_picture_has_the_photographs_size(size: tuple[int, int]) -> None:
    photo = resize_photo(data.astronaut(), *size)
    models = [Stub((384, 512)), Stub((512, 384))]
    picture = render_photo(photo, models)
    assert picture.shape == photo.shape
    assert picture.dtype == np.uint8


def test_a_single_pixel_keeps_its_colour() -> None:
    photo = np.array([[[200, 30, 60]]], np.uint8)
    assert np.abs(render_photo(photo, [Stub()]).astype(int) - photo).max() <= 1


@pytest.mark.parametrize("size", [(40, 8000), (8000, 40)])
def test_a_thread_of_a_photograph_is_refused(size: tuple[int, int]) -> None:
    photo = np.zeros((*size, 3), np.uint8)
    with pytest.raises(UserError, match="too long and narrow: at most 12 times"):
        render_photo(photo, [Stub()])


def test_the_nearest_shape_renders() -> None:
    landscape, portrait, large = Stub((384, 512)), Stub((512, 384)), Stub((768, 1024))
    assert nearest_shape((3000, 4000), [landscape, portrait]) is landscape
    assert nearest_shape((4000, 3000), [landscape, portrait]) is portrait
    assert nearest_shape((4000, 2900), [landscape, portrait]) is portrait
    assert nearest_shape((3000, 4000), [landscape, portrait, large]) is large


def test_a_photograph_is_framed_upright_and_not_squashed() -> None:
    photo = data.astronaut()[:, 100:400]
    framed = frame(photo, (384, 512))
    assert framed.photo.shape == (384, 512, 3)
    assert (framed.height, framed.width) == (384, 225)
    assert np.array_equal(framed.cut(framed.photo), resize_photo(photo, 384, 225))
    # Beyond its border the photograph goes on as its own mirror image.
    left = framed.left
    assert np.array_equal(framed.photo[:, left - 1], framed.photo[:, left])
    assert np.array_equal(framed.photo[:, left - 9], framed.photo[:, left + 8])


def test_the_network_sees_what_it_saw_in_training() -> None:
    photo = data.astronaut()[:384]
    model = Stub()
    render_photo(photo, [model])
    assert np.array_equal(model.seen[0], network_input(photo))
    depth = photo[..., 0]
    model = Stub(input_channels=4)
    render_photo(photo, [model], depth)
    assert np.array_equal(model.seen[0], network_input(photo, depth))


def test_a_depth_map_is_framed_with_its_photograph() -> None:
    photo = resize_photo(data.astronaut(), 700, 300)
    model = Stub(input_channels=4)
    render_photo(photo, [model], photo[..., 1])
    for seen in model.seen:
        assert np.array_equal(seen[..., 3], seen[..., 1])


def test_a_picture_is_the_mean_of_two_views_the_second_smaller_and_mirrored() -> None:
    """A model that blurs what it sees first alone blurs the picture half."""
    photo = data.astronaut()[:384]
    outcomes: list[np.ndarray] = []

    def blur_first(picture: np.ndarray) -> np.ndarray:
        sigma = 0 if outcomes else 8
        outcomes.append(gaussian_filter(picture, (sigma, sigma, 0)))
        return uniform_filter(outcomes[-1], (3, 3, 0))

    model = Stub(change=blur_first)
    half = to_float(render_photo(photo, [model]))
    larger, smaller = model.seen
    inside = smaller[4:-4, 5:-5][:, ::-1]
    shrunk = resize_photo(photo, 2 * inside.shape[0], 2 * inside.shape[1])
    assert psnr(inside, network_input(shrunk)) > 25
    assert larger.shape == smaller.shape
    sharp = to_float(photo)
    whole = gaussian_filter(sharp, (8, 8, 0))
    assert psnr(half, (sharp + whole) / 2) > max(psnr(half, sharp), psnr(half, whole)) + 5


def test_a_depth_map_that_is_missing_or_too_much_is_a_sentence() -> None:
    photo = data.astronaut()
    with pytest.raises(UserError, match="name one with --depth FILE"):
        render_photo(photo, [Stub(input_channels=4)])
    with pytest.raises(UserError, match="leave --depth out"):
        render_photo(photo, [Stub()], photo[..., 0])


def test_a_depth_map_of_another_size_is_scaled_and_of_another_shape_refused(
    tmp_path: Path,
) -> None:
    photo, file = resize_photo(data.astronaut(), 300, 400), tmp_path / "depth.png"
    write_photo(file, np.full((150, 200), 40, np.uint8))
    assert np.array_equal(read_depth_of(photo, file), np.full((300, 400), 40))
    write_photo(file, np.full((200, 200), 40, np.uint8))
    with pytest.raises(UserError, match="200×200 pixels, another shape than its photo with 400×3"):
        read_depth_of(photo, file)


def test_depth_from_the_command_line(
    depth_bundle: Bundle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    photo, depth = tmp_path / "photo.png", tmp_path / "depth.png"
    write_photo(photo, data.astronaut()[:256])
    slope = np.linspace(0, 255, 256).astype(np.uint8)[None].repeat(128, 0)
    pictures = []
    for index, plane in enumerate((slope, slope[:, ::-1])):
        write_photo(depth, plane)
        out = tmp_path / f"{index}.png"
        arguments = [str(depth_bundle.folder), str(photo), "--recipe", "float16"]
        command = ["render", *arguments, "--depth", str(depth), "--out", str(out)]
        monkeypatch.setattr(sys, "argv", command)
        main()
        pictures.append(read_photo(out))
    assert pictures[0].shape == (256, 512, 3)
    assert (pictures[0] != pictures[1]).any()
    monkeypatch.setattr(sys, "argv", ["render", *arguments])
    with pytest.raises(UserError, match=r"photo\.png: the network sees a depth map"):
        main()


@pytest.mark.parametrize("size", [(512, 512), (384, 512), (1500, 2000)])
def test_what_the_model_leaves_alone_keeps_the_cameras_detail(size: tuple[int, int]) -> None:
    """The network sees half the working size; its softness must not reach the photograph."""
    photo = resize_photo(data.astronaut(), *size)
    untouched = Stub(change=lambda picture: uniform_filter(picture, (3, 3, 0)))
    assert psnr(to_float(render_photo(photo, [untouched])), to_float(photo)) > 38


def test_the_models_tones_are_taken_over() -> None:
    photo = data.astronaut()
    darker = render_photo(photo, [Stub(change=lambda picture: 0.8 * picture)])
    assert psnr(to_float(darker), 0.8 * to_float(photo)) > 28


def test_a_renderer_may_leave_the_range() -> None:
    photo = data.astronaut()
    picture = render_photo(photo, [Stub(change=lambda picture: 3 * picture - 1)])
    assert picture.min() == 0
    assert picture.max() == 255


def display_p3() -> bytes:
    """LittleCMS's sRGB profile with the primaries of Display P3 (ICC, adapted to D50)."""
    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    primaries = {
        b"rXYZ": (0.51512, 0.24120, -0.00105),
        b"gXYZ": (0.29198, 0.69225, 0.04189),
        b"bXYZ": (0.15710, 0.06657, 0.78407),
    }
    for tag, xyz in primaries.items():
        entry = profile.index(tag)
        (offset,) = struct.unpack(">I", profile[entry + 4 : entry + 8])
        numbers = struct.pack(">3i", *(round(value * 65536) for value in xyz))
        profile[offset + 8 : offset + 20] = numbers
    return bytes(profile)


def test_a_display_p3_photo_stays_one_with_its_saturated_reds(tmp_path: Path) -> None:
    profile = display_p3()
    codes = np.full((240, 320, 3), (252, 16, 12), np.uint8)
    codes[:, 160:] = (30, 200, 60)
    write_photo(tmp_path / "p3.png", codes, profile=profile)
    render_file(tmp_path / "p3.png", tmp_path / "out.jpg", [Stub()])
    with Image.open(tmp_path / "out.jpg") as rendered:
        assert rendered.info["icc_profile"] == profile
        assert np.abs(np.asarray(rendered)[:, 10:150].astype(int) - codes[:, 10:150]).max() <= 2
        # A wider red than sRGB has: there its green is clipped at 0.
        wide = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        in_srgb = ImageCms.profileToProfile(rendered, wide, ImageCms.createProfile("sRGB"))
    assert in_srgb is not None
    red = in_srgb.getpixel((80, 120))
    assert isinstance(red, tuple)
    assert red[:2] == (255, 0)


LYING = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}
"""By EXIF orientation, how an upright picture comes to lie in its file."""


@pytest.mark.parametrize("orientation", LYING)
def test_date_camera_and_place_stay_and_the_picture_stands_upright(
    tmp_path: Path, orientation: int
) -> None:
    upright = data.astronaut()[:300, :400]
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    exif[ExifTags.Base.Model] = "Pocket 1"
    camera = exif.get_ifd(ExifTags.IFD.Exif)
    camera[ExifTags.Base.DateTimeOriginal] = "2024:05:01 12:30:00"
    camera[ExifTags.Base.ExifImageWidth] = 999
    exif.get_ifd(ExifTags.IFD.GPSInfo)[ExifTags.GPS.GPSLatitudeRef] = "N"
    photo, out = tmp_path / "photo.png", tmp_path / "out.jpg"
    Image.fromarray(upright).transpose(LYING[orientation]).save(photo, exif=exif)
    assert render_file(photo, out, [Stub()]) == (300, 400)
    with Image.open(out) as rendered:
        assert rendered.size == (400, 300)
        assert psnr(to_float(np.asarray(rendered)), to_float(upright)) > 24
        kept = rendered.getexif()
        camera = kept.get_ifd(ExifTags.IFD.Exif)
        assert kept[ExifTags.Base.Orientation] == 1
        assert kept[ExifTags.Base.Model] == "Pocket 1"
        assert camera[ExifTags.Base.DateTimeOriginal] == "2024:05:01 12:30:00"
        assert camera[ExifTags.Base.ExifImageWidth] == 400
        assert kept.get_ifd(ExifTags.IFD.GPSInfo)[ExifTags.GPS.GPSLatitudeRef] == "N"


def test_a_phones_heic_keeps_its_wide_colours(tmp_path: Path) -> None:
    """Codes say its colours, not a profile: the rendering gets a profile that says the same."""
    photo, out = tmp_path / "phone.heic", tmp_path / "out.jpg"
    wide = np.full((120, 160, 3), (230, 60, 50), np.uint8)
    heif = pillow_heif.from_bytes("RGB", (160, 120), wide.tobytes())
    display_p3, srgb_curve = 12, 13
    heif.save(
        photo,
        quality=-1,
        chroma=444,
        color_primaries=display_p3,
        transfer_characteristics=srgb_curve,
    )
    assert render_file(photo, out, [Stub()]) == (120, 160)
    with Image.open(out) as rendered:
        assert rendered.info["icc_profile"]
        np.testing.assert_allclose(np.asarray(rendered)[60, 80], wide[0, 0], atol=4)
    red, green, _ = read_photo(out)[60, 80]
    assert red > 235
    assert green < 55


def render(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "quantize.render", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True)


def test_one_photo_from_the_command_line(tiny_bundle: Bundle, tmp_path: Path) -> None:
    photo, out = tmp_path / "photo.jpg", tmp_path / "bokeh.png"
    write_photo(photo, data.astronaut()[:200, :300])
    ended = render(tiny_bundle.folder, photo, "--out", out)
    assert ended.returncode == 0, ended.stderr
    assert read_photo(out).shape == (200, 300, 3)
    assert f"{out}: 300×200 pixels, rendered with int8_qat" in ended.stdout

    ended = render(tiny_bundle.folder, photo, "--recipe", "int3")
    assert ended.returncode == 2
    assert "no recipe 'int3'; it has " in ended.stderr
    assert "Traceback" not in ended.stderr


def test_a_photo_that_fails_is_named_and_the_rest_go_on(
    tiny_bundle: Bundle, tmp_path: Path
) -> None:
    photos = [tmp_path / name for name in ("a.jpg", "cut.jpg", "c.png")]
    write_photo(photos[0], data.astronaut()[:200, :300])
    photos[1].write_bytes(photos[0].read_bytes()[:5000])
    write_photo(photos[2], data.astronaut()[:300, :150])
    out = tmp_path / "new" / "folder"
    ended = render(tiny_bundle.folder, *photos, "--out", out)
    assert ended.returncode == 2
    assert sorted(file.name for file in out.iterdir()) == ["a.jpg", "c.png"]
    assert read_photo(out / "a.jpg").shape == (200, 300, 3)
    assert read_photo(out / "c.png").shape == (300, 150, 3)
    assert f"error: {photos[1]}: damaged image" in ended.stderr
    assert (
        ended.stderr.rstrip()
        .splitlines()[-1]
        .startswith("error: 1 of 3 photos could not be rendered")
    )
    assert "Traceback" not in ended.stderr


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ([], "no photo; name at least one"),
        (["a.jpg", "b.jpg", "--depth", "d.png"], "--depth is the map of one photo"),
        (["missing.jpg"], "missing.jpg: no such file"),
        (["a.jpg", "b.jpg", "--out", "bokeh.jpg"], "bokeh.jpg: a file, expected a folder"),
    ],
)
def test_what_cannot_be_done_is_a_sentence(
    tiny_bundle: Bundle,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    arguments: list[str],
    sentence: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["render", str(tiny_bundle.folder), *arguments])
    with pytest.raises(UserError, match=sentence):
        main()


def test_a_model_that_is_not_the_exported_one_is_refused(
    tiny_bundle: Bundle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "bundle"
    shutil.copytree(tiny_bundle.folder, folder)
    model = folder / tiny_bundle.models_of("int8_qat")[0].file
    model.write_bytes(model.read_bytes()[:-100])
    monkeypatch.setattr(sys, "argv", ["render", str(folder), str(tmp_path / "photo.jpg")])
    with pytest.raises(UserError, match=f"{model.name}: not the file that was exported"):
        main()


def test_the_photo_itself_is_never_overwritten(tmp_path: Path) -> None:
    photo = tmp_path / "photo.jpg"
    write_photo(photo, data.astronaut())
    with pytest.raises(UserError, match="the photo itself"):
        output_file(photo, tmp_path / "." / "photo.jpg")
    link = tmp_path / "link.jpg"
    link.symlink_to(photo)
    with pytest.raises(UserError, match="the photo itself"):
        output_file(photo, link)


def test_without_out_the_picture_lies_beside_the_photo(tmp_path: Path) -> None:
    assert output_file(tmp_path / "a.JPG", None) == tmp_path / "a_bokeh.JPG"
    assert output_file(tmp_path / "a.webp", None) == tmp_path / "a_bokeh.png"
    (tmp_path / "a_bokeh.png").touch()
    with pytest.raises(UserError, match="exists already"):
        output_file(tmp_path / "a.png", None)


def test_in_a_folder_the_picture_has_the_photos_name(tmp_path: Path) -> None:
    folder = tmp_path / "out"
    folder.mkdir()
    assert output_file(tmp_path / "a.jpg", folder) == folder / "a.jpg"
    (folder / "a.jpg").touch()
    with pytest.raises(UserError, match="exists already"):
        output_file(tmp_path / "a.jpg", folder)
    # Named itself, it may be replaced.
    assert output_file(tmp_path / "a.jpg", folder / "a.jpg") == folder / "a.jpg"
    with pytest.raises(UserError, match="the photo itself"):
        output_file(folder / "a.jpg", folder)


def test_a_folder_is_made_where_one_is_meant(tmp_path: Path) -> None:
    make_folder(tmp_path / "file.jpg", photos=1)
    assert not (tmp_path / "file.jpg").exists()
    make_folder(tmp_path / "one", photos=1)
    make_folder(tmp_path / "2024.05" / "two", photos=2)
    assert (tmp_path / "one").is_dir()
    assert (tmp_path / "2024.05" / "two").is_dir()
    (tmp_path / "taken").touch()
    with pytest.raises(UserError, match="expected a folder"):
        make_folder(tmp_path / "taken", photos=1)
    with pytest.raises(UserError, match="cannot be made inside a file"):
        make_folder(tmp_path / "taken" / "inner", photos=2)


@pytest.mark.slow
@pytest.mark.parametrize("size", [(3000, 4000), (4000, 3000), (3464, 3464), (2000, 6000)])
def test_12_megapixels_in_little_memory_and_time(tmp_path: Path, size: tuple[int, int]) -> None:
    photo, out = tmp_path / "large.jpg", tmp_path / "out.jpg"
    write_photo(photo, resize_photo(data.astronaut(), *size))
    program = (
        "import re, sys, time\n"
        "from pathlib import Path\n"
        "from quantize.render import render_file\n"
        "class Model:\n"
        "    input_size, input_channels, output_size = (192, 256), 3, (384, 512)\n"
        "    run = staticmethod(lambda photo: photo.repeat(2, 0).repeat(2, 1))\n"
        "start = time.process_time()\n"
        "print(render_file(*map(Path, sys.argv[1:]), [Model()]))\n"
        "print(time.process_time() - start)\n"
        # Not getrusage: it counts what the parent held when it forked.
        "status = open('/proc/self/status').read()\n"
        "print(int(re.search(r'VmHWM:\\s+(\\d+)', status)[1]) // 1024)\n"
    )
    ended = subprocess.run(
        [sys.executable, "-c", program, str(photo), str(out)], capture_output=True, text=True
    )
    assert ended.returncode == 0, ended.stderr
    shape, seconds, megabytes = ended.stdout.splitlines()
    assert shape == str(size)
    assert read_photo(out).shape == (*size, 3)
    assert float(seconds) < 3
    assert int(megabytes) < 400
