"""Which accelerator takes which model, as published: python -m quantize.delegates BUNDLE

Each operator of a .tflite file is held against what the GPU delegate, NNAPI and the makers of
phone chips publish. What `quantize.verify` measured stands beside it, where it was run.
"""

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import tyro

from pocket_bokeh.bundle import BundledModel, read_bundle
from pocket_bokeh.errors import UserError, run_command
from pocket_bokeh.photo import write_atomically
from quantize.convert.operators import Operator, list_operators
from quantize.proof.accelerator_tables import ACCELERATORS, Accelerator, Judgement, Verdict, judge


@dataclass(frozen=True)
class DelegatesOptions:
    """Shows which accelerators take which operators of a model, and why not the others."""

    source: tyro.conf.Positional[Path]
    """A folder that quantize.export made, or a .tflite file."""
    json: Path | None = None
    """A file for the same figures, as JSON."""


@dataclass(frozen=True)
class Model:
    """One .tflite file.

    Attributes:
        name: recipe and working size, or the file's name.
        operators: in the order in which they run.
        measured: by runtime, what `quantize.verify` found.
    """

    name: str
    operators: tuple[Operator, ...]
    measured: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


@dataclass(frozen=True)
class Finding:
    """Operators of a model that an accelerator does not take, or may not, for one reason.

    Attributes:
        operators: how many, by name and version.
        multiply_adds: of all of them.
    """

    judgement: Judgement
    operators: Mapping[str, int]
    multiply_adds: int


@dataclass(frozen=True)
class Report:
    """A model held against what one accelerator publishes.

    Attributes:
        operators: how many, by verdict.
        multiply_adds: by verdict.
        findings: one per reason, the costliest first.
    """

    model: Model
    accelerator: Accelerator
    operators: Mapping[Verdict, int]
    multiply_adds: Mapping[Verdict, int]
    findings: tuple[Finding, ...]

    def share(self, verdict: Verdict) -> float:
        """Of the multiply-adds, in per cent; of the operators, where nothing is multiplied."""
        counts = self.multiply_adds if any(self.multiply_adds.values()) else self.operators
        return 100 * counts.get(verdict, 0) / sum(counts.values())

    @property
    def measured(self) -> Mapping[str, Mapping[str, Any]]:
        """What the accelerator did with the model when it was run, by runtime."""
        word = self.accelerator.runtime
        return {name: found for name, found in self.model.measured.items() if word in name}


def main() -> None:
    options = tyro.cli(DelegatesOptions)
    reports = [
        hold_against(model, accelerator)
        for model in read_models(options.source)
        for accelerator in ACCELERATORS
    ]
    if options.json is not None:
        write_atomically(options.json, to_json(reports))
    print(f"{table(reports)}\n\n{reasons(reports)}")


def read_models(source: Path) -> list[Model]:
    """The models of a bundle, or the one in a file.

    Raises:
        UserError: there is no such bundle or file, or it is no .tflite file.
    """
    if source.is_dir():
        bundle = read_bundle(source)
        return [_bundled_model(bundle.folder, model) for model in bundle.models]
    return [Model(source.name, _read_operators(source))]


def hold_against(model: Model, accelerator: Accelerator) -> Report:
    """Judges every operator of a model by what an accelerator publishes."""
    operators: Counter[Verdict] = Counter()
    multiply_adds: Counter[Verdict] = Counter()
    concerned: dict[Judgement, list[Operator]] = {}
    for operator in model.operators:
        judgement = judge(operator, accelerator)
        operators[judgement.verdict] += 1
        multiply_adds[judgement.verdict] += operator.multiply_adds
        if judgement.verdict != "accepted":
            concerned.setdefault(judgement, []).append(operator)
    findings = (_finding(judgement, found) for judgement, found in concerned.items())
    costliest_first = sorted(findings, key=lambda finding: -finding.multiply_adds)
    return Report(model, accelerator, operators, multiply_adds, tuple(costliest_first))


