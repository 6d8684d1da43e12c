"""Checks which accelerators support a model: python -m quantize.delegates BUNDLE

There are three kinds of answers. Compiled here: what the makers' compilers said in
`quantize.compile`. Run here: results of `quantize.verify`. Published: each operator of a .tflite
file is compared with what the GPU delegate, NNAPI and the makers of phone chips document. A
compiler's answer counts more than a document.
"""

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import tyro

from pocket_bokeh.bundle import BundledModel, read_bundle
from pocket_bokeh.disk import write_atomically
from pocket_bokeh.errors import UserError, run_command
from quantize.convert.operators import Operator, list_operators
from quantize.proof.accelerator_tables import (
    ACCELERATORS,
    Accelerator,
    Support,
    Verdict,
    operator_support,
)


@dataclass(frozen=True)
class DelegatesOptions:
    """Shows which operators of a model each accelerator supports, and why not the others."""

    source: tyro.conf.Positional[Path]
    """Folder created by quantize.export, or a .tflite file."""
    json: Path | None = None
    """JSON file for the results."""


@dataclass(frozen=True)
class ModelFile:
    """One .tflite file.

    Attributes:
        name: recipe and working size, or the file's name.
        operators: in the order of execution.
        measured: findings of `quantize.verify` by runtime.
        compiled: answers of the makers' compilers in `quantize.compile` by target.
    """

    name: str
    operators: tuple[Operator, ...]
    measured: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    compiled: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


@dataclass(frozen=True)
class Finding:
    """Operators of a model that an accelerator refuses, or may refuse, for the same reason.

    Attributes:
        support: the verdict and its reason.
        operators: number of operators by name and version.
        multiply_adds: sum over these operators.
    """

    support: Support
    operators: Mapping[str, int]
    multiply_adds: int


@dataclass(frozen=True)
class Report:
    """Support of one accelerator for one model.

    Attributes:
        model: the model.
        accelerator: the accelerator.
        operators: number of operators by verdict.
        multiply_adds: sum of multiply-adds by verdict.
        findings: one per reason, the most multiply-adds first.
    """

    model: ModelFile
    accelerator: Accelerator
    operators: Mapping[Verdict, int]
    multiply_adds: Mapping[Verdict, int]
    findings: tuple[Finding, ...]

    def share(self, verdict: Verdict) -> float:
        """Percentage of the multiply-adds with a verdict; of the operators if there are none."""
        counts = self.multiply_adds if any(self.multiply_adds.values()) else self.operators
        return 100 * counts.get(verdict, 0) / sum(counts.values())

    @property
    def measured(self) -> Mapping[str, Mapping[str, Any]]:
        """Findings of `quantize.verify` on runtimes with this accelerator, by runtime."""
        word = self.accelerator.runtime
        return {name: found for name, found in self.model.measured.items() if word in name}

    @property
    def compiled(self) -> Mapping[str, Mapping[str, Any]]:
        """Answers of the maker's compiler by target."""
        maker = self.accelerator.maker
        return {
            target: said
            for target, said in self.model.compiled.items()
            if maker and target.startswith(f"{maker}:")
        }


def main() -> None:
    options = tyro.cli(DelegatesOptions)
    models = read_models(options.source)
    reports = [check_model(model, accelerator) for model in models for accelerator in ACCELERATORS]
    if options.json is not None:
        write_atomically(options.json, to_json(reports))
    print(f"{compiled_table(models)}\n\n{support_table(reports)}\n\n{reasons(reports)}")


def read_models(source: Path) -> list[ModelFile]:
    """Reads the models of a bundle, or a single file.

    Raises:
        UserError: the bundle or file does not exist or is not a .tflite file.
    """
    if source.is_dir():
        bundle = read_bundle(source)
        return [_bundled_model(bundle.folder, model) for model in bundle.models]
    return [ModelFile(source.name, _read_operators(source))]


def check_model(model: ModelFile, accelerator: Accelerator) -> Report:
    """Checks every operator of a model against the documentation of an accelerator."""
    operators: Counter[Verdict] = Counter()
    multiply_adds: Counter[Verdict] = Counter()
    by_reason: dict[Support, list[Operator]] = {}
    for operator in model.operators:
        support = operator_support(operator, accelerator)
        operators[support.verdict] += 1
        multiply_adds[support.verdict] += operator.multiply_adds
        if support.verdict != "accepted":
            by_reason.setdefault(support, []).append(operator)
    findings = (_finding(support, found) for support, found in by_reason.items())
    costliest_first = sorted(findings, key=lambda finding: -finding.multiply_adds)
    return Report(model, accelerator, operators, multiply_adds, tuple(costliest_first))


