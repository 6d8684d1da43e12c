"""The chips that models can be compiled for, by names such as `qualcomm:SM8750`."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from pocket_bokeh.bundle import BundledModel
from pocket_bokeh.errors import UserError
from quantize.compilers.arm import CHIPS as ARM_CHIPS
from quantize.compilers.arm import VELA, compile_for_arm
from quantize.compilers.installation import Installation
from quantize.compilers.litert_plugin import (
    GOOGLE,
    GOOGLE_CHIPS,
    INTEL,
    INTEL_CHIPS,
    MEDIATEK,
    MEDIATEK_CHIPS,
    QUALCOMM,
    QUALCOMM_CHIPS,
    compile_with_plugin,
)
from quantize.compilers.report import Compiled
from quantize.compilers.rockchip import CHIPS as ROCKCHIP_CHIPS
from quantize.compilers.rockchip import RKNN, compile_for_rockchip
from train.network.presets import choose

Compile = Callable[[Path, str, Path, float], Compiled]
"""Compiles a model for a chip into a file, within a time limit in seconds."""


@dataclass(frozen=True)
class Maker:
    """A maker of chips and its compiler.

    Attributes:
        name: first part of a target's name.
        title: for users.
        chips: second part of a target's name, with a description.
        installation: the compiler's environment.
        compile: runs the compiler.
        brings: what is installed, and whether it could be tried.
        suffix: of compiled files.
        integers_only: whether it takes integer models only.
    """

    name: str
    title: str
    chips: Mapping[str, str]
    installation: Installation
    compile: Compile
    brings: str
    suffix: str = ".tflite"
    integers_only: bool = False


@dataclass(frozen=True)
class Target:
    """A chip of a maker."""

    maker: Maker
    chip: str

    @property
    def name(self) -> str:
        return f"{self.maker.name}:{self.chip}"

    def takes(self, model: BundledModel) -> bool:
        """Whether the chip can run models with these numbers."""
        return not self.maker.integers_only or model.output.type != "float32"


MAKERS: Mapping[str, Maker] = {
    maker.name: maker
    for maker in (
        Maker(
            "arm",
            "Arm Ethos-U",
            ARM_CHIPS,
            VELA,
            compile_for_arm,
            "ethos-u-vela 5.2.0 (Apache-2.0), 7 MB",
            integers_only=True,
        ),
        Maker(
            "qualcomm",
            "Qualcomm Hexagon",
            QUALCOMM_CHIPS,
            QUALCOMM.installation,
            partial(compile_with_plugin, QUALCOMM),
            "onnxruntime-qnn 2.7.0 (Qualcomm's licence) and ai-edge-litert 2.3.0, 500 MB; x86-64 "
            "Linux with glibc 2.35",
        ),
        Maker(
            "rockchip",
            "Rockchip NPU",
            ROCKCHIP_CHIPS,
            RKNN,
            compile_for_rockchip,
            "rknn-toolkit2 2.5.0 (Rockchip's terms) with PyTorch and TensorFlow, 6 GB; Linux",
            suffix=".rknn",
        ),
        Maker(
            "intel",
            "Intel NPU",
            INTEL_CHIPS,
            INTEL.installation,
            partial(compile_with_plugin, INTEL),
            "openvino 2026.3.1 and ai-edge-litert 2.3.0, 400 MB; the compiler itself is downloaded "
            "from Intel at installation, which was not tried",
        ),
        Maker(
            "mediatek",
            "MediaTek APU",
            MEDIATEK_CHIPS,
            MEDIATEK.installation,
            partial(compile_with_plugin, MEDIATEK),
            "ai-edge-litert 2.3.0; the compiler is downloaded from MediaTek at installation, which "
            "was not tried",
        ),
        Maker(
            "google",
            "Google Tensor",
            GOOGLE_CHIPS,
            GOOGLE.installation,
            partial(compile_with_plugin, GOOGLE),
            "ai-edge-litert 2.3.0; the compiler is downloaded from Google at installation, which "
            "was not tried",
        ),
    )
}

NOT_TO_BE_HAD = "samsung: no package with its compiler is published (ai-edge-litert-sdk-samsung)"

DEFAULT_TARGETS = ("arm:ethos-u55", "arm:ethos-u65", "arm:ethos-u85")
"""Small, quick and open source."""


def choose_targets(names: Sequence[str]) -> list[Target]:
    """The targets with these names; `MAKER:all` are all chips of a maker.

    Raises:
        UserError: there is no such maker or chip.
    """
    targets: dict[str, Target] = {}
    for name in names:
        maker_name, colon, chip = name.partition(":")
        if not colon:
            raise UserError(
                f"unknown target '{name}': expected MAKER:CHIP, such as arm:ethos-u85; "
                "--for list shows all"
            )
        maker = choose("maker", maker_name, MAKERS)
        if chip != "all":
            choose(f"chip of {maker.title}", chip, maker.chips)
        for each in maker.chips if chip == "all" else (chip,):
            targets[f"{maker_name}:{each}"] = Target(maker, each)
    return list(targets.values())


def targets_table() -> str:
    """All targets, what brings each compiler, and whether it is installed."""
    lines = []
    for maker in MAKERS.values():
        state = "installed" if maker.installation.is_installed else "not installed yet"
        lines.append(f"{maker.title}, {state}: {maker.brings}")
        lines += [f"  {maker.name}:{chip:18} {title}" for chip, title in maker.chips.items()]
    lines.append(NOT_TO_BE_HAD)
    return "\n".join(lines)
