"""Times the app's Java on a photo, the model apart, on one core: python -m android_demo.benchmark

In Robolectric's Android, whose decoder and encoder are Android's own, compiled for this machine. A
phone's figures are a phone's: see the app's proof screen.
"""

import json
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import tyro
from skimage import data

from android_demo.host_app import HostApp, make_host_app
from quantize.bundle import read_bundle
from train.errors import UserError, run_command
from train.photo import resize_photo, write_photo

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
    """Times each stage of a photo's way through the app."""

    bundle: Path = Path("bundles/bokeh")
    """Its models go into the app; none is run."""
    photo: Path | None = None
    """A JPEG file. Left out: one of 12 megapixels, with detail all over."""


def main() -> None:
    options = tyro.cli(BenchmarkOptions)
    if options.photo and not options.photo.is_file():
        raise UserError(f"{options.photo}: no such photo")
    with tempfile.TemporaryDirectory() as folder:
        app = make_host_app(read_bundle(options.bundle), Path(folder))
        photo = options.photo or draw_photo(Path(folder) / "photo.jpg")
        figures = measure(app, photo, Path(folder) / "figures.json")
    for run, stages in figures.items():
        print(f"{run} run of {stages['megapixels']:.1f} megapixels on one core")
        for stage in _STAGES:
            print(f"  {stage.removesuffix('_ms').replace('_', ' '):22} {stages[stage]:7.0f} ms")
        print(f"  {'together':22} {together(stages):7.0f} ms")
        print(f"  {stages['java_megabytes']:.0f} MB of Java objects made in all, ", end="")
        print(f"{stages['collections']} garbage collections; one bitmap of the full size")


def measure(app: HostApp, photo: Path, figures: Path) -> dict[str, dict[str, float]]:
    """The stages' times in milliseconds, of the first run and of a warm one."""
    cores = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(cores)})  # what is started inherits it
    try:
        given = {"photo": photo, "benchmark": figures}
        app.test("photo.FullSizeBenchmark", properties=given, timed=True)
    finally:
        os.sched_setaffinity(0, cores)
    measured: dict[str, dict[str, float]] = json.loads(figures.read_bytes())
    return measured


def together(stages: dict[str, float]) -> float:
    """Milliseconds of all stages."""
    return sum(stages[stage] for stage in _STAGES)


def draw_photo(file: Path) -> Path:
    """Writes a photo of 12 megapixels with a camera's grain."""
    photo = resize_photo(data.astronaut(), 4000, 3000)
    grain = np.random.default_rng(0).normal(0, 4, photo.shape)
    write_photo(file, np.clip(photo + grain, 0, 255).astype(np.uint8))
    return file


if __name__ == "__main__":
    run_command(main)
