"""One picture shows what each recipe makes of some pairs."""

import sys
from pathlib import Path

import pytest

from quantize.bundle import Bundle
from quantize.compare import spread
from quantize.contact_sheet import contact_sheet, main
from train.errors import UserError
from train.photo import read_photo
from train.run_folder import Run


def test_a_row_per_pair_and_a_column_per_recipe(tiny_bundle: Bundle, tiny_run: Run) -> None:
    pairs = spread(tiny_run.pairs("val"), 2)
    sheet = contact_sheet(tiny_bundle, pairs, height=64)
    one_row = contact_sheet(tiny_bundle, pairs[:1], height=64)
    # Input, target and the recipes, each 128 wide.
    columns = 2 + len(tiny_bundle.recipes)
    assert columns * 128 < sheet.shape[1] < columns * 128 + 200
    assert sheet.shape[1] == one_row.shape[1]
    assert sheet.shape[0] - one_row.shape[0] > 64


def test_a_network_that_sees_depth_is_given_it(
    depth_bundle: Bundle, depth_pairs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "sheet.png"
    command = ["contact_sheet", str(depth_bundle.folder), "--out", str(out)]
    monkeypatch.setattr(sys, "argv", [*command, "--data", str(depth_pairs)])
    main()
    assert read_photo(out).shape[1] > 4 * 256


def test_from_the_command_line(
    tiny_bundle: Bundle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "sheet.png"
    command = ["contact_sheet", str(tiny_bundle.folder), "--out", str(out), "--pairs", "1"]
    monkeypatch.setattr(sys, "argv", command)
    main()
    assert read_photo(out).shape[1] > 1000
    monkeypatch.setattr(sys, "argv", [*command, "--data", str(tmp_path / "nowhere")])
    with pytest.raises(UserError, match="no such folder"):
        main()
