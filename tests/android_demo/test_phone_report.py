"""A proof is compared with the bundle; a file that is not a proof is reported."""

import dataclasses
import json
from pathlib import Path

import pytest

from android_demo.phone_report import read_proof, report
from pocket_bokeh.bundle import Bundle
from pocket_bokeh.errors import UserError


def write_proof(file: Path, bundle: Bundle, **changed: object) -> Path:
    """Writes a proof with one model that runs and one that does not."""
    first, second = bundle.models[:2]
    common = {"recipe": "float16", "accelerator": "GPU"}
    right = {"runs": True, "reason": "", "milliseconds": 38.25, "largest_step": 2}
    trials = [
        {**common, "file": first.file, "sha256": first.sha256, **right, "psnr": 61.0},
        {**common, "file": second.file, "sha256": second.sha256, "runs": False, "reason": "no"},
    ]
    proof = {
        **{"schema_version": 1, "manufacturer": "Maker", "phone": "One", "android": "16"},
        **{"api": 36, "page_size": 16384, "trials": trials},
    }
    file.write_text(json.dumps(proof | changed))
    return file


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


def test_a_file_that_is_no_proof_is_reported(bundle: Bundle, tmp_path: Path) -> None:
    file = tmp_path / "proof.json"
    with pytest.raises(UserError, match="no such file"):
        read_proof(file)
    file.write_text("[]")
    with pytest.raises(UserError, match="not a proof"):
        read_proof(file)
    with pytest.raises(UserError, match="schema version 9, but this program reads 1"):
        read_proof(write_proof(file, bundle, schema_version=9))
    with pytest.raises(UserError, match="damaged"):
        read_proof(write_proof(file, bundle, trials=[{"recipe": "float16"}]))
