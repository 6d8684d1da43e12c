"""Exchanges height and width of a .tflite model, to render portraits with a landscape model.

The network is convolutional: its weights do not depend on the working size. Only the sizes that the
converter wrote into the file do.
"""

from typing import Any

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from pocket_bokeh.tflite_file import pack, unpack

_SIZE_INPUTS = {
    schema.BuiltinOperator.TRANSPOSE_CONV: (0, slice(1, 3)),
    schema.BuiltinOperator.RESIZE_NEAREST_NEIGHBOR: (1, slice(0, 2)),
}
"""Operators that read their output size from a constant: the number of that input, and where in the
constant height and width are."""


def transposed(content: bytes) -> bytes:
    """The same model with height and width exchanged.

    Kernels, strides and paddings of PyNET are square and its weights stay as they are, so the
    result computes the same as a model that the converter makes for the transposed size.

    Args:
        content: a .tflite file made by `quantize.convert.conversion`.
    """
    model = unpack(content)
    for graph in model.subgraphs:
        for tensor in graph.tensors:
            tensor.shape = _transposed_shape(tensor.shape)
            tensor.shapeSignature = _transposed_shape(tensor.shapeSignature)
        for buffer, place in _size_constants(model, graph):
            size = np.frombuffer(bytes(buffer.data), np.int32).copy()
            size[place] = size[place][::-1]
            buffer.data = size.view(np.uint8)
    return pack(model)


def _transposed_shape(shape: Any) -> Any:
    """Exchanges height and width of an image, a feature map or a kernel."""
    if shape is None or len(shape) != 4:
        return shape
    return np.asarray(shape)[[0, 2, 1, 3]]


def _size_constants(model: Any, graph: Any) -> list[tuple[Any, slice]]:
    """The constants that hold a height and a width, each once, and where in them."""
    found = {}
    for operator in graph.operators:
        code = model.operatorCodes[operator.opcodeIndex]
        kind = max(code.builtinCode, code.deprecatedBuiltinCode)
        if kind in _SIZE_INPUTS:
            which, place = _SIZE_INPUTS[kind]
            number = graph.tensors[operator.inputs[which]].buffer
            found[number] = (model.buffers[number], place)
    return list(found.values())
