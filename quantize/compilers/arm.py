"""Arm's Ethos-U processors, through Arm's compiler Vela.

Vela estimates time and memory traffic for a system around the processor; see its `vela.ini`.
"""

import csv
import re
import shutil
import tempfile
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from quantize.compilers.installation import Installation
from quantize.compilers.process import CompilerError, run_compiler
from quantize.compilers.report import Compiled, compare_operators

VELA = Installation("arm")

CHIPS: Mapping[str, str] = {
    "ethos-u55": "Ethos-U55 with 256 multipliers, 500 MHz, as in microcontrollers",
    "ethos-u65": "Ethos-U65 with 256 multipliers, 1 GHz",
    "ethos-u85": "Ethos-U85 with 256 multipliers, 1 GHz",
    "ethos-u85-1024": "Ethos-U85 with 1024 multipliers, 1 GHz",
}

_SYSTEMS = {
    "ethos-u55": ("Ethos_U55_High_End_Embedded", "Shared_Sram"),
    "ethos-u65": ("Ethos_U65_Client_Server", "Dedicated_Sram_384KB"),
    "ethos-u85": ("Ethos_U85_SYS_DRAM_Mid", "Dedicated_Sram_384KB"),
}
"""By family, the system and the memory mode that Vela's estimates assume; Vela's defaults."""

_VERSION = "Vela 5.2.0"


def compile_for_arm(model: Path, chip: str, output: Path, time_limit: float) -> Compiled:
    """Compiles a model with Vela.

    Returns:
        The result. Its `figures` are `milliseconds` per picture, `multiply_adds`, the memory that
        the model occupies (`SRAM_bytes`, `DRAM_bytes`, `flash_bytes`) and the bytes that go to and
        from memory outside the chip (`traffic_bytes`).

    Raises:
        CompilerError: Vela refuses the model, crashes or hangs.
    """
    family = "-".join(chip.split("-")[:2])
    configuration = chip if chip.count("-") > 1 else f"{chip}-256"
    system, memory = _SYSTEMS[family]
    with tempfile.TemporaryDirectory() as scratch:
        command = (
            *(VELA.folder / "bin" / "vela", model.resolve(), "--output-dir", scratch),
            *("--accelerator-config", configuration, "--config", "Arm/vela.ini"),
            *("--system-config", system, "--memory-mode", memory),
            *("--verbose-performance",),
        )
        try:
            ended = run_compiler(command, time_limit)
        except CompilerError as error:
            raise CompilerError(failure(error.lines) or str(error)) from error
        made = Path(scratch) / f"{model.stem}_vela.tflite"
        if not made.is_file():
            raise CompilerError("Vela wrote no model")
        (summary,) = Path(scratch).glob("*_summary_*.csv")
        layers = Path(scratch) / f"{model.stem}_per-layer.csv"
        shutil.move(made, output)
        with summary.open() as rows, layers.open() as layer_rows:
            figures = parse_summary(next(csv.DictReader(rows)))
            costliest = parse_layers(csv.DictReader(layer_rows))
    return Compiled(
        model=model.name,
        target=f"arm:{chip}",
        reason=refusals(ended.lines),
        compiler=_VERSION,
        figures=figures,
        costliest=costliest,
        seconds=ended.seconds,
        **compare_operators(model, output),
    )


def parse_summary(row: Mapping[str, str]) -> dict[str, float]:
    """The figures of Vela's summary, a CSV row; sizes are in KiB there, times in seconds."""
    memory = {
        "SRAM_bytes": float(row["sram_memory_used"]),
        "DRAM_bytes": float(row["dram_memory_used"]),
        "flash_bytes": float(row["off_chip_flash_memory_used"]),
    }
    traffic = float(row["dram_total_bytes"]) + float(row["off_chip_flash_total_bytes"])
    return {
        "milliseconds": round(1e3 * float(row["inference_time"]), 3),
        "multiply_adds": float(row["nn_macs"]),
        **{name: 1024 * size for name, size in memory.items() if size},
        "traffic_bytes": traffic,
    }


def parse_layers(rows: Iterable[Mapping[str, str]], most: int = 8) -> dict[str, float]:
    """The slowest operators of Vela's table of layers, in percent of all cycles.

    Parts of one operator are added up; they have the same name.
    """
    shares: Counter[str] = Counter()
    for row in rows:
        name = f"{row['Original Operator']} {row['Name'].partition(';')[0]}".strip()
        shares[name] += float(row["Network% (cycles)"])  # type: ignore[assignment]
    return {name: round(share, 2) for name, share in shares.most_common(most)}


def refusals(lines: Sequence[str]) -> str:
    """Vela's reasons for operators that it leaves to the CPU, with counts."""
    reasons = (
        re.sub(r" \(.*\)$", "", line.partition("Reason: ")[2])
        for line in lines
        if line.startswith("Reason: ")
    )
    counts = Counter(reasons)
    return "; ".join(f"{count} × {reason}" for reason, count in counts.most_common(3))


def failure(lines: Sequence[str]) -> str:
    """Vela's reason for refusing a whole model, in one line; empty if it gave none.

    Names of tensors are cut, because they repeat the layer's name three times.
    """
    start = next((i for i, line in enumerate(lines) if "Compilation failed" in line), None)
    if start is None:
        return ""
    told = [line.strip(" -") for line in lines[start : start + 3] if line.strip()]
    told[0] = re.sub(r"'([^';]*);.*", r"'\1'", told[0].rpartition("failed: Error: ")[2])
    return ": ".join(told)
