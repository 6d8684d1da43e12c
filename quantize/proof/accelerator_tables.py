"""Tables of the operators that phone accelerators support, from their documentation.

The documents were read in November 2026. They guarantee nothing: drivers differ from phone to
phone. What a document leaves open is `unknown` here, never a guess.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from pocket_bokeh.photo import Size
from quantize.convert.operators import Operator

Verdict = Literal["accepted", "refused", "unknown"]

_LITERT = "https://github.com/google-ai-edge/LiteRT/blob/main/"
_TENSORFLOW = "https://github.com/tensorflow/tensorflow/blob/master/"
_INTEGERS = frozenset({"INT8", "UINT8"})
_FLOATS = frozenset({"FLOAT32", "FLOAT16"})


@dataclass(frozen=True)
class Document:
    """Title and address of a document."""

    title: str
    address: str


@dataclass(frozen=True)
class Limit:
    """The documented limits of one operator; the defaults mean no limit.

    Attributes:
        version: newest supported version.
        refused_version: oldest version known to be refused; versions between are unknown.
        refused: why it is never supported.
        types: types of non-constant tensors, if they differ from the accelerator's usual ones.
        largest_kernel: height and width in pixels.
        strides: supported strides in either direction, in pixels.
        fused_activation: whether an activation may be fused into it.
        constants: numbers of the inputs that must be constants.
        bias: whether it must have a bias.
        open_question: what the document leaves open.
        document: where this is documented, if not in the accelerator's own document.
    """

    version: int | None = None
    refused_version: int | None = None
    refused: str | None = None
    types: frozenset[str] | None = None
    largest_kernel: int | None = None
    strides: tuple[int, ...] | None = None
    fused_activation: bool = True
    constants: tuple[int, ...] = ()
    bias: bool = False
    open_question: str | None = None
    document: Document | None = None


@dataclass(frozen=True)
class Support:
    """Whether an operator is supported; if not, the reason and the document that says so."""

    verdict: Verdict
    reason: str = ""
    document: Document | None = None


@dataclass(frozen=True)
class Accelerator:
    """A GPU or neural processor that can run operators instead of the CPU.

    Attributes:
        name: for users.
        runtime: part of the names of its runtimes in `quantize.verify`.
        document: the document behind the table.
        operators: limits by operator name.
        others: the verdict on operators that are not in the table.
        others_reason: the reason for that verdict.
        types: supported types of non-constant tensors.
        types_document: where the types are documented.
        open_types: types that may be supported; no document says.
        takes_half_constants: whether it reads 16-bit weights directly and skips their DEQUANTIZE.
        per_channel: operators whose tensors may have a scale per channel; None means all.
        note: what readers of the report must know.
        maker: first part of the names of its chips in `quantize.compile`; empty if there are none.
    """

    name: str
    runtime: str
    document: Document
    operators: Mapping[str, Limit]
    others: Verdict
    others_reason: str
    types: frozenset[str]
    types_document: Document
    open_types: frozenset[str] = frozenset()
    takes_half_constants: bool = False
    per_channel: frozenset[str] | None = None
    note: str = ""
    maker: str = ""


def operator_support(operator: Operator, accelerator: Accelerator) -> Support:
    """Whether an accelerator supports an operator, according to its documentation.

    Returns:
        The first refusal if there is any, else the first open question, else `accepted`.
    """
    if accelerator.takes_half_constants and _converts_half_constants(operator):
        return Support("accepted")
    objections = list(_objections(operator, accelerator))
    refusals = [objection for objection in objections if objection.verdict == "refused"]
    return next(iter(refusals + objections), Support("accepted"))


def _objections(operator: Operator, accelerator: Accelerator) -> Iterator[Support]:
    limit = accelerator.operators.get(operator.name)
    if limit is None:
        yield Support(accelerator.others, accelerator.others_reason, accelerator.document)
        return
    document = limit.document or accelerator.document
    for reason in _refusals(operator, limit):
        yield Support("refused", reason, document)
    for reason in _open_questions(operator, limit):
        yield Support("unknown", reason, document)
    yield from _type_objections(operator, limit.types or accelerator.types, accelerator)


def _refusals(operator: Operator, limit: Limit) -> Iterator[str]:
    newest, refused = limit.version, limit.refused_version
    if limit.refused:
        yield limit.refused
    if refused is None and newest is not None and operator.version > newest:
        yield f"version {operator.version}; supported up to {newest}"
    if refused is not None and operator.version >= refused:
        yield f"version {operator.version}; not supported from {refused} on"
    if limit.largest_kernel and operator.kernel and max(operator.kernel) > limit.largest_kernel:
        yield f"kernel of {_size(operator.kernel)}; supported up to {limit.largest_kernel}"
    if limit.strides and not set(operator.stride) <= set(limit.strides):
        strides = ", ".join(str(stride) for stride in limit.strides)
        yield f"stride of {_size(operator.stride)}; supported are {strides}"
    if operator.activation != "NONE" and not limit.fused_activation:
        yield f"fused {operator.activation}; fused activations are not supported"
    if any(not tensor.constant for n, tensor in enumerate(operator.inputs) if n in limit.constants):
        yield "computed weights or size; they must be constants"
    if limit.bias and len(operator.inputs) < 3:
        yield "no bias; one is required"


def _open_questions(operator: Operator, limit: Limit) -> Iterator[str]:
    newest, refused = limit.version, limit.refused_version
    if newest is not None and refused is not None and newest < operator.version < refused:
        yield (
            f"version {operator.version}; supported up to {newest}, not supported from {refused} on"
        )
    if limit.open_question:
        yield limit.open_question


def _type_objections(
    operator: Operator, supported: frozenset[str], accelerator: Accelerator
) -> Iterator[Support]:
    others = _types(operator) - supported
    document = accelerator.types_document
    if refused := others - accelerator.open_types:
        reason = f"tensors of {_names(refused)}; supported are {_names(supported)}"
        yield Support("refused", reason, document)
    if open_types := others & accelerator.open_types:
        reason = f"tensors of {_names(open_types)}; not documented which chips support them"
        yield Support("unknown", reason, document)
    scaled = {tensor.quantization for tensor in operator.inputs + operator.outputs}
    allowed = accelerator.per_channel
    if "per channel" in scaled and allowed is not None and operator.name not in allowed:
        yield Support("refused", "scales per channel; only one per tensor is supported", document)


def _converts_half_constants(operator: Operator) -> bool:
    return operator.name == "DEQUANTIZE" and operator.outputs[0].constant


def _types(operator: Operator) -> frozenset[str]:
    """Types of the non-constant tensors; constants can be converted in advance."""
    read = (tensor for tensor in operator.inputs if not tensor.constant)
    return frozenset(tensor.type for tensor in (*read, *operator.outputs))


def _names(names: frozenset[str]) -> str:
    return ", ".join(sorted(names))


def _size(size: Size) -> str:
    return f"{size[0]}×{size[1]}"


def _each(limit: Limit, names: str) -> dict[str, Limit]:
    return dict.fromkeys(names.split(), limit)


def _any_of(names: str) -> dict[str, Limit]:
    """Operators that are supported without documented limits."""
    return _each(Limit(), names)


def _unread(names: str) -> dict[str, Limit]:
    """Operators with limits that this table does not contain."""
    question = "supported under conditions that were not looked up"
    every = _FLOATS | _INTEGERS | {"INT16", "INT32", "INT64", "BOOL"}
    return _each(Limit(types=every, open_question=question), names)


def _up_to(version: int, names: str) -> dict[str, Limit]:
    return _each(Limit(version=version), names)


_GPU_PARSERS = Document(
    "LiteRT, GPU delegate, model_builder.cc",
    _LITERT + "tflite/delegates/gpu/common/model_builder.cc",
)
_GPU_TABLE: Mapping[str, Limit] = {
    **_any_of(
        "DEPTH_TO_SPACE HARD_SWISH MEAN PACK REDUCE_MAX REDUCE_MIN REDUCE_PROD SPLIT SPLIT_V SUM "
        "TILE"
    ),
    **_unread(
        "BATCH_MATMUL CAST CUSTOM EQUAL GATHER GREATER GREATER_EQUAL LESS LESS_EQUAL LOGICAL_AND "
        "LSTM NOT_EQUAL ONE_HOT SELECT SELECT_V2 TRANSPOSE UNPACK"
    ),
    **_up_to(1, "CUMSUM DENSIFY PRELU RESHAPE"),
    **_up_to(
        2,
        "ABS ADD ADD_N AVERAGE_POOL_2D CONCATENATION COS DIV ELU EXP FLOOR FLOOR_DIV FLOOR_MOD "
        "GELU LEAKY_RELU LOG LOGISTIC MAXIMUM MAX_POOL_2D MINIMUM MIRROR_PAD NEG PAD PADV2 POW "
        "QUANTIZE RELU RELU6 RELU_0_TO_1 RELU_N1_TO_1 RSQRT SIGN SIN SLICE SOFTMAX "
        "SPACE_TO_DEPTH SQRT SQUARE SQUARED_DIFFERENCE SUB TANH",
    ),
    **_up_to(3, "DEQUANTIZE MUL RESIZE_BILINEAR RESIZE_NEAREST_NEIGHBOR TRANSPOSE_CONV"),
    **_up_to(4, "STRIDED_SLICE"),
    **_up_to(6, "CONV_2D DEPTHWISE_CONV_2D"),
    **_up_to(9, "FULLY_CONNECTED"),
}

_NNAPI_VALIDATION = Document(
    "TensorFlow Lite, NNAPI delegate, nnapi_delegate.cc",
    _TENSORFLOW + "tensorflow/lite/delegates/nnapi/nnapi_delegate.cc",
)
_FLOAT32 = frozenset({"FLOAT32"})
_ARITHMETIC = _FLOAT32 | _INTEGERS | {"INT32"}
_NNAPI_TABLE: Mapping[str, Limit] = {
    **_any_of("DEPTH_TO_SPACE HARD_SWISH"),
    **_unread(
        "ARG_MAX ARG_MIN BATCH_TO_SPACE_ND BIDIRECTIONAL_SEQUENCE_LSTM CAST DENSIFY "
        "EMBEDDING_LOOKUP EQUAL EXPAND_DIMS FILL FLOOR GATHER GREATER GREATER_EQUAL "
        "HASHTABLE_LOOKUP L2_NORMALIZATION L2_POOL_2D LESS LESS_EQUAL "
        "LOCAL_RESPONSE_NORMALIZATION LOGICAL_AND LOGICAL_NOT LOGICAL_OR LOG_SOFTMAX "
        "LSH_PROJECTION LSTM NEG NOT_EQUAL PACK REDUCE_ANY REDUCE_PROD RNN SELECT SIN "
        "SPACE_TO_BATCH_ND SPLIT SQUEEZE SVDF TILE TOPK_V2 UNIDIRECTIONAL_SEQUENCE_LSTM "
        "UNIDIRECTIONAL_SEQUENCE_RNN"
    ),
    **_up_to(1, "LEAKY_RELU PRELU"),
    **_up_to(
        2,
        "AVERAGE_POOL_2D LOGISTIC MAX_POOL_2D MEAN PAD PADV2 QUANTIZE REDUCE_MAX REDUCE_MIN RELU "
        "RELU6 RELU_N1_TO_1 SLICE SOFTMAX SPACE_TO_DEPTH STRIDED_SLICE TANH",
    ),
    **_up_to(3, "DEPTHWISE_CONV_2D"),
    **_up_to(5, "FULLY_CONNECTED"),
    **_each(Limit(version=2, types=_ARITHMETIC), "ADD MUL"),
    **_each(Limit(version=3, types=_ARITHMETIC), "MAXIMUM MINIMUM SUB"),
    **_each(Limit(version=1, types=_FLOAT32), "ABS DIV ELU EXP LOG POW RSQRT SQRT SUM"),
    "CONCATENATION": Limit(version=2, fused_activation=False),
    "CONV_2D": Limit(version=3, bias=True),
    "DEQUANTIZE": Limit(version=2),
    "RESHAPE": Limit(version=1, constants=(1,)),
    "RESIZE_BILINEAR": Limit(version=3, constants=(1,)),
    "RESIZE_NEAREST_NEIGHBOR": Limit(version=3, constants=(1,)),
    "TRANSPOSE": Limit(version=2, constants=(1,)),
    "TRANSPOSE_CONV": Limit(version=3, constants=(0, 1)),
}

_QNN_COMPILER = Document(
    "LiteRT to Qualcomm QNN Compiler Support",
    _LITERT + "litert/vendors/qualcomm/compiler/Qualcomm_QNN_Compiler.md",
)
_QNN_ACCELERATION = Document(
    "Qualcomm AI Engine Direct Delegate, Acceleration Support",
    "https://docs.qualcomm.com/doc/80-63442-10/topic/support.html",
)
_QNN_TABLE = _any_of(
    "ABS ADD ARG_MAX ARG_MIN AVERAGE_POOL_2D BATCH_MATMUL BROADCAST_TO CAST CEIL CONCATENATION "
    "CONV_2D CONV_3D COS CUMSUM DEPTHWISE_CONV_2D DEPTH_TO_SPACE DEQUANTIZE DIV "
    "DYNAMIC_UPDATE_SLICE ELU EMBEDDING_LOOKUP EQUAL EXP FLOOR FLOOR_DIV FULLY_CONNECTED GATHER "
    "GATHER_ND GELU GREATER GREATER_EQUAL HARD_SWISH L2_NORMALIZATION L2_POOL_2D LEAKY_RELU LESS "
    "LESS_EQUAL LOG LOGICAL_AND LOGICAL_NOT LOGICAL_OR LOGISTIC MAXIMUM MAX_POOL_2D MEAN MINIMUM "
    "MIRROR_PAD MUL NEG NOT_EQUAL PACK PAD PADV2 POW PRELU QUANTIZE REDUCE_ALL REDUCE_ANY "
    "REDUCE_MAX REDUCE_MIN RELU RELU6 RELU_0_TO_1 RELU_N1_TO_1 RESHAPE RESIZE_BILINEAR "
    "RESIZE_NEAREST_NEIGHBOR REVERSE_V2 ROUND RSQRT SELECT SELECT_V2 SIGN SIN SLICE SOFTMAX "
    "SPACE_TO_DEPTH SPLIT SQRT SQUARE SQUARED_DIFFERENCE STRIDED_SLICE SUB SUM TANH TILE TOPK_V2 "
    "TRANSPOSE TRANSPOSE_CONV UNPACK"
)

_NEURON_COMPILER = Document(
    "LiteRT to MediaTek Neuron Compiler Support",
    _LITERT + "litert/vendors/mediatek/compiler/MediaTek_Neuro_Compiler.md",
)
_MDLA = Document(
    "MediaTek NeuroPilot, MDLA 3.0 Guidelines",
    "https://mediatek.gitlab.io/aiot/doc/aiot-dev-guide/master/sw/yocto/ml-guide/neuron-sdk/"
    "mt8188/supported-operations/mdla-guide/mdla_guidelines_3_0.html",
)
_MDLA_CONVOLUTION = Limit(largest_kernel=16, strides=(1, 2, 3, 4, 8), document=_MDLA)
_NEURON_TABLE: Mapping[str, Limit] = {
    **_any_of(
        "ABS ADD AVERAGE_POOL_2D BATCH_MATMUL CAST CONCATENATION DEQUANTIZE DIV FULLY_CONNECTED "
        "GELU GREATER HARD_SWISH L2_NORMALIZATION LEAKY_RELU LESS LOGISTIC MAXIMUM MAX_POOL_2D "
        "MEAN MINIMUM MUL PAD PADV2 PRELU QUANTIZE REDUCE_MAX RELU RESHAPE RESIZE_BILINEAR "
        "RESIZE_NEAREST_NEIGHBOR RSQRT SLICE SOFTMAX SPLIT SQRT SQUARED_DIFFERENCE STRIDED_SLICE "
        "SUB SUM TANH TILE TRANSPOSE UNPACK"
    ),
    **_each(_MDLA_CONVOLUTION, "CONV_2D DEPTHWISE_CONV_2D TRANSPOSE_CONV"),
}

_TENSOR_PLUGIN = Document(
    "LiteRT, Google Tensor compiler plugin, compiler_plugin.cc",
    _LITERT + "litert/vendors/google_tensor/compiler/compiler_plugin.cc",
)

_TENSOR_TABLE = _each(
    Limit(refused="never passed to the chip's compiler"),
    (
        "ASSIGN_VARIABLE BIDIRECTIONAL_SEQUENCE_LSTM BROADCAST_ARGS BUCKETIZE CALL_ONCE "
        "COMPLEX_ABS CONV_3D CONV_3D_TRANSPOSE CUSTOM DENSIFY FAKE_QUANT HASHTABLE "
        "HASHTABLE_FIND HASHTABLE_IMPORT HASHTABLE_SIZE IMAG LOCAL_RESPONSE_NORMALIZATION "
        "MATRIX_DIAG MATRIX_SET_DIAG MULTINOMIAL NON_MAX_SUPPRESSION_V4 NON_MAX_SUPPRESSION_V5 "
        "RANDOM_STANDARD_NORMAL RANDOM_UNIFORM RANK READ_VARIABLE REAL REDUCE_PROD "
        "REVERSE_SEQUENCE RFFT2D SEGMENT_SUM SHAPE SPARSE_TO_DENSE SVDF "
        "UNIDIRECTIONAL_SEQUENCE_RNN UNIQUE UNSORTED_SEGMENT_MAX UNSORTED_SEGMENT_MIN "
        "UNSORTED_SEGMENT_PROD UNSORTED_SEGMENT_SUM VAR_HANDLE WHERE"
    ),
)

_CORAL = Document(
    "Coral, TensorFlow models on the Edge TPU, supported operations",
    "https://coral.ai/docs/edgetpu/models-intro/#supported-operations",
)
_NO_ACTIVATION = Limit(fused_activation=False)
_BY_SIZE = Limit(open_question="left to the CPU at some sizes, for precision")
_EDGE_TPU_TABLE: Mapping[str, Limit] = {
    **_any_of(
        "ADD CONV_2D DEPTHWISE_CONV_2D EXPAND_DIMS FULLY_CONNECTED L2_NORMALIZATION LOGISTIC "
        "MAXIMUM MEAN MINIMUM MUL PACK PAD PRELU QUANTIZE REDUCE_MAX REDUCE_MIN RELU RELU6 "
        "RELU_N1_TO_1 RESHAPE RSQRT SLICE SOFTMAX SPACE_TO_DEPTH SPLIT SQUARED_DIFFERENCE SQUEEZE "
        "STRIDED_SLICE SUB SUM TANH TRANSPOSE"
    ),
    **_each(_NO_ACTIVATION, "AVERAGE_POOL_2D CONCATENATION MAX_POOL_2D"),
    **_each(_BY_SIZE, "RESIZE_BILINEAR RESIZE_NEAREST_NEIGHBOR"),
    "TRANSPOSE_CONV": Limit(
        version=2,
        refused_version=4,
        document=Document(
            "Edge TPU compiler 16 does not know TRANSPOSE_CONV version 4",
            "https://github.com/google-coral/edgetpu/issues/845",
        ),
    ),
}

ACCELERATORS: tuple[Accelerator, ...] = (
    Accelerator(
        name="GPU delegate",
        runtime="gpu",
        document=_GPU_PARSERS,
        operators=_GPU_TABLE,
        others="refused",
        others_reason="no parser for it",
        types=_FLOATS | _INTEGERS,
        types_document=_GPU_PARSERS,
        takes_half_constants=True,
        note="computes in 16-bit floats, also for int8 models; runs the largest connected part of "
        "the model and leaves the rest to the CPU",
    ),
    Accelerator(
        name="NNAPI",
        runtime="nnapi",
        document=_NNAPI_VALIDATION,
        operators=_NNAPI_TABLE,
        others="refused",
        others_reason="not mapped to NNAPI",
        types=_FLOAT32 | _INTEGERS,
        types_document=_NNAPI_VALIDATION,
        takes_half_constants=True,
        note="what the delegate passes on under Android 11 and later; a phone's drivers may refuse "
        "more, float16 models run completely or not at all; deprecated since Android 15",
    ),
    Accelerator(
        name="Qualcomm QNN",
        runtime="hexagon",
        document=_QNN_COMPILER,
        operators=_QNN_TABLE,
        others="refused",
        others_reason="no QNN operation for it",
        types=_INTEGERS | {"INT16", "INT32", "BOOL"},
        types_document=_QNN_ACCELERATION,
        open_types=_FLOATS,
        note="the Hexagon processor; documented for 8-bit integers",
        maker="qualcomm",
    ),
    Accelerator(
        name="MediaTek",
        runtime="mediatek",
        document=_NEURON_COMPILER,
        operators=_NEURON_TABLE,
        others="refused",
        others_reason="no Neuron operation for it",
        types=_FLOATS | _INTEGERS | {"INT16", "INT32", "BOOL"},
        types_document=_MDLA,
        per_channel=frozenset(
            {"CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED", "PRELU", "TRANSPOSE_CONV"}
        ),
        note="converts 32-bit floats to 16 bits if allowed; the chip's compiler can still refuse "
        "a model, because its buffers are limited",
        maker="mediatek",
    ),
    Accelerator(
        name="Google Tensor",
        runtime="google_tensor",
        document=_TENSOR_PLUGIN,
        operators=_TENSOR_TABLE,
        others="unknown",
        others_reason="passed to the chip's compiler, for which no list is published",
        types=_FLOATS | _INTEGERS,
        types_document=_TENSOR_PLUGIN,
        note="only the operators that are never passed to its compiler are documented",
        maker="google",
    ),
    Accelerator(
        name="Edge TPU",
        runtime="edgetpu",
        document=_CORAL,
        operators=_EDGE_TPU_TABLE,
        others="refused",
        others_reason="not in the list of supported operations",
        types=_INTEGERS,
        types_document=_CORAL,
        note="all operators after the first unsupported one run on the CPU",
    ),
)
"""All accelerators, in the order of the reports."""
