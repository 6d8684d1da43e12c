"""The speed of a large matrix product, which is the most that a machine reaches in practice."""

import time
from collections.abc import Callable
from typing import Any

import numpy as np


def matrix_product_speed(to_device: Callable[[np.ndarray], Any] = np.asarray) -> float:
    """Multiply-adds per second of a float32 matrix product, the best of four.

    The matrices grow until a product takes a tenth of a second, so that transfers to the device
    become negligible.

    Args:
        to_device: makes a tensor of an array, on the device to measure. Default: NumPy on the CPU.
    """
    for side in (1024, 2048, 4096, 8192):
        matrix = to_device(np.random.default_rng(0).random((side, side), np.float32))
        seconds = min(_product_seconds(matrix) for _ in range(4))
        if seconds > 0.1:
            break
    return side**3 / seconds


def _product_seconds(matrix: Any) -> float:
    started = time.perf_counter()
    float((matrix @ matrix)[0, 0])  # reading a value waits for the product
    return time.perf_counter() - started
