"""The data type that layers compute in."""

from collections.abc import Iterator
from contextlib import contextmanager

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
