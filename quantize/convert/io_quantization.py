"""Gives a model with 16-bit activations an 8-bit input and output.

The converter cannot do this for such models.
"""

from ai_edge_litert import schema_py_generated as schema

from pocket_bokeh.tflite_file import pack, unpack

CODE_SCALE = 1 / 255
"""Scale of an 8-bit photograph's values; their zero point is 0."""


def with_uint8_io(content: bytes) -> bytes:
    """Adds QUANTIZE operators before the input and after the output of an int16 model.

    There are two at each end, uint8 ↔ int8 and int8 ↔ int16, because TFLite cannot rescale
    directly between uint8 and int16.

    Args:
        content: a .tflite file with one input and one output, int16.

    Returns:
        The file of a model whose input and output are 8-bit photographs, uint8.
    """
    model = unpack(content)
    graph = model.subgraphs[0]
    source, sink = graph.inputs[0], graph.outputs[0]
    photo, photo_signed = _add_8_bit_tensors(model, source, b"photo_codes")
    bokeh, bokeh_signed = _add_8_bit_tensors(model, sink, b"bokeh_codes")
    rescale = _operator_code(model)
    before = [_operator(rescale, photo, photo_signed), _operator(rescale, photo_signed, source)]
    after = [_operator(rescale, sink, bokeh_signed), _operator(rescale, bokeh_signed, bokeh)]
    graph.operators = [*before, *graph.operators, *after]
    graph.inputs, graph.outputs = [photo], [bokeh]
    for signature in model.signatureDefs or []:
        signature.inputs[0].tensorIndex, signature.outputs[0].tensorIndex = photo, bokeh
    return pack(model)


def _add_8_bit_tensors(model: schema.ModelT, tensor: int, name: bytes) -> tuple[int, int]:
    """Adds two tensors of another's shape, uint8 and int8 (shifted by −128); their indices."""
    graph = model.subgraphs[0]
    for kind, zero_point, suffix in (
        (schema.TensorType.UINT8, 0, b""),
        (schema.TensorType.INT8, -128, b"_signed"),
    ):
        codes = schema.TensorT()
        codes.shape, codes.type = graph.tensors[tensor].shape, kind
        codes.name, codes.buffer = name + suffix, 0
        codes.quantization = schema.QuantizationParametersT()
        codes.quantization.scale, codes.quantization.zeroPoint = [CODE_SCALE], [zero_point]
        graph.tensors.append(codes)
    return len(graph.tensors) - 2, len(graph.tensors) - 1


def _operator_code(model: schema.ModelT) -> int:
    """The index of QUANTIZE, version 2, in the model's operator codes; added if missing."""
    for index, code in enumerate(model.operatorCodes):
        if code.builtinCode == schema.BuiltinOperator.QUANTIZE and code.version >= 2:
            return index
    code = schema.OperatorCodeT()
    code.builtinCode = code.deprecatedBuiltinCode = schema.BuiltinOperator.QUANTIZE
    code.version = 2
    model.operatorCodes.append(code)
    return len(model.operatorCodes) - 1


def _operator(code: int, source: int, sink: int) -> schema.OperatorT:
    operator = schema.OperatorT()
    operator.opcodeIndex, operator.inputs, operator.outputs = code, [source], [sink]
    operator.builtinOptionsType = schema.BuiltinOptions.QuantizeOptions
    operator.builtinOptions = schema.QuantizeOptionsT()
    return operator
