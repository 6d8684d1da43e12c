"""The data type that layers compute in, and what this machine is good at."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import keras

from train.network.presets import Precision


@contextmanager
def computing_in(precision: Precision) -> Iterator[None]:
    """Layers built inside the block compute in this precision; float16 also scales the loss."""
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(precision)
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)


def has_bfloat16_instructions(processors: Path = Path("/proc/cpuinfo")) -> bool:
    """Whether this processor multiplies matrices or vectors of bfloat16 (AMX, AVX512-BF16).

    Args:
        processors: Linux's description of the processors. Elsewhere there is none, and the answer
            is no.
    """
    if not processors.is_file():
        return False
    return not {"amx_bf16", "avx512_bf16"}.isdisjoint(processors.read_text().split())


def is_tensorflow_on_cpu() -> bool:
    """Whether Keras computes with TensorFlow on a machine without a GPU."""
    return keras.backend.backend() == "tensorflow" and not keras.distribution.list_devices("gpu")
