"""Operators beyond the documented limits are refused; open questions stay unknown."""

import dataclasses

import pytest

from quantize.convert.operators import Operator, Tensor
from quantize.proof.accelerator_tables import ACCELERATORS, Support, operator_support

BY_NAME = {accelerator.name: accelerator for accelerator in ACCELERATORS}


def tensor(kind: str = "INT8", constant: bool = False, scales: int = 1) -> Tensor:
    return Tensor(kind, (1, 8, 8, 4), constant, scales)


def operator(name: str, version: int = 1, kind: str = "INT8") -> Operator:
    """An operator with one input and one output."""
    return Operator(name, version, (tensor(kind),), (tensor(kind),))


def convolution(kind: str = "INT8") -> Operator:
    inputs = (tensor(kind), tensor("INT8", constant=True), tensor("INT32", constant=True))
    return Operator("CONV_2D", 1, inputs, (tensor(kind),), kernel=(3, 3))


def transposed(version: int) -> Operator:
    inputs = (tensor("INT32", constant=True), tensor(constant=True), tensor())
    return Operator("TRANSPOSE_CONV", version, inputs, (tensor(),), kernel=(3, 3), stride=(2, 2))


def support_of(operator: Operator, name: str) -> Support:
    return operator_support(operator, BY_NAME[name])


@pytest.mark.parametrize("name", ["GPU delegate", "NNAPI", "Qualcomm QNN", "MediaTek", "Edge TPU"])
def test_a_small_integer_convolution_is_supported(name: str) -> None:
    assert support_of(convolution(), name) == Support("accepted")


def test_only_the_gpu_delegate_and_nnapi_limit_versions_of_transposed_convolutions() -> None:
    for name in ("GPU delegate", "NNAPI"):
        assert support_of(transposed(3), name).verdict == "accepted"
        refused = support_of(transposed(4), name)
        assert refused.verdict == "refused"
        assert refused.reason == "version 4; supported up to 3"
    for name in ("Qualcomm QNN", "MediaTek"):
        assert support_of(transposed(4), name).verdict == "accepted"


def test_versions_between_two_published_ones_are_unknown() -> None:
    verdicts = [support_of(transposed(version), "Edge TPU").verdict for version in (2, 3, 4)]
    assert verdicts == ["accepted", "unknown", "refused"]


def test_float_models_are_supported_unknown_or_refused() -> None:
    verdicts = {name: support_of(convolution("FLOAT32"), name).verdict for name in BY_NAME}
    assert verdicts == {
        "GPU delegate": "accepted",
        "NNAPI": "accepted",
        "Qualcomm QNN": "unknown",
        "MediaTek": "accepted",
        "Google Tensor": "unknown",
        "Edge TPU": "refused",
    }


def test_half_constants_are_read_without_their_dequantization() -> None:
    half = Operator(
        "DEQUANTIZE", 3, (tensor("FLOAT16", constant=True),), (tensor("FLOAT32", constant=True),)
    )
    assert support_of(half, "GPU delegate").verdict == "accepted"
    assert support_of(half, "NNAPI").verdict == "accepted"
    assert support_of(half, "Edge TPU").verdict == "refused"
    computed = dataclasses.replace(half, outputs=(tensor("FLOAT32"),))
    assert support_of(computed, "NNAPI").verdict == "refused"


@pytest.mark.parametrize(
    ("name", "refused", "reason"),
    [
        ("MediaTek", operator("SPACE_TO_DEPTH"), "no Neuron operation"),
        ("MediaTek", operator("RELU6"), "no Neuron operation"),
        ("MediaTek", dataclasses.replace(convolution(), kernel=(17, 3)), "kernel of 17×3"),
        ("MediaTek", dataclasses.replace(convolution(), stride=(5, 5)), "stride of 5×5"),
        (
            "MediaTek",
            dataclasses.replace(operator("ADD"), inputs=(tensor(scales=4),)),
            "scales per channel",
        ),
        ("Edge TPU", operator("LEAKY_RELU"), "not in the list"),
        (
            "Edge TPU",
            dataclasses.replace(operator("MAX_POOL_2D"), activation="RELU"),
            "fused RELU",
        ),
        ("NNAPI", operator("LEAKY_RELU", version=2), "supported up to 1"),
        (
            "NNAPI",
            dataclasses.replace(convolution(), inputs=convolution().inputs[:2]),
            "no bias",
        ),
        ("NNAPI", operator("SQRT"), "tensors of INT8"),
        ("NNAPI", operator("DEQUANTIZE", version=3), "supported up to 2"),
        ("GPU delegate", operator("ARG_MAX"), "no parser"),
        ("GPU delegate", operator("ADD", kind="INT32"), "tensors of INT32"),
        ("Google Tensor", operator("CUSTOM"), "never passed"),
    ],
)
def test_a_refusal_has_a_reason_and_a_document(name: str, refused: Operator, reason: str) -> None:
    support = support_of(refused, name)
    assert support.verdict == "refused"
    assert reason in support.reason
    assert support.document is not None
    assert support.document.title
    assert support.document.address.startswith("https://")


def test_computed_weights_are_refused_where_they_must_be_constant() -> None:
    computed = (tensor("INT32", constant=True), tensor(), tensor())
    support = support_of(dataclasses.replace(transposed(3), inputs=computed), "NNAPI")
    assert support.verdict == "refused"
    assert "must be constants" in support.reason


def test_what_a_document_leaves_open_is_unknown() -> None:
    resized = support_of(operator("RESIZE_NEAREST_NEIGHBOR", 3), "Edge TPU")
    assert resized.verdict == "unknown"
    assert "size" in resized.reason
    assert support_of(operator("CAST"), "GPU delegate").verdict == "unknown"
    assert support_of(convolution(), "Google Tensor").verdict == "unknown"
    # A refusal outweighs an open question.
    assert support_of(operator("RESIZE_BILINEAR", kind="FLOAT32"), "Edge TPU").verdict == "refused"
