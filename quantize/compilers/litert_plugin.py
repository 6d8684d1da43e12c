"""Chips that LiteRT's compiler plug-ins support: Qualcomm, Intel, MediaTek and Google.

LiteRT's `apply_plugin_main` asks a maker's plug-in which operators the chip takes, has the maker's
libraries compile them, and writes a .tflite file with one DISPATCH_OP per compiled part.
"""

import os
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pocket_bokeh.disk import write_atomically
from pocket_bokeh.tflite_file import read_input_and_output
from quantize.compilers.empty_library import empty_library
from quantize.compilers.installation import Installation
from quantize.compilers.process import CompilerError, complaint, run_compiler
from quantize.compilers.report import Compiled, compare_operators


class MissingCompilerError(CompilerError):
    """The maker's libraries are not there."""


@dataclass(frozen=True)
class Plugin:
    """A maker's plug-in.

    Attributes:
        installation: the environment with LiteRT and the maker's libraries.
        manufacturer: the maker's name in LiteRT.
        folder: of the plug-in, in LiteRT's `vendors`.
        libraries: folders of the maker's libraries, as patterns in site-packages.
        missing: what to say if there are none.
    """

    installation: Installation
    manufacturer: str
    folder: str
    libraries: tuple[str, ...]
    missing: str = ""

    @property
    def compiler(self) -> Path:
        return self.installation.packages / "ai_edge_litert" / "tools" / "apply_plugin_main"

    def variables(self) -> dict[str, str]:
        """Environment variables with the search path of the libraries.

        Raises:
            MissingCompilerError: a folder is missing.
        """
        packages = self.installation.packages
        folders = [packages / "ai_edge_litert"]
        for pattern in self.libraries:
            found = sorted(folder for folder in packages.glob(pattern) if folder.is_dir())
            if not found:
                raise MissingCompilerError(self.missing)
            folders += found
        folders.append(self._empty_libraries())
        return {"LD_LIBRARY_PATH": os.pathsep.join(map(str, folders))}

    def options(self, model: Path) -> tuple[str, ...]:
        """Further options for a model.

        Qualcomm's compiler optimizes at level O3 by default. In emulation, float models are then
        wrong: blocks of the picture are displaced. At O1 and O2 they agree with the CPU, and O1
        spills less.
        """
        _, output = read_input_and_output(model.read_bytes())
        if self.manufacturer == "Qualcomm" and output.format.type == "float32":
            return ("--qualcomm_optimization_level=O1",)
        return ()

    def _empty_libraries(self) -> Path:
        folder = self.installation.folder / "empty"
        folder.mkdir(exist_ok=True)
        file = folder / "libQnnLpai.so"
        if not file.exists():
            write_atomically(file, empty_library(file.name))
        return folder


QUALCOMM = Plugin(
    Installation(
        "qualcomm",
        "the package onnxruntime-qnn contains Qualcomm's AI Engine libraries. Qualcomm's own "
        "licence holds for them, not an open one: Qualcomm_LICENSE.pdf in the package. Installing "
        "them means accepting it.",
    ),
    "Qualcomm",
    "qualcomm",
    ("onnxruntime_qnn",),
)
INTEL = Plugin(
    Installation("intel"),
    "IntelOpenVINO",
    "intel_openvino",
    ("openvino/libs", "ai_edge_litert_sdk_intel/data"),
    "the package ai-edge-litert-sdk-intel downloads Intel's NPU compiler when it is installed, "
    "and could not",
)
MEDIATEK = Plugin(
    Installation("mediatek", "MediaTek's own licence holds for its NeuroPilot SDK."),
    "MediaTek",
    "mediatek",
    ("ai_edge_litert_sdk_mediatek/data/v8*/host/lib",),
    "the package ai-edge-litert-sdk-mediatek downloads MediaTek's SDK when it is installed, "
    "and could not",
)
GOOGLE = Plugin(
    Installation("google", "Google's own licence holds for its Tensor SDK."),
    "Google",
    "google_tensor",
    ("ai_edge_litert_sdk_google_tensor/data",),
    "the package ai-edge-litert-sdk-google-tensor downloads Google's SDK when it is installed, "
    "and could not",
)

