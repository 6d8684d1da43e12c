"""What each recipe makes of the trained network, in one table."""

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
        edge_type: what the file takes and gives; `uint8` are the codes of an 8-bit photograph.
    """

    description: str
    weights: Literal["float32", "float16", "int8"]
    activations: Literal["float32", "int8", "int16"]
    calibration: Literal["none", "photos", "fine_tuning"]
    edge_type: Literal["float32", "uint8"]


RECIPES: Mapping[str, Recipe] = {
    "float32": Recipe("as trained", "float32", "float32", "none", "float32"),
    "float16": Recipe("half-size weights, for GPUs", "float16", "float32", "none", "float32"),
    "int8_qat": Recipe("integers, fine-tuned as such", "int8", "int8", "fine_tuning", "uint8"),
}
