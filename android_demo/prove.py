"""Runs every check of the app that needs no phone: python -m android_demo.prove

It prints the result of each; a check that fails does not stop the others.
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
from android_demo.toolchain import Toolchain, prepare_toolchain
from android_demo.versions import read_app
from pocket_bokeh.bundle import SHIPPED_BUNDLE, Bundle, BundledModel, read_bundle
from pocket_bokeh.errors import UserError, run_command
from pocket_bokeh.photo import to_float, to_uint8

_TOLERANCE = {"CPU": 0.05, "GPU": 0.5}
"""How far the mean difference from the golden output may exceed the bundle's figure, in 8-bit
levels, by accelerator."""

_LARGEST_TOLERANCE = {"CPU": 4, "GPU": 12}
"""The same for the largest difference. On a GPU it is what the app itself tolerates: half precision
is off by some levels at edges."""


_SHARPNESS_TOLERANCE = {"CPU": 1.0, "GPU": 3.0}
"""The same for the mean difference of predicted sharpness, which is steeper than the colours. The
bundle states it over both golden pairs."""


@dataclass(frozen=True)
class ProofOptions:
    """Checks the app without a phone."""

    bundle: Path = SHIPPED_BUNDLE
    """The bundle that goes into the app."""
    screenshots: Path = Path("screenshots")
    """A folder for screenshots, to be looked at; created if missing."""
    photo: Path | None = None
    """A JPEG photo to show on them. Default: a drawn one."""
    gpu: bool = True
    """Whether to run the GPU delegate, which takes half a minute a model."""


@dataclass(frozen=True)
class BuiltApp:
    """The app as it is checked: built for phones, and for this machine."""

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
    proofs: dict[str, Callable[[BuiltApp], str]] = {
        "built twice, the same bytes": prove_reproducible,
        "signature": prove_signature,
        "manifest": prove_badging,
        "public API": prove_api,
        "page sizes": prove_page_sizes,
        "models on x86-64": prove_models,
        "models on 64-bit Arm, emulated": prove_arm,
        "screens": prove_screens,
    }
    failures = 0
    with tempfile.TemporaryDirectory(prefix="android-demo-") as folder:
        built = prepare(options, bundle, Path(folder))
        for name, proof in proofs.items():
            started = time.perf_counter()
            try:
                said = proof(built)
            except UserError as error:
                said, failures = f"FAILED: {error}", failures + 1
            print(f"{name}  ({time.perf_counter() - started:.0f} s)\n  {said}", flush=True)
    if failures:
        raise UserError(f"{failures} of {len(proofs)} checks failed, for the reasons above")


def prepare(options: ProofOptions, bundle: Bundle, folder: Path) -> BuiltApp:
    """Builds the app for phones and for this machine."""
    tools, app = prepare_toolchain(), read_app()
    unsigned, signed = folder / "unsigned.apk", folder / "signed.apk"
    build_unsigned(bundle, app, app.abis, tools, unsigned)
    sign(unsigned, signed, machine_key(), app.min_sdk)
    (folder / "host").mkdir()
    host = make_host_app(bundle, folder / "host")
    return BuiltApp(options, bundle, tools, host, unsigned, signed, folder)


def prove_reproducible(built: BuiltApp) -> str:
    """A second build has the same checksum, and the APK is small enough."""
    again = built.folder / "again.apk"
    checksum = check_same_bytes(built.unsigned, built.bundle, read_app(), built.tools, again)
    return f"{checksum}, signed {check_size(built.signed)}"


def prove_signature(built: BuiltApp) -> str:
    """Every supported Android accepts the signature."""
    return check_signature(built.signed, read_app())


def prove_badging(built: BuiltApp) -> str:
    """The manifest has the right name, API levels and processors, and no permission."""
    return check_badging(built.signed, read_app(), built.tools)


def prove_api(built: BuiltApp) -> str:
    """The app uses no hidden API, and checks the level before it uses newer API."""
    check_public_api([built.app.folder / "classes", *built.tools.libraries])
    calls = unchecked_calls()
    if calls:
        raise UserError(f"called without a check of the API level: {calls}")
    return "only public API of Android 8; calls of newer API check the level"


def prove_page_sizes(built: BuiltApp) -> str:
    """Which libraries can be loaded with 16 KB memory pages, and why others cannot."""
    return check_page_sizes(built.signed)


def prove_models(built: BuiltApp) -> str:
    """Each model, run by the app's own inference class, gives the golden output."""
    said = []
    accelerators = ["CPU"]
    if built.options.gpu and not built.app.gpu_missing:
        accelerators.append("GPU")
    for model in built.bundle.models_of_all(list(_shipped(built.bundle))):
        for accelerator in accelerators:
            file = built.bundle.folder / model.file
            for photo, golden in _golden(built.bundle, model):
                rendered = to_uint8(built.app.run_model(file, accelerator, photo))
                compared = _compare(model, accelerator, rendered, golden)
                said.append(f"{model.file} {accelerator}: {compared}")
    if built.app.gpu_missing:
        said.append(f"GPU delegate not run: apt-get install {built.app.gpu_missing}")
    return "\n  ".join(said)


