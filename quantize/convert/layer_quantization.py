"""Quantizes single layers of a float .tflite model, by editing the file."""

import copy
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from ai_edge_litert import schema_py_generated as schema
from ai_edge_litert.interpreter import Interpreter

from pocket_bokeh.tflite_file import pack, unpack
from quantize.convert.operators import list_operators

WEIGHTED = ("CONV_2D", "TRANSPOSE_CONV")
"""Operators whose second input is a kernel: output channels × height × width × input channels."""

ROUNDED = (*WEIGHTED, "ADD", "CONCATENATION")
"""Operators whose output has its own scale in an integer model; others keep their input's scale."""

LARGEST_CODE = 127
"""The largest 8-bit weight; weights are symmetric around zero."""


@dataclass(frozen=True)
class QuantizableLayer:
    """An operator whose output an integer model quantizes.

    Attributes:
        name: the network's layer name if the file has it, such as `level_3_d_5x5_second`.
        operator: TFLite's name of the operator.
        index: its position among the file's operators.
        output: index of its output tensor.
        kernel: index of its weight tensor; None if it has no weights.
    """

    name: str
    operator: str
    index: int
    output: int
    kernel: int | None


class FloatModel:
    """A float .tflite model whose layers can be quantized one at a time.

    Attributes:
        content: the file.
        layers: in the order of execution.
    """

    def __init__(self, content: bytes):
        """Reads a file.

        Args:
            content: a float32 .tflite file with one input and one output.

        Raises:
            ValueError: it is not a .tflite file.
        """
        self.content = content
        operators = list_operators(content)
        self._model = unpack(content)
        graph = self._model.subgraphs[0]
        layers = []
        for index, (operator, stored) in enumerate(zip(operators, graph.operators, strict=True)):
            if operator.name in ROUNDED:
                (output,) = stored.outputs
                kernel = stored.inputs[1] if operator.name in WEIGHTED else None
                name = _layer_name(graph.tensors[output].name.decode(), output in graph.outputs)
                layers.append(QuantizableLayer(name, operator.name, index, output, kernel))
        self.layers = tuple(layers)

    def output_ranges(self, photos: Sequence[np.ndarray]) -> dict[str, tuple[float, float]]:
        """The range of each layer's output, averaged over photographs and widened to include 0.

        Args:
            photos: network inputs, h × w × channels, float32 0…1.
        """
        interpreter = Interpreter(
            model_content=self.content, experimental_preserve_all_tensors=True
        )
        interpreter.allocate_tensors()
        extremes = []
        for photo in photos:
            interpreter.set_tensor(interpreter.get_input_details()[0]["index"], photo[None])
            interpreter.invoke()
            values = [interpreter.get_tensor(layer.output) for layer in self.layers]
            extremes.append([(min(0.0, value.min()), max(0.0, value.max())) for value in values])
        means = np.mean(extremes, axis=0)
        return {
            layer.name: (float(least), float(greatest))
            for layer, (least, greatest) in zip(self.layers, means, strict=True)
        }

    def with_rounded_kernel(self, layer: QuantizableLayer) -> bytes:
        """The file with one layer's weights rounded to 8 bits per channel.

        Raises:
            ValueError: the layer has no weights.
        """
        if layer.kernel is None:
            raise ValueError(f"{layer.name} has no weights")
        model = unpack(self.content)
        tensor = model.subgraphs[0].tensors[layer.kernel]
        buffer = copy.copy(model.buffers[tensor.buffer])
        kernel = np.frombuffer(bytes(buffer.data), np.float32).reshape(tensor.shape)
        buffer.data = np.frombuffer(rounded_kernel(kernel).tobytes(), np.uint8)
        # A new buffer, because another layer may share the old one.
        tensor.buffer = len(model.buffers)
        model.buffers.append(buffer)
        return pack(model)

    def with_rounded_output(self, layer: QuantizableLayer, span: tuple[float, float]) -> bytes:
        """The file with one layer's output quantized to 8 bits and dequantized again.

        Args:
            layer: one of `layers`.
            span: smallest and largest value of the 256 codes; contains zero.
        """
        model = unpack(self.content)
        graph = model.subgraphs[0]
        codes = _copy_of(graph, layer.output, b"_codes")
        graph.tensors[codes].type = schema.TensorType.INT8
        graph.tensors[codes].quantization = _quantization(span)
        restored = _copy_of(graph, layer.output, b"_restored")
        for operator in graph.operators:
            operator.inputs = [restored if i == layer.output else i for i in operator.inputs]
        graph.outputs = [restored if i == layer.output else i for i in graph.outputs]
        for signature in model.signatureDefs or []:
            for output in signature.outputs:
                if output.tensorIndex == layer.output:
                    output.tensorIndex = restored
        quantize = _operator(model, schema.BuiltinOperator.QUANTIZE, layer.output, codes)
        dequantize = _operator(model, schema.BuiltinOperator.DEQUANTIZE, codes, restored)
        after = layer.index + 1
        graph.operators = [
            *graph.operators[:after], quantize, dequantize, *graph.operators[after:]
        ]  # fmt: skip
        return pack(model)


