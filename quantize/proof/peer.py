"""Renders photos with our model or with what one would take instead, each in its own process.

The others find a mask of the subject with a segmentation network, then blur the rest with the plain
lens of `train.data.standard_lens`.
"""

import resource
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context
from pathlib import Path

import numpy as np
from ai_edge_litert.interpreter import Interpreter
from PIL import Image

import pocket_bokeh
from pocket_bokeh.bundle import Bundle
from pocket_bokeh.errors import UserError
from pocket_bokeh.photo import resize_photo, to_float, to_uint8
from train.data.segmenter import PREPARATIONS, open_segmenter
from train.data.standard_lens import standard_lens_blur

Render = Callable[[np.ndarray], np.ndarray]
"""From height × width × 3, uint8, sRGB, to the same."""

Segment = Callable[[np.ndarray], np.ndarray]
"""From height × width × 3 to the mask, height × width; both uint8."""


@dataclass(frozen=True)
class Peer:
    """One way to blur the background.

    Attributes:
        title: for the table.
        model_bytes: the size of its model's file.
        open: loads it. It is sent to another process, so it must be possible to pickle.
    """

    title: str
    model_bytes: int
    open: Callable[[], Render]


@dataclass(frozen=True)
class Rendered:
    """What a peer took for the photos.

    Attributes:
        files: the pictures, in the order of the photos.
        seconds: median for a photo, without reading and writing it.
        memory_bytes: peak of its process, less that of Python with the packages that all need.
    """

    files: tuple[Path, ...]
    seconds: float
    memory_bytes: int


def our_model(bundle: Bundle, recipe: str) -> Peer:
    """Our network at one working size, as `pocket-bokeh` runs it.

    Raises:
        UserError: the bundle has no such recipe.
    """
    size = bundle.models_of(recipe)[0].bytes
    return Peer(f"Pocket Bokeh, {recipe}", size, partial(_open_ours, bundle.folder, recipe))


def salient_object_mask(file: Path) -> Peer:
    """A salient-object network in ONNX, prepared as IS-Net, and the plain lens."""
    return Peer(f"{file.name} and lens blur", _size(file), partial(_open_salient, file))


def selfie_mask(file: Path) -> Peer:
    """MediaPipe's selfie segmenter, or one like it, and the plain lens."""
    return Peer(f"{file.name} and lens blur", _size(file), partial(_open_selfie, file))


def render_in_own_process(peer: Peer, photos: Sequence[Path], out: Path) -> Rendered:
    """Renders photos in a fresh process, so that its peak memory can be measured.

    Args:
        peer: what renders them.
        photos: files of any size.
        out: a folder for the pictures.

    Raises:
        UserError: the model or a photo cannot be read.
    """
    with ProcessPoolExecutor(max_workers=1, mp_context=get_context("spawn")) as pool:
        return pool.submit(_render_all, peer, photos, out).result()


def _render_all(peer: Peer, photos: Sequence[Path], out: Path) -> Rendered:
    before = _peak_bytes()
    render = peer.open()
    render(np.full((96, 128, 3), 128, np.uint8))  # the first run of a model takes longer
    files, seconds = [], []
    for index, file in enumerate(photos):
        photo = pocket_bokeh.read_photo(file)
        started = time.perf_counter()
        picture = render(photo)
        seconds.append(time.perf_counter() - started)
        files.append(out / f"{index:03d}_{file.stem}.png")
        pocket_bokeh.write_photo(files[-1], picture)
    return Rendered(tuple(files), statistics.median(seconds), _peak_bytes() - before)


def _open_ours(folder: Path, recipe: str) -> Render:
    return pocket_bokeh.load(folder, recipe).render


def _open_salient(file: Path) -> Render:
    segmenter = open_segmenter(file, PREPARATIONS["isnet"])
    return partial(_blur_behind, segmenter.mask)


def _open_selfie(file: Path) -> Render:
    try:
        interpreter = Interpreter(model_path=str(file), num_threads=2)
        interpreter.allocate_tensors()
        (source,), (sink,) = interpreter.get_input_details(), interpreter.get_output_details()
        one, height, width, channels = source["shape"]
        fits = (one, channels) == (1, 3) and tuple(sink["shape"]) == (1, height, width, 1)
    except (ValueError, RuntimeError) as error:
        reason = (str(error).splitlines() or ["no reason given"])[0]
        raise UserError(f"{file}: no .tflite segmenter ({reason})") from None
    if not fits or source["dtype"] != np.float32:
        raise UserError(
            f"{file}: no segmenter of this kind; expected floats, 1 × height × width × 3 in and "
            "1 × height × width × 1 out"
        )

    def mask(photo: np.ndarray) -> np.ndarray:
        small = to_float(resize_photo(photo, height, width))
        interpreter.set_tensor(source["index"], small[None])
        interpreter.invoke()
        coverage = interpreter.get_tensor(sink["index"])[0, ..., 0]
        found = Image.fromarray(to_uint8(np.clip(coverage, 0, 1)))
        return np.asarray(found.resize(photo.shape[1::-1], Image.Resampling.BILINEAR))

    return partial(_blur_behind, mask)


def _blur_behind(segment: Segment, photo: np.ndarray) -> np.ndarray:
    return standard_lens_blur(photo, segment(photo))


def _size(file: Path) -> int:
    if not file.is_file():
        raise UserError(f"{file}: no such file")
    return file.stat().st_size


def _peak_bytes() -> int:
    """Peak memory of this process."""
    status = Path("/proc/self/status")
    if status.is_file():  # on Linux, getrusage starts with the parent process's peak
        (peak,) = (line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
        return int(peak.split()[1]) * 1024
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
