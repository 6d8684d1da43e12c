"""PyNET, an inverted pyramid of seven levels, for Keras 3 and tf_keras.

Ignatov, Patel, Timofte, "Rendering Natural Camera Bokeh Effect with Deep Learning", CVPRW 2020.
The coarsest level (7) works on the photograph reduced 64 times and separates subject from
background. Each finer level receives the upsampled features of the level below. Level 1 has the
photograph's own size, twice that of the network's input.
"""

from types import ModuleType
from typing import Any, NamedTuple

import keras as keras3
import numpy as np

from train.network.gate import GATE_OPEN, SHARPNESS, follow_gate, logit_of_gate, start_gate
from train.network.presets import LEVELS, PyNETConfig

# From Keras 3 or tf_keras, which share no types.
Tensor = Any
Model = Any


PICTURE = "float32"
"""Pictures stay in float32 in mixed precision: 16-bit floats cannot hold 255 even steps."""


COLOURS = "photo_colours"
"""The layer that leaves out the fourth channel. It is not trained."""


LEVEL_1_HEAD = "level_1_head"
"""Level 1's last convolution. With predicted sharpness it has a fourth filter, all zeros: level 1
does not change the sharpness."""

LEVEL_2_FEATURES, LEVEL_2_READERS = "level_3_up", ("level_2_head", "level_2_gate", SHARPNESS)
"""The layer that makes the features of level 2, and those that read them together with the colours,
which come last. The first has no bias and no activation."""


FOCUS_START = 8.0
"""Factor on the initial weights of the focus map. With it, level 5 follows the map within 300 steps
(docs/experiments.md)."""


class Features(NamedTuple):
    """A level's outputs: two upsamplings for the next level, and the input of its head."""

    entering: Tensor
    fusing: Tensor
    head: Tensor


class Blocks:
    """PyNET's building blocks for one configuration; layer names are unique and stable."""

    def __init__(self, config: PyNETConfig, keras: ModuleType):
        self.config = config
        self.layers = keras.layers
        self.initializers = keras.initializers

    def filters(self, published: int) -> int:
        """The paper's number of filters, scaled by the configuration's width."""
        return max(1, round(published * self.config.width))

    def activation(self, x: Tensor, name: str) -> Tensor:
        if self.config.activation == "relu":
            return self.layers.ReLU(name=f"{name}_activation")(x)
        # Pass the slope by position: Keras 3 and tf_keras name it differently.
        return self.layers.LeakyReLU(0.2, name=f"{name}_activation")(x)

    def initializer(self, gain: float) -> Any:
        """He initialization times a gain."""
        return self.initializers.VarianceScaling(2.0 * gain**2, "fan_in", "truncated_normal")

    def normalization(self, x: Tensor, name: str) -> Tensor:
        name = f"{name}_normalization"
        if self.config.normalization == "batch":
            return self.layers.BatchNormalization(name=name)(x)
        # One group per channel is instance normalization.
        return self.layers.GroupNormalization(groups=-1, epsilon=1e-3, name=name)(x)

    def convolution(
        self,
        x: Tensor,
        filters: int,
        kernel: int,
        name: str,
        normalized: bool,
        strides: int = 1,
        gain: float = 1.0,
    ) -> Tensor:
        """A hidden convolution: zero padding, bias, optional normalization, activation."""
        x = self.layers.Conv2D(
            filters,
            kernel,
            strides=strides,
            padding="same",
            # Batch normalization has its own bias. With instance normalization the published
            # network keeps both.
            use_bias=not (normalized and self.config.normalization == "batch"),
            kernel_initializer=self.initializer(gain),
            name=name,
        )(x)
        if normalized:
            x = self.normalization(x, name)
        return self.activation(x, name)

    def block(
        self,
        x: Tensor,
        filters: int,
        largest: int,
        name: str,
        level: int,
        strides: int = 1,
        gain: float = 1.0,
    ) -> Tensor:
        """Parallel branches of two convolutions each, kernels 3, 5, … `largest`, concatenated."""
        filters = self.filters(filters)
        kernels = range(3, min(largest, self.config.largest_kernel) + 1, 2)
        if not self.config.parallel_kernels:
            filters, kernels = filters * len(kernels), range(3, 4)
        normalized = level in self.config.normalized_levels
        branches = []
        for kernel in kernels:
            # Only the stem has stride 2: 6×6 covers the same area as 3×3 after space-to-depth.
            first = kernel if strides == 1 else 2 * kernel
            branch = f"{name}_{kernel}x{kernel}"
            y = self.convolution(x, filters, first, f"{branch}_first", normalized, strides)
            second = f"{branch}_second"
            branches.append(self.convolution(y, filters, kernel, second, normalized, gain=gain))
        return self.concatenate(branches, name) if len(branches) > 1 else branches[0]

    def residual(self, x: Tensor, filters: int, largest: int, name: str, level: int) -> Tensor:
        """A block with a shortcut; no activation follows the sum.

        Without large kernels a block may have fewer channels than its input (block b of level 4 in
        the mobile preset). Then there is no shortcut.
        """
        y = self.block(x, filters, largest, name, level, gain=self.config.residual_gain)
        if y.shape[-1] != x.shape[-1]:
            return y
        return self.layers.Add(name=f"{name}_sum")([y, x])

    def concatenate(self, tensors: list[Tensor], name: str) -> Tensor:
        return self.layers.Concatenate(name=f"{name}_concatenation")(tensors)

    def halve(self, x: Tensor, name: str) -> Tensor:
        return self.layers.MaxPooling2D(2, name=f"{name}_pooling")(x)

    def double(self, x: Tensor, filters: int, name: str) -> Tensor:
        """Doubles the size with a transposed convolution without bias or normalization."""
        x = self.layers.Conv2DTranspose(
            filters, 3, strides=2, padding="same", use_bias=False, name=name
        )(x)
        return self.activation(x, name) if self.config.upsampling_activation else x

    def stem(self, photo: Tensor) -> Tensor:
        """Encoder block E3, which halves the input."""
        if self.config.stem == "strided_convolution":
            return self.block(photo, 32, 3, "encoder_3", level=3, strides=2)
        offsets = [(row, column) for row in (0, 1) for column in (0, 1)]
        parts = [photo[:, row::2, column::2, :] for row, column in offsets]
        x = self.concatenate(parts, "space_to_depth")
        return self.block(x, 32, 3, "encoder_3", level=3)


