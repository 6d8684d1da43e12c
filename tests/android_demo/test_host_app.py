"""The app's own classes, tested in the JVM and in Robolectric, and compared with Python."""

import json
import re
from pathlib import Path

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter, uniform_filter
from skimage import data

from android_demo.host_app import HostApp
from android_demo.host_libraries import run_on_arm
from android_demo.phone_report import read_proof, report
from android_demo.programs import PACKAGES
from android_demo.prove import run_arm_model
from android_demo.toolchain import prepare_toolchain
from pocket_bokeh import detail_transfer, focus_map, guided_filter, predicted_sharpness
from pocket_bokeh.bundle import Bundle
from pocket_bokeh.detail_transfer import COARSE
from pocket_bokeh.errors import UserError
from pocket_bokeh.focus_map import Point, mirrored
from pocket_bokeh.photo import FourthChannel, network_input, read_photo, resize_photo, to_uint8
from pocket_bokeh.render import SHORTEST_SIDE, VIEWS, frame, render_photo
from tests.android_demo.photos_with_exif import photo_with_exif

pytestmark = pytest.mark.slow

WORKING_SIZE = (192, 256)


def test_the_screens_do_what_a_user_expects(
    host_app: HostApp, bundle: Bundle, tmp_path: Path
) -> None:
    proof = tmp_path / "proof.json"
    for kind in ("PNG", "WEBP"):
        (tmp_path / f"photo.{kind.lower()}").write_bytes(photo_with_exif(kind))
    said = host_app.test(
        "screen.MainActivityTest",
        "screen.ModelChoiceTest",
        "screen.OpenedPhotosTest",
        "screen.DeathInTrialTest",
        "screen.CompareViewTest",
        "screen.FocusTest",
        "screen.ProofActivityTest",
        "photo.PhotoFileTest",
        "photo.FullSizeTest",
        "photo.GalleryTest",
        "photo.OrientationTest",
        "model.ModelBundleTest",
        "model.GoldenPairTest",
        properties={"proof": proof, "photos_with_exif": tmp_path},
    )
    passed = re.search(r"OK \((\d+) tests\)", said)
    assert passed
    assert int(passed[1]) >= 80
    lines = report(read_proof(proof), bundle)
    assert len(lines) == 13
    assert "right" in lines[1]
    assert "is missing" in lines[2]
    assert "page_size" in json.loads(proof.read_bytes())


@pytest.mark.parametrize("shape", [(300, 400), (500, 260), (150, 500), (100, 130)])
def test_the_networks_input_is_the_same_as_in_python(
    host_app: HostApp, shape: tuple[int, int]
) -> None:
    photo = resize_photo(data.astronaut(), *shape)
    expected = to_uint8(network_input(frame(photo, WORKING_SIZE).photo))
    assert np.array_equal(host_app.network_input(photo, WORKING_SIZE), expected)


@pytest.mark.parametrize(
    ("shape", "point"),
    [((300, 400), (0.7, 0.3)), ((500, 260), (0.0, 1.0)), ((150, 500), (0.5, 0.02))],
)
def test_the_focus_map_is_the_same_as_in_python(
    host_app: HostApp, shape: tuple[int, int], point: Point
) -> None:
    photo = resize_photo(data.astronaut(), *shape)
    found = host_app.network_inputs(photo, WORKING_SIZE, point)
    assert len(found) == len(VIEWS)
    for seen, view in zip(found, VIEWS, strict=True):
        framed = frame(photo, WORKING_SIZE, view)
        focus = framed.focus_map(mirrored([point]) if view.is_mirrored else [point])
        expected = to_uint8(network_input(framed.photo, focus=focus))
        assert expected[..., 3].max() > 200
        assert np.array_equal(seen[..., :3], expected[..., :3])
        assert np.abs(seen[..., 3].astype(int) - expected[..., 3]).max() <= 1


class HalfBlurred:
    """A model that blurs the left half and leaves the right half as sharp as a network can."""

    input_size, input_channels, output_size = (96, 128), 3, WORKING_SIZE
    fourth_channel: FourthChannel = "none"

    def __init__(self, blur: float):
        self.blur = blur
        self.renderings: list[np.ndarray] = []

    def run(self, photo: np.ndarray) -> np.ndarray:
        rendered = uniform_filter(photo.repeat(2, 0).repeat(2, 1), (3, 3, 0))
        if self.blur:
            blurred = gaussian_filter(rendered, (self.blur, self.blur, 0))
            rendered[:, :128] = blurred[:, :128]
        self.renderings.append(rendered)
        return rendered


class HalfCalledBlurred(HalfBlurred):
    """The same, and it predicts sharpness: the lighter, the more."""

    def run(self, photo: np.ndarray) -> np.ndarray:
        rendered = super().run(photo)
        sharpness = gaussian_filter(photo[..., 0], 2).repeat(2, 0).repeat(2, 1)
        self.renderings[-1] = np.dstack([rendered, sharpness])
        return self.renderings[-1]


