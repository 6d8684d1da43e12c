"""Networks and training schedules by name, for `--preset` and `--schedule`."""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeVar

from pocket_bokeh.errors import UserError
from pocket_bokeh.photo import FourthChannel

LEVELS = (7, 6, 5, 4, 3, 2, 1)
"""The paper's numbering, in the order of training: 7 is the coarsest, 1 is the photograph."""


@dataclass(frozen=True)
class PyNETConfig:
    """The configuration of a PyNET; all of them have the paper's topology.

    Attributes:
        fourth_channel: what the network sees beside the colours: a depth map, as in the paper, a
            focus map (`pocket_bokeh.focus_map`), or nothing.
        width: factor on the paper's numbers of filters (512 at level 7 down to 32 at level 3).
        largest_kernel: blocks leave out branches with larger kernels.
        parallel_kernels: whether blocks have parallel branches with kernels 3×3, 5×5 and so on.
            False gives all their filters to one 3×3 branch, which fills the vector registers of
            processors.
        normalization: the normalization after convolutions at `normalized_levels`.
        normalized_levels: levels with normalization, including their part of the encoder.
        activation: after every hidden convolution; leaky ReLU has slope 0.2.
        stem: how the input is first halved. A 6×6 convolution with stride 2 computes the same as
            space-to-depth and a 3×3 convolution, in one operator that every NPU supports.
        upsampling_activation: whether an activation follows each transposed convolution. TFLite
            fuses it, and in an integer model the GPU delegate then refuses the operator.
        head: `tanh` outputs the picture as 0.58 · tanh(z) + 0.5. `residual` outputs a change to the
            photograph at the level's size, zero at first. `gated` also multiplies level 2's change
            with a gate, which follows from the predicted sharpness. Blurring must remove the sharp
            photograph only in the background, and a sum of convolutions cannot do that.
        level_5_blocks: consecutive blocks at level 5 (4 in the paper).
        level_2_filters: channels of the upsampled features that level 2 receives.
        residual_gain: initial scale of the last convolutions before a sum, times He's standard
            deviation. Without normalization a small one keeps features from doubling at every
            sum (Zhang, Dauphin, Ma, "Fixup Initialization", ICLR 2019).
        level_3_blocks: whether level 3 has blocks of its own. Without them it passes its input on
            (the student report's fourth training).
    """

    fourth_channel: FourthChannel = "depth"
    width: float = 1.0
    largest_kernel: int = 9
    parallel_kernels: bool = True
    normalization: Literal["instance", "batch"] = "instance"
    normalized_levels: tuple[int, ...] = (7, 6, 5, 4)
    activation: Literal["leaky_relu", "relu"] = "leaky_relu"
    stem: Literal["space_to_depth", "strided_convolution"] = "space_to_depth"
    upsampling_activation: bool = True
    head: Literal["tanh", "residual", "gated"] = "tanh"
    level_5_blocks: int = 4
    level_2_filters: int = 8
    residual_gain: float = 1.0
    level_3_blocks: bool = True

    @property
    def input_channels(self) -> int:
        """The number of channels of the network's input, 3 or 4."""
        return 3 if self.fourth_channel == "none" else 4

    @property
    def sees_depth(self) -> bool:
        """Whether the network takes a depth map."""
        return self.fourth_channel == "depth"

    @property
    def sees_focus(self) -> bool:
        """Whether the network takes a focus map."""
        return self.fourth_channel == "focus"

    @property
    def has_gate(self) -> bool:
        """Whether level 2's change to the photograph is multiplied with a gate."""
        return self.head == "gated"


NETWORKS: dict[str, PyNETConfig] = {
    # Ignatov, Patel, Timofte: Rendering Natural Camera Bokeh Effect with Deep Learning, 2020.
    "reference": PyNETConfig(),
    # The student report's Keras re-implementation (MadanYN/EE769-Project): RGB, ReLU, one more 5×5
    # block at level 5.
    "report": PyNETConfig(fourth_channel="none", activation="relu", level_5_blocks=5),
    # For phones: only operators that every accelerator supports and that quantize well.
    "mobile": PyNETConfig(
        fourth_channel="none",
        width=0.25,
        largest_kernel=5,
        normalization="batch",
        normalized_levels=(7, 6, 5, 4, 3),
        activation="relu",
        stem="strided_convolution",
        upsampling_activation=False,
        head="residual",
    ),
}
# The model that ships. Without normalization it is as fast and as good, and each level is trained
# on exactly the features that it will see at inference (docs/experiments.md). It can be told where
# to focus, because no network can know which of two people matters.
NETWORKS["pocket"] = dataclasses.replace(
    NETWORKS["mobile"],
    fourth_channel="focus",
    parallel_kernels=False,
    normalized_levels=(),
    residual_gain=0.1,
    head="gated",
)