def table(reports: list[Report]) -> str:
    """One line per model and accelerator."""
    wide = max(len(report.model.name) for report in reports)
    lines = [
        f"{'model':{wide}} {'accelerator':14} {'operators':>11} {'multiply-adds':>14} "
        f"{'unknown':>9}  measured"
    ]
    for report in reports:
        total = len(report.model.operators)
        accepted = f"{report.operators.get('accepted', 0)} / {total}"
        measured = ", ".join(_verdict(found) for found in report.measured.values())
        lines.append(
            f"{report.model.name:{wide}} {report.accelerator.name:14} {accepted:>11} "
            f"{report.share('accepted'):12.1f} % {report.share('unknown'):7.1f} %  "
            f"{measured or '–'}"
        )
    lines.append(
        "operators and multiply-adds: accepted as published; unknown: what no document settles; "
        "measured: by quantize.verify"
    )
    return "\n".join(lines)


def reasons(reports: list[Report]) -> str:
    """Per accelerator what it does not take, why, and where that is written."""
    sections = []
    for accelerator in dict.fromkeys(report.accelerator.name for report in reports):
        chosen = [report for report in reports if report.accelerator.name == accelerator]
        alike: dict[str, list[str]] = {}
        for report in chosen:
            said = "\n".join([*_finding_lines(report), *_measured_lines(report)])
            alike.setdefault(said, []).append(report.model.name)
        lines = [f"{accelerator}: {chosen[0].accelerator.note}"]
        for said, models in alike.items():
            lines.append(f"  {', '.join(models)}" + ("" if said else ": all accepted"))
            lines += [said] if said else []
        sections.append("\n".join(lines))
    return "\n\n".join(sections)


def to_json(reports: list[Report]) -> str:
    """The same for programs; `verdict` is `refused` or `unknown`."""
    entries: list[dict[str, Any]] = [
        {
            "model": report.model.name,
            "accelerator": report.accelerator.name,
            "published": {
                "operators": dict(report.operators),
                "multiply_adds": dict(report.multiply_adds),
                "findings": [_finding_entry(finding) for finding in report.findings],
                "note": report.accelerator.note,
            },
            "measured": {name: dict(found) for name, found in report.measured.items()},
        }
        for report in reports
    ]
    return json.dumps(entries, indent=2, ensure_ascii=False) + "\n"


def _bundled_model(folder: Path, model: BundledModel) -> Model:
    height, width = model.working_size
    name = f"{model.recipe} {height}x{width}"
    return Model(name, _read_operators(folder / model.file), model.verify)


def _read_operators(file: Path) -> tuple[Operator, ...]:
    if not file.is_file():
        raise UserError(f"{file}: no such file; expected a bundle's folder or a .tflite file")
    try:
        operators = list_operators(file.read_bytes())
    except ValueError as error:
        raise UserError(f"{file}: {error}; expected a bundle's folder or a .tflite file") from error
    if not operators:
        raise UserError(f"{file}: a model without operators; there is nothing to judge")
    return operators


def _finding(judgement: Judgement, operators: list[Operator]) -> Finding:
    names = Counter(f"{operator.name} v{operator.version}" for operator in operators)
    return Finding(judgement, names, sum(operator.multiply_adds for operator in operators))


def _finding_lines(report: Report) -> list[str]:
    lines = []
    for finding in report.findings:
        names = ", ".join(f"{count} × {name}" for name, count in finding.operators.items())
        lines.append(f"    {finding.judgement.verdict}: {names}: {finding.judgement.reason}")
        if finding.judgement.source is not None:
            source = finding.judgement.source
            lines.append(f"      {source.document}, {source.address}")
    return lines


def _measured_lines(report: Report) -> list[str]:
    return [
        f"    measured: {runtime}: {_verdict(found)}"
        + (f", {found['reason']}" if found.get("reason") else "")
        for runtime, found in report.measured.items()
    ]


def _verdict(found: Mapping[str, Any]) -> str:
    return str(found.get("verdict", "missing"))


def _finding_entry(finding: Finding) -> dict[str, Any]:
    source = finding.judgement.source
    return {
        "verdict": finding.judgement.verdict,
        "reason": finding.judgement.reason,
        "operators": dict(finding.operators),
        "multiply_adds": finding.multiply_adds,
        "document": source.document if source else None,
        "address": source.address if source else None,
    }


if __name__ == "__main__":
    run_command(main)
