"""A photograph keeps its own size, its detail where it is sharp, and takes the model's blur."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from scipy.ndimage import gaussian_filter, uniform_filter
from skimage import data

from quantize.bundle import Bundle
from quantize.compare import psnr
from quantize.render import (
    frame,
    main,
    nearest_shape,
    output_file,
    read_depth_of,
    render_photo,
    transfer_detail,
)
from train.errors import UserError
from train.photo import read_photo, resize_photo, to_float, to_uint8, write_photo


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
        self.seen = np.empty(0)

    def run(self, photo: np.ndarray) -> np.ndarray:
        assert photo.shape == (*self.input_size, self.input_channels)
        self.seen = photo
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
    from train.pairs import network_input

    photo = data.astronaut()[:384]
    model = Stub()
    render_photo(photo, [model])
    assert np.array_equal(model.seen, network_input(photo))
    depth = photo[..., 0]
    model = Stub(input_channels=4)
    render_photo(photo, [model], depth)
    assert np.array_equal(model.seen, network_input(photo, depth))


def test_a_depth_map_is_framed_with_its_photograph() -> None:
    photo = resize_photo(data.astronaut(), 700, 300)
    model = Stub(input_channels=4)
    render_photo(photo, [model], photo[..., 1])
    assert np.array_equal(model.seen[..., 3], model.seen[..., 1])


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


def blurred_outside(picture: np.ndarray, scale: float) -> np.ndarray:
    """A subject in the middle, sharp; around it a blur of 5 pixels at working size times scale."""
    height, width = picture.shape[:2]
    rows, columns = np.mgrid[:height, :width]
    distance = ((rows / height - 0.5) / 0.3) ** 2 + ((columns / width - 0.5) / 0.25) ** 2
    subject = gaussian_filter((distance < 1).astype(np.float32), 1.5 * scale)[..., None]
    blurred = gaussian_filter(picture, (5 * scale, 5 * scale, 0))
    return subject * picture + (1 - subject) * blurred


def test_detail_stays_where_it_is_sharp_and_the_blur_is_the_models() -> None:
    """Against the same blur of the large photograph itself, which no model could see."""
    photo = data.chelsea()[:288, :432]
    photo = to_uint8(gaussian_filter(to_float(resize_photo(photo, 864, 1296)), (0.7, 0.7, 0)))
    noise = np.random.default_rng(0).normal(0, 12, photo.shape)
    photo = np.clip(photo + noise, 0, 255).astype(np.uint8)
    expected = blurred_outside(to_float(photo), scale=3)
    small = resize_photo(photo, 288, 432)
    rendered = blurred_outside(to_float(small), scale=1)
    result = to_float(transfer_detail(photo, small, rendered))
    bicubic = to_float(resize_photo(to_uint8(rendered), *photo.shape[:2]))

    middle = (slice(370, 494), slice(580, 716))
    assert psnr(result[middle], to_float(photo)[middle]) > 25
    assert psnr(result[middle], expected[middle]) > psnr(bicubic[middle], expected[middle]) + 2
    corner = (slice(0, 200), slice(0, 300))
    assert psnr(result[corner], expected[corner]) > 38
    assert psnr(result, expected) > psnr(bicubic, expected)


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


def test_from_the_command_line(tiny_bundle: Bundle, tmp_path: Path) -> None:
    photo, out = tmp_path / "photo.jpg", tmp_path / "bokeh.png"
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(data.astronaut()[:300, :200]).save(photo, exif=exif)
    command = [sys.executable, "-m", "quantize.render", str(tiny_bundle.folder), str(photo)]
    ended = subprocess.run([*command, "--out", str(out)], capture_output=True, text=True)
    assert ended.returncode == 0, ended.stderr
    # Lying on its side as stored, upright as rendered.
    assert read_photo(out).shape == (200, 300, 3)
    assert not Image.open(out).getexif()
    assert "300×200 pixels, rendered with int8_qat" in ended.stdout

    ended = subprocess.run([*command, "--recipe", "int4"], capture_output=True, text=True)
    assert ended.returncode == 2
    assert "no recipe 'int4'; it has float32, float16, int8_qat" in ended.stderr
    assert "Traceback" not in ended.stderr


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


@pytest.mark.slow
def test_12_megapixels_in_little_memory(tmp_path: Path) -> None:
    photo = tmp_path / "large.jpg"
    write_photo(photo, resize_photo(data.astronaut(), 3000, 4000))
    program = (
        "import re, sys\n"
        "from quantize.render import render_photo\n"
        "from train.photo import read_photo\n"
        "class Model:\n"
        "    input_size, input_channels, output_size = (192, 256), 3, (384, 512)\n"
        "    run = staticmethod(lambda photo: photo.repeat(2, 0).repeat(2, 1))\n"
        "print(render_photo(read_photo(sys.argv[1]), [Model()]).shape)\n"
        # Not getrusage: it counts what the parent held when it forked.
        "status = open('/proc/self/status').read()\n"
        "print(int(re.search(r'VmHWM:\\s+(\\d+)', status)[1]) // 1024)\n"
    )
    ended = subprocess.run(
        [sys.executable, "-c", program, str(photo)], capture_output=True, text=True
    )
    assert ended.returncode == 0, ended.stderr
    shape, megabytes = ended.stdout.splitlines()
    assert shape == "(3000, 4000, 3)"
    assert int(megabytes) < 1000