QUALCOMM_CHIPS: Mapping[str, str] = {
    "SM8350": "Snapdragon 888 (2021)",
    "SM8450": "Snapdragon 8 Gen 1 (2022)",
    "SM8475": "Snapdragon 8+ Gen 1 (2022)",
    "SM8550": "Snapdragon 8 Gen 2 (2023)",
    "SM8650": "Snapdragon 8 Gen 3 (2024)",
    "SM8750": "Snapdragon 8 Elite (2025)",
    "SM8845": "Snapdragon 8 Gen 5 (2026)",
    "SM8850": "Snapdragon 8 Elite Gen 5 (2026)",
    "SM7550": "Snapdragon 7 Gen 3 (2024)",
    "SM7675": "Snapdragon 7+ Gen 3 (2024)",
    "QCS9075": "Dragonwing IQ-9075 (computers on a module)",
}
INTEL_CHIPS: Mapping[str, str] = {"LNL": "Lunar Lake (2024)", "PTL": "Panther Lake (2026)"}
MEDIATEK_CHIPS: Mapping[str, str] = {
    "MT6985": "Dimensity 9200",
    "MT6989": "Dimensity 9300",
    "MT6991": "Dimensity 9400",
}
GOOGLE_CHIPS: Mapping[str, str] = {
    "Tensor_G3": "Pixel 8",
    "Tensor_G4": "Pixel 9",
    "Tensor_G5": "Pixel 10",
}


def compile_with_plugin(
    plugin: Plugin, model: Path, chip: str, output: Path, time_limit: float
) -> Compiled:
    """Compiles a model with a LiteRT plug-in.

    Returns:
        The result. Qualcomm's `figures` are bytes of memory outside the processor: `spilled_bytes`
        is data that does not fit into the processor's memory and comes back later, `written_bytes`
        and `read_bytes` are all traffic including that and, for reading, the weights.

    Raises:
        MissingCompilerError: the maker's libraries are not there.
        CompilerError: the compiler refuses the model, crashes or hangs.
    """
    vendors = plugin.installation.packages / "ai_edge_litert" / "vendors"
    made = output.with_name(f".{output.name}")
    command: tuple[str | Path, ...] = (
        plugin.compiler,
        "--cmd=apply",
        f"--model={model.resolve()}",
        f"--o={made.resolve()}",
        f"--soc_manufacturer={plugin.manufacturer}",
        f"--soc_model={chip}",
        f"--libs={vendors / plugin.folder / 'compiler'}",
        *plugin.options(model),
    )
    try:
        ended = run_compiler(command, time_limit, plugin.variables())
        if not made.is_file() or not made.stat().st_size:
            raise CompilerError(complaint(ended.lines))
        compared = compare_operators(model, made)
        made.replace(output)
    finally:
        made.unlink(missing_ok=True)
    reason = "" if compared["verdict"] == "wholly" else refusals(ended.lines)
    return Compiled(
        model=model.name,
        target=f"{plugin.installation.maker}:{chip}",
        reason=reason,
        compiler=compiler_version(plugin, ended.lines),
        figures=memory_traffic(ended.lines),
        seconds=ended.seconds,
        **compared,
    )


def compiler_version(plugin: Plugin, lines: Sequence[str]) -> str:
    """The maker's SDK with its version, if the compiler tells it."""
    told = re.search(r"SDK version: v?([\w.]+)", "\n".join(lines))
    return f"{plugin.manufacturer} SDK {told[1]}" if told else f"{plugin.manufacturer} SDK"


def memory_traffic(lines: Sequence[str]) -> dict[str, float]:
    """Traffic with memory outside Qualcomm's processor in bytes, summed over all partitions."""
    names = {
        "spill_bytes": "spilled_bytes",
        "write_total_bytes": "written_bytes",
        "read_total_bytes": "read_bytes",
    }
    sums: Counter[str] = Counter()
    for name, value in re.findall(r"\b(\w+_bytes)=(\d+)", "\n".join(lines)):
        if name in names:
            sums[names[name]] += int(value)
    return {name: float(value) for name, value in sums.items()}


def refusals(lines: Sequence[str]) -> str:
    """Qualcomm's reasons for operators that the processor does not take.

    Lines of the log can run into each other, because two libraries write them; so only the part
    of a line before the node's name counts.
    """
    found = (
        re.search(r"<E> (.{5,90}?) for the HTP Op '(\w+)' in the node", line) for line in lines
    )
    reasons = [f"{match[2]}: {match[1].strip()}" for match in found if match]
    ranks = re.findall(r"<E> .*has incorrect Rank (\d+)", "\n".join(lines))
    reasons += [f"a tensor of {rank} dimensions" for rank in ranks]
    return "; ".join(dict.fromkeys(reasons))
