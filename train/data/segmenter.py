"""Runs a salient-object network in ONNX: a photograph in, the soft mask of its subject out.

IS-Net (Qin et al., "Highly accurate dichotomous image segmentation", ECCV 2022) and U²-Net (Qin et
al., "U²-Net: Going deeper with nested U-structure for salient object detection", Pattern
Recognition 2020) are of this kind, and so are their descendants: 1 × 3 × height × width in, one or
more maps of one channel out, the first of them the best.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from pocket_bokeh.errors import UserError
from pocket_bokeh.photo import resize_photo, to_float, to_uint8

Colour = tuple[float, float, float]

FLOATS = {"tensor(float)": np.float32, "tensor(float16)": np.float16}
"""NumPy's type for each type of input that is supported."""


@dataclass(frozen=True)
class Preparation:
    """How a network wants its input.

    Attributes:
        side: height and width in pixels, where the network does not fix them.
        mean, std: of red, green and blue, 0…1: (value - mean) / std goes in.
    """

    side: int
    mean: Colour
    std: Colour


PREPARATIONS = {
    "isnet": Preparation(1024, (0.5, 0.5, 0.5), (1.0, 1.0, 1.0)),
    "u2net": Preparation(320, (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)),
}
"""Of known networks, as their authors' code prepares them."""


@dataclass(frozen=True)
class Segmenter:
    """An opened network.

    Attributes:
        session: ONNX Runtime's session.
        size: height and width of the input.
        preparation: how the input is normalized.
    """

    session: Any
    size: tuple[int, int]
    preparation: Preparation

    def mask(self, photo: np.ndarray) -> np.ndarray:
        """The soft mask of a photograph's subject.

        Args:
            photo: height × width × 3, uint8.

        Returns:
            height × width, uint8, 255 on the subject.
        """
        planes = to_float(resize_photo(photo, *self.size))
        mean, std = np.array(self.preparation.mean), np.array(self.preparation.std)
        normalized = (planes - mean) / std
        entry = self.session.get_inputs()[0]
        batch = normalized.transpose(2, 0, 1)[None].astype(FLOATS[entry.type])
        first = self.session.get_outputs()[0].name
        (found,) = self.session.run([first], {entry.name: batch})
        coverage = _single_map(found, self.size).astype(np.float64)
        if coverage.min() < -0.01 or coverage.max() > 1.01:  # before the sigmoid
            coverage = 1 / (1 + np.exp(-np.clip(coverage, -30, 30)))
        height, width = photo.shape[:2]
        small = Image.fromarray(to_uint8(coverage))
        return np.asarray(small.resize((width, height), Image.Resampling.BILINEAR))


def open_segmenter(file: Path, preparation: Preparation) -> Segmenter:
    """Opens a network and tries it on a grey photograph.

    Args:
        file: an ONNX file.
        preparation: how the input is prepared; a size that the network fixes overrides `side`.

    Raises:
        UserError: ONNX Runtime is missing, or the file is missing, damaged or no segmenter.
    """
    try:
        import onnxruntime
    except ImportError:
        raise UserError(
            "ONNX Runtime is missing; install it: pip install 'pocket-bokeh[masks]'"
        ) from None
    if not file.is_file():
        raise UserError(f"{file}: no such file; --segmenter takes an ONNX file")
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4  # its own complaints would come before ours
    try:
        session = onnxruntime.InferenceSession(file, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # ONNX Runtime has an exception for each status, without a base
        reason = str(error).splitlines()[0]
        raise UserError(f"{file}: not an ONNX file that can be run ({reason})") from None
    segmenter = Segmenter(session, _input_size(file, session, preparation.side), preparation)
    try:
        segmenter.mask(np.full((64, 96, 3), 128, np.uint8))
    except Exception as error:
        reason = str(error).splitlines()[0]
        raise UserError(
            f"{file}: no segmenter; expected one map of one channel as its first output ({reason})"
        ) from None
    return segmenter


def _input_size(file: Path, session: Any, side: int) -> tuple[int, int]:
    """Height and width of the input: what the network fixes, otherwise `side`."""
    entries = session.get_inputs()
    shape = entries[0].shape if entries else []
    is_photo = len(entries) == 1 and len(shape) == 4 and shape[1] == 3
    if not is_photo or entries[0].type not in FLOATS:
        found = ", ".join(f"{entry.name} {entry.type} {entry.shape}" for entry in entries)
        raise UserError(
            f"{file}: no segmenter; expected one input of floats, 1 × 3 × height × width, "
            f"but it has {found or 'none'}"
        )
    height, width = (each if isinstance(each, int) else side for each in shape[2:])
    return height, width


def _single_map(found: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """The output as height × width.

    Raises:
        ValueError: it has several channels or another size.
    """
    if found.size != size[0] * size[1] or found.shape[-2:] != size:
        raise ValueError(f"its shape is {' × '.join(map(str, found.shape))}")
    return found.reshape(size)
