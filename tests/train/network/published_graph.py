"""An independent PyNET in raw TensorFlow operators, for comparison.

It follows the published description alone and shares nothing with `train.network.pynet`. Variables
are created in the order in which the graph first needs them, as the published one creates its own,
and can be written as the checkpoint that the authors' program would leave behind.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

Tensor = Any  # TensorFlow publishes no types


class Variables:
    """The variables of the graph, made when first asked for and then handed out in order."""

    def __init__(self, seed: int):
        self.random = np.random.default_rng(seed)
        self.values: list[np.ndarray] = []

    def create(self, shape: tuple[int, ...], mean: float, deviation: float) -> Tensor:
        value = self.random.normal(mean, deviation, shape).astype(np.float32)
        self.values.append(value)
        return tf.constant(value)

    def names(self) -> list[str]:
        more = [f"generator/Variable_{index}" for index in range(1, len(self.values))]
        return ["generator/Variable", *more]


class PublishedGraph:
    """All levels of the network.

    Attributes:
        first_index: of the variables of each part: `encoder_3` … `encoder_6`, `level_7` …
    """

    def __init__(self, variables: Variables, width: float = 1.0):
        """Takes what the graph is made of.

        Args:
            variables: none yet; the graph makes them.
            width: factor on the numbers of filters of levels 7 to 3.
        """
        self.variables = variables
        self.width = width
        self.normalized = False
        self.first_index: dict[str, int] = {}
        self._outputs: dict[int, Tensor] = {}

    def outputs_of(self, photo: Tensor) -> dict[int, Tensor]:
        """Adds the graph of one batch.

        Args:
            photo: N × H × W × 4, float32, R, G, B, depth; sides multiples of 32.

        Returns:
            By level, N × h × w × 3.
        """
        self._outputs = {}
        x = tf.nn.space_to_depth(photo, 2)
        e3 = self._part("encoder_3", False, lambda: self.block(x, 32, 3))
        e4 = self._part("encoder_4", True, lambda: self.block(self.pool(e3), 64, 3))
        e5 = self._part("encoder_5", True, lambda: self.block(self.pool(e4), 128, 3))
        e6 = self._part("encoder_6", True, lambda: self.block(self.pool(e5), 256, 3))
        up = self._part("level_7", True, lambda: self.level_7(self.pool(e6)))
        up = self._part("level_6", True, lambda: self.level_6(e6, *up))
        up = self._part("level_5", True, lambda: self.level_5(e5, *up))
        up = self._part("level_4", True, lambda: self.level_4(e4, *up))
        fused = self._part("level_3", False, lambda: self.level_3(e3, *up))
        z2 = self._part("level_2", False, lambda: self.level_2(fused))
        self._part("level_1", False, lambda: self.head(1, self.up(z2, 3)))
        return self._outputs

    def _part(self, name: str, normalized: bool, compute: Callable[[], Any]) -> Any:
        self.first_index[name] = len(self.variables.values)
        self.normalized = normalized
        return compute()

    def level_7(self, x: Tensor) -> tuple[Tensor, Tensor]:
        a = self.block(x, 512, 3)
        b = self.block(a, 512, 3) + a
        c = self.block(b, 512, 3) + b
        d = self.block(c, 512, 3)
        ups = self.up(d, self.filters(256)), self.up(d, self.filters(256))
        self.head(7, d)
        return ups

    def level_6(self, encoded: Tensor, up_a: Tensor, up_b: Tensor) -> tuple[Tensor, Tensor]:
        a = self.block(tf.concat([encoded, up_a], 3), 256, 3)
        b = self.block(a, 256, 3) + a
        c = self.block(b, 256, 3) + b
        d = self.block(c, 256, 3)
        fuse = self.block(tf.concat([d, up_b], 3), 256, 3)
        ups = self.up(fuse, self.filters(128)), self.up(fuse, self.filters(128))
        self.head(6, fuse)
        return ups

    def level_5(self, encoded: Tensor, up_a: Tensor, up_b: Tensor) -> tuple[Tensor, Tensor]:
        x = tf.concat([encoded, up_a], 3)
        a = self.block(x, 128, 5) + x
        b = self.block(a, 128, 5) + a
        c = self.block(b, 128, 5) + b
        d = self.block(c, 128, 5)
        fuse = self.block(tf.concat([d, encoded, up_b], 3), 128, 3)
        ups = self.up(fuse, self.filters(64)), self.up(fuse, self.filters(64))
        self.head(5, fuse)
        return ups

    def level_4(self, encoded: Tensor, up_a: Tensor, up_b: Tensor) -> tuple[Tensor, Tensor]:
        a = self.block(tf.concat([encoded, up_a], 3), 64, 5)
        y = tf.concat([a, encoded], 3)
        b = self.block(y, 64, 7) + y
        c = self.block(b, 64, 7) + b
        d = self.block(c, 64, 7) + c
        e = self.block(d, 64, 7)
        f = self.block(tf.concat([e, encoded], 3), 64, 5)
        fuse = self.block(tf.concat([f, up_b], 3), 64, 3)
        ups = self.up(fuse, self.filters(32)), self.up(fuse, self.filters(32))
        self.head(4, fuse)
        return ups

    def level_3(self, encoded: Tensor, up_a: Tensor, up_b: Tensor) -> Tensor:
        a = self.block(tf.concat([encoded, up_a], 3), 32, 5)
        b = self.block(tf.concat([a, encoded], 3), 32, 7)
        c = self.block(b, 32, 9)
        d = self.block(c, 32, 9) + c
        e = self.block(d, 32, 9) + d
        f = self.block(e, 32, 9) + e
        g = self.block(f, 32, 7)
        h = self.block(tf.concat([g, encoded], 3), 32, 5)
        fuse = self.block(tf.concat([h, up_b, encoded], 3), 32, 3)
        self.head(3, fuse)
        return fuse

    def level_2(self, fused: Tensor) -> Tensor:
        return self.head(2, self.up(fused, 8))

    def filters(self, published: int) -> int:
        return round(published * self.width)

    def block(self, x: Tensor, filters: int, largest: int) -> Tensor:
        branches = []
        for size in range(3, largest + 1, 2):
            y = self.convolution(x, self.filters(filters), size)
            branches.append(self.convolution(y, self.filters(filters), size))
        return tf.concat(branches, 3)

    def convolution(self, x: Tensor, filters: int, size: int) -> Tensor:
        channels = int(x.shape[3])
        # Keeps a signal's mean square through the leaky ReLU, however wide the layer.
        deviation = (2 / 1.04 / (size * size * channels)) ** 0.5
        kernel = self.variables.create((size, size, channels, filters), 0.0, deviation)
        bias = self.variables.create((filters,), 0.0, 0.1)
        x = tf.nn.conv2d(x, kernel, 1, "SAME") + bias
        if self.normalized:
            mean, variance = tf.nn.moments(x, [1, 2], keepdims=True)
            shift = self.variables.create((filters,), 0.0, 0.3)
            scale = self.variables.create((filters,), 1.0, 0.3)
            x = scale * (x - mean) / tf.sqrt(variance + 1e-3) + shift
        return self.leaky_relu(x)

    def up(self, x: Tensor, filters: int) -> Tensor:
        batch, height, width, channels = x.shape
        # Each pixel of the result sees a quarter of the 3×3 kernel's 9 weights per channel.
        deviation = (2 / 1.04 / (9 / 4 * channels)) ** 0.5
        kernel = self.variables.create((3, 3, filters, channels), 0.0, deviation)
        size = (batch, 2 * height, 2 * width, filters)
        return self.leaky_relu(tf.nn.conv2d_transpose(x, kernel, size, 2, "SAME"))

    def head(self, level: int, x: Tensor) -> Tensor:
        """Notes the level's output and returns what the tanh is taken of."""
        channels = int(x.shape[3])
        # Smaller than in a hidden layer, or the tanh would hide every difference.
        deviation = 0.4 * (1 / (9 * channels)) ** 0.5
        kernel = self.variables.create((3, 3, channels, 3), 0.0, deviation)
        bias = self.variables.create((3,), 0.0, 0.1)
        z = tf.nn.conv2d(x, kernel, 1, "SAME") + bias
        self._outputs[level] = 0.58 * tf.tanh(z) + 0.5
        return z

    @staticmethod
    def leaky_relu(x: Tensor) -> Tensor:
        return tf.maximum(0.2 * x, x)

    @staticmethod
    def pool(x: Tensor) -> Tensor:
        return tf.nn.max_pool2d(x, 2, 2, "SAME")


def write_checkpoint(prefix: Path, names: list[str], values: list[np.ndarray]) -> None:
    """Writes variables as TensorFlow 1's saver does (V2), with what Adam keeps beside them."""
    tensors = dict(zip(names, values, strict=True))
    for name in names[:3]:
        tensors[f"{name}/Adam"] = np.full_like(tensors[name], 7)
        tensors[f"{name}/Adam_1"] = np.full_like(tensors[name], 8)
    tensors["beta1_power"] = np.array(0.9, np.float32)
    tensors["global_step"] = np.array(100_000, np.int64)
    tf.raw_ops.SaveV2(
        prefix=str(prefix),
        tensor_names=list(tensors),
        shape_and_slices=[""] * len(tensors),
        tensors=list(tensors.values()),
    )