FOR_PHONES = ("mobile", "pocket")
"""The presets whose operators are all supported by phone accelerators."""


def with_fourth_channel(stored: dict[str, Any]) -> dict[str, Any]:
    """What a run or a network file stored, with the network's fourth channel by name.

    Older versions stored the number of channels, and a fourth one was always depth.
    """
    network = stored.get("network")
    if not isinstance(network, dict) or "input_channels" not in network:
        return stored
    fields = dict(network)
    fields["fourth_channel"] = "depth" if fields.pop("input_channels") == 4 else "none"
    return stored | {"network": fields}


LEVEL_1_LOSSES: Mapping[str, str] = {
    "reference": "l1_ssim_vgg",
    "report": "l1_ssim",
    "mobile": "l1_ssim",
    "pocket": "l1_ssim",
}
"""The loss of level 1 by preset, a name in `train.loop.losses`. Schedules set the other levels'."""

Precision = Literal["float32", "mixed_bfloat16", "mixed_float16"]
"""The data type of the network's computations; weights and the loss stay in float32."""

PrecisionChoice = Literal["auto", "float32", "mixed_bfloat16", "mixed_float16"]
"""One precision for all levels, or `auto`: the faster one of each level
(`train.loop.faster_precision`)."""

Reduction = Literal["bicubic", "average"]
"""How a photograph is reduced to a coarse level's size; see `pair_transforms.at_level`."""


@dataclass(frozen=True)
class LevelSchedule:
    """The training of one level.

    Attributes:
        level: 7 (coarsest) … 1 (the photograph).
        steps: optimizer steps.
        batch: crops per step.
        learning_rate: the optimizer's, at the first step.
        decay: `constant`, or half a `cosine` that reaches zero at the last step.
        loss: a name in `train.loop.losses`.
    """

    level: int
    steps: int
    batch: int
    learning_rate: float = 5e-5
    decay: Literal["constant", "cosine"] = "constant"
    loss: str = "l1"


@dataclass(frozen=True)
class TrainConfig:
    """A training schedule: crops, augmentation, and the steps of each level.

    Attributes:
        short_side: photographs are scaled so that their shorter side has this many pixels.
        crop: side of the square cut from the scaled photograph, in pixels, a multiple of 64.
        augmentation: `mirror` left to right only, since subjects stand upright; or `rotate`, which
            also rotates by multiples of 90°, as published.
        largest_zoom: photographs are enlarged by a random factor from 1 to this before the crop.
        largest_light_change: largest relative change of exposure and gamma, and half of it for
            each channel's gain; 0 changes nothing.
        reduction: how targets of coarse levels are reduced; `average` suits residual heads.
        sharpness: weight of the sharpness loss of levels 7 to 2 (`train.data.sharpness_target`);
            0 trains without it.
        schedules: one entry per level, 7 first.
        validation_photos: the number of held-out photographs that validate each level.
        validations: validations per level; the last one is at its end.
        checkpoint_seconds: longest time between two checkpoints.
    """

    short_side: int
    crop: int
    augmentation: Literal["mirror", "rotate"]
    reduction: Reduction
    schedules: tuple[LevelSchedule, ...]
    largest_zoom: float = 1.0
    largest_light_change: float = 0.0
    sharpness: float = 0.0
    validation_photos: int = 24
    validations: int = 1
    checkpoint_seconds: float = 60.0

    def asks_sharpness(self, level: int) -> bool:
        """Whether a level also predicts sharpness; all do but level 1, which ships."""
        return self.sharpness > 0 and level >= 2


def _cosine(
    level: int, steps: int, batch: int, learning_rate: float = 1e-3, loss: str = "l1"
) -> LevelSchedule:
    return LevelSchedule(level, steps, batch, learning_rate, "cosine", loss)


# For models/pocket, thousands of pairs with masks: three hours and a half on two cores. An
# absolute loss decides for sharp or blurred where a squared one would settle for half.
_RELEASE = TrainConfig(
    short_side=384,
    crop=384,
    augmentation="mirror",
    reduction="average",
    schedules=(
        _cosine(7, 400, 16, learning_rate=5e-4),
        _cosine(6, 800, 16, learning_rate=7e-4),
        _cosine(5, 64_000, 8),
        _cosine(4, 3_500, 4, learning_rate=7e-4),
        _cosine(3, 2_000, 3, learning_rate=5e-4),
        _cosine(2, 16_500, 3, learning_rate=4e-4),
        _cosine(1, 100, 2, loss="l1_ssim", learning_rate=1e-5),
    ),
    largest_zoom=1.15,
    largest_light_change=0.15,
    sharpness=5.0,
    validations=3,
)


