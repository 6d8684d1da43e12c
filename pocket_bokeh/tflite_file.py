"""A .tflite file taken apart, to be read or changed, and put together again."""

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
class EdgeFormat:
    """What a model takes or gives: value = (code − zero_point) · scale; floats have neither."""

    type: str
    scale: float | None = None
    zero_point: int | None = None


@dataclass(frozen=True)
class Edge:
    """The one input or output of a model.

    Attributes:
        shape: as the file says; −1 for a side that may have any length.
        format: of its numbers.
    """

    shape: tuple[int, ...]
    format: EdgeFormat


def edge_format(kind: str, scale: float | None, zero_point: int) -> EdgeFormat:
    """The format of a tensor at the edge of a model for photographs.

    Integers without a scale are the codes of an 8-bit photograph, 0…255; they do not fit int8,
    which holds them less 128.

    Args:
        kind: a NumPy type, such as uint8.
        scale: None or 0 where the file says none.
        zero_point: where the file says a scale.
    """
    if scale:
        return EdgeFormat(kind, scale, zero_point)
    if kind in _INTEGERS:
        return EdgeFormat(kind, 1 / 255, -128 if kind == "int8" else 0)
    return EdgeFormat(kind)


def read_edges(content: bytes) -> tuple[Edge, Edge]:
    """What a model takes and what it gives, as the file itself says; nothing is loaded or run.

    Raises:
        ValueError: it is no .tflite file, is damaged, or has several inputs or outputs.
    """
    if content[4:8] != IDENTIFIER:
        raise ValueError("not a .tflite model")
    try:
        graph = schema.Model.GetRootAsModel(content, 0).Subgraphs(0)
        inputs, outputs = graph.InputsLength(), graph.OutputsLength()
        if (inputs, outputs) == (1, 1):
            taken, given = graph.Tensors(graph.Inputs(0)), graph.Tensors(graph.Outputs(0))
            return _edge(taken), _edge(given)
    # Offsets of a damaged file lead anywhere, and the readers raise what they stumble over.
    except (struct.error, AttributeError, IndexError, KeyError, TypeError, OverflowError) as error:
        raise ValueError("not a .tflite model; it is damaged") from error
    raise ValueError(f"{inputs} inputs and {outputs} outputs, expected one photograph each")


def _edge(tensor: Any) -> Edge:
    has_signature = tensor.ShapeSignatureLength() > 0
    length = tensor.ShapeSignatureLength() if has_signature else tensor.ShapeLength()
    if length > 8:
        raise ValueError(f"a tensor of {length} dimensions, expected a photograph's 4")
    side = tensor.ShapeSignature if has_signature else tensor.Shape
    quantization = tensor.Quantization()
    scale, zero_point = None, 0
    if quantization is not None and quantization.ScaleLength() > 0:
        scale = float(quantization.Scale(0))
        zero_point = int(quantization.ZeroPoint(0)) if quantization.ZeroPointLength() else 0
    shape = tuple(int(side(place)) for place in range(length))
    return Edge(shape, edge_format(_TYPES[tensor.Type()], scale, zero_point))


def take_apart(content: bytes) -> Any:
    """The file as objects of TFLite's schema (`ModelT`), free to be changed."""
    return schema.ModelT.InitFromObj(schema.Model.GetRootAsModel(content, 0))


def put_together(model: Any) -> bytes:
    """The file of a `ModelT`."""
    builder = Builder(1024)
    builder.Finish(model.Pack(builder), file_identifier=IDENTIFIER)
    return bytes(builder.Output())
