"""A bundle of two small models with known output, a server that shows it, and a real browser."""

import io
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import tf_keras
from PIL import Image
from playwright.sync_api import Browser

from gradio_app.result_store import ResultStore
from gradio_app.task_pool import TaskPool
from pocket_bokeh.bundle import Bundle, BundledModel, GoldenPair, TensorFormat, sha256, write_bundle
from quantize.convert.conversion import convert
from quantize.convert.recipes import RECIPES
from quantize.export import encode_png
from tests.conftest import StartChromium

SIZE = (64, 96)


@pytest.fixture(scope="session")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    """float32 returns the photo at twice the size, float16 its negative."""
    contents: dict[str, bytes] = {}
    models = []
    for recipe, gain, offset in (("float32", 1.0, 0.0), ("float16", -1.0, 1.0)):
        photo = tf_keras.Input((None, None, 3))
        doubled = tf_keras.layers.UpSampling2D(2)(photo)
        network = tf_keras.Model(photo, tf_keras.layers.Rescaling(gain, offset)(doubled))
        content = convert(network, RECIPES[recipe], (SIZE[0] // 2, SIZE[1] // 2))
        file, edge = f"{recipe}.tflite", TensorFormat("float32")
        contents[file] = content
        models.append(BundledModel(recipe, file, SIZE, edge, edge, len(content), sha256(content)))
    picture = encode_png(np.zeros((8, 8, 3), np.uint8))
    contents |= {"input.png": picture, "output.png": picture}
    golden = GoldenPair(SIZE, "input.png", sha256(picture), "output.png", sha256(picture))
    folder = tmp_path_factory.mktemp("bundles") / "known"
    known = Bundle(folder, "known", "mobile", tuple(models), (golden,))
    write_bundle(known, contents)
    return known


@pytest.fixture
def bundle_file(bundle: Bundle) -> Path:
    """One of its models, as a visitor uploads it."""
    return bundle.folder / "float16.tflite"


@pytest.fixture
def pool(tmp_path: Path) -> Iterator[TaskPool]:
    folder = tmp_path / "results"
    folder.mkdir()
    pool = TaskPool(ResultStore(folder), cores=2)
    yield pool
    pool.close()


@pytest.fixture
def photo_file(tmp_path: Path) -> Path:
    """120 × 80 pixels of one grey-green, stored sideways with an orientation flag."""
    encoded = io.BytesIO()
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.new("RGB", (80, 120), (60, 100, 60)).save(encoded, "PNG", exif=exif)
    file = tmp_path / "meadow.png"
    file.write_bytes(encoded.getvalue())
    return file


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass(frozen=True)
class Served:
    """A running server: its address, and the parent of its temporary folder."""

    address: str
    temporary: Path


Serve = Callable[..., AbstractContextManager[Served]]


@pytest.fixture(scope="session")
def serve(bundle: Bundle, tmp_path_factory: pytest.TempPathFactory) -> Serve:
    """Starts a server; arguments go to the command line, keywords to the environment."""

    @contextmanager
    def serving(*arguments: str, **environment: str) -> Iterator[Served]:
        port = free_port()
        temporary = tmp_path_factory.mktemp("server")
        command = [sys.executable, "-m", "gradio_app", "--bundle", str(bundle.folder)]
        process = subprocess.Popen(
            [*command, "--port", str(port), *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env={**os.environ, **environment, "TMPDIR": str(temporary)},
        )
        address = f"http://127.0.0.1:{port}"
        try:
            for _ in range(240):
                assert process.poll() is None, process.communicate()[0]
                try:
                    urllib.request.urlopen(f"{address}/", timeout=60).close()
                    break
                except urllib.error.HTTPError:  # it answers, though not everyone
                    break
                except urllib.error.URLError:
                    time.sleep(0.25)
            yield Served(address, temporary)
        finally:
            process.terminate()
            process.communicate(timeout=60)
        # It leaves nothing behind, even when it is killed.
        assert not list(temporary.glob("pocket-bokeh-*"))

    return serving


@pytest.fixture(scope="session")
def address(serve: Serve) -> Iterator[str]:
    """The address of a server with default options."""
    with serve() as served:
        yield served.address


@pytest.fixture(scope="session")
def chromium(start_chromium: StartChromium) -> Iterator[Browser]:
    """A Chromium for all tests of the page."""
    browser = start_chromium()
    yield browser
    browser.close()
