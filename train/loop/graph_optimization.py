"""Whether TensorFlow optimizes a level's graph before its first step."""

import keras

OPTIMIZED_FROM = 300
"""The fewest steps of a level whose graph is optimized. It takes 1 to 4 seconds and makes steps up
to 8 % faster (docs/experiments.md), which a shorter level does not make up for."""


def optimize_graphs(steps: int) -> None:
    """Lets TensorFlow optimize the graphs that it makes from now on, if that pays.

    Args:
        steps: that the level takes.
    """
    if keras.backend.backend() != "tensorflow":
        return
    import tensorflow as tf

    tf.config.optimizer.set_experimental_options({"disable_meta_optimizer": steps < OPTIMIZED_FROM})
