"""Shared fixtures: a tiny network with realistic statistics, its run and its bundle."""

import dataclasses
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
import pytest
import tensorflow as tf
from filelock import FileLock
from playwright.sync_api import Browser, Error, sync_playwright

from pocket_bokeh.bundle import Bundle, read_bundle
from pocket_bokeh.photo import write_photo
from quantize.convert.trained_network import open_trained_network
from quantize.export import ExportOptions, export
from train.data import photo_folder
from train.data.data_folders import BUILT_IN
from train.loop.run_folder import Run, create_run
from train.network.network_file import write_network
from train.network.presets import NETWORKS, SCHEDULES, PyNETConfig
from train.network.pynet import build_pynet

FEWER_LAYERS: dict[str, Any] = {
    "largest_kernel": 3,
    "level_5_blocks": 1,
    "level_3_blocks": False,
}
"""What makes a network quick to build, trace and convert: no wide kernels, no blocks at level 3,
which are like those at level 4."""

TINY = dataclasses.replace(NETWORKS["mobile"], width=1 / 16, **FEWER_LAYERS)

LANDSCAPE, PORTRAIT = (64, 128), (128, 64)
"""The working sizes of the tiny bundle."""

IN_PORTRAIT = ("float32", "float16", "dynamic_int8", "int8_qat")
"""Its recipes in portrait: those without a calibration for each size."""

LONG = {"slow", "browser"}
"""Marks of tests whose files take long."""

MadeOnce = Callable[[str, Callable[[Path], Bundle]], Bundle]

CHROMIUM_FLAGS = ("--no-sandbox", "--disable-gpu", "--disable-background-networking")

StartChromium = Callable[..., Browser]


def tiny_network(config: PyNETConfig = TINY) -> Any:
    """A network as after training: its heads are not zero, its batch statistics not 0 and 1."""
    random = np.random.default_rng(1)
    keras.utils.set_random_seed(1)
    network = build_pynet(config)
    for layer in network.layers:
        if layer.name.endswith("_head"):
            layer.set_weights([random.normal(0, 0.03, w.shape) for w in layer.get_weights()])
        if isinstance(layer, keras.layers.BatchNormalization):
            gamma, beta, mean, variance = layer.get_weights()
            layer.set_weights(
                [
                    random.uniform(0.7, 1.3, gamma.shape),
                    random.normal(0, 0.1, beta.shape),
                    random.normal(0, 0.1, mean.shape),
                    random.uniform(0.5, 2.0, variance.shape),
                ]
            )
    return network


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Several processes take the long files first, so that none works alone at the end."""
    if "PYTEST_XDIST_WORKER" in os.environ:
        long = {item.path for item in items if LONG & {mark.name for mark in item.iter_markers()}}
        items.sort(key=lambda item: item.path not in long)


@pytest.fixture(scope="session", autouse=True)
def own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Keeps the cache of photo folders in a temporary folder."""
    with pytest.MonkeyPatch.context() as patched:
        folder = tmp_path_factory.mktemp("cache")
        patched.setattr(photo_folder, "cache_folder", lambda: folder)
        yield


@pytest.fixture
def eagerly() -> Iterator[None]:
    """Compiles nothing in this process: a few steps take far less time than compiling them."""
    tf.config.run_functions_eagerly(True)
    yield
    tf.config.run_functions_eagerly(False)


@pytest.fixture(scope="session")
def network() -> Any:
    return tiny_network()


@pytest.fixture(scope="session")
def tiny_run(tmp_path_factory: pytest.TempPathFactory, network: Any) -> Run:
    """A finished run on the built-in pairs."""
    folder = tmp_path_factory.mktemp("runs") / "tiny"
    run = Run(folder, "tiny", TINY, SCHEDULES["smoke"], (BUILT_IN,), seed=0)
    create_run(run)
    write_network(run.model_file, network, "tiny", TINY, level=1)
    return run


@pytest.fixture(scope="session")
def start_chromium() -> Iterator[StartChromium]:
    """Starts the system's Chromium, or Playwright's own, with more flags.

    One Playwright serves all tests of a process; a second one would refuse to start.
    """
    system = Path("/usr/bin/chromium")
    with sync_playwright() as playwright:

        def start(*flags: str) -> Browser:
            try:
                return playwright.chromium.launch(
                    executable_path=str(system) if system.exists() else None,
                    args=[*CHROMIUM_FLAGS, *flags],
                )
            except Error:
                pytest.skip(
                    "no Chromium; bring it with: apt-get install chromium "
                    "(or: ./run python -m playwright install chromium)"
                )

        yield start


