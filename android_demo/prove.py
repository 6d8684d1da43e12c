"""Runs every proof that needs no phone, on a bundle's own models: python -m android_demo.prove

What each says is written down; one that fails does not stop the others.
"""

import re
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import tyro

from android_demo.apk_checks import (
    check_badging,
    check_page_sizes,
    check_same_bytes,
    check_signature,
    check_size,
)
from android_demo.build import build_unsigned
from android_demo.host_app import HostApp, make_host_app
from android_demo.host_libraries import run_on_arm
from android_demo.programs import require
from android_demo.public_api import check_public_api, unchecked_calls
from android_demo.signing import machine_key, sign
from android_demo.toolchain import Toolchain, bring_toolchain
from android_demo.versions import read_app
from pocket_bokeh.bundle import SHIPPED_BUNDLE, Bundle, BundledModel, read_bundle
from pocket_bokeh.errors import UserError, run_command
from pocket_bokeh.photo import read_photo, to_float, to_uint8

_TOLERANCE = {"CPU": 0.05, "GPU": 0.5}
"""Steps of 255 by which the mean difference to the golden output may exceed the bundle's figure."""

_LARGEST_TOLERANCE = 4


@dataclass(frozen=True)
class ProofOptions:
    """Proves the app without a phone."""

    bundle: Path = SHIPPED_BUNDLE
    """The bundle that goes into the app."""
    screenshots: Path = Path("screenshots")
    """A folder, made if missing, for pictures of the screens, to be looked at."""
    photo: Path | None = None
    """A JPEG photo to show on them. Left out: a drawn one."""
    gpu: bool = True
    """Whether the GPU delegate is run, in half a minute a model."""


@dataclass(frozen=True)
class Proving:
    """What the proofs are about."""

    options: ProofOptions
    bundle: Bundle
    tools: Toolchain
    app: HostApp
    unsigned: Path
    signed: Path
    folder: Path


def main() -> None:
    options = tyro.cli(ProofOptions)
    require("java", "javac", "keytool", "apksigner", "gcc", "readelf")
    bundle = read_bundle(options.bundle)
    options.screenshots.mkdir(parents=True, exist_ok=True)
    proofs: dict[str, Callable[[Proving], str]] = {
        "built twice, the same bytes": prove_reproducible,
        "signature": prove_signature,
        "what it says of itself": prove_badging,
        "public API": prove_api,
        "page sizes": prove_page_sizes,
        "models on x86-64": prove_models,
        "models on 64-bit Arm, emulated": prove_arm,
        "screens": prove_screens,
    }
    failures = 0
    with tempfile.TemporaryDirectory(prefix="android-demo-") as folder:
        proving = prepare(options, bundle, Path(folder))
        for name, proof in proofs.items():
            started = time.perf_counter()
            try:
                said = proof(proving)
            except UserError as error:
                said, failures = f"FAILED: {error}", failures + 1
            print(f"{name}  ({time.perf_counter() - started:.0f} s)\n  {said}", flush=True)
    if failures:
        raise UserError(f"{failures} of {len(proofs)} proofs failed, for the reasons above")


def prepare(options: ProofOptions, bundle: Bundle, folder: Path) -> Proving:
    """Builds the app for phones and for this machine."""
    tools, app = bring_toolchain(), read_app()
    unsigned, signed = folder / "unsigned.apk", folder / "signed.apk"
    build_unsigned(bundle, app, app.abis, tools, unsigned)
    sign(unsigned, signed, machine_key(), app.min_sdk)
    (folder / "host").mkdir()
    host = make_host_app(bundle, folder / "host")
    return Proving(options, bundle, tools, host, unsigned, signed, folder)


def prove_reproducible(proving: Proving) -> str:
    """A second build has the first one's checksum, and the size that was asked for."""
    again = proving.folder / "again.apk"
    checksum = check_same_bytes(proving.unsigned, proving.bundle, read_app(), proving.tools, again)
    return f"{checksum}, signed {check_size(proving.signed)}"


def prove_signature(proving: Proving) -> str:
    """Android's own tool accepts it for every Android that the app is for."""
    return check_signature(proving.signed, read_app())


def prove_badging(proving: Proving) -> str:
    """Name, levels, processors; no permission."""
    return check_badging(proving.signed, read_app(), proving.tools)


