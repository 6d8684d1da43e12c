"""Published limits refuse what lies beyond them and settle nothing that they leave open."""

import dataclasses

import pytest

from quantize.convert.operators import Operator, Tensor
from quantize.proof.accelerator_tables import ACCELERATORS, Judgement, judge

BY_NAME = {accelerator.name: accelerator for accelerator in ACCELERATORS}


def tensor(kind: str = "INT8", constant: bool = False, scales: int = 1) -> Tensor:
    return Tensor(kind, (1, 8, 8, 4), constant, scales)


def operator(name: str, version: int = 1, kind: str = "INT8") -> Operator:
    """One picture in, one out."""
    return Operator(name, version, (tensor(kind),), (tensor(kind),))


def convolution(kind: str = "INT8") -> Operator:
    inputs = (tensor(kind), tensor("INT8", constant=True), tensor("INT32", constant=True))
    return Operator("CONV_2D", 1, inputs, (tensor(kind),), kernel=(3, 3))


def transposed(version: int) -> Operator:
    inputs = (tensor("INT32", constant=True), tensor(constant=True), tensor())
    return Operator("TRANSPOSE_CONV", version, inputs, (tensor(),), kernel=(3, 3), stride=(2, 2))


def judged(operator: Operator, name: str) -> Judgement:
    return judge(operator, BY_NAME[name])


@pytest.mark.parametrize("name", ["GPU delegate", "NNAPI", "Qualcomm QNN", "MediaTek", "Edge TPU"])
def test_a_small_integer_convolution_is_taken(name: str) -> None:
    assert judged(convolution(), name) == Judgement("accepted")


def test_only_the_gpu_delegate_and_nnapi_care_for_versions_of_transposed_convolutions() -> None:
    for name in ("GPU delegate", "NNAPI"):
        assert judged(transposed(3), name).verdict == "accepted"
        refused = judged(transposed(4), name)
        assert refused.verdict == "refused"
        assert refused.reason == "version 4; up to 3 is taken"
    for name in ("Qualcomm QNN", "MediaTek"):
        assert judged(transposed(4), name).verdict == "accepted"


def test_between_two_published_versions_lies_the_unknown() -> None:
    verdicts = [judged(transposed(version), "Edge TPU").verdict for version in (2, 3, 4)]
    assert verdicts == ["accepted", "unknown", "refused"]


def test_float_models_are_taken_unknown_or_refused() -> None:
    verdicts = {name: judged(convolution("FLOAT32"), name).verdict for name in BY_NAME}
    assert verdicts == {
        "GPU delegate": "accepted",
        "NNAPI": "accepted",
        "Qualcomm QNN": "unknown",
        "MediaTek": "accepted",
        "Google Tensor": "unknown",
        "Edge TPU": "refused",
    }


def test_half_constants_are_read_past_their_dequantization() -> None:
    half = Operator(
        "DEQUANTIZE", 3, (tensor("FLOAT16", constant=True),), (tensor("FLOAT32", constant=True),)
    )
    assert judged(half, "GPU delegate").verdict == "accepted"
    assert judged(half, "NNAPI").verdict == "accepted"
    assert judged(half, "Edge TPU").verdict == "refused"
    computed = dataclasses.replace(half, outputs=(tensor("FLOAT32"),))
    assert judged(computed, "NNAPI").verdict == "refused"


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
            "scale per channel",
        ),
        ("Edge TPU", operator("LEAKY_RELU"), "not in the list"),
        (
            "Edge TPU",
            dataclasses.replace(operator("MAX_POOL_2D"), activation="RELU"),
            "RELU fused into it",
        ),
        ("NNAPI", operator("LEAKY_RELU", version=2), "up to 1 is taken"),
        (
            "NNAPI",
            dataclasses.replace(convolution(), inputs=convolution().inputs[:2]),
            "no bias",
        ),
        ("NNAPI", operator("SQRT"), "tensors of INT8"),
        ("NNAPI", operator("DEQUANTIZE", version=3), "up to 2 is taken"),
        ("GPU delegate", operator("ARG_MAX"), "no parser"),
        ("GPU delegate", operator("ADD", kind="INT32"), "tensors of INT32"),
        ("Google Tensor", operator("CUSTOM"), "never handed"),
    ],
)
def test_a_refusal_says_why_and_where_it_is_written(
    name: str, refused: Operator, reason: str
) -> None:
    judgement = judged(refused, name)
    assert judgement.verdict == "refused"
    assert reason in judgement.reason
    assert judgement.source is not None
    assert judgement.source.document
    assert judgement.source.address.startswith("https://")


def test_weights_that_others_compute_are_refused_where_they_must_be_constant() -> None:
    computed = (tensor("INT32", constant=True), tensor(), tensor())
    judgement = judged(dataclasses.replace(transposed(3), inputs=computed), "NNAPI")
    assert judgement.verdict == "refused"
    assert "must be constants" in judgement.reason


def test_what_a_document_leaves_open_is_unknown() -> None:
    resized = judged(operator("RESIZE_NEAREST_NEIGHBOR", 3), "Edge TPU")
    assert resized.verdict == "unknown"
    assert "size" in resized.reason
    assert judged(operator("CAST"), "GPU delegate").verdict == "unknown"
    assert judged(convolution(), "Google Tensor").verdict == "unknown"
    # A refusal outweighs an open question.
    assert judged(operator("RESIZE_BILINEAR", kind="FLOAT32"), "Edge TPU").verdict == "refused"
