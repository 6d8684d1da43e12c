"""Which accelerators run which models, according to compilers, runs and documents.

The answers come from `quantize.compile`, `quantize.verify` and `quantize.delegates`. The result is
HTML: tables whose cells open to show the reasons.
"""

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from html import escape
from typing import Any

from gradio_app.model_catalogue import label_of
from pocket_bokeh.bundle import Bundle
from pocket_bokeh.errors import UserError
from pocket_bokeh.phone_proof import PhoneProof, PhoneTrial
from quantize.compilers.report import figures_text
from quantize.compilers.targets import MAKERS
from quantize.delegates import Report, check_model, read_models
from quantize.proof.accelerator_tables import ACCELERATORS

_ALL = 99.95
"""Percent; whatever rounds to 100.0 counts as all."""

_RUNTIMES = {
    "litert_cpu": "LiteRT, CPU",
    "litert_lean": "LiteRT, CPU with little memory",
    "litert_reference": "LiteRT, reference kernels",
    "tensorflow": "TensorFlow Lite interpreter",
    "tflite_runtime": "tflite_runtime (older devices)",
    "gpu_delegate": "GPU delegate",
    "arm64": "LiteRT, emulated Arm CPU",
    "hexagon": "Qualcomm Hexagon (emulated)",
    "rockchip": "Rockchip NPU (simulated)",
}


def build_tables(bundle: Bundle, phones: Sequence[PhoneProof] = ()) -> str:
    """Tables with a row per model: phones, makers' compilers, runs here, and published lists.

    Accelerators treat all working sizes alike, so only the models of the first size are listed.
    """
    first = bundle.models[0].working_size
    chosen = [model for model in bundle.models if model.working_size == first]
    recipes = {f"{model.recipe} {first[0]}x{first[1]}": model.recipe for model in chosen}
    compiled = {model.recipe: model.compiled for model in chosen}
    models = [
        dataclasses.replace(model, compiled=compiled[recipes[model.name]])
        for model in read_models(bundle.folder)
        if model.name in recipes
    ]
    published = {
        recipes[model.name]: [check_model(model, accelerator) for accelerator in ACCELERATORS]
        for model in models
    }
    measured = {model.recipe: model.verify for model in chosen}
    return (
        _phone_tables(bundle, phones)
        + "<h3>Compiled for neural processors</h3>"
        + _compiled_table(compiled)
        + "<h3>Tested on a computer</h3>"
        + _measured_table(measured)
        + "<h3>According to the makers</h3><p>How much of each model the maker's documents say the "
        "chip can run, by multiply-adds. Where the maker's compiler was asked, its answer stands "
        "instead. Not tested on phones. Open a cell to see what does not run and why.</p>"
        + _table([each.name for each in ACCELERATORS], _published_rows(published))
    )


def check_phones(bundle: Bundle, phones: Sequence[PhoneProof]) -> None:
    """Checks that phones ran this bundle's models.

    Raises:
        UserError: an app was built with another bundle.
    """
    known = {model.sha256 for model in bundle.models}
    for phone in phones:
        if not any(trial.sha256 in known for trial in phone.trials):
            raise UserError(
                f"{phone.name}: its app was built with other models than {bundle.folder}; name its "
                "bundle with --bundle"
            )


def _phone_tables(bundle: Bundle, phones: Sequence[PhoneProof]) -> str:
    """A table per phone, a column per accelerator."""
    recipes = {model.sha256: model.recipe for model in bundle.models}
    parts = []
    for phone in phones:
        rows: dict[str, dict[str, PhoneTrial]] = {}
        for trial in phone.trials:
            if trial.sha256 in recipes:
                rows.setdefault(recipes[trial.sha256], {}).setdefault(trial.accelerator, trial)
        columns = list(dict.fromkeys(name for found in rows.values() for name in found))
        cells = (
            (recipe, [_phone_cell(found.get(name)) for name in columns])
            for recipe, found in rows.items()
        )
        title = f"{phone.name}, Android {phone.android}"
        parts.append(f"<h3>Measured on a phone: {escape(title)}</h3>{_table(columns, cells)}")
    return "".join(parts)


def _phone_cell(trial: PhoneTrial | None) -> str:
    if trial is None:
        return _cell("unknown", "not tested", [])
    if not trial.runs:
        return _cell("no", "does not run", [trial.reason] if trial.reason else [])
    text = "runs" if trial.milliseconds is None else f"{trial.milliseconds:.1f} ms"
    if trial.largest_step is not None:
        text += f", differs by at most {trial.largest_step:.0f} of 255"
    return _cell("yes", text, [])


Answers = Mapping[str, Mapping[str, Any]]
"""What one model's compilers said, by target."""


def _compiled_table(compiled: Mapping[str, Answers]) -> str:
    """A column per maker; a cell opens to show its chips."""
    targets = [target for answers in compiled.values() for target in answers]
    names = dict.fromkeys(target.partition(":")[0] for target in targets)
    makers = [name for name in names if name in MAKERS]
    if not makers:
        return (
            "<p>Not compiled yet. <code>python -m quantize.compile BUNDLE</code> runs the chip "
            "makers' own compilers.</p>"
        )
    rows = (
        (recipe, [_compiled_cell(maker, answers) for maker in makers])
        for recipe, answers in compiled.items()
    )
    return (
        "<p>What the chip makers' own compilers say. Not tested on phones. Open a cell to see the "
        "chips.</p>" + _table([MAKERS[maker].title for maker in makers], rows)
    )


