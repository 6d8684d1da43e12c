"""A model for landscape photographs made one for portraits, or the other way round.

The network is convolutional: its weights are the same for every working size, only the sizes that
the converter wrote into the file differ.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from pocket_bokeh.bundle import Bundle
from pocket_bokeh.litert_model import LiteRTModel
from pocket_bokeh.tflite_file import put_together, take_apart

_SIZED_BY = {
    schema.BuiltinOperator.TRANSPOSE_CONV: (0, slice(1, 3)),
    schema.BuiltinOperator.RESIZE_NEAREST_NEIGHBOR: (1, slice(0, 2)),
}
"""Operators that read the size of their output from a constant: which input, and where in it
height and width stand."""


@dataclass(frozen=True)
class ShapedModel:
    """A model of a bundle at one working size, its own or one it is turned to.

    Attributes:
        file: the .tflite file.
        working_size: height and width of the rendered photograph.
        is_turned: whether the file is for the other shape.
        bytes: of the file.
    """

    file: Path
    working_size: tuple[int, int]
    is_turned: bool
    bytes: int

    def load(self, threads: int = 2) -> LiteRTModel:
        """Ready to run.

        Raises:
            UserError: as `LiteRTModel`.
        """
        source = turned(self.file.read_bytes()) if self.is_turned else self.file
        return LiteRTModel(source, threads)


def in_every_shape(bundle: Bundle, recipe: str) -> list[ShapedModel]:
    """A recipe at every working size of its bundle.

    Some recipes may have been made for landscape photographs only; a portrait squeezed into that
    shape would be rendered worse than by the others, and not comparably.

    Raises:
        UserError: the bundle has no such recipe.
    """
    own = {model.working_size: model for model in bundle.models_of(recipe)}
    shaped = []
    for size in dict.fromkeys(model.working_size for model in bundle.models):
        model = own.get(size) or own.get(size[::-1])
        if model is not None:
            file = bundle.folder / model.file
            shaped.append(ShapedModel(file, size, size not in own, model.bytes))
    return shaped


def turned(content: bytes) -> bytes:
    """The same model with height and width exchanged.

    Kernels, strides and paddings of PyNET are as wide as they are high, and its weights stay as
    they are: the model that the converter makes at the other size computes the same.

    Args:
        content: a .tflite file of `quantize.convert.conversion`.
    """
    model = take_apart(content)
    for graph in model.subgraphs:
        for tensor in graph.tensors:
            tensor.shape = _turned_shape(tensor.shape)
            tensor.shapeSignature = _turned_shape(tensor.shapeSignature)
        for buffer, place in _sizes(model, graph):
            size = np.frombuffer(bytes(buffer.data), np.int32).copy()
            size[place] = size[place][::-1]
            buffer.data = size.view(np.uint8)
    return put_together(model)


def _turned_shape(shape: Any) -> Any:
    """Exchanges height and width of a batch of pictures or features, or of a kernel."""
    if shape is None or len(shape) != 4:
        return shape
    return np.asarray(shape)[[0, 2, 1, 3]]


def _sizes(model: Any, graph: Any) -> list[tuple[Any, slice]]:
    """The constants that hold a height and a width, each once, and where in them."""
    found = {}
    for operator in graph.operators:
        code = model.operatorCodes[operator.opcodeIndex]
        kind = max(code.builtinCode, code.deprecatedBuiltinCode)
        if kind in _SIZED_BY:
            which, place = _SIZED_BY[kind]
            number = graph.tensors[operator.inputs[which]].buffer
            found[number] = (model.buffers[number], place)
    return list(found.values())
