"""A file that is not a phone's proof is reported."""

from pathlib import Path

import pytest

from pocket_bokeh.bundle import SHIPPED_BUNDLE, read_bundle
from pocket_bokeh.errors import UserError
from pocket_bokeh.phone_proof import read_proof
from tests.pocket_bokeh.phone_proofs import write_proof


def test_a_file_that_is_no_proof_is_reported(tmp_path: Path) -> None:
    file, bundle = tmp_path / "proof.json", read_bundle(SHIPPED_BUNDLE)
    with pytest.raises(UserError, match="no such file"):
        read_proof(file)
    file.write_text("[]")
    with pytest.raises(UserError, match="not a proof"):
        read_proof(file)
    with pytest.raises(UserError, match="schema version 9, but this program reads 1"):
        read_proof(write_proof(file, bundle, schema_version=9))
    with pytest.raises(UserError, match="damaged"):
        read_proof(write_proof(file, bundle, trials=[{"recipe": "float16"}]))
