"""A proof is compared with the bundle."""

import dataclasses
from pathlib import Path

import pytest

from android_demo.phone_report import report
from pocket_bokeh.bundle import Bundle
from pocket_bokeh.errors import UserError
from pocket_bokeh.phone_proof import read_proof
from tests.pocket_bokeh.phone_proofs import write_proof


def test_figures_stand_beside_the_bundles(bundle: Bundle, tmp_path: Path) -> None:
    proof = read_proof(write_proof(tmp_path / "proof.json", bundle))
    assert (proof.manufacturer, proof.phone, proof.api) == ("Maker", "One", 36)
    assert proof.page_size == 16384
    _, right, refused = report(proof, bundle)
    assert right.split()[:6] == ["float16_96x128", "GPU", "38.2", "ms", "2", "1"]
    assert right.endswith("right")
    assert refused.endswith("  no")


def test_another_bundles_proof_is_refused(bundle: Bundle, tmp_path: Path) -> None:
    proof = read_proof(write_proof(tmp_path / "proof.json", bundle))
    models = tuple(dataclasses.replace(model, sha256="0") for model in bundle.models)
    with pytest.raises(UserError, match="--bundle"):
        report(proof, dataclasses.replace(bundle, models=models))
