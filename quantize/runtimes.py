"""Runs a .tflite file on a photograph. No TensorFlow: it starts in a second."""

import threading
from pathlib import Path
from typing import Any

import numpy as np
from ai_edge_litert.interpreter import Interpreter

from quantize.bundle import EdgeFormat
from train.errors import UserError


class LiteRTModel:
    """A .tflite file on the CPU, by LiteRT with XNNPACK as phones run it.

    Several threads may call one model; they wait for each other.

    Attributes:
        input_size: height and width of the network's input.
        input_channels: 3 for a photograph, 4 for one and its depth map.
        output_size: height and width of the rendered photograph, twice that.
        input_format: what the file takes; `run` converts.
        output_format: what the file gives.
    """

    def __init__(self, file: Path | bytes, threads: int = 2):
        """Loads a model.

        Args:
            file: a .tflite file, or its bytes.
            threads: of the CPU.

        Raises:
            UserError: it is no .tflite file, or none that turns one photograph into another.
        """
        source = {"model_content": file} if isinstance(file, bytes) else {"model_path": str(file)}
        name = "the model" if isinstance(file, bytes) else str(file)
        try:
            self._interpreter = Interpreter(**source, num_threads=threads)
            self._interpreter.allocate_tensors()
        except (ValueError, RuntimeError) as error:
            reason = str(error).splitlines()[0]
            raise UserError(f"{name}: not a .tflite model that LiteRT runs ({reason})") from error
        self._input = _only(self._interpreter.get_input_details(), name, "input")
        self._output = _only(self._interpreter.get_output_details(), name, "output")
        height, width, self.input_channels = _picture_shape(self._input, name, (3, 4))
        self.input_size = (height, width)
        self.output_size = _picture_shape(self._output, name, (3,))[:2]
        if self.output_size != (2 * height, 2 * width):
            raise UserError(
                f"{name}: gives {self.output_size[0]} × {self.output_size[1]} px, expected twice "
                f"its input's {height} × {width}"
            )
        self.input_format = _edge_format(self._input)
        self.output_format = _edge_format(self._output)
        self._lock = threading.Lock()

    def run(self, photo: np.ndarray) -> np.ndarray:
        """Renders a photograph.

        Args:
            photo: h × w × `input_channels`, float32, 0…1, RGB, sRGB-encoded, of `input_size`;
                the fourth channel is depth.

        Returns:
            2h × 2w × 3 float32, of `output_size`; float models do not clip it to 0…1.

        Raises:
            ValueError: the photograph has another size or number of channels.
        """
        expected = (*self.input_size, self.input_channels)
        if photo.shape != expected:
            raise ValueError(f"photo of shape {photo.shape}, expected {expected}")
        with self._lock:
            codes = encode(photo, self.input_format)[None]
            self._interpreter.set_tensor(self._input["index"], codes)
            self._interpreter.invoke()
            codes = self._interpreter.get_tensor(self._output["index"])[0]
            return decode(codes, self.output_format)


def _only(tensors: list[dict[str, Any]], name: str, kind: str) -> dict[str, Any]:
    if len(tensors) != 1:
        raise UserError(f"{name}: {len(tensors)} {kind}s, expected one photograph")
    return tensors[0]


def _picture_shape(
    tensor: dict[str, Any], name: str, channels: tuple[int, ...]
) -> tuple[int, int, int]:
    shape = tuple(int(side) for side in tensor["shape"])
    if len(shape) != 4 or shape[0] != 1 or shape[3] not in channels:
        expected = " or ".join(str(number) for number in channels)
        raise UserError(
            f"{name}: a tensor of shape {shape}, expected 1 × height × width × {expected}"
        )
    return shape[1], shape[2], shape[3]


def _edge_format(tensor: dict[str, Any]) -> EdgeFormat:
    kind = np.dtype(tensor["dtype"]).name
    scale, zero_point = tensor["quantization"]
    return EdgeFormat(kind, float(scale), int(zero_point)) if scale else EdgeFormat(kind)


def encode(photo: np.ndarray, edge: EdgeFormat) -> np.ndarray:
    """Floats 0…1 as a model's integers, rounded to nearest; a float model takes them as they are.

    With scale 1/255 and zero point 0 these are the codes of an 8-bit photograph.
    """
    if edge.scale is None or edge.zero_point is None:
        return photo.astype(edge.type)
    limits = np.iinfo(edge.type)
    codes = np.rint(photo / np.float32(edge.scale)) + edge.zero_point
    return np.clip(codes, limits.min, limits.max).astype(edge.type)


def decode(codes: np.ndarray, edge: EdgeFormat) -> np.ndarray:
    """What a model gives, as float32; a float model's are not clipped to 0…1."""
    if edge.scale is None or edge.zero_point is None:
        return codes.astype(np.float32)
    return (codes.astype(np.float32) - edge.zero_point) * np.float32(edge.scale)
