"""Fixtures: a bundle of tiny real models that double a picture, and the app built with it."""

import os
import shutil
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np
import pytest

from android_demo.host_app import HostApp, make_host_app
from android_demo.maven import fetch
from android_demo.programs import PACKAGES
from pocket_bokeh.bundle import Bundle, BundledModel, GoldenPair, TensorFormat, sha256, write_bundle
from pocket_bokeh.errors import UserError
from pocket_bokeh.focus_map import Point, focus_map
from pocket_bokeh.photo import Size
from pocket_bokeh.predicted_sharpness import SHARPNESS_RANGE
from quantize.convert.recipes import RECIPES
from quantize.export import encode_png

SIZES = ((96, 128), (128, 96))
CODES = TensorFormat("uint8", 1 / 255, 0)
FLOATS = TensorFormat("float32")
FOCUS_GAIN = 0.15
"""How much brighter the network makes what is in focus."""

EXACT = {"golden_largest_step": 1.0, "golden_mean_step": 0.01, "golden_sharpness_mean_step": 0.01}
_BUILT_WITH = ("javac", "mvn", "apksigner", "gcc", "readelf")


@pytest.fixture(scope="session")
def java() -> None:
    """Skips a test if Java or another tool is missing, or the packages cannot be downloaded."""
    missing = [program for program in _BUILT_WITH if not shutil.which(program)]
    if missing:
        packages = " ".join(PACKAGES[program] for program in missing)
        pytest.skip(f"{', '.join(missing)} is missing: apt-get install {packages}")
    try:
        fetch("app", "build", "api", "gradle", "test")
    except UserError as error:
        if "is there a network" not in str(error):
            raise
        pytest.skip(str(error))


def _doubling(channels: int) -> Any:
    """A network that doubles its input; its convolution is the identity.

    A focus map brightens, and is the sharpness that the network predicts.
    """
    import tf_keras  # Takes ten seconds; tests without Java do not need it.

    photo = tf_keras.Input((None, None, channels))
    convolution = tf_keras.layers.Conv2D(channels, 3, padding="same")
    network = tf_keras.Model(photo, convolution(tf_keras.layers.UpSampling2D(2)(photo)))
    kernel = np.zeros((3, 3, channels, channels), np.float32)
    kernel[1, 1] = np.eye(channels)
    kernel[1, 1, 3:, :3] = FOCUS_GAIN
    convolution.set_weights([kernel, np.zeros(channels, np.float32)])
    return network


def _make_bundle(folder: Path, channels: int) -> Bundle:
    """float16 and int8 models in both shapes; int8 is only calibrated, not fine-tuned."""
    from quantize.convert.conversion import convert  # As above.

    contents: dict[str, bytes] = {}
    models, golden = [], []
    network, random = _doubling(channels), np.random.default_rng(0)
    for recipe, how, edge in (("float16", "float16", FLOATS), ("int8_qat", "int8_ptq", CODES)):
        for size in SIZES:
            half = size[0] // 2, size[1] // 2
            photos = [random.random((*half, channels), np.float32) for _ in range(4)]
            content = convert(network, RECIPES[how], half, photos)
            file = f"{recipe}_{size[0]}x{size[1]}.tflite"
            contents[file] = content
            bytes_, checksum = len(content), sha256(content)
            models.append(
                BundledModel(recipe, file, size, edge, edge, bytes_, checksum, figures=EXACT)
            )
    for size in SIZES:
        for points in ((), ((0.6, 0.4),))[: channels - 2]:
            pair, pictures = _golden_pair(size, points, random, channels == 4)
            golden.append(pair)
            contents |= pictures
    made = Bundle(
        folder,
        "doubling",
        "mobile",
        tuple(models),
        tuple(golden),
        fourth_channel="focus" if channels == 4 else "none",
        sharpness_range=SHARPNESS_RANGE if channels == 4 else None,
    )
    write_bundle(made, contents)
    return made


def _golden_pair(
    size: Size, points: tuple[Point, ...], random: np.random.Generator, gives_sharpness: bool
) -> tuple[GoldenPair, dict[str, bytes]]:
    """A photo and what the network makes of it, and the files by name."""
    half = size[0] // 2, size[1] // 2
    photo = random.integers(0, 256, (*half, 3), np.uint8)
    focus = focus_map(half, points)
    output = np.rint(np.minimum(photo + FOCUS_GAIN * focus[..., None], 255)).astype(np.uint8)
    pictures = {"input": photo, "output": output.repeat(2, 0).repeat(2, 1)}
    if points:
        pictures["focus"] = focus
    if gives_sharpness:
        pictures["sharpness"] = focus.repeat(2, 0).repeat(2, 1)
    files: dict[str, bytes] = {}
    described: dict[str, Any] = {}
    for side, picture in pictures.items():
        content = encode_png(picture)
        name = f"golden_{size[0]}x{size[1]}{'_focus' * bool(points)}_{side}.png"
        files[name] = content
        described |= {side: name, f"{side}_sha256": sha256(content)}
    return GoldenPair(size, **described, focus_points=points), files


@pytest.fixture(scope="session")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    """Models without a fourth channel."""
    return _make_bundle(tmp_path_factory.mktemp("bundles") / "doubling", 3)


@pytest.fixture(scope="session")
def bundle_with_focus(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    """Models that take a focus map and predict sharpness."""
    return _make_bundle(tmp_path_factory.mktemp("bundles") / "focus", 4)


@pytest.fixture(scope="session")
def host_app(
    java: None,
    tmp_path_factory: pytest.TempPathFactory,
    bundle: Bundle,
    bundle_with_focus: Bundle,
) -> HostApp:
    """The app's own classes, compiled for this machine."""
    return make_host_app(bundle, tmp_path_factory.mktemp("app"), bundle_with_focus)


@pytest.fixture
def commands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder at the front of PATH, for scripts that replace programs."""
    folder = tmp_path / "commands"
    folder.mkdir()
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
    return folder