def build_pynet(
    config: PyNETConfig,
    level: int = 1,
    input_size: tuple[int | None, int | None] = (None, None),
    keras: ModuleType = keras3,
    sharpness: bool = False,
) -> Model:
    """Builds PyNET up to and including one level.

    Args:
        config: the network, usually an entry of `train.network.presets.NETWORKS`.
        level: the level to cut the network at, 7 (coarsest) … 1 (the photograph's size).
        input_size: height and width of the input, multiples of 32; None allows any.
        keras: the `keras` or the `tf_keras` module. Both give layers with the same names, so
            `copy_weights` can copy weights between them.
        sharpness: whether to predict sharpness in further channels. Levels 7 … 2 give logits, for
            training (`train.data.sharpness_target`): one, or three of a gated level 2. Level 1
            gives what a trained gate knows, for detail transfer: 0…1 as `SHARPNESS_RANGE` says, not
            clipped.

    Returns:
        A functional model from N × H × W × 3 or 4 (sRGB-encoded, 0…1; the fourth channel as the
        configuration says) to N × h × w × 3
        with h = H / 2^(level-2), in the same encoding, not clipped.

    Raises:
        ValueError: the level does not exist, the size is not a multiple of 32, or level 1 has no
            gate to predict sharpness.
    """
    if level not in LEVELS:
        raise ValueError(f"level {level}: PyNET has levels 7 (coarsest) to 1")
    if any(side is not None and side % 32 for side in input_size):
        raise ValueError(f"input size {input_size}: both sides must be multiples of 32")
    if level == 1 and sharpness and not config.has_gate:
        raise ValueError("level 1 predicts sharpness only in a network with a gate")
    blocks = Blocks(config, keras)
    photo = keras.Input((*input_size, config.input_channels), name="photo")
    output = _pyramid(blocks, photo, level, sharpness)
    model = keras.Model(photo, output, name=f"pynet_level_{level}")
    _start_colours(model)
    if config.sees_focus:
        _start_focus(model)
    if config.head == "gated" and level <= 2:
        start_gate(model)
    if level == 1 and sharpness:
        follow_gate(model)
    return model


