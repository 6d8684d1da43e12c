"""A .tflite file taken apart, to be read or changed, and put together again."""

from typing import Any

from ai_edge_litert import schema_py_generated as schema
from flatbuffers import Builder

IDENTIFIER = b"TFL3"
"""Bytes 4 to 7 of every .tflite file."""


def take_apart(content: bytes) -> Any:
    """The file as objects of TFLite's schema (`ModelT`), free to be changed."""
    return schema.ModelT.InitFromObj(schema.Model.GetRootAsModel(content, 0))


def put_together(model: Any) -> bytes:
    """The file of a `ModelT`."""
    builder = Builder(1024)
    builder.Finish(model.Pack(builder), file_identifier=IDENTIFIER)
    return bytes(builder.Output())