@pytest.fixture(scope="session")
def made_once(tmp_path_factory: pytest.TempPathFactory) -> MadeOnce:
    """Makes a bundle in a folder of the given name; of several test processes, the first one does.

    The others wait, and read it.
    """
    folder = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        folder = folder.parent

    def make(name: str, export_to: Callable[[Path], Bundle]) -> Bundle:
        out = folder / "bundles" / name
        with FileLock(folder / f"{name}.lock"):
            return read_bundle(out) if out.exists() else export_to(out)

    return make


@pytest.fixture(scope="session")
def tiny_bundle(made_once: MadeOnce, tiny_run: Run) -> Bundle:
    """A bundle with all recipes in landscape, and most of them in portrait; read-only."""

    def export_to(out: Path) -> Bundle:
        options = ExportOptions(tiny_run.folder, fine_tune_steps=4, compared_pairs=2)
        sizes: dict[tuple[int, int], tuple[str, ...]] = {LANDSCAPE: (), PORTRAIT: IN_PORTRAIT}
        return export(open_trained_network(tiny_run.folder), out, [], sizes, options)

    return made_once("tiny", export_to)


NARROW_REFERENCE = dataclasses.replace(NETWORKS["reference"], width=1 / 32, **FEWER_LAYERS)


@pytest.fixture(scope="session")
def depth_pairs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four pairs of 64×128 pixels noise, with depth maps of half that size that are a gradient."""
    folder = tmp_path_factory.mktemp("pairs")
    random = np.random.default_rng(0)
    for kind in ("original", "bokeh", "original_depth"):
        (folder / kind).mkdir()
    for index in range(4):
        original = random.integers(0, 256, (8, 16, 3), np.uint8).repeat(8, 0).repeat(8, 1)
        slope = np.linspace(0, 255, 64).astype(np.uint8)[None].repeat(32, 0)
        write_photo(folder / "original" / f"{index}.png", original)
        write_photo(folder / "bokeh" / f"{index}.png", original // 2 + 64)
        write_photo(folder / "original_depth" / f"{index}.png", slope)
    return folder


@pytest.fixture(scope="session")
def depth_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A narrow reference network, which takes depth maps."""
    file = tmp_path_factory.mktemp("networks") / "narrow.keras"
    keras.utils.set_random_seed(2)
    write_network(file, build_pynet(NARROW_REFERENCE), "reference", NARROW_REFERENCE, level=1)
    return file


@pytest.fixture(scope="session")
def depth_bundle(made_once: MadeOnce, depth_file: Path, depth_pairs: Path) -> Bundle:
    """A bundle of a network with depth, with all recipes that it supports; read-only."""

    def export_to(out: Path) -> Bundle:
        options = ExportOptions(depth_file, compared_pairs=1)
        source = open_trained_network(depth_file, (str(depth_pairs),))
        return export(source, out, [], {(64, 128): ()}, options)

    return made_once("narrow", export_to)


NARROW_POCKET = dataclasses.replace(NETWORKS["pocket"], width=1 / 32, **FEWER_LAYERS)


@pytest.fixture(scope="session")
def focus_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A narrow network whose output depends on its focus map by several steps of 1/255."""
    file = tmp_path_factory.mktemp("networks") / "told.keras"
    keras.utils.set_random_seed(3)
    model, random = build_pynet(NARROW_POCKET), np.random.default_rng(3)
    for layer in model.layers:
        if layer.name in ("level_2_head", "level_2_gate"):
            layer.set_weights([w + random.normal(0, 0.2, w.shape) for w in layer.get_weights()])
        if layer.name == "level_3_up":
            layer.set_weights([16 * w for w in layer.get_weights()])
        if layer.name == "encoder_3_3x3_first":
            kernel, bias = layer.get_weights()
            kernel[:, :, 3] *= 2
            layer.set_weights([kernel, bias])
    write_network(file, model, "pocket", NARROW_POCKET, level=1, gate_is_trained=True)
    return file


@pytest.fixture(scope="session")
def focus_bundle(made_once: MadeOnce, focus_file: Path) -> Bundle:
    """A bundle of a network that takes a focus map; read-only."""

    def export_to(out: Path) -> Bundle:
        options = ExportOptions(focus_file, compared_pairs=1, fine_tune_steps=2)
        source = open_trained_network(focus_file)
        return export(source, out, ["float32", "int8_qat"], {(64, 128): ()}, options)

    return made_once("told", export_to)