def integer_ranges(content: bytes) -> dict[str, tuple[float, float]]:
    """The range of each layer's output in an int8 .tflite file, by layer name.

    Raises:
        ValueError: it is not a .tflite file.
    """
    operators = list_operators(content)
    graph = unpack(content).subgraphs[0]
    ranges: dict[str, tuple[float, float]] = {}
    for operator, stored in zip(operators, graph.operators, strict=True):
        (output,) = stored.outputs
        quantization = graph.tensors[output].quantization
        if operator.name in ROUNDED and operator.outputs[0].type == "INT8":
            scale, zero = float(quantization.scale[0]), int(quantization.zeroPoint[0])
            name = _layer_name(graph.tensors[output].name.decode(), output in graph.outputs)
            ranges.setdefault(name, (scale * (-128 - zero), scale * (127 - zero)))
    return ranges


def rounded_kernel(kernel: np.ndarray) -> np.ndarray:
    """Weights rounded to 8 bits with one scale per output channel, as float32.

    Args:
        kernel: output channels × height × width × input channels.
    """
    largest = np.abs(kernel).max(axis=(1, 2, 3), keepdims=True)
    scale = np.where(largest > 0, largest, 1.0) / LARGEST_CODE
    return (np.rint(kernel / scale) * scale).astype(np.float32)


def _layer_name(tensor: str, is_output: bool) -> str:
    """The layer's name, `level_7_up_a` of `pynet_level_1/level_7_up_a/conv2d_transpose1`."""
    if is_output:
        return "output"
    parts = tensor.split(";")[0].split("/")
    return (parts[1] if len(parts) > 1 else parts[0]).removesuffix("_activation")


def _copy_of(graph: Any, tensor: int, suffix: bytes) -> int:
    """Adds an empty tensor like another; returns its index."""
    new = copy.copy(graph.tensors[tensor])
    new.name, new.buffer = new.name + suffix, 0
    graph.tensors.append(new)
    return len(graph.tensors) - 1


def _quantization(span: tuple[float, float]) -> Any:
    """Scale and zero point for 256 codes over a range, one of them exactly zero."""
    least, greatest = span
    scale = max(greatest - least, 1e-6) / 255
    quantization = schema.QuantizationParametersT()
    quantization.scale = [scale]
    quantization.zeroPoint = [int(np.clip(np.rint(-128 - least / scale), -128, 127))]
    return quantization


def _operator(model: Any, kind: int, source: int, sink: int) -> Any:
    code = schema.OperatorCodeT()
    code.builtinCode = code.deprecatedBuiltinCode = kind
    code.version = 2 if kind == schema.BuiltinOperator.DEQUANTIZE else 1  # the first with int8
    model.operatorCodes.append(code)
    operator = schema.OperatorT()
    operator.opcodeIndex = len(model.operatorCodes) - 1
    operator.inputs, operator.outputs = [source], [sink]
    return operator
