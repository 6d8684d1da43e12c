"""A matrix product takes time, on every backend."""

import keras

from train.network.matrix_product import matrix_product_speed


def test_speeds_lie_between_a_slow_phone_core_and_many_gpus() -> None:
    assert 1e8 < matrix_product_speed() < 1e16
    assert 1e8 < matrix_product_speed(keras.ops.convert_to_tensor) < 1e16