def _pyramid(blocks: Blocks, photo: Tensor, level: int, sharpness: bool) -> Tensor:
    """Goes from the photograph down to level 7 and up to `level`; returns its head's output."""
    encoded = _encoder(blocks, photo)
    builders = {6: _level_6, 5: _level_5, 4: _level_4, 3: _level_3}
    colours = _colours(blocks, photo)
    features = _level_7(blocks, encoded[7])
    for current in range(6, max(level, 3) - 1, -1):
        features = builders[current](blocks, encoded[current], features)
    if level >= 3:
        picture = _head(blocks, features.head, colours, level)
        return _with_sharpness(blocks, picture, features.head, level) if sharpness else picture
    return _finest_levels(blocks, colours, features, level, sharpness)


def _encoder(blocks: Blocks, photo: Tensor) -> dict[int, Tensor]:
    """The encoder's features for levels 3 … 6, and level 7's input."""
    encoded = {3: blocks.stem(photo)}
    for level, filters in ((4, 64), (5, 128), (6, 256)):
        halved = blocks.halve(encoded[level - 1], f"encoder_{level - 1}")
        encoded[level] = blocks.block(halved, filters, 3, f"encoder_{level}", level)
    encoded[7] = blocks.halve(encoded[6], "encoder_6")
    return encoded


def _start_focus(model: Model) -> None:
    """Enlarges the stem's initial weights of the focus map, whose discs are small."""
    for layer in model.layers:
        if layer.name.startswith("encoder_3") and layer.name.endswith("_first"):
            kernel, *bias = layer.get_weights()
            factors = np.ones(kernel.shape[2])
            factors[3::4] = FOCUS_START  # after space-to-depth, every fourth channel
            layer.set_weights([kernel * factors[:, None], *bias])


def _hand_on(
    blocks: Blocks, entering: Tensor, fusing: Tensor, filters: int, level: int
) -> Features:
    filters = blocks.filters(filters)
    return Features(
        entering=blocks.double(entering, filters, f"level_{level}_up_a"),
        fusing=blocks.double(fusing, filters, f"level_{level}_up_b"),
        head=fusing,
    )


def _level_7(blocks: Blocks, x: Tensor) -> Features:
    x = blocks.block(x, 512, 3, "level_7_a", 7)
    x = blocks.residual(x, 512, 3, "level_7_b", 7)
    x = blocks.residual(x, 512, 3, "level_7_c", 7)
    x = blocks.block(x, 512, 3, "level_7_d", 7)
    return _hand_on(blocks, x, x, 256, level=7)


def _level_6(blocks: Blocks, encoded: Tensor, below: Features) -> Features:
    x = blocks.concatenate([encoded, below.entering], "level_6_entrance")
    x = blocks.block(x, 256, 3, "level_6_a", 6)
    x = blocks.residual(x, 256, 3, "level_6_b", 6)
    x = blocks.residual(x, 256, 3, "level_6_c", 6)
    x = blocks.block(x, 256, 3, "level_6_d", 6)
    fused = blocks.concatenate([x, below.fusing], "level_6_fusion")
    fused = blocks.block(fused, 256, 3, "level_6_fuse", 6)
    return _hand_on(blocks, fused, fused, 128, level=6)


def _level_5(blocks: Blocks, encoded: Tensor, below: Features) -> Features:
    x = blocks.concatenate([encoded, below.entering], "level_5_entrance")
    letters = list("abcdefgh"[: blocks.config.level_5_blocks])
    last = letters.pop()
    for letter in letters:
        x = blocks.residual(x, 128, 5, f"level_5_{letter}", 5)
    x = blocks.block(x, 128, 5, f"level_5_{last}", 5)
    fused = blocks.concatenate([x, encoded, below.fusing], "level_5_fusion")
    fused = blocks.block(fused, 128, 3, "level_5_fuse", 5)
    return _hand_on(blocks, fused, fused, 64, level=5)


def _level_4(blocks: Blocks, encoded: Tensor, below: Features) -> Features:
    x = blocks.concatenate([encoded, below.entering], "level_4_entrance")
    x = blocks.block(x, 64, 5, "level_4_a", 4)
    x = blocks.concatenate([x, encoded], "level_4_a_encoded")
    x = blocks.residual(x, 64, 7, "level_4_b", 4)
    x = blocks.residual(x, 64, 7, "level_4_c", 4)
    x = blocks.residual(x, 64, 7, "level_4_d", 4)
    x = blocks.block(x, 64, 7, "level_4_e", 4)
    x = blocks.concatenate([x, encoded], "level_4_e_encoded")
    x = blocks.block(x, 64, 5, "level_4_f", 4)
    fused = blocks.concatenate([x, below.fusing], "level_4_fusion")
    fused = blocks.block(fused, 64, 3, "level_4_fuse", 4)
    return _hand_on(blocks, fused, fused, 32, level=4)


