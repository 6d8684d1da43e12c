"""Lists the operators of a .tflite file."""

import dataclasses
import struct
from dataclasses import dataclass
from math import prod
from typing import Any, Literal

from ai_edge_litert import schema_py_generated as schema

from pocket_bokeh.photo import Size
from pocket_bokeh.tflite_file import IDENTIFIER, unpack


def _names(enumeration: type) -> dict[int, str]:
    return {value: name for name, value in vars(enumeration).items() if isinstance(value, int)}


_OPERATORS = _names(schema.BuiltinOperator)
_TYPES = _names(schema.TensorType)
_PADDINGS = _names(schema.Padding)
_ACTIVATIONS = _names(schema.ActivationFunctionType)


@dataclass(frozen=True)
class Tensor:
    """An input or output of an operator.

    Attributes:
        type: `INT8`, `FLOAT32`, ….
        shape: as stored; for weights, output channels × height × width × input channels.
        constant: whether its values are in the file, perhaps as 16-bit floats before a DEQUANTIZE.
        scales: number of quantization scales: 0 for floats, 1 per tensor, or one per channel.
    """

    type: str
    shape: tuple[int, ...]
    constant: bool = False
    scales: int = 0

    @property
    def quantization(self) -> Literal["none", "per tensor", "per channel"]:
        if self.scales == 0:
            return "none"
        return "per tensor" if self.scales == 1 else "per channel"


@dataclass(frozen=True)
class Operator:
    """One operator of a model.

    Attributes:
        name: TFLite's name, such as `CONV_2D`; `CUSTOM` for operators unknown to TFLite.
        version: of its definition; older runtimes refuse newer versions.
        inputs: without optional inputs that are left out.
        outputs: its output tensors.
        kernel: height and width of a convolution or pooling window; None for other operators.
        stride: vertical and horizontal, in pixels.
        dilation: vertical and horizontal, in pixels.
        padding: `SAME`, `VALID` or None.
        activation: the fused activation: `NONE`, `RELU`, `RELU6`, ….
    """

    name: str
    version: int
    inputs: tuple[Tensor, ...]
    outputs: tuple[Tensor, ...]
    kernel: Size | None = None
    stride: Size = (1, 1)
    dilation: Size = (1, 1)
    padding: str | None = None
    activation: str = "NONE"

    @property
    def computes_in_float(self) -> bool:
        return any(tensor.type.startswith("FLOAT") for tensor in self.inputs + self.outputs)

    @property
    def multiply_adds(self) -> int:
        """Per run, for convolutions and dense layers only, as in `train.network.cost`.

        Products with the zero padding count too.
        """
        if self.name in ("CONV_2D", "DEPTHWISE_CONV_2D"):
            return prod(self.outputs[0].shape[:3]) * prod(self.inputs[1].shape)
        if self.name == "TRANSPOSE_CONV":  # its inputs: output shape, weights, picture
            return prod(self.inputs[2].shape[:3]) * prod(self.inputs[1].shape)
        if self.name == "FULLY_CONNECTED":
            return prod(self.outputs[0].shape) * self.inputs[1].shape[-1]
        return 0


def list_operators(model: bytes) -> tuple[Operator, ...]:
    """The operators of a .tflite file's first subgraph, in the order of execution.

    Raises:
        ValueError: it is not a .tflite file, or is damaged.
    """
    if model[4:8] != IDENTIFIER:
        raise ValueError("not a .tflite file")
    try:
        parsed = unpack(model)
        graph = parsed.subgraphs[0]
        tensors = [_tensor(tensor, parsed.buffers) for tensor in graph.tensors]
        operators = []
        for stored in graph.operators:
            name, version = _identity(parsed.operatorCodes[stored.opcodeIndex])
            if name == "DEQUANTIZE" and _is_half_constant(tensors[stored.inputs[0]]):
                (output,) = stored.outputs
                tensors[output] = dataclasses.replace(tensors[output], constant=True)
            operators.append(_operator(name, version, stored, tensors))
        return tuple(operators)
    except (struct.error, IndexError, KeyError, TypeError, AttributeError) as error:
        raise ValueError("a damaged .tflite file") from error


def float_operators_inside(model: bytes) -> tuple[Operator, ...]:
    """Operators that compute in floats, for a model that should compute in integers only.

    QUANTIZE and DEQUANTIZE do not count: they convert a float input or output.
    """
    conversions = ("QUANTIZE", "DEQUANTIZE")
    return tuple(
        operator
        for operator in list_operators(model)
        if operator.computes_in_float and operator.name not in conversions
    )


def _tensor(stored: Any, buffers: list[Any]) -> Tensor:
    buffer = buffers[stored.buffer]
    # Contents beyond 2 GB are stored behind the flatbuffer, at `offset`.
    constant = (buffer.data is not None and len(buffer.data) > 0) or bool(buffer.offset)
    scale = stored.quantization.scale if stored.quantization is not None else None
    shape = () if stored.shape is None else tuple(int(side) for side in stored.shape)
    return Tensor(_TYPES[stored.type], shape, constant, 0 if scale is None else len(scale))


def _identity(code: Any) -> tuple[str, int]:
    """An operator's name and version."""
    # Old files store the code in one byte; new files have a placeholder there.
    return _OPERATORS[max(code.builtinCode, code.deprecatedBuiltinCode)], code.version


def _is_half_constant(tensor: Tensor) -> bool:
    return tensor.constant and tensor.type == "FLOAT16"


def _operator(name: str, version: int, stored: Any, tensors: list[Tensor]) -> Operator:
    options = stored.builtinOptions
    # -1 means an optional input that is left out.
    inputs = tuple(tensors[index] for index in stored.inputs if index >= 0)
    padding = getattr(options, "padding", None)
    return Operator(
        name,
        version,
        inputs,
        tuple(tensors[index] for index in stored.outputs),
        kernel=_kernel(name, inputs, options),
        stride=_pair(options, "strideH", "strideW"),
        dilation=_pair(options, "dilationHFactor", "dilationWFactor"),
        padding=None if padding is None else _PADDINGS[padding],
        activation=_ACTIVATIONS[getattr(options, "fusedActivationFunction", 0)],
    )


def _kernel(name: str, inputs: tuple[Tensor, ...], options: Any) -> Size | None:
    if name in ("CONV_2D", "DEPTHWISE_CONV_2D", "TRANSPOSE_CONV"):
        _, height, width, _ = inputs[1].shape
        return height, width
    if hasattr(options, "filterHeight"):
        return options.filterHeight, options.filterWidth
    return None


def _pair(options: Any, height: str, width: str) -> Size:
    return getattr(options, height, 1), getattr(options, width, 1)