def compiled_table(models: list[ModelFile]) -> str:
    """What the makers' compilers said: a line per model and chip."""
    if not any(model.compiled for model in models):
        return "compiled here: nothing yet; python -m quantize.compile BUNDLE"
    wide = max(len(model.name) for model in models)
    lines = [f"{'compiled here':{wide}} {'chip':18} {'runs':8} {'operators':>11}"]
    for model in models:
        for target, said in model.compiled.items():
            operators = f"{said['taken']} / {said['operators']}" if said["operators"] else "–"
            lines.append(
                f"{model.name:{wide}} {target:18} {said['verdict']:8} {operators:>11}  "
                f"{said['reason'][:160]}".rstrip()
            )
    return "\n".join(lines)


def support_table(reports: list[Report]) -> str:
    """A table with a line per model and accelerator."""
    wide = max(len(report.model.name) for report in reports)
    lines = [
        f"{'model':{wide}} {'accelerator':14} {'operators':>11} {'multiply-adds':>14} "
        f"{'unknown':>9}  {'run here':10} compiled here"
    ]
    for report in reports:
        total = len(report.model.operators)
        accepted = f"{report.operators.get('accepted', 0)} / {total}"
        measured = ", ".join(_verdict(found) for found in report.measured.values())
        lines.append(
            f"{report.model.name:{wide}} {report.accelerator.name:14} {accepted:>11} "
            f"{report.share('accepted'):12.1f} % {report.share('unknown'):7.1f} %  "
            f"{measured or '–':10} {chips_text(report.compiled)}"
        )
    lines.append(
        "operators, multiply-adds: supported according to the documentation; unknown: the "
        "documentation does not say; run here: by quantize.verify; compiled here: by "
        "quantize.compile"
    )
    return "\n".join(lines)


def chips_text(compiled: Mapping[str, Mapping[str, Any]]) -> str:
    """Verdicts of a maker's compiler with the number of chips, such as `wholly on 11 chips`."""
    counts = Counter(str(said["verdict"]) for said in compiled.values())
    texts = (
        f"{verdict} on {count} chip{'s' if count > 1 else ''}" for verdict, count in counts.items()
    )
    return ", ".join(texts) or "–"


def reasons(reports: list[Report]) -> str:
    """For each accelerator: which operators it does not support, why, and the source."""
    sections = []
    for accelerator in dict.fromkeys(report.accelerator.name for report in reports):
        chosen = [report for report in reports if report.accelerator.name == accelerator]
        models_by_text: dict[str, list[str]] = {}
        for report in chosen:
            text = "\n".join([*_finding_lines(report), *_measured_lines(report)])
            models_by_text.setdefault(text, []).append(report.model.name)
        lines = [f"{accelerator}: {chosen[0].accelerator.note}"]
        for text, models in models_by_text.items():
            lines.append(f"  {', '.join(models)}" + ("" if text else ": all accepted"))
            lines += [text] if text else []
        sections.append("\n".join(lines))
    return "\n\n".join(sections)


def to_json(reports: list[Report]) -> str:
    """The reports as JSON; a finding's `verdict` is `refused` or `unknown`."""
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
            "compiled": {name: dict(said) for name, said in report.compiled.items()},
        }
        for report in reports
    ]
    return json.dumps(entries, indent=2, ensure_ascii=False) + "\n"


def _bundled_model(folder: Path, model: BundledModel) -> ModelFile:
    height, width = model.working_size
    name = f"{model.recipe} {height}x{width}"
    return ModelFile(name, _read_operators(folder / model.file), model.verify, model.compiled)


def _read_operators(file: Path) -> tuple[Operator, ...]:
    if not file.is_file():
        raise UserError(f"{file}: no such file; expected a bundle's folder or a .tflite file")
    try:
        operators = list_operators(file.read_bytes())
    except ValueError as error:
        raise UserError(f"{file}: {error}; expected a bundle's folder or a .tflite file") from error
    if not operators:
        raise UserError(f"{file}: a model without operators; there is nothing to check")
    return operators


def _finding(support: Support, operators: list[Operator]) -> Finding:
    names = Counter(f"{operator.name} v{operator.version}" for operator in operators)
    return Finding(support, names, sum(operator.multiply_adds for operator in operators))


def _finding_lines(report: Report) -> list[str]:
    lines = []
    for finding in report.findings:
        names = ", ".join(f"{count} × {name}" for name, count in finding.operators.items())
        lines.append(f"    {finding.support.verdict}: {names}: {finding.support.reason}")
        if finding.support.document is not None:
            document = finding.support.document
            lines.append(f"      {document.title}, {document.address}")
    return lines


def _measured_lines(report: Report) -> list[str]:
    return [
        f"    run here: {runtime}: {_verdict(found)}"
        + (f", {found['reason']}" if found.get("reason") else "")
        for runtime, found in report.measured.items()
    ]


def _verdict(found: Mapping[str, Any]) -> str:
    return str(found.get("verdict", "missing"))


def _finding_entry(finding: Finding) -> dict[str, Any]:
    document = finding.support.document
    return {
        "verdict": finding.support.verdict,
        "reason": finding.support.reason,
        "operators": dict(finding.operators),
        "multiply_adds": finding.multiply_adds,
        "document": document.title if document else None,
        "address": document.address if document else None,
    }


if __name__ == "__main__":
    run_command(main)