def _level_3(blocks: Blocks, encoded: Tensor, below: Features) -> Features:
    x = blocks.concatenate([encoded, below.entering], "level_3_entrance")
    fused = _level_3_blocks(blocks, encoded, x, below) if blocks.config.level_3_blocks else x
    up = blocks.double(fused, blocks.config.level_2_filters, "level_3_up")
    return Features(entering=up, fusing=up, head=fused)


def _level_3_blocks(blocks: Blocks, encoded: Tensor, x: Tensor, below: Features) -> Tensor:
    x = blocks.block(x, 32, 5, "level_3_a", 3)
    x = blocks.concatenate([x, encoded], "level_3_a_encoded")
    x = blocks.block(x, 32, 7, "level_3_b", 3)
    x = blocks.block(x, 32, 9, "level_3_c", 3)
    x = blocks.residual(x, 32, 9, "level_3_d", 3)
    x = blocks.residual(x, 32, 9, "level_3_e", 3)
    x = blocks.residual(x, 32, 9, "level_3_f", 3)
    x = blocks.block(x, 32, 7, "level_3_g", 3)
    x = blocks.concatenate([x, encoded], "level_3_g_encoded")
    x = blocks.block(x, 32, 5, "level_3_h", 3)
    fused = blocks.concatenate([x, below.fusing, encoded], "level_3_fusion")
    return blocks.block(fused, 32, 3, "level_3_fuse", 3)


def _finest_levels(
    blocks: Blocks, colours: Tensor, below: Features, level: int, sharpness: bool
) -> Tensor:
    """Levels 2 and 1, which have only an upsampling and a head, no blocks.

    Level 1 starts from level 2's head before its tanh, or in a residual network from level 2's
    change to the photograph.
    """
    features, gate = below.entering, None
    if blocks.config.head != "tanh":
        features = blocks.concatenate([features, colours], "level_2_photo")
    change = _head_convolution(blocks, features, level=2)
    if blocks.config.head == "gated":
        change, gate = _gated(blocks, change, features)
    finished = _finish(blocks, change, colours, level=2)
    if level == 2:
        if not sharpness:
            return finished
        if gate is None:
            return _with_sharpness(blocks, finished, below.entering, level)
        return _with_sharpness_of_gate(blocks, finished, gate)
    up = blocks.double(change, 3, "level_2_up")
    if sharpness:
        finished = _with_sharpness_of_features(blocks, finished, features)
    change = _head_convolution(blocks, up, level=1, filters=4 if sharpness else 3)
    return _finish(blocks, change, finished, level=1)


def _gated(blocks: Blocks, change: Tensor, features: Tensor) -> tuple[Tensor, Tensor]:
    """Level 2's change to the photograph, multiplied with a gate, and the gate before its ReLU6.

    Each colour has its own gate, because some accelerators need an extra operator to broadcast one.
    """
    gate = blocks.layers.Conv2D(3, 3, padding="same", name="level_2_gate")(features)
    opened = blocks.layers.ReLU(GATE_OPEN, name="level_2_gate_activation")(gate)
    return blocks.layers.Multiply(name="level_2_gated")([change, opened]), gate


def _head(blocks: Blocks, features: Tensor, colours: Tensor, level: int) -> Tensor:
    return _finish(blocks, _head_convolution(blocks, features, level), colours, level)


def _with_sharpness(blocks: Blocks, picture: Tensor, features: Tensor, level: int) -> Tensor:
    """Adds a fourth channel to a level's picture: the logit of its sharpness."""
    name = f"level_{level}_sharpness"
    logit = blocks.layers.Conv2D(1, 3, padding="same", name=name, dtype=PICTURE)(features)
    return blocks.layers.Concatenate(name=f"level_{level}_both", dtype=PICTURE)([picture, logit])


def _with_sharpness_of_gate(blocks: Blocks, picture: Tensor, gate: Tensor) -> Tensor:
    """Adds three channels to level 2's picture: the logits of sharpness that its gates mean."""
    scale, offset = logit_of_gate()
    logits = blocks.layers.Rescaling(
        scale,
        offset=offset,
        name="level_2_sharpness",
        dtype=PICTURE,
    )(gate)
    return blocks.layers.Concatenate(name="level_2_both", dtype=PICTURE)([picture, logits])


