"""The contact sheet shows the output of each recipe."""

import sys
from pathlib import Path

import numpy as np
import pytest

from pocket_bokeh.bundle import Bundle
from pocket_bokeh.errors import UserError
from pocket_bokeh.photo import read_photo, write_photo
from pocket_bokeh.render import render_photo
from quantize import contact_sheet as contact_sheet_module
from quantize.contact_sheet import contact_sheet, load_models, main, photo_sheet
from quantize.convert.samples import evenly_spaced
from train.loop.run_folder import Run


def test_a_row_per_pair_and_a_column_per_recipe(tiny_bundle: Bundle, tiny_run: Run) -> None:
    pairs = evenly_spaced(tiny_run.pairs("val"), 2)
    models = load_models(tiny_bundle, tiny_bundle.recipes)
    sheet = contact_sheet(models, pairs, height=64)
    one_row = contact_sheet(models, pairs[:1], height=64)
    # Input, target and the recipes, each 128 wide.
    columns = 2 + len(tiny_bundle.recipes)
    assert columns * 128 < sheet.shape[1] < columns * 128 + 200
    assert sheet.shape[1] == one_row.shape[1]
    assert sheet.shape[0] - one_row.shape[0] > 64


def test_photos_are_above_the_output_of_the_recipe(tiny_bundle: Bundle) -> None:
    photos = [np.full((60, 90, 3), 200, np.uint8), np.full((120, 60, 3), 90, np.uint8)]
    models = load_models(tiny_bundle, ["float32"])
    sheet = photo_sheet(models, photos, height=60)
    # A gap, 90 wide, a gap, 30 wide, a gap; labels above and below, two rows.
    assert sheet.shape == (26 + 2 * (60 + 26 + 8), 8 + 90 + 8 + 30 + 8, 3)
    np.testing.assert_array_equal(sheet[26:86, 8:98], photos[0])
    rendered = render_photo(photos[0], models["float32"])
    np.testing.assert_array_equal(sheet[26 + 94 : 26 + 94 + 60, 8:98], rendered)


def test_a_network_with_depth_gets_depth_maps(
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
    photo = tmp_path / "photo.png"
    write_photo(photo, np.full((64, 96, 3), 128, np.uint8))
    monkeypatch.setattr(sys, "argv", [*command, "--photos", str(photo), "--recipes", "int8_qat"])
    main()
    assert read_photo(out).shape[1] < 500, "one photo"
    monkeypatch.setattr(sys, "argv", [*command, "--photos", str(photo), "--recipes", "int4"])
    with pytest.raises(UserError, match="int4"):
        main()
    monkeypatch.setattr(sys, "argv", [*command, "--data", str(tmp_path / "nowhere")])
    with pytest.raises(UserError, match="no such folder"):
        main()
    monkeypatch.setattr(sys, "argv", ["contact_sheet", str(tiny_bundle.folder), "--out", "sheet"])
    monkeypatch.setattr(contact_sheet_module, "load_models", lambda *_: pytest.fail("rendered"))
    with pytest.raises(UserError, match=r"sheet: the file name must end in \.jpg"):
        main()