@pytest.mark.parametrize("shape", [(600, 800), (700, 380), (100, 130)])
@pytest.mark.parametrize("model", [HalfBlurred(0.0), HalfBlurred(3.0), HalfCalledBlurred(3.0)])
def test_detail_transfer_gives_the_same_result_as_in_python(
    host_app: HostApp, shape: tuple[int, int], model: HalfBlurred
) -> None:
    photo = resize_photo(data.astronaut(), *shape)
    model.renderings.clear()
    expected = render_photo(photo, [model])
    renderings = np.stack(model.renderings)
    got = host_app.transfer(photo, renderings)
    steps = np.abs(got.astype(int) - expected)
    assert steps.max() <= 1
    assert (steps > 0).mean() < 0.003
    half = host_app.transfer(photo, renderings, strength=0.5)
    between = (photo.astype(float) + expected) / 2
    off = np.abs(half - between)
    assert off.max() <= 3
    assert off.mean() < 0.5
    assert np.array_equal(host_app.transfer(photo, renderings, strength=0.0), photo)


def test_constants_equal_those_in_python(host_app: HostApp) -> None:
    blurred, sharp = COARSE.gate
    expected = {
        "picture.DetailTransfer": {
            "WINDOW_SIGMA": detail_transfer.WINDOW_SIGMA,
            "REGULARISER": COARSE.regulariser,
            "TONE_SIGMA": detail_transfer.TONE_SIGMA,
            "LOW_PASS_SIGMA": COARSE.low_pass_sigma,
            "HIGH_PASS_SIGMA": COARSE.high_pass_sigma,
            "BLURRED": blurred,
            "SHARP": sharp,
            "CERTAINTY": COARSE.certainty,
            "LEAST_CERTAINTY": detail_transfer.LEAST_CERTAINTY,
            "SMOOTHING_SIGMA": COARSE.smoothing_sigma,
            "BORDER": COARSE.border,
        },
        "picture.PredictedSharpness": {
            "LEAST_PROBABILITY": predicted_sharpness.SHARPNESS_RANGE[0],
            "GREATEST_PROBABILITY": predicted_sharpness.SHARPNESS_RANGE[1],
            "LOSS_WEIGHT": predicted_sharpness.LOSS_WEIGHT,
            "LOWEST_THRESHOLD": predicted_sharpness.THRESHOLDS[0],
            "HIGHEST_THRESHOLD": predicted_sharpness.THRESHOLDS[1],
            "BELOW_MAXIMUM": predicted_sharpness.BELOW_MAXIMUM,
            "RADIUS": predicted_sharpness.RADIUS,
            "EDGE": predicted_sharpness.EDGE,
            "STEPS": predicted_sharpness.STEPS,
        },
        "picture.GuidedFilter": {
            "REDUCTION": guided_filter.REDUCTION,
            "WINDOW_SIGMA": guided_filter.WINDOW_SIGMA,
            "EPSILON": guided_filter.EPSILON,
        },
        "picture.FocusMap": {"RADIUS": focus_map.RADIUS},
        "picture.Framed": {"SHORTEST_SIDE": SHORTEST_SIDE, "SMALLER": VIEWS[1].scale},
    }
    for name, constants in expected.items():
        assert host_app.constants(name) == pytest.approx(constants, rel=1e-6), name


def test_every_model_runs_on_the_apps_own_inference_class(
    host_app: HostApp, bundle: Bundle, bundle_with_focus: Bundle
) -> None:
    accelerators = ["CPU"] if host_app.gpu_missing else ["CPU", "GPU"]
    for each in (bundle, bundle_with_focus):
        for model in each.models:
            *_, pair = each.golden_of(model.working_size)
            seen = to_uint8(each.golden_input(pair))
            golden = to_uint8(each.golden_output(pair)).astype(int)
            for accelerator in accelerators:
                rendered = host_app.run_model(each.folder / model.file, accelerator, seen)
                assert np.abs(to_uint8(rendered) - golden).max() <= 1, (model.file, accelerator)


def test_a_missing_accelerator_is_reported(host_app: HostApp, bundle: Bundle) -> None:
    photo = np.zeros((48, 64, 3), np.uint8)
    with pytest.raises(UserError, match="this Android has no NNAPI"):
        host_app.run_model(bundle.folder / bundle.models[0].file, "NNAPI", photo)


def test_a_file_that_is_no_model_is_reported(host_app: HostApp, tmp_path: Path) -> None:
    (tmp_path / "no.tflite").write_bytes(bytes(4096))
    with pytest.raises(UserError, match="AcceleratorException"):
        host_app.run_model(tmp_path / "no.tflite", "CPU", np.zeros((48, 64, 3), np.uint8))


@pytest.mark.parametrize("page_size", [4096, 16384])
def test_the_arm_library_computes_the_same_at_both_page_sizes(
    java: None, bundle: Bundle, tmp_path: Path, page_size: int
) -> None:
    tools = prepare_toolchain()
    for model in (bundle.models_of("float16")[0], bundle.models_of("int8_qat")[0]):
        try:
            rendered = run_arm_model(bundle, model, tools, tmp_path, page_size)
        except UserError as error:
            if "is missing" not in str(error):
                raise
            pytest.skip(f"{error} ({PACKAGES['qemu-aarch64']})")
        pair = next(pair for pair in bundle.golden if pair.working_size == model.working_size)
        golden = read_photo(bundle.folder / pair.output).astype(int)
        assert np.abs(rendered - golden).max() <= 1


def test_a_model_that_arm_cannot_load_is_reported(java: None, tmp_path: Path) -> None:
    (tmp_path / "no.tflite").write_bytes(bytes(4096))
    natives = prepare_toolchain().natives / "arm64-v8a"
    with pytest.raises(UserError, match=r"cannot be loaded|is missing"):
        run_on_arm(tmp_path / "no.tflite", b"", natives, tmp_path)
