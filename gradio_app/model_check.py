"""Loads and runs visitors' own models in a process of its own, which may crash without harm.

Each renders a real photograph, and what it gives is looked at: a model that expects or gives
another range of values than this page, or that is damaged, runs without a word on zeros.
"""

import json
import os
import resource
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np
import skimage.data

from gradio_app.model_file import ModelFile
from pocket_bokeh.bundle import SMALLEST_WORKING_SIDE
from pocket_bokeh.errors import UserError
from pocket_bokeh.photo import network_input, to_float
from pocket_bokeh.render import frame

THREADS = 1
"""Of a run: as many runs at a time as there are cores take each one."""

LARGEST_SIDE = 2048
LONGEST_CHECK = 60
"""Seconds for loading and running a foreign model."""

_MOST_MEMORY = 4 << 30

_USUAL_RANGE = (-0.5, 1.5)
"""Of what a network gives that was trained on 0…1; it is not clipped and may overshoot."""

_LEAST_CONTRAST = 0.1
"""Of a rendered photograph, as a share of the photograph's: blur alone takes less of it away."""

_LEAST_CORRELATION = 0.3


def check_size(name: str, size: Sequence[int]) -> None:
    """Refuses a working size that no photograph can be rendered at, before anything is loaded.

    Raises:
        UserError: a side is too small or too large.
    """
    if min(size) < SMALLEST_WORKING_SIDE or max(size) > LARGEST_SIDE:
        raise UserError(
            f"{name}: gives {size[0]} × {size[1]} px; a network for photos has sides from "
            f"{SMALLEST_WORKING_SIDE} to {LARGEST_SIDE}"
        )


def check_apart(files: Sequence[ModelFile]) -> None:
    """Loads and runs models as the page will, in a process of its own.

    Raises:
        UserError: one cannot be loaded, is no photo-to-photo model, gives no picture of the
            photograph, crashes or takes too long.
    """
    for file in files:
        check_size(file.file.name, file.output_size)
    jobs = "".join(json.dumps(asdict(file) | {"file": str(file.file)}) + "\n" for file in files)
    try:
        done = subprocess.run(
            [sys.executable, "-m", "gradio_app.model_check"],
            input=jobs.encode(),
            capture_output=True,
            timeout=LONGEST_CHECK * len(files),
        )
        answers, why = done.stdout, "ends the program that runs it; it may be damaged"
    except subprocess.TimeoutExpired as error:
        answers, why = error.stdout or b"", f"runs for more than {LONGEST_CHECK} s here"
    found = [json.loads(line) for line in answers.splitlines() if line.startswith(b"{")]
    unanswered = [{"error": why}] * (len(files) - len(found))
    for file, answer in zip(files, found + unanswered, strict=True):
        if answer["error"]:
            raise UserError(f"{file.file.name}: {answer['error']}")


def fault_of(file: ModelFile) -> str | None:
    """What is wrong with a model, if anything is; runs it here."""
    try:
        model = file.load(THREADS)
        if model.output_size != file.output_size or model.input_channels != file.channels:
            return (
                f"gives {model.output_size[0]} × {model.output_size[1]} px of "
                f"{model.input_channels} channels when it runs; its file says "
                f"{file.output_size[0]} × {file.output_size[1]} px of {file.channels}"
            )
        photo = frame(skimage.data.astronaut(), model.output_size).photo
        depth = np.full(photo.shape[:2], 128, np.uint8) if file.channels == 4 else None
        rendered = model.run(network_input(photo, depth))
    except UserError as error:
        return str(error).removeprefix("the model: ")
    return implausible(to_float(photo), rendered)


def implausible(photo: np.ndarray, rendered: np.ndarray) -> str | None:
    """Why a rendering cannot be one of the photograph, if it cannot.

    Args:
        photo: height × width × 3, 0…1.
        rendered: of the same shape, as the model gives it.
    """
    if not np.isfinite(rendered).all():
        return "gives values that are no numbers (NaN or infinite) on a photo"
    low, high = (float(value) for value in np.quantile(rendered, (0.01, 0.99)))
    found = f"on a photo it gives values from {low:.3g} to {high:.3g}"
    if low < _USUAL_RANGE[0] or high > _USUAL_RANGE[1]:
        return f"{found}; expected 0 to 1, so let the model end with that range"
    if rendered.std() < _LEAST_CONTRAST * photo.std():
        return f"{found}, nearly one colour; its input is expected from 0 to 1, its output too"
    # A network may turn colours over, as a negative does; it is still a picture of the photo.
    correlation = abs(float(np.corrcoef(photo.ravel(), rendered.ravel())[0, 1]))
    if correlation < _LEAST_CORRELATION:
        return f"what it gives is no picture of the photo (correlation {correlation:.2f})"
    return None


def main() -> None:
    """Reads jobs, a line of JSON each, and answers each with a line."""
    resource.setrlimit(resource.RLIMIT_AS, (_MOST_MEMORY, _MOST_MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    for line in sys.stdin:
        job = json.loads(line)
        size = tuple(job.pop("output_size"))
        file = ModelFile(**job | {"file": Path(job["file"]), "output_size": size})
        print(json.dumps({"error": fault_of(file)}), flush=True)
    # What a broken model left behind may crash at the orderly end.
    os._exit(0)


if __name__ == "__main__":
    main()
