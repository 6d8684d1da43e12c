"""The recipes: number formats to which a network is converted, and where each must run."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Recipe:
    """One way to convert a network to a .tflite file.

    Attributes:
        description: a few words for users.
        weights: type in which the weights are stored.
        activations: type in which the operators compute.
        calibration: source of the activation ranges; `fine_tuning` is quantization-aware training.
        io_type: type of the model's input and output; `uint8` means the values of an 8-bit
            photograph.
        runs_wholly_on: runtimes (names in `quantize.verify`) that must run all operators of the
            mobile preset themselves; `quantize.verify` fails if one does not.
    """

    description: str
    weights: Literal["float32", "float16", "int8"]
    activations: Literal["float32", "int8", "int16"]
    calibration: Literal["none", "photos", "fine_tuning"]
    io_type: Literal["float32", "uint8"]
    runs_wholly_on: tuple[str, ...]

    @property
    def has_roundings(self) -> bool:
        """Whether fake quantization (`rounding`) is added to the network before the conversion.

        For 16-bit activations the converter quantizes by itself.
        """
        return self.activations == "int8"


# Only LiteRT 2 can rescale 8-bit to 16-bit integers, as int16x8 does at its input and output.
_LITERT_2 = ("litert_cpu", "litert_lean", "litert_reference")

_EVERY_CPU = (*_LITERT_2, "tensorflow", "tflite_runtime", "arm64")

# tflite_runtime does not support transposed convolutions with int8 weights and float features.
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
