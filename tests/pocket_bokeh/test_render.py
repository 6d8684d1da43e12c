"""Renderings have the photograph's size, and its detail where it is sharp."""

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter, uniform_filter
from skimage import data

from pocket_bokeh.errors import UserError
from pocket_bokeh.metrics import psnr
from pocket_bokeh.photo import network_input, resize_photo, to_float
from pocket_bokeh.render import frame, nearest_shape, render_photo
from tests.pocket_bokeh.stub_model import Stub


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
def test_a_very_narrow_photograph_is_refused(size: tuple[int, int]) -> None:
    photo = np.zeros((*size, 3), np.uint8)
    with pytest.raises(UserError, match="too narrow: the longer side may be at most 12 times"):
        render_photo(photo, [Stub()])


def test_the_model_with_the_nearest_aspect_ratio_renders() -> None:
    landscape, portrait, large = Stub((384, 512)), Stub((512, 384)), Stub((768, 1024))
    assert nearest_shape((3000, 4000), [landscape, portrait]) is landscape
    assert nearest_shape((4000, 3000), [landscape, portrait]) is portrait
    assert nearest_shape((4000, 2900), [landscape, portrait]) is portrait
    assert nearest_shape((3000, 4000), [landscape, portrait, large]) is large


def test_framing_keeps_the_aspect_ratio() -> None:
    photo = data.astronaut()[:, 100:400]
    framed = frame(photo, (384, 512))
    assert framed.photo.shape == (384, 512, 3)
    assert (framed.height, framed.width) == (384, 225)
    assert np.array_equal(framed.crop(framed.photo), resize_photo(photo, 384, 225))
    # The padding mirrors the photograph.
    left = framed.left
    assert np.array_equal(framed.photo[:, left - 1], framed.photo[:, left])
    assert np.array_equal(framed.photo[:, left - 9], framed.photo[:, left + 8])


def test_the_network_gets_the_same_input_as_in_training() -> None:
    photo = data.astronaut()[:384]
    model = Stub()
    render_photo(photo, [model])
    assert np.array_equal(model.seen[0], network_input(photo))
    depth = photo[..., 0]
    model = Stub(fourth_channel="depth")
    render_photo(photo, [model], depth)
    assert np.array_equal(model.seen[0], network_input(photo, depth))


def test_a_depth_map_is_framed_with_its_photograph() -> None:
    photo = resize_photo(data.astronaut(), 700, 300)
    model = Stub(fourth_channel="depth")
    render_photo(photo, [model], photo[..., 1])
    for seen in model.seen:
        assert np.array_equal(seen[..., 3], seen[..., 1])


def test_a_picture_is_the_mean_of_two_views_the_second_smaller_and_mirrored() -> None:
    """A model that blurs only the first view blurs the picture by half."""
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


def test_sharpness_of_the_mirrored_view_belongs_to_the_same_side() -> None:
    """The model calls sharp what is light: the photograph's left half."""
    photo = data.astronaut()[:384]
    photo = np.where(np.arange(512)[:, None] < 256, 155 + photo // 3, photo // 3).astype(np.uint8)

    class LightIsSharp(Stub):
        def run(self, seen: np.ndarray) -> np.ndarray:
            lightness = gaussian_filter(super().run(seen), (4, 4, 0))
            return np.dstack([lightness, lightness[..., 1] > 0.5])

    def detail(picture: np.ndarray, columns: slice) -> float:
        fine = to_float(picture) - gaussian_filter(to_float(picture), (1, 1, 0))
        return float(np.square(fine[:, columns]).sum())

    picture = render_photo(photo, [LightIsSharp()])
    left, right = slice(0, 236), slice(276, 512)
    assert detail(picture, left) > 0.9 * detail(photo, left)
    assert detail(picture, right) < 0.1 * detail(photo, right)


def test_a_missing_or_unsupported_depth_map_is_refused() -> None:
    photo = data.astronaut()
    with pytest.raises(UserError, match="with --depth FILE"):
        render_photo(photo, [Stub(fourth_channel="depth")])
    with pytest.raises(UserError, match="leave --depth out"):
        render_photo(photo, [Stub()], photo[..., 0])


def test_a_focus_map_is_framed_with_its_photograph() -> None:
    """Both views have their discs on the spots of the photograph that are white."""
    photo = np.zeros((700, 300, 3), np.uint8)
    points = [(0.2, 0.3), (0.7, 0.5)]
    for x, y in points:
        rows, columns = np.ogrid[:700, :300]
        distance = np.hypot(columns + 0.5 - 300 * x, rows + 0.5 - 700 * y)
        photo[distance < 0.05 * 300] = 255
    model = Stub(fourth_channel="focus")
    render_photo(photo, [model], focus=points)
    assert len(model.seen) == 2
    for seen in model.seen:
        colour, focus = seen[..., 0], seen[..., 3]
        assert focus.max() == 1
        # The disc, up to 5 % of the short side, lies on the white spot of the same size.
        assert colour[focus > 0.2].min() > 0.7
        assert (focus > 0).sum() > 80


def test_without_points_the_focus_map_is_empty() -> None:
    photo = data.astronaut()[:384]
    model = Stub(fourth_channel="focus")
    picture = render_photo(photo, [model])
    assert np.array_equal(model.seen[0][..., :3], network_input(photo))
    assert not model.seen[0][..., 3].any()
    assert np.array_equal(picture, render_photo(photo, [Stub()]))


def test_a_point_that_is_outside_or_not_supported_is_refused() -> None:
    photo = data.astronaut()
    with pytest.raises(UserError, match=r"focus 1\.2,0\.5 is outside the photo"):
        render_photo(photo, [Stub(fourth_channel="focus")], focus=(1.2, 0.5))
    for channel in ("none", "depth"):
        depth = photo[..., 0] if channel == "depth" else None
        with pytest.raises(UserError, match="cannot be told where to focus; leave --focus out"):
            render_photo(photo, [Stub(fourth_channel=channel)], depth, focus=(0.2, 0.5))
    with pytest.raises(UserError, match="leave --depth out"):
        render_photo(photo, [Stub(fourth_channel="focus")], photo[..., 0])


@pytest.mark.parametrize("size", [(512, 512), (384, 512), (1500, 2000)])
def test_unchanged_places_keep_the_cameras_detail(size: tuple[int, int]) -> None:
    """The network's output is soft, but the photograph must not become soft."""
    photo = resize_photo(data.astronaut(), *size)
    untouched = Stub(change=lambda picture: uniform_filter(picture, (3, 3, 0)))
    assert psnr(to_float(render_photo(photo, [untouched])), to_float(photo)) > 38


def test_the_output_has_the_models_tones() -> None:
    photo = data.astronaut()
    darker = render_photo(photo, [Stub(change=lambda picture: 0.8 * picture)])
    assert psnr(to_float(darker), 0.8 * to_float(photo)) > 28


def test_outputs_beyond_the_range_are_clipped() -> None:
    photo = data.astronaut()
    picture = render_photo(photo, [Stub(change=lambda picture: 3 * picture - 1)])
    assert picture.min() == 0
    assert picture.max() == 255
