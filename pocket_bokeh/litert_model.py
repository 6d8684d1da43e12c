"""Runs a .tflite file on a photograph. No TensorFlow: it starts in a second."""

import threading
from pathlib import Path
from typing import Any

import numpy as np
from ai_edge_litert.interpreter import Interpreter

from pocket_bokeh.errors import UserError
from pocket_bokeh.tflite_file import EdgeFormat, edge_format


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

    def __init__(
        self, file: Path | bytes, threads: int = 2, working_size: tuple[int, int] | None = None
    ):
        """Loads a model.

        Args:
            file: a .tflite file, or its bytes.
            threads: of the CPU.
            working_size: height and width of the rendered photograph, for a model that takes
                photographs of any size; others have their own.

        Raises:
            UserError: it is no .tflite file, or none that turns one photograph into another.
        """
        source = {"model_content": file} if isinstance(file, bytes) else {"model_path": str(file)}
        name = "the model" if isinstance(file, bytes) else str(file)
        try:
            self._interpreter = Interpreter(**source, num_threads=threads)
            self._interpreter.allocate_tensors()
        except (ValueError, RuntimeError) as error:
            raise UserError(
                f"{name}: not a .tflite model that LiteRT runs ({_first_line(error)})"
            ) from error
        self._name = name
        self._resize(working_size)
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
        self.input_format = _edge_format(self._input, name)
        self.output_format = _edge_format(self._output, name)
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
            self._invoke()
            codes = self._interpreter.get_tensor(self._output["index"])[0]
            return decode(codes, self.output_format)

    def _resize(self, working_size: tuple[int, int] | None) -> None:
        """Brings a model that takes photographs of any size to one; others stay as they are."""
        taken = _only(self._interpreter.get_input_details(), self._name, "input")
        given = _only(self._interpreter.get_output_details(), self._name, "output")
        sides = [int(side) for side in taken["shape_signature"]]
        if -1 in sides[1:3] and len(sides) == 4:
            if working_size is None:
                raise UserError(
                    f"{self._name}: takes photos of any size; convert it for one size, such as "
                    "1 × 192 × 256 × 3"
                )
            wanted = (1, working_size[0] // 2, working_size[1] // 2, 3)
            shape = [want if side == -1 else side for side, want in zip(sides, wanted, strict=True)]
            try:
                self._interpreter.resize_tensor_input(taken["index"], shape)
                self._interpreter.allocate_tensors()
            except (ValueError, RuntimeError) as error:
                raise UserError(
                    f"{self._name}: takes photos of any size, but not of {shape[1]} × {shape[2]} "
                    f"({_first_line(error)})"
                ) from error
        if -1 in sides or -1 in given["shape_signature"]:
            # Some find the size of what they give only when they run; this is zeros.
            self._invoke()

    def _invoke(self) -> None:
        try:
            self._interpreter.invoke()
        except (ValueError, RuntimeError) as error:
            raise UserError(f"{self._name}: LiteRT cannot run it ({_first_line(error)})") from error


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or ["no reason given"])[0]


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


def _edge_format(tensor: dict[str, Any], name: str) -> EdgeFormat:
    kind = np.dtype(tensor["dtype"])
    if kind.kind not in "fiu":
        raise UserError(f"{name}: a tensor of type {kind.name}, expected floats or integers")
    scale, zero_point = tensor["quantization"]
    return edge_format(kind.name, float(scale), int(zero_point))


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
