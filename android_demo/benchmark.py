"""Times the app's Java code on one core, without the model: python -m android_demo.benchmark

It measures the start and the stages of a photo in Robolectric, which has Android's own decoder and
encoder compiled for this machine. For the times of a phone use the app's proof screen.
"""

import json
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import tyro

from android_demo.host_app import HostApp, make_host_app
from pocket_bokeh.bundle import SHIPPED_BUNDLE, Bundle, read_bundle
from pocket_bokeh.errors import UserError, run_command
from pocket_bokeh.photo import read_photo, resize_photo, write_photo

_STAGES = (
    "decode_for_the_screen_ms",
    "scale_ms",
    "find_detail_ms",
    "decode_full_ms",
    "transfer_ms",
    "encode_ms",
)


@dataclass(frozen=True)
class BenchmarkOptions:
    """Times the app's start and each stage of a photo, without the model."""

    bundle: Path = SHIPPED_BUNDLE
    """The bundle whose models go into the app; none is run."""
    photo: Path | None = None
    """A JPEG file. Default: a generated photo of 12 megapixels with fine detail everywhere."""


def main() -> None:
    options = tyro.cli(BenchmarkOptions)
    if options.photo and not options.photo.is_file():
        raise UserError(f"{options.photo}: no such photo")
    bundle = read_bundle(options.bundle)
    with tempfile.TemporaryDirectory() as folder:
        app = make_host_app(bundle, Path(folder))
        photo = options.photo or draw_photo(bundle, Path(folder) / "photo.jpg")
        figures = measure(app, "photo.FullSizeBenchmark", Path(folder), photo=photo)
        start = measure(app, "screen.StartBenchmark", Path(folder))
    for run, times in start.items():
        created, shown = times["created_ms"], times["shown_ms"]
        print(f"{run} start: first screen made in {created:.0f} ms, drawn after {shown:.0f} ms")
    for run, stages in figures.items():
        print(f"{run} run of {stages['megapixels']:.1f} megapixels on one core")
        for stage in _STAGES:
            print(f"  {stage.removesuffix('_ms').replace('_', ' '):22} {stages[stage]:7.0f} ms")
        print(f"  {'together':22} {together(stages):7.0f} ms")
        print(f"  {stages['java_megabytes']:.0f} MB of Java objects made in all, ", end="")
        print(f"{stages['collections']} garbage collections; one bitmap of the full size")


def measure(
    app: HostApp, name: str, folder: Path, **properties: object
) -> dict[str, dict[str, float]]:
    """Runs a benchmark class of the app on one core.

    Args:
        app: compiled for this machine.
        name: of the class, below the app's package.
        folder: where the benchmark writes its results.
        properties: Java system properties that it reads.

    Returns:
        By run (first, warm) and stage, mostly milliseconds.
    """
    figures = folder / f"{name}.json"
    cores = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(cores)})  # inherited by the JVM
    try:
        app.test(name, properties={**properties, "benchmark": figures}, timed=True)
    finally:
        os.sched_setaffinity(0, cores)
    measured: dict[str, dict[str, float]] = json.loads(figures.read_bytes())
    return measured


def together(stages: dict[str, float]) -> float:
    """Milliseconds of all stages."""
    return sum(stages[stage] for stage in _STAGES)


def draw_photo(bundle: Bundle, file: Path) -> Path:
    """Enlarges the bundle's golden photo to 12 megapixels and adds a camera's grain."""
    golden = read_photo(bundle.folder / bundle.golden[0].input)
    photo = resize_photo(golden, 3000, 4000)
    grain = np.random.default_rng(0).normal(0, 4, photo.shape)
    write_photo(file, np.clip(photo + grain, 0, 255).astype(np.uint8))
    return file


if __name__ == "__main__":
    run_command(main)
