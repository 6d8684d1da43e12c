"""The codes of an 8-bit photograph at the edges of a model that computes in 16 bits.

The converter has no 8-bit edges for such a model.
"""

from ai_edge_litert import schema_py_generated as schema

from pocket_bokeh.tflite_file import pack, unpack

CODE_SCALE = 1 / 255
"""Of an 8-bit photograph's codes, whose zero point is 0."""


def with_uint8_io(content: bytes) -> bytes:
    """Puts QUANTIZE operators before the input and after the output of an integer model.

    TFLite rescales from and to int8 alone, hence two at each edge.

    Args:
        content: a .tflite file with one input and one output, int16.

    Returns:
        The same model, which takes and gives the codes of an 8-bit photograph.
    """
    model = unpack(content)
    graph = model.subgraphs[0]
    source, sink = graph.inputs[0], graph.outputs[0]
    taken, taken_signed = _codes_like(model, source, b"photo_codes")
    given, given_signed = _codes_like(model, sink, b"bokeh_codes")
    rescale = _operator_code(model)
    before = [_operator(rescale, taken, taken_signed), _operator(rescale, taken_signed, source)]
    after = [_operator(rescale, sink, given_signed), _operator(rescale, given_signed, given)]
    graph.operators = [*before, *graph.operators, *after]
    graph.inputs, graph.outputs = [taken], [given]
    for signature in model.signatureDefs or []:
        signature.inputs[0].tensorIndex, signature.outputs[0].tensorIndex = taken, given
    return pack(model)


def _codes_like(model: schema.ModelT, tensor: int, name: bytes) -> tuple[int, int]:
    """Two new tensors of another's shape: a photograph's codes, and these less 128."""
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
    """The place of QUANTIZE, version 2, among the model's operator codes; made if need be."""
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
