"""What `quantize.delegates` and `quantize.verify` found, as a matrix with reasons, in HTML."""

from collections.abc import Iterator, Mapping, Sequence
from html import escape
from typing import Any

from pocket_bokeh.bundle import Bundle
from quantize.delegates import Report, check_model, read_models
from quantize.proof.accelerator_tables import ACCELERATORS

_WHOLE = 99.95
"""Per cent that are printed as 100.0."""


def build_matrix(bundle: Bundle) -> str:
    """A row per model of one working size, a column per accelerator, and the reasons below.

    Working sizes differ in nothing that an accelerator minds; the first stands for all.
    """
    first = bundle.models[0].working_size
    chosen = [model for model in bundle.models if model.working_size == first]
    names = {f"{model.recipe} {first[0]}x{first[1]}": model.recipe for model in chosen}
    models = [model for model in read_models(bundle.folder) if model.name in names]
    published = {
        names[model.name]: [check_model(model, accelerator) for accelerator in ACCELERATORS]
        for model in models
    }
    measured = {model.recipe: model.verify for model in chosen}
    return (
        "<h3>As published</h3><p>The share of a model's multiply-adds that an accelerator's own "
        "documents say it takes. Open a cell for what it does not take, and why. No phone was "
        "asked.</p>"
        + _table("model", [each.name for each in ACCELERATORS], _published_rows(published))
        + "<h3>As measured here</h3>"
        + _measured(measured)
    )


def _published_rows(
    published: Mapping[str, Sequence[Report]],
) -> Iterator[tuple[str, list[str]]]:
    for recipe, reports in published.items():
        yield recipe, [_published_cell(report) for report in reports]


def _published_cell(report: Report) -> str:
    accepted, unknown = report.share("accepted"), report.share("unknown")
    if accepted >= _WHOLE:
        return _cell("yes", "all", [])
    kind = "unknown" if unknown > 100 - accepted - unknown else "partly" if accepted > 0 else "no"
    words = "unknown" if kind == "unknown" and accepted == 0 else f"{accepted:.0f} %"
    reasons = []
    for finding in report.findings:
        operators = ", ".join(f"{count} × {name}" for name, count in finding.operators.items())
        document = finding.support.document
        where = f" ({document.title})" if document else ""
        reasons.append(f"{finding.support.verdict}: {operators}: {finding.support.reason}{where}")
    return _cell(kind, words, reasons)


def _measured(measured: Mapping[str, Mapping[str, Mapping[str, Any]]]) -> str:
    runtimes = list(dict.fromkeys(name for found in measured.values() for name in found))
    if not runtimes:
        return (
            "<p>Nothing yet: <code>python -m quantize.verify BUNDLE</code> runs every model on "
            "every runtime of this machine, and the page shows what it found.</p>"
        )
    rows = (
        (recipe, [_measured_cell(found.get(runtime, {})) for runtime in runtimes])
        for recipe, found in measured.items()
    )
    return (
        "<p>Whether a runtime ran the whole model, and its largest step of 255 to float32.</p>"
        + _table("model", [name.replace("_", " ") for name in runtimes], rows)
    )


def _measured_cell(found: Mapping[str, Any]) -> str:
    verdict = str(found.get("verdict", "missing"))
    kind = {"wholly": "yes", "partly": "partly", "no": "no"}.get(verdict, "unknown")
    step = found.get("largest_step")
    words = verdict if step is None else f"{verdict}, {step:.1f}"
    return _cell(kind, words, [str(found["reason"])] if found.get("reason") else [])


def _table(corner: str, columns: Sequence[str], rows: Iterator[tuple[str, list[str]]]) -> str:
    head = "".join(f'<th scope="col">{escape(column)}</th>' for column in columns)
    body = "".join(
        f'<tr><th scope="row">{escape(name)}</th>{"".join(cells)}</tr>' for name, cells in rows
    )
    return (
        f'<div class="matrix"><table><thead><tr><th scope="col">{escape(corner)}</th>{head}</tr>'
        f"</thead><tbody>{body}</tbody></table></div>"
    )


def _cell(kind: str, words: str, reasons: Sequence[str]) -> str:
    mark = {"yes": "●", "partly": "◐", "no": "○", "unknown": "?"}[kind]
    short = f'<span class="mark" aria-hidden="true">{mark}</span> {escape(words)}'
    if not reasons:
        return f'<td class="{kind}">{short}</td>'
    listed = "".join(f"<li>{escape(reason)}</li>" for reason in reasons)
    return f'<td class="{kind}"><details><summary>{short}</summary><ul>{listed}</ul></details></td>'
