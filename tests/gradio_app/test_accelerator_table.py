"""The tables of accelerators, for a real bundle."""

import dataclasses
from pathlib import Path
from typing import Any

import pytest

from gradio_app.accelerator_table import build_tables, check_phones
from pocket_bokeh.bundle import Bundle
from pocket_bokeh.errors import UserError
from pocket_bokeh.phone_proof import read_proof
from quantize.compilers.report import Compiled
from quantize.proof.accelerator_tables import ACCELERATORS
from tests.pocket_bokeh.phone_proofs import write_proof


def test_every_model_and_accelerator_has_a_cell_and_refusals_a_reason(bundle: Bundle) -> None:
    html = build_tables(bundle)
    for accelerator in ACCELERATORS:
        assert f'<th scope="col">{accelerator.name}</th>' in html
    for recipe in bundle.recipes:
        assert f'<th scope="row" title="{recipe}">' in html
    assert html.count("<td") == len(bundle.recipes) * len(ACCELERATORS)
    for kind in ("no", "unknown"):
        cell = html[html.index(f'<td class="{kind}">') :]
        assert "<li>" in cell[: cell.index("</td>")]
    assert "quantize.verify BUNDLE" in html


def test_what_was_measured_stands_below(bundle: Bundle) -> None:
    found: dict[str, dict[str, Any]] = {
        "gpu_delegate": {"verdict": "no", "reason": "<b> & so on"},
        "litert_cpu": {"verdict": "wholly", "reason": "", "largest_step": 3.25},
    }
    models = tuple(dataclasses.replace(model, verify=found) for model in bundle.models)
    html = build_tables(dataclasses.replace(bundle, models=models))
    assert "runs, differs by at most 3.2 of 255" in html
    assert "&lt;b&gt; &amp; so on" in html
    assert "GPU delegate" in html


def test_what_a_phone_measured_stands_first(bundle: Bundle, tmp_path: Path) -> None:
    proof = read_proof(write_proof(tmp_path / "proof.json", bundle))
    html = build_tables(bundle, [proof])
    phone = html[: html.index("Compiled for neural")]
    assert "Measured on a phone: Maker One, Android 16" in phone
    assert "38.2 ms, differs by at most 2 of 255" in phone
    assert "Measured on a phone" not in build_tables(bundle)


def test_a_phone_that_ran_other_models_is_refused(bundle: Bundle, tmp_path: Path) -> None:
    proof = read_proof(write_proof(tmp_path / "proof.json", bundle))
    check_phones(bundle, [proof])
    others = tuple(dataclasses.replace(model, sha256="0") for model in bundle.models)
    with pytest.raises(UserError, match="Maker One: its app was built with other models"):
        check_phones(dataclasses.replace(bundle, models=others), [proof])


def test_what_compilers_said_stands_first_and_above_the_documents(bundle: Bundle) -> None:
    whole = Compiled("", "", "wholly", compiler="SDK 1", operators=9, taken=9).for_bundle()
    part = Compiled("", "", "partly", "<too wide>", operators=9, taken=7).for_bundle()
    said = {"qualcomm:SM8650": whole, "qualcomm:SM8750": part, "arm:ethos-u85": whole}
    models = tuple(dataclasses.replace(model, compiled=said) for model in bundle.models)
    html = build_tables(dataclasses.replace(bundle, models=models))
    first, documents = html.index("Compiled for neural"), html.index("According to the makers")
    assert first < html.index("Tested on a computer") < documents
    assert "Snapdragon 8 Elite (2025): 7 of 9 operators; &lt;too wide&gt;" in html[:documents]
    assert "takes all on 1 of 2 chips" in html[:documents]
    assert "Arm Ethos-U" in html[:documents]
    assert "takes all on 1 of 2 chips" in html[documents:], "the compiler counts more"
