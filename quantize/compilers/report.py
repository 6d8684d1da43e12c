"""What a compiler said about a model, as a record and as a table."""

import dataclasses
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from quantize.convert.operators import list_operators

CompilerVerdict = Literal["wholly", "partly", "no", "missing"]


@dataclass(frozen=True)
class Compiled:
    """The result of one compiler for one model and one chip.

    Attributes:
        model: name of the .tflite file.
        target: such as `qualcomm:SM8750`.
        verdict: whether the chip takes the whole model, a part of it or nothing; `missing` if the
            compiler could not be had.
        reason: why not wholly, in the compiler's own words.
        compiler: its name and version.
        operators: number of TFLite operators of the model.
        taken: how many of them the chip runs.
        refused: number of operators that are left to the CPU, by name.
        partitions: connected parts that the chip runs; the CPU runs what is between them.
        bytes: size of the compiled file; 0 if there is none.
        figures: the compiler's own estimates, see the functions that compile.
        costliest: names of the slowest operators with their share of the time in percent.
        seconds: wall time of the compiler.
    """

    model: str
    target: str
    verdict: CompilerVerdict
    reason: str = ""
    compiler: str = ""
    operators: int = 0
    taken: int = 0
    refused: Mapping[str, int] = field(default_factory=dict)
    partitions: int = 0
    bytes: int = 0
    figures: Mapping[str, float] = field(default_factory=dict)
    costliest: Mapping[str, float] = field(default_factory=dict)
    seconds: float = 0.0

    def for_bundle(self) -> dict[str, Any]:
        """The entry in bundle.json: everything that does not differ between two runs."""
        entry = dataclasses.asdict(self)
        for name in ("model", "target", "costliest", "seconds"):
            del entry[name]
        return entry


def compare_operators(model: Path, compiled: Path) -> dict[str, Any]:
    """Fields of `Compiled` from a .tflite file and the .tflite file that was made of it.

    The compiled file has one custom operator per partition, and the operators for the CPU.
    """
    before = list_operators(model.read_bytes())
    after = list_operators(compiled.read_bytes())
    left = Counter(operator.name for operator in after if operator.name != "CUSTOM")
    partitions = sum(operator.name == "CUSTOM" for operator in after)
    taken = max(0, len(before) - left.total()) if partitions else 0
    verdict: CompilerVerdict = "wholly" if not left else "partly" if partitions else "no"
    return {
        "verdict": verdict,
        "operators": len(before),
        "taken": taken,
        "refused": dict(left.most_common()),
        "partitions": partitions,
        "bytes": compiled.stat().st_size,
    }


def read_report(file: Path) -> list[dict[str, Any]]:
    """The entries of an earlier report; none if there is no file or it is damaged."""
    try:
        return [dict(entry) for entry in json.loads(file.read_bytes())]
    except (OSError, ValueError, TypeError):
        return []


def to_json(results: Sequence[Compiled], earlier: Sequence[Mapping[str, Any]] = ()) -> str:
    """Results as JSON, after earlier entries for other models and targets."""
    entries = {(entry.get("model"), entry.get("target")): dict(entry) for entry in earlier}
    for result in results:
        entries[result.model, result.target] = dataclasses.asdict(result)
    return json.dumps(list(entries.values()), indent=2, ensure_ascii=False) + "\n"


def results_table(results: Sequence[Compiled]) -> str:
    """A table with a line per model and target."""
    wide = max(len(Path(result.model).stem) for result in results)
    far = max(len(result.target) for result in results)
    lines = [
        f"{'model':{wide}} {'target':{far}} {'runs':8} {'operators':>11} {'parts':>5} {'MB':>6} "
        f"{'s':>6}  what the compiler says"
    ]
    for result in results:
        operators = f"{result.taken} / {result.operators}" if result.operators else "–"
        size = f"{result.bytes / 1e6:.2f}" if result.bytes else "–"
        lines.append(
            f"{Path(result.model).stem:{wide}} {result.target:{far}} {result.verdict:8} "
            f"{operators:>11} {result.partitions or '–':>5} {size:>6} {result.seconds:6.1f}  "
            f"{_remarks(result)}".rstrip()
        )
    return "\n".join(lines)


def figures_text(figures: Mapping[str, float]) -> str:
    """The compiler's estimates in words, such as `31.1 ms, 0.38 MB SRAM`."""
    texts = []
    for name, value in figures.items():
        words = name.replace("_", " ")
        if name.endswith("_bytes"):
            texts.append(f"{value / 1e6:.2f} MB {words.removesuffix(' bytes')}")
        elif name == "multiply_adds":
            texts.append(f"{value / 1e9:.2f} G multiply-adds")
        elif name == "milliseconds":
            texts.append(f"{value:.1f} ms")
        else:
            texts.append(f"{value:,.0f} {words}")
    return ", ".join(texts)


def _remarks(result: Compiled) -> str:
    refused = ", ".join(f"{count} × {name}" for name, count in result.refused.items())
    left = f"left to the CPU: {refused}" if refused else ""
    parts = (figures_text(result.figures), left, result.reason[:200])
    return "; ".join(part for part in parts if part)
