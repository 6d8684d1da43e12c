"""The matrix of accelerators, from a real bundle's files."""

import dataclasses
from typing import Any

from gradio_app.accelerators import build_matrix
from pocket_bokeh.bundle import Bundle
from quantize.proof.accelerator_tables import ACCELERATORS


def test_every_model_and_accelerator_has_a_cell_and_refusals_a_reason(bundle: Bundle) -> None:
    matrix = build_matrix(bundle)
    for accelerator in ACCELERATORS:
        assert f'<th scope="col">{accelerator.name}</th>' in matrix
    for recipe in bundle.recipes:
        assert f'<th scope="row">{recipe}</th>' in matrix
    assert matrix.count("<td") == len(bundle.recipes) * len(ACCELERATORS)
    for kind in ("no", "unknown"):
        cell = matrix[matrix.index(f'<td class="{kind}">') :]
        assert "<li>" in cell[: cell.index("</td>")]
    assert "quantize.verify BUNDLE" in matrix


def test_what_was_measured_stands_below(bundle: Bundle) -> None:
    found: dict[str, dict[str, Any]] = {
        "gpu_delegate": {"verdict": "no", "reason": "<b> & so on"},
        "litert_cpu": {"verdict": "wholly", "reason": "", "largest_step": 3.25},
    }
    models = tuple(dataclasses.replace(model, verify=found) for model in bundle.models)
    matrix = build_matrix(dataclasses.replace(bundle, models=models))
    assert "wholly, 3.2" in matrix
    assert "&lt;b&gt; &amp; so on" in matrix
    assert "gpu delegate" in matrix
