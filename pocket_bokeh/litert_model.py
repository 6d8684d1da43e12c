"""Runs a .tflite file on a photograph with LiteRT, without TensorFlow."""

import threading
from pathlib import Path
from typing import Any

import numpy as np
from ai_edge_litert.interpreter import Interpreter

from pocket_bokeh.errors import UserError
from pocket_bokeh.photo import FourthChannel, Size
from pocket_bokeh.tflite_file import TensorFormat, tensor_format


class LiteRTModel:
    """A .tflite file on the CPU, run by LiteRT with XNNPACK as on phones.

    It is thread-safe: concurrent calls run one after the other.

    Attributes:
        input_size: height and width of the input.
        input_channels: 3 for RGB, 4 for RGB and a depth or focus map.
        fourth_channel: what the fourth channel is; none if there is none.
        output_size: height and width of the output, twice the input's.
        output_channels: 3 for RGB, 4 for RGB and predicted sharpness.
        input_format: number format of the input; `run` converts to it.
        output_format: number format of the output; `run` converts from it.
    """

    def __init__(
        self,
        file: Path | bytes,
        threads: int = 2,
        working_size: Size | None = None,
        fourth_channel: FourthChannel = "depth",
    ):
        """Loads a model.

        Args:
            file: a .tflite file or its contents.
            threads: number of CPU threads.
            working_size: output height and width of a model with dynamic shapes; other models
                ignore it.
            fourth_channel: what the fourth channel is, if the model has one; the file does not say.

        Raises:
            UserError: it is not a .tflite file, or not one that maps a photograph to one of twice
                the size.
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
        self.fourth_channel: FourthChannel = fourth_channel if self.input_channels == 4 else "none"
        *size, self.output_channels = _picture_shape(self._output, name, (3, 4))
        self.output_size = (size[0], size[1])
        if self.output_size != (2 * height, 2 * width):
            raise UserError(
                f"{name}: its output has {self.output_size[0]} × {self.output_size[1]} px, "
                f"expected twice its input's {height} × {width}"
            )
        self.input_format = _format_of(self._input, name)
        self.output_format = _format_of(self._output, name)
        self._lock = threading.Lock()

    def run(self, photo: np.ndarray) -> np.ndarray:
        """Renders a photograph.

        Args:
            photo: h × w × `input_channels`, float32, 0…1, RGB, sRGB-encoded, where h × w is
                `input_size`.

        Returns:
            2h × 2w × `output_channels`, float32: RGB, and sharpness where the model predicts it,
            as `detail_transfer` takes it. Float models may exceed 0…1: colours slightly, sharpness
            by far.

        Raises:
            ValueError: the photograph has another shape.
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

    def _resize(self, working_size: Size | None) -> None:
        """Sets the size of a model with dynamic shapes; leaves other models alone."""
        source = _only(self._interpreter.get_input_details(), self._name, "input")
        result = _only(self._interpreter.get_output_details(), self._name, "output")
        sides = [int(side) for side in source["shape_signature"]]
        if -1 in sides[1:3] and len(sides) == 4:
            if working_size is None:
                raise UserError(
                    f"{self._name}: has dynamic shapes; convert it for a fixed input shape, such "
                    "as 1 × 192 × 256 × 3"
                )
            wanted = (1, working_size[0] // 2, working_size[1] // 2, 3)
            shape = [want if side == -1 else side for side, want in zip(sides, wanted, strict=True)]
            try:
                self._interpreter.resize_tensor_input(source["index"], shape)
                self._interpreter.allocate_tensors()
            except (ValueError, RuntimeError) as error:
                raise UserError(
                    f"{self._name}: has dynamic shapes, but does not accept {shape[1]} × "
                    f"{shape[2]} ({_first_line(error)})"
                ) from error
        if -1 in sides or -1 in result["shape_signature"]:
            # Some models know their output size only after a run; the input here is zeros.
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
        raise UserError(f"{name}: has {len(tensors)} {kind}s, expected one")
    return tensors[0]


def _picture_shape(
    tensor: dict[str, Any], name: str, channels: tuple[int, ...]
) -> tuple[int, int, int]:
    shape = tuple(int(side) for side in tensor["shape"])
    if len(shape) != 4 or shape[0] != 1 or shape[3] not in channels:
        expected = " or ".join(str(number) for number in channels)
        raise UserError(
            f"{name}: has a tensor of shape {shape}, expected 1 × height × width × {expected}"
        )
    return shape[1], shape[2], shape[3]


def _format_of(tensor: dict[str, Any], name: str) -> TensorFormat:
    kind = np.dtype(tensor["dtype"])
    if kind.kind not in "fiu":
        raise UserError(f"{name}: has a tensor of type {kind.name}, expected floats or integers")
    scale, zero_point = tensor["quantization"]
    return tensor_format(kind.name, float(scale), int(zero_point))


def encode(photo: np.ndarray, format: TensorFormat) -> np.ndarray:
    """Converts floats 0…1 to a model's input format, rounded to nearest.

    With scale 1/255 and zero point 0 the integers are the values of an 8-bit photograph.
    """
    if format.scale is None or format.zero_point is None:
        return photo.astype(format.type)
    limits = np.iinfo(format.type)
    codes = np.rint(photo / np.float32(format.scale)) + format.zero_point
    return np.clip(codes, limits.min, limits.max).astype(format.type)


def decode(codes: np.ndarray, format: TensorFormat) -> np.ndarray:
    """Converts a model's output to float32; the outputs of float models are not clipped to 0…1."""
    if format.scale is None or format.zero_point is None:
        return codes.astype(np.float32)
    return (codes.astype(np.float32) - format.zero_point) * np.float32(format.scale)
