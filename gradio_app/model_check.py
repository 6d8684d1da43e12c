"""Loads and runs visitors' models in a separate process, which may crash without harm.

Each model renders a real photo, and the output is checked. A test with zeros would not notice a
damaged model, or one that uses another range of values than this page.
"""

import json
import os
import resource
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import asdict

import numpy as np
import skimage.data

from gradio_app.model_file import ModelFile
from pocket_bokeh.bundle import SMALLEST_WORKING_SIDE
from pocket_bokeh.errors import UserError
from pocket_bokeh.photo import network_input, to_float
from pocket_bokeh.render import frame
from pocket_bokeh.strict_json import read_json

THREADS = 1
"""Per model; the server runs as many models at a time as there are cores."""

LARGEST_SIDE = 2048
LONGEST_CHECK = 60
"""Seconds to load and run one model."""

_MOST_MEMORY = 4 << 30
"""Bytes of address space for the process."""

_USUAL_RANGE = (-0.5, 1.5)
"""Of the output of a network trained on 0…1: it is not clipped and may overshoot."""

_LEAST_CONTRAST = 0.1
"""Standard deviation of the output as a share of the photo's; blur alone leaves more."""

_LEAST_CORRELATION = 0.3
"""Between the output and the photo."""


def check_size(name: str, size: Sequence[int]) -> None:
    """Rejects an unreasonable output size before anything is loaded.

    Raises:
        UserError: a side is too small or too large.
    """
    if min(size) < SMALLEST_WORKING_SIDE or max(size) > LARGEST_SIDE:
        raise UserError(
            f"{name}: its output is {size[0]} × {size[1]} px; a network for photos has sides from "
            f"{SMALLEST_WORKING_SIDE} to {LARGEST_SIDE}"
        )


def check_apart(files: Sequence[ModelFile]) -> None:
    """Loads and runs models as the server will, in a separate process.

    Raises:
        UserError: a model cannot be loaded, does not turn a photo into a picture of it, crashes or
            takes too long.
    """
    for file in files:
        check_size(file.file.name, file.output_size)
    jobs = "".join(json.dumps(asdict(file), default=str) + "\n" for file in files)
    try:
        done = subprocess.run(
            [sys.executable, "-m", "gradio_app.model_check"],
            input=jobs.encode(),
            capture_output=True,
            timeout=LONGEST_CHECK * len(files),
        )
        output, reason = done.stdout, "crashes the program that runs it; it may be damaged"
    except subprocess.TimeoutExpired as error:
        output, reason = error.stdout or b"", f"runs for more than {LONGEST_CHECK} s on this server"
    answers = [json.loads(line) for line in output.splitlines() if line.startswith(b"{")]
    missing = [{"error": reason}] * (len(files) - len(answers))
    for file, answer in zip(files, answers + missing, strict=True):
        if answer["error"]:
            raise UserError(f"{file.file.name}: {answer['error']}")


def fault_of(file: ModelFile) -> str | None:
    """Runs a model in this process; returns what is wrong with it, or None."""
    try:
        model = file.load(THREADS)
        if model.output_size != file.output_size or model.input_channels != file.channels:
            return (
                f"has an output of {model.output_size[0]} × {model.output_size[1]} px and "
                f"{model.input_channels} input channels when it runs; its file says "
                f"{file.output_size[0]} × {file.output_size[1]} px and {file.channels}"
            )
        photo = frame(skimage.data.astronaut(), model.output_size).photo
        depth = np.full(photo.shape[:2], 128, np.uint8) if file.channels == 4 else None
        rendered = model.run(network_input(photo, depth))
    except UserError as error:
        return str(error).removeprefix("the model: ")
    return implausible(to_float(photo), rendered)


def implausible(photo: np.ndarray, rendered: np.ndarray) -> str | None:
    """Why an output cannot be a rendering of the photo; None if it can.

    Args:
        photo: height × width × 3, 0…1.
        rendered: the model's output, of the same size, perhaps with a fourth channel.
    """
    if not np.isfinite(rendered).all():
        return "its output on a photo has values that are not numbers (NaN or infinite)"
    rendered = rendered[..., :3]
    low, high = (float(value) for value in np.quantile(rendered, (0.01, 0.99)))
    found = f"its output on a photo ranges from {low:.3g} to {high:.3g}"
    if low < _USUAL_RANGE[0] or high > _USUAL_RANGE[1]:
        return f"{found}; expected 0 to 1, so rescale the output in the model"
    if rendered.std() < _LEAST_CONTRAST * photo.std():
        return f"{found}, nearly one colour; input and output must range from 0 to 1"
    # The sign does not matter: a negative is still a picture of the photo.
    correlation = abs(float(np.corrcoef(photo.ravel(), rendered.ravel())[0, 1]))
    if correlation < _LEAST_CORRELATION:
        return f"its output is not a picture of the photo (correlation {correlation:.2f})"
    return None


def main() -> None:
    """Reads one job per line, as JSON, and answers each with one line."""
    resource.setrlimit(resource.RLIMIT_AS, (_MOST_MEMORY, _MOST_MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    for line in sys.stdin:
        file = read_json(line, ModelFile)
        print(json.dumps({"error": fault_of(file)}), flush=True)
    # Skips the interpreter's clean-up, which may crash on what a broken model left in memory.
    os._exit(0)


if __name__ == "__main__":
    main()
