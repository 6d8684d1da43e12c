"""What each recipe makes of the trained network, and what it promises, in one table."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Recipe:
    """One way to put a network into a .tflite file.

    Attributes:
        description: for people, a few words.
        weights: what the weights are stored as.
        activations: what the operators compute in.
        calibration: where the ranges of the activations come from; `fine_tuning` goes on training
            the network with its roundings in place.
        io_type: what the file takes and gives; `uint8` are the codes of an 8-bit photograph.
        runs_wholly_on: runtimes (names in `quantize.verify`) that leave no operator of the mobile
            preset to another; what `quantize.verify` holds it to.
    """

    description: str
    weights: Literal["float32", "float16", "int8"]
    activations: Literal["float32", "int8", "int16"]
    calibration: Literal["none", "photos", "fine_tuning"]
    io_type: Literal["float32", "uint8"]
    runs_wholly_on: tuple[str, ...]

    @property
    def has_roundings(self) -> bool:
        """Whether the network gets its roundings (`rounding`) before it is converted.

        16-bit ones the converter puts in itself.
        """
        return self.activations == "int8"


# It alone rescales 8-bit integers to 16-bit ones, which the edges of int16x8 need.
_LITERT_2 = ("litert_cpu", "litert_lean", "litert_reference")

_EVERY_CPU = (*_LITERT_2, "tensorflow", "tflite_runtime", "arm64")

# Without tflite_runtime: it refuses a transposed convolution with int8 weights and float features.
_NEWER_CPU = (*_LITERT_2, "tensorflow", "arm64")

RECIPES: Mapping[str, Recipe] = {
    "float32": Recipe("as trained", "float32", "float32", "none", "float32", _EVERY_CPU),
    "float16": Recipe(
        "half-size weights, for GPUs",
        "float16", "float32", "none", "float32", (*_EVERY_CPU, "gpu_delegate"),
    ),
    "dynamic_int8": Recipe(
        "small weights, floats inside", "int8", "float32", "none", "float32", _NEWER_CPU
    ),
    "int8_ptq": Recipe(
        "integers, ranges from photographs",
        "int8", "int8", "photos", "uint8", (*_EVERY_CPU, "gpu_delegate"),
    ),
    "int8_qat": Recipe(
        "integers, fine-tuned as such",
        "int8", "int8", "fine_tuning", "uint8", (*_EVERY_CPU, "gpu_delegate"),
    ),
    "int16x8": Recipe(
        "16-bit activations, 8-bit weights", "int8", "int16", "photos", "uint8", _LITERT_2
    ),
}  # fmt: skip