def prove_arm(built: BuiltApp) -> str:
    """The 64-bit Arm library in the app gives the golden output at both page sizes.

    Only the first model of each recipe is run, with its first golden pair: the others have the same
    weights, and each run takes a minute.
    """
    said = []
    for recipe in _shipped(built.bundle):
        model = built.bundle.models_of(recipe)[0]
        _, golden = _golden(built.bundle, model)[0]
        for page_size in (4096, 16384):
            rendered = run_arm_model(built.bundle, model, built.tools, built.folder, page_size)
            compared = _compare(model, "CPU", rendered, golden)
            said.append(f"{model.file}, pages of {page_size // 1024} KB: {compared}")
    return "\n  ".join(said)


def run_arm_model(
    bundle: Bundle, model: BundledModel, tools: Toolchain, folder: Path, page_size: int
) -> np.ndarray:
    """Renders a model's first golden input on the emulated processor: 2h × 2w × 3 or 4, uint8."""
    photo, golden = _golden(bundle, model)[0]
    integers = model.input.type == "uint8"
    inputs = photo.tobytes() if integers else to_float(photo).tobytes()
    work = folder / "arm"
    work.mkdir(exist_ok=True)
    natives = tools.natives / "arm64-v8a"
    outputs = run_on_arm(bundle.folder / model.file, inputs, natives, work, page_size)
    kind = np.uint8 if integers else np.float32
    rendered = np.frombuffer(outputs, kind).reshape(golden.shape)
    return rendered if integers else to_uint8(rendered)


def prove_screens(built: BuiltApp) -> str:
    """Takes screenshots of the app with a real model on several screen sizes."""
    options = built.options
    folder = options.screenshots.resolve()
    photo = {"photo": options.photo.resolve()} if options.photo else {}
    said = built.app.test("screen.ScreenshotTest", properties={"screenshots": folder, **photo})
    passed = re.search(r"OK \((\d+) tests\)", said)
    return f"{passed[1] if passed else 'no'} tests; look at {options.screenshots}"


def _shipped(bundle: Bundle) -> tuple[str, ...]:
    return tuple(recipe for recipe in read_app().recipes if recipe in bundle.recipes)


def _golden(bundle: Bundle, model: BundledModel) -> list[tuple[np.ndarray, np.ndarray]]:
    """The network's inputs and outputs of a model's golden pairs, uint8."""
    return [
        (to_uint8(bundle.golden_input(pair)), to_uint8(bundle.golden_output(pair)))
        for pair in bundle.golden_of(model.working_size)
    ]


def _compare(
    model: BundledModel, accelerator: str, rendered: np.ndarray, golden: np.ndarray
) -> str:
    both = np.abs(rendered.astype(int) - golden.astype(int))
    steps, sharpness = both[..., :3], both[..., 3:]
    largest, mean = int(steps.max()), float(steps.mean())
    most = model.figures["golden_largest_step"] + _LARGEST_TOLERANCE[accelerator]
    if largest > most or mean > model.figures["golden_mean_step"] + _TOLERANCE[accelerator]:
        raise UserError(
            f"{model.file} on {accelerator}: differs from the golden output by at most {largest} "
            f"of 255 levels, {mean:.3f} on average; the bundle states "
            f"{model.figures['golden_largest_step']:.0f} and "
            f"{model.figures['golden_mean_step']:.3f}"
        )
    said = f"differs by at most {largest} of 255 levels, {mean:.4f} on average"
    if not sharpness.size:
        return said
    stated, mean = model.figures["golden_sharpness_mean_step"], float(sharpness.mean())
    if mean > stated + _SHARPNESS_TOLERANCE[accelerator]:
        raise UserError(
            f"{model.file} on {accelerator}: its sharpness differs from the golden one by "
            f"{mean:.3f} of 255 levels on average; the bundle states {stated:.3f}"
        )
    return f"{said}; its sharpness by {mean:.4f} on average"


if __name__ == "__main__":
    run_command(main)
