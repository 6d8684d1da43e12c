"""The bundle's files in the app, and bundles that are refused."""

import dataclasses
import json
from pathlib import Path

import pytest

from android_demo import assets
from android_demo.assets import exclusive_or, write_assets
from pocket_bokeh.bundle import Bundle, read_bundle
from pocket_bokeh.errors import UserError


@pytest.mark.parametrize("content", [b"", b"a", b"longer than the other", b"short"])
def test_a_difference_restores_the_content(content: bytes) -> None:
    base = b"what it is held against"
    difference = exclusive_or(content, base)
    assert len(difference) == len(content)
    assert exclusive_or(difference, base) == content


def test_only_the_recipes_for_phones_are_included(bundle: Bundle, tmp_path: Path) -> None:
    write_assets(bundle, ("int8_qat",), tmp_path / "assets")
    first, second = (model.file for model in bundle.models_of("int8_qat"))
    assert (tmp_path / "assets" / first).read_bytes() == (bundle.folder / first).read_bytes()
    difference = (tmp_path / "assets" / f"{second}.difference").read_bytes()
    base = (tmp_path / "assets" / first).read_bytes()
    assert exclusive_or(difference, base) == (bundle.folder / second).read_bytes()
    assert not list((tmp_path / "assets").glob("float16*"))
    with pytest.raises(UserError, match=second):  # stored only as a difference
        read_bundle(tmp_path / "assets")


def test_a_bundle_without_them_says_what_it_has(bundle: Bundle, tmp_path: Path) -> None:
    models = tuple(dataclasses.replace(model, recipe="float32") for model in bundle.models)
    other = dataclasses.replace(bundle, models=models)
    with pytest.raises(
        UserError, match=r"has none of the recipes for phones .float16.*it has float32"
    ):
        write_assets(other, ("float16", "int8_qat"), tmp_path / "assets")


def test_a_network_that_takes_depth_is_refused(bundle: Bundle, tmp_path: Path) -> None:
    described = dataclasses.replace(bundle, fourth_channel="depth")
    with pytest.raises(UserError, match="depth map"):
        write_assets(described, ("float16",), tmp_path / "a")


def test_the_app_is_told_what_the_fourth_channel_is(bundle: Bundle, tmp_path: Path) -> None:
    write_assets(dataclasses.replace(bundle, fourth_channel="focus"), ("float16",), tmp_path / "a")
    assert json.loads((tmp_path / "a" / "bundle.json").read_text())["fourth_channel"] == "focus"


def test_a_refused_bundle_leaves_the_earlier_assets(
    bundle: Bundle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    described = dataclasses.replace(bundle, fourth_channel="depth")
    monkeypatch.setattr(assets, "SOURCES", tmp_path)
    monkeypatch.setattr(assets, "read_bundle", lambda folder: bundle)
    monkeypatch.setattr("sys.argv", ["assets", str(bundle.folder)])
    assets.main()
    before = sorted(tmp_path.rglob("*"))
    assert len(before) > 5
    monkeypatch.setattr(assets, "read_bundle", lambda folder: described)
    with pytest.raises(UserError, match="depth map"):
        assets.main()
    assert sorted(tmp_path.rglob("*")) == before
