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
from quantize.convert.recipes import RECIPES
from quantize.export import encode_png

SIZES = ((96, 128), (128, 96))
CODES = TensorFormat("uint8", 1 / 255, 0)
FLOATS = TensorFormat("float32")
EXACT = {"golden_largest_step": 1.0, "golden_mean_step": 0.01}
_BUILT_WITH = ("javac", "mvn", "apksigner", "gcc", "readelf")


@pytest.fixture(scope="session")
def java() -> None:
    """Skips a test if Java or another tool is missing, or the packages cannot be downloaded."""
    missing = [program for program in _BUILT_WITH if not shutil.which(program)]
    if missing:
        packages = " ".join(PACKAGES[program] for program in missing)
        pytest.skip(f"{', '.join(missing)} is missing: apt-get install {packages}")
    try:
        fetch("app", "build", "api", "test")
    except UserError as error:
        if "is there a network" not in str(error):
            raise
        pytest.skip(str(error))


def _doubling() -> Any:
    """A network that doubles its input; its convolution is the identity."""
    import tf_keras  # Takes ten seconds; tests without Java do not need it.

    photo = tf_keras.Input((None, None, 3))
    convolution = tf_keras.layers.Conv2D(3, 3, padding="same")
    network = tf_keras.Model(photo, convolution(tf_keras.layers.UpSampling2D(2)(photo)))
    kernel = np.zeros((3, 3, 3, 3), np.float32)
    kernel[1, 1] = np.eye(3)
    convolution.set_weights([kernel, np.zeros(3, np.float32)])
    return network


@pytest.fixture(scope="session")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    """float16 and int8 models in both shapes; int8 is only calibrated, not fine-tuned."""
    from quantize.convert.conversion import convert  # As above.

    contents: dict[str, bytes] = {}
    models, golden = [], []
    network, random = _doubling(), np.random.default_rng(0)
    for recipe, how, edge in (("float16", "float16", FLOATS), ("int8_qat", "int8_ptq", CODES)):
        for size in SIZES:
            half = size[0] // 2, size[1] // 2
            photos = [random.random((*half, 3), np.float32) for _ in range(4)]
            content = convert(network, RECIPES[how], half, photos)
            file = f"{recipe}_{size[0]}x{size[1]}.tflite"
            contents[file] = content
            bytes_, checksum = len(content), sha256(content)
            models.append(
                BundledModel(recipe, file, size, edge, edge, bytes_, checksum, figures=EXACT)
            )
    for height, width in SIZES:
        photo = random.integers(0, 256, (height // 2, width // 2, 3), np.uint8)
        pictures = encode_png(photo), encode_png(photo.repeat(2, 0).repeat(2, 1))
        names = [f"golden_{height}x{width}_{side}.png" for side in ("input", "output")]
        contents |= dict(zip(names, pictures, strict=True))
        sums = [sha256(picture) for picture in pictures]
        golden.append(GoldenPair((height, width), names[0], sums[0], names[1], sums[1]))
    folder = tmp_path_factory.mktemp("bundles") / "doubling"
    made = Bundle(folder, "doubling", "mobile", tuple(models), tuple(golden))
    write_bundle(made, contents)
    return made


@pytest.fixture(scope="session")
def host_app(java: None, tmp_path_factory: pytest.TempPathFactory, bundle: Bundle) -> HostApp:
    """The app's own classes, compiled for this machine."""
    return make_host_app(bundle, tmp_path_factory.mktemp("app"))


@pytest.fixture
def commands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder at the front of PATH, for scripts that replace programs."""
    folder = tmp_path / "commands"
    folder.mkdir()
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
    return folder
