"""Compares a phone's proof with the figures of the bundle: python -m android_demo.phone_report"""

import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import tyro

from android_demo.install import the_phone
from android_demo.programs import call
from android_demo.versions import read_app
from pocket_bokeh.bundle import SHIPPED_BUNDLE, Bundle, BundledModel, read_bundle
from pocket_bokeh.errors import UserError, run_command
from pocket_bokeh.phone_proof import PhoneProof, PhoneTrial, read_proof

_LONGEST_PROOF = 600
"""Seconds."""


@dataclass(frozen=True)
class ReportOptions:
    """Shows how each model ran on each accelerator of a phone, beside the bundle's figures."""

    proof: tyro.conf.Positional[Path | None] = None
    """The file that the app's proof screen shares."""
    adb: bool = False
    """Instead of a file: starts the proof on the connected phone and fetches its file."""
    bundle: Path = SHIPPED_BUNDLE
    """The bundle that the app was built with."""


def main() -> None:
    options = tyro.cli(ReportOptions)
    if options.adb == (options.proof is not None):
        raise UserError("name the proof's file, or --adb to fetch it from the connected phone")
    bundle = read_bundle(options.bundle)
    if options.proof:
        proof = read_proof(options.proof)
    else:
        with tempfile.TemporaryDirectory() as folder:
            proof = read_proof(fetch_proof(Path(folder) / "proof.json"))
    print(
        f"{proof.name}, Android {proof.android} (API {proof.api}), "
        f"pages of {proof.page_size // 1024} KB"
    )
    for line in report(proof, bundle):
        print(line)


def report(proof: PhoneProof, bundle: Bundle) -> list[str]:
    """A table of the trials with the bundle's figures beside them, by lines.

    Raises:
        UserError: the app was built with another bundle.
    """
    models = {model.sha256: model for model in bundle.models}
    lines = [
        f"{'model':26} {'on':6} {'time':>9} {'largest step':>13} {'here':>5} "
        f"{'mean step':>10} {'here':>7}  verdict"
    ]
    for trial in proof.trials:
        model = models.get(trial.sha256)
        if model is None:
            raise UserError(
                f"{trial.file} on the phone differs from the one in {bundle.folder}; name the "
                "bundle that the app was built with as --bundle"
            )
        lines.append(_line(trial, model))
    return lines


def _line(trial: PhoneTrial, model: BundledModel) -> str:
    figures: Mapping[str, Any] = model.figures
    largest, mean = figures.get("golden_largest_step"), figures.get("golden_mean_step")
    return (
        f"{trial.file.removesuffix('.tflite'):26} {trial.accelerator:6} "
        f"{_figure(trial.milliseconds, 1, ' ms'):>9} {_figure(trial.largest_step, 0):>13} "
        f"{_figure(largest, 0):>5} {_figure(trial.mean_step, 3):>10} {_figure(mean, 3):>7}  "
        f"{'right' if trial.runs else trial.reason}"
    )


def _figure(value: float | None, digits: int, unit: str = "") -> str:
    return "–" if value is None else f"{value:.{digits}f}{unit}"


def fetch_proof(to: Path) -> Path:
    """Runs the proof on the connected phone and fetches its file.

    Raises:
        UserError: there is no phone, the app is not installed, or the proof takes too long.
    """
    phone, app = the_phone(), read_app().id
    adb = ["adb", "-s", phone]
    if f"package:{app}" not in call([*adb, "shell", "pm", "list", "packages", app]):
        raise UserError(f"{phone}: {app} is missing; install it with android_demo.build --install")
    file = f"/sdcard/Android/data/{app}/files/proof.json"
    call([*adb, "shell", "rm", "-f", file])
    activity = f"{app}/{app}.screen.ProofActivity"
    call([*adb, "shell", "am", "start", "-S", "-n", activity, "--ez", "run", "true"])
    print(f"{phone}: running the proof; keep the screen on", flush=True)
    end = time.monotonic() + _LONGEST_PROOF
    while "proof.json" not in call([*adb, "shell", f"ls {file} 2>/dev/null; true"]):
        if time.monotonic() > end:
            raise UserError(f"{phone}: no result after {_LONGEST_PROOF} s; look at its screen")
        time.sleep(2)
    call([*adb, "pull", file, to])
    return to


if __name__ == "__main__":
    run_command(main)
