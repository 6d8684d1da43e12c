"""Reads, unpacks and packs .tflite files, which are flatbuffers."""

import struct
from dataclasses import dataclass
from typing import Any

from ai_edge_litert import schema_py_generated as schema
from flatbuffers import Builder

IDENTIFIER = b"TFL3"
"""Bytes 4 to 7 of every .tflite file."""

_INTEGERS = ("uint8", "int8", "uint16", "int16", "uint32", "int32", "int64")
_TYPES = {
    number: name.lower() for name, number in vars(schema.TensorType).items() if name.isupper()
}


@dataclass(frozen=True)
class TensorFormat:
    """Number format of a tensor: value = (code − zero_point) · scale.

    Floats have neither scale nor zero point. `type` is a NumPy type, such as uint8.
    """

    type: str
    scale: float | None = None
    zero_point: int | None = None


@dataclass(frozen=True)
class ModelTensor:
    """The one input or output of a model.

    Attributes:
        shape: as stored in the file; −1 for a dynamic side.
        format: its number format.
    """

    shape: tuple[int, ...]
    format: TensorFormat


def tensor_format(kind: str, scale: float | None, zero_point: int) -> TensorFormat:
    """The number format of a model's input or output.

    Integers without a scale are taken as the values of an 8-bit photograph, 0…255; as int8 they are
    shifted by −128.

    Args:
        kind: a NumPy type, such as uint8.
        scale: None or 0 if the file has none.
        zero_point: ignored without a scale.
    """
    if scale:
        return TensorFormat(kind, scale, zero_point)
    if kind in _INTEGERS:
        return TensorFormat(kind, 1 / 255, -128 if kind == "int8" else 0)
    return TensorFormat(kind)


def read_input_and_output(content: bytes) -> tuple[ModelTensor, ModelTensor]:
    """The input and output of a model, read from the file without loading the model.

    Raises:
        ValueError: it is not a .tflite file, is damaged, or has several inputs or outputs.
    """
    if content[4:8] != IDENTIFIER:
        raise ValueError("not a .tflite model")
    try:
        graph = schema.Model.GetRootAsModel(content, 0).Subgraphs(0)
        inputs, outputs = graph.InputsLength(), graph.OutputsLength()
        if (inputs, outputs) == (1, 1):
            source, result = graph.Tensors(graph.Inputs(0)), graph.Tensors(graph.Outputs(0))
            return _model_tensor(source), _model_tensor(result)
    # In a damaged file offsets point anywhere, and flatbuffers raises all kinds of errors.
    except (struct.error, AttributeError, IndexError, KeyError, TypeError, OverflowError) as error:
        raise ValueError("not a .tflite model; it is damaged") from error
    raise ValueError(f"{inputs} inputs and {outputs} outputs, expected one of each")


def _model_tensor(tensor: Any) -> ModelTensor:
    has_signature = tensor.ShapeSignatureLength() > 0
    length = tensor.ShapeSignatureLength() if has_signature else tensor.ShapeLength()
    if length > 8:
        raise ValueError(f"a tensor with {length} dimensions, expected 4")
    side = tensor.ShapeSignature if has_signature else tensor.Shape
    quantization = tensor.Quantization()
    scale, zero_point = None, 0
    if quantization is not None and quantization.ScaleLength() > 0:
        scale = float(quantization.Scale(0))
        zero_point = int(quantization.ZeroPoint(0)) if quantization.ZeroPointLength() else 0
    shape = tuple(int(side(place)) for place in range(length))
    return ModelTensor(shape, tensor_format(_TYPES[tensor.Type()], scale, zero_point))


def unpack(content: bytes) -> Any:
    """The file as mutable objects of TFLite's schema (`ModelT`)."""
    return schema.ModelT.InitFromObj(schema.Model.GetRootAsModel(content, 0))


def pack(model: Any) -> bytes:
    """The contents of a .tflite file for a `ModelT`."""
    builder = Builder(1024)
    builder.Finish(model.Pack(builder), file_identifier=IDENTIFIER)
    return bytes(builder.Output())