def _compiled_cell(maker: str, answers: Answers) -> str:
    chips = {target: said for target, said in answers.items() if target.partition(":")[0] == maker}
    if not chips:
        return _cell("unknown", "not compiled", [])
    verdicts = [said["verdict"] for said in chips.values()]
    whole = verdicts.count("wholly")
    if whole == len(chips):
        kind, text = "yes", "takes all"
    elif whole:
        kind, text = "partly", f"takes all on {whole} of {len(chips)} chips"
    elif "partly" in verdicts:
        kind, text = "partly", "takes a part"
    else:
        kind, text = "no", "refused"
    return _cell(kind, text, [_chip_line(target, said) for target, said in chips.items()])


def _chip_line(target: str, said: Mapping[str, Any]) -> str:
    """One chip in words: its name, what it takes, and why not the rest."""
    chip = target.partition(":")[2]
    title = MAKERS[target.partition(":")[0]].chips.get(chip, chip)
    taken = f"{said['taken']} of {said['operators']} operators" if said["operators"] else "refused"
    parts = (taken, figures_text(said["figures"]), str(said["reason"]), str(said["compiler"]))
    return f"{title}: " + "; ".join(part for part in parts if part)


def _published_rows(
    published: Mapping[str, Sequence[Report]],
) -> Iterator[tuple[str, list[str]]]:
    for recipe, reports in published.items():
        yield recipe, [_published_cell(report) for report in reports]


def _published_cell(report: Report) -> str:
    accepted, unknown = report.share("accepted"), report.share("unknown")
    if report.compiled:
        return _compiled_cell(report.accelerator.maker, report.compiled)
    if accepted >= _ALL:
        return _cell("yes", "all", [])
    kind = "unknown" if unknown > 100 - accepted - unknown else "partly" if accepted > 0 else "no"
    text = "unknown" if kind == "unknown" and accepted == 0 else f"{accepted:.0f} %"
    reasons = []
    for finding in report.findings:
        operators = ", ".join(f"{count} × {name}" for name, count in finding.operators.items())
        document = finding.support.document
        where = f" ({document.title})" if document else ""
        reasons.append(f"{finding.support.verdict}: {operators}: {finding.support.reason}{where}")
    return _cell(kind, text, reasons)


def _measured_table(measured: Mapping[str, Mapping[str, Mapping[str, Any]]]) -> str:
    runtimes = list(dict.fromkeys(name for found in measured.values() for name in found))
    if not runtimes:
        return (
            "<p>Not tested yet. <code>python -m quantize.verify BUNDLE</code> runs every model in "
            "every runtime that this machine has.</p>"
        )
    rows = (
        (recipe, [_measured_cell(found.get(runtime, {})) for runtime in runtimes])
        for recipe, found in measured.items()
    )
    return (
        "<p>Whether a runtime runs the whole model, and the largest difference of a value that the "
        "model puts out for the bundle's test picture from the float32 model's. In the finished "
        "picture, under “Measurements”, it differs: the blur is enlarged there and laid over the "
        "photo.</p>" + _table([_RUNTIMES.get(name, name) for name in runtimes], rows)
    )


def _measured_cell(found: Mapping[str, Any]) -> str:
    verdict = str(found.get("verdict", "missing"))
    kind = {"wholly": "yes", "partly": "partly", "no": "no"}.get(verdict, "unknown")
    text = {
        "wholly": "runs",
        "partly": "runs in part",
        "no": "does not run",
        "missing": "not tested",
    }.get(verdict, verdict)
    difference = found.get("largest_step")
    if difference is not None:
        text += f", differs by at most {difference:.1f} of 255"
    return _cell(kind, text, [str(found["reason"])] if found.get("reason") else [])


def _table(columns: Sequence[str], rows: Iterator[tuple[str, list[str]]]) -> str:
    """A table whose first column has the recipes' labels, with the recipes as tooltips."""
    head = "".join(f'<th scope="col">{escape(column)}</th>' for column in ("model", *columns))
    body = "".join(
        f'<tr><th scope="row" title="{escape(recipe)}">{escape(label_of(recipe))}</th>'
        f"{''.join(cells)}</tr>"
        for recipe, cells in rows
    )
    return (
        f'<div class="accelerator-table"><table><thead><tr>{head}</tr></thead>'
        f"<tbody>{body}</tbody></table></div>"
    )


def _cell(kind: str, text: str, reasons: Sequence[str]) -> str:
    mark = {"yes": "●", "partly": "◐", "no": "○", "unknown": "?"}[kind]
    summary = f'<span class="mark" aria-hidden="true">{mark}</span> {escape(text)}'
    if not reasons:
        return f'<td class="{kind}">{summary}</td>'
    items = "".join(f"<li>{escape(reason)}</li>" for reason in reasons)
    return (
        f'<td class="{kind}"><details><summary>{summary}</summary><ul>{items}</ul></details></td>'
    )