SCHEDULES: Mapping[str, TrainConfig] = {
    # As published, for 1024-pixel photographs on a 16 GB GPU: days.
    "published": TrainConfig(
        short_side=1024,
        crop=1024,
        augmentation="rotate",
        reduction="bicubic",
        schedules=(
            LevelSchedule(7, 5_000, 50),
            LevelSchedule(6, 5_000, 50),
            LevelSchedule(5, 20_000, 40),
            LevelSchedule(4, 20_000, 14),
            LevelSchedule(3, 30_000, 9),
            LevelSchedule(2, 80_000, 9),
            LevelSchedule(1, 100_000, 5),
        ),
        validations=10,
    ),
    # A night on two cores, an hour on a GPU.
    "standard": TrainConfig(
        short_side=384,
        crop=384,
        augmentation="mirror",
        reduction="average",
        schedules=(
            _cosine(7, 1_500, 16, learning_rate=3e-4),
            _cosine(6, 1_500, 16, learning_rate=3e-4),
            _cosine(5, 2_000, 12, learning_rate=5e-4),
            _cosine(4, 3_000, 8),
            _cosine(3, 4_000, 4),
            _cosine(2, 2_000, 4),
            _cosine(1, 3_000, 4, learning_rate=5e-4),
        ),
        validations=4,
    ),
    # For hundreds of pairs, photographs 384 pixels high: an hour and a half on two cores. Most of
    # the time goes to levels 5 and 4, which separate subject and background, and to level 2, which
    # trains everything that ships.
    "hundreds": TrainConfig(
        short_side=384,
        crop=384,
        augmentation="mirror",
        reduction="average",
        schedules=(
            _cosine(7, 400, 8, loss="l1_l2", learning_rate=3e-4),
            _cosine(6, 800, 8, loss="l1_l2", learning_rate=3e-4),
            _cosine(5, 6_000, 6, loss="l1_l2", learning_rate=8e-4),
            _cosine(4, 6_500, 3, loss="l1_l2", learning_rate=5e-4),
            _cosine(3, 2_500, 2, loss="l1_l2", learning_rate=4e-4),
            _cosine(2, 5_000, 2, loss="l1_l2", learning_rate=4e-4),
            _cosine(1, 800, 2, loss="l1_ssim", learning_rate=2e-4),
        ),
        largest_zoom=1.15,
        largest_light_change=0.15,
        sharpness=2.0,
        validations=2,
    ),
    "release": _RELEASE,
    # For a network that is trained already, such as models/pocket: three quarters of an hour on two
    # cores. Level 2 trains everything below it, too.
    "fine_tune": dataclasses.replace(
        _RELEASE,
        schedules=(_cosine(2, 15_000, 3, learning_rate=4e-4), _RELEASE.schedules[-1]),
    ),
    # Two minutes on two fast cores, enough to see every level learn. In a short training, many
    # steps with few crops teach more than few steps with many (docs/experiments.md). Below 300
    # steps, a level skips the measuring and optimizing that pays for long ones.
    "quick": TrainConfig(
        short_side=384,
        crop=256,
        augmentation="mirror",
        reduction="average",
        schedules=(
            _cosine(7, 200, 8, learning_rate=3e-4),
            _cosine(6, 200, 8, learning_rate=3e-4),
            _cosine(5, 200, 6, learning_rate=5e-4),
            _cosine(4, 250, 4),
            _cosine(3, 280, 2),
            _cosine(2, 150, 2),
            _cosine(1, 150, 2, learning_rate=5e-4),
        ),
        validation_photos=12,
    ),
    # Seconds, for tests and to check a folder before a long run.
    "smoke": TrainConfig(
        short_side=64,
        crop=64,
        augmentation="mirror",
        reduction="average",
        schedules=tuple(_cosine(level, 2, 2) for level in LEVELS),
        validation_photos=2,
    ),
}

Named = TypeVar("Named")


def choose(kind: str, name: str, options: Mapping[str, Named]) -> Named:
    """The option called `name`.

    Raises:
        UserError: there is no such option; lists the names.
    """
    if name not in options:
        raise UserError(f"unknown {kind} '{name}': expected one of {', '.join(options)}")
    return options[name]
