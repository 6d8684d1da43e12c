"""What a .tflite file is made of, read from the file itself. No TensorFlow."""

from dataclasses import dataclass

from ai_edge_litert import schema_py_generated as schema


def _names(enumeration: type) -> dict[int, str]:
    return {value: name for name, value in vars(enumeration).items() if isinstance(value, int)}


_OPERATORS = _names(schema.BuiltinOperator)
_TYPES = _names(schema.TensorType)


@dataclass(frozen=True)
class Operator:
    """One operator: its TFLite name and version, the types of its tensors (`INT8`, `FLOAT32`)."""

    name: str
    version: int
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]

    @property
    def computes_in_float(self) -> bool:
        return any(kind.startswith("FLOAT") for kind in self.inputs + self.outputs)


def list_operators(model: bytes) -> tuple[Operator, ...]:
    """The operators of a .tflite's first subgraph, in the order in which they run."""
    parsed = schema.ModelT.InitFromObj(schema.Model.GetRootAsModel(model, 0))
    graph = parsed.subgraphs[0]

    def types(tensors: list[int]) -> tuple[str, ...]:
        # -1 stands for an optional input that is left out.
        return tuple(_TYPES[graph.tensors[tensor].type] for tensor in tensors if tensor >= 0)

    operators = []
    for operator in graph.operators:
        code = parsed.operatorCodes[operator.opcodeIndex]
        # Old files keep the code in one byte, new ones put a placeholder there.
        name = _OPERATORS[max(code.builtinCode, code.deprecatedBuiltinCode)]
        operators.append(
            Operator(name, code.version, types(operator.inputs), types(operator.outputs))
        )
    return tuple(operators)


def float_operators_inside(model: bytes) -> tuple[Operator, ...]:
    """Operators that touch floats in what should be an integer model.

    QUANTIZE and DEQUANTIZE are the edges between a float photograph and the integers.
    """
    edges = ("QUANTIZE", "DEQUANTIZE")
    return tuple(
        operator
        for operator in list_operators(model)
        if operator.computes_in_float and operator.name not in edges
    )