def prove_api(proving: Proving) -> str:
    """Nothing hidden, and nothing newer than the oldest phone without a look at its level."""
    check_public_api([proving.app.folder / "classes", *proving.tools.libraries])
    calls = unchecked_calls()
    if calls:
        raise UserError(f"without a look at the level: {calls}")
    return "only what Google's lists for Android 8 and 14 have; newer calls look at the level"


def prove_page_sizes(proving: Proving) -> str:
    """Which libraries can be loaded where memory has pages of 16 KB, and why others cannot."""
    return check_page_sizes(proving.signed)


def prove_models(proving: Proving) -> str:
    """Each model on the app's own inference class, against the golden pair."""
    said = []
    accelerators = ["CPU"]
    if proving.options.gpu and not proving.app.gpu_missing:
        accelerators.append("GPU")
    for model in proving.bundle.models_of_all(list(_shipped(proving.bundle))):
        for accelerator in accelerators:
            photo, golden = _golden(proving.bundle, model)
            file = proving.bundle.folder / model.file
            rendered = to_uint8(proving.app.run_model(file, accelerator, photo))
            said.append(
                f"{model.file} {accelerator}: {_compare(model, accelerator, rendered, golden)}"
            )
    if proving.app.gpu_missing:
        said.append(f"GPU delegate not run: apt-get install {proving.app.gpu_missing}")
    return "\n  ".join(said)


def prove_arm(proving: Proving) -> str:
    """The app's own 64-bit Arm library, at both page sizes, against the golden pair.

    Of each recipe the first model: the others have its weights and take a minute each.
    """
    said = []
    for recipe in _shipped(proving.bundle):
        model = proving.bundle.models_of(recipe)[0]
        _, golden = _golden(proving.bundle, model)
        for page_size in (4096, 16384):
            rendered = run_arm_model(
                proving.bundle, model, proving.tools, proving.folder, page_size
            )
            compared = _compare(model, "CPU", rendered, golden)
            said.append(f"{model.file}, pages of {page_size // 1024} KB: {compared}")
    return "\n  ".join(said)


def run_arm_model(
    bundle: Bundle, model: BundledModel, tools: Toolchain, folder: Path, page_size: int
) -> np.ndarray:
    """What a model makes of its golden input under emulation: 2h × 2w × 3, uint8."""
    photo, golden = _golden(bundle, model)
    integers = model.input.type == "uint8"
    inputs = photo.tobytes() if integers else to_float(photo).tobytes()
    work = folder / "arm"
    work.mkdir(exist_ok=True)
    natives = tools.natives / "arm64-v8a"
    outputs = run_on_arm(bundle.folder / model.file, inputs, natives, work, page_size)
    kind = np.uint8 if integers else np.float32
    rendered = np.frombuffer(outputs, kind).reshape(golden.shape)
    return rendered if integers else to_uint8(rendered)


def prove_screens(proving: Proving) -> str:
    """The whole way on the screens that there are, with a real model; pictures to look at."""
    options = proving.options
    folder = options.screenshots.resolve()
    photo = {"photo": options.photo.resolve()} if options.photo else {}
    said = proving.app.test("screen.ScreenshotTest", properties={"screenshots": folder, **photo})
    passed = re.search(r"OK \((\d+) tests\)", said)
    return f"{passed[1] if passed else 'no'} tests; look at {options.screenshots}"


def _shipped(bundle: Bundle) -> tuple[str, ...]:
    return tuple(recipe for recipe in read_app().recipes if recipe in bundle.recipes)


def _golden(bundle: Bundle, model: BundledModel) -> tuple[np.ndarray, np.ndarray]:
    pair = bundle.golden_of(model.working_size)
    return read_photo(bundle.folder / pair.input), read_photo(bundle.folder / pair.output)


def _compare(
    model: BundledModel, accelerator: str, rendered: np.ndarray, golden: np.ndarray
) -> str:
    steps = np.abs(rendered.astype(int) - golden.astype(int))
    largest, mean = int(steps.max()), float(steps.mean())
    most = model.figures["golden_largest_step"] + _LARGEST_TOLERANCE
    if largest > most or mean > model.figures["golden_mean_step"] + _TOLERANCE[accelerator]:
        raise UserError(
            f"{model.file} on {accelerator}: {largest} steps at most and {mean:.3f} in the mean, "
            f"in the bundle {model.figures['golden_largest_step']:.0f} and "
            f"{model.figures['golden_mean_step']:.3f}"
        )
    return f"at most {largest} steps of 255, {mean:.4f} in the mean"


if __name__ == "__main__":
    run_command(main)