def _with_sharpness_of_features(blocks: Blocks, picture: Tensor, features: Tensor) -> Tensor:
    """Adds a fourth channel to level 2's picture, which level 1 doubles with the colours.

    It has its own convolution, because 8-bit integers would cut off or coarsen a gate that others
    read before its ReLU6. A fourth channel of all of level 1's operators costs hardly any time; a
    concatenation behind them would cost a third of the whole (docs/experiments.md).
    """
    sharpness = blocks.layers.Conv2D(1, 3, padding="same", name=SHARPNESS)(features)
    return blocks.layers.Concatenate(name="level_1_both")([picture, sharpness])


def _head_convolution(blocks: Blocks, features: Tensor, level: int, filters: int = 3) -> Tensor:
    residual = blocks.config.head != "tanh"
    return blocks.layers.Conv2D(
        filters,
        3,
        padding="same",
        # With zeros, a residual head starts by returning the untouched photograph.
        kernel_initializer="zeros" if residual else "glorot_uniform",
        name=f"level_{level}_head",
    )(features)


def _finish(blocks: Blocks, z: Tensor, base: Tensor, level: int) -> Tensor:
    """Turns a head's 3 channels into a picture: 0.58 · tanh(z) + 0.5, or base + z.

    The base is the photograph's colours, averaged to the level's size. For level 1 it is level 2's
    picture, doubled, so that level 1 starts from what level 2 learned.
    """
    if blocks.config.head == "tanh":
        z = blocks.layers.Activation("tanh", name=f"level_{level}_tanh", dtype=PICTURE)(z)
        return blocks.layers.Rescaling(
            0.58, offset=0.5, name=f"level_{level}_output", dtype=PICTURE
        )(z)
    if level == 1:
        base = _double_picture(blocks, base)
    elif level > 2:
        base = blocks.layers.AveragePooling2D(
            2 ** (level - 2), name=f"level_{level}_photo", dtype=PICTURE
        )(base)
    return blocks.layers.Add(name=f"level_{level}_output", dtype=PICTURE)([base, z])


def _double_picture(blocks: Blocks, x: Tensor) -> Tensor:
    """Doubles the size with operators that quantize well.

    Nearest-neighbour upsampling, then a 3×3 mean: weights 2/3 and 1/3 where bilinear upsampling has
    3/4 and 1/4. In int8, TFLite's bilinear resize is wrong by up to 3/255. These two operators keep
    the scale of their input, so only the mean is rounded.
    """
    x = blocks.layers.UpSampling2D(
        2, interpolation="nearest", name="level_1_repeat", dtype=PICTURE
    )(x)
    return blocks.layers.AveragePooling2D(
        3, strides=1, padding="same", name="level_1_mean", dtype=PICTURE
    )(x)


def _colours(blocks: Blocks, photo: Tensor) -> Tensor:
    """The photograph without its depth or focus map.

    A fixed convolution, since not every accelerator can take some of the channels. Its weights are
    0 and 1, which 8-bit integers hold exactly.
    """
    if photo.shape[-1] == 3:
        return photo
    layer = blocks.layers.Conv2D(
        3, 1, use_bias=False, kernel_initializer="zeros", name=COLOURS, dtype=PICTURE
    )
    layer.trainable = False
    return layer(photo)


def _start_colours(model: Model) -> None:
    """Sets the weights of `_colours`; networks with a tanh head do not need it."""
    if COLOURS in {layer.name for layer in model.layers}:
        model.get_layer(COLOURS).set_weights([np.eye(4, 3, dtype=np.float32)[None, None]])


def with_zero_filters(weights: list[np.ndarray], expected: list[np.ndarray]) -> list[np.ndarray]:
    """Appends filters of zeros to a convolution's kernel and bias, up to the expected number."""
    missing = expected[-1].shape[-1] - weights[-1].shape[-1]
    return [np.pad(one, [(0, 0)] * (one.ndim - 1) + [(0, missing)]) for one in weights]


def copy_weights(source: Model, target: Model) -> None:
    """Copies weights by layer name, between levels and between Keras 3 and tf_keras.

    Layers that only one of them has (another level's head) stay unchanged. Predicted sharpness of
    level 1 follows the copied gate.
    """
    layers = {layer.name: layer for layer in source.layers}
    for layer in target.layers:
        if layer.name in layers and layer.get_weights():
            weights = layers[layer.name].get_weights()
            if layer.name == LEVEL_1_HEAD:
                weights = with_zero_filters(weights, layer.get_weights())
            layer.set_weights(weights)
    if SHARPNESS in {layer.name for layer in target.layers}:
        follow_gate(target)
