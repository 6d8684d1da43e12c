"""TensorFlow optimizes the graphs of long levels only."""

from collections.abc import Iterator

import pytest
import tensorflow as tf

from train.loop.graph_optimization import OPTIMIZED_FROM, optimize_graphs


@pytest.fixture(autouse=True)
def restored() -> Iterator[None]:
    yield
    optimize_graphs(OPTIMIZED_FROM)


@pytest.mark.parametrize(("steps", "is_left_out"), [(OPTIMIZED_FROM - 1, True), (300, False)])
def test_the_graph_of_a_short_level_is_not_optimized(steps: int, is_left_out: bool) -> None:
    optimize_graphs(steps)
    options = tf.config.optimizer.get_experimental_options()
    assert options["disable_meta_optimizer"] is is_left_out
