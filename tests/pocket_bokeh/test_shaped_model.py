"""Every recipe gets a model for landscape and for portrait photographs."""

import dataclasses

import numpy as np
import pytest

import pocket_bokeh
from pocket_bokeh.bundle import Bundle
from pocket_bokeh.litert_model import LiteRTModel
from pocket_bokeh.shaped_model import ShapedModel, in_every_shape


def test_a_missing_orientation_is_transposed(tiny_bundle: Bundle) -> None:
    with_portrait = {"float16", "int8_qat"}
    few = tuple(
        model
        for model in tiny_bundle.models
        if model.recipe in with_portrait or model.working_size == (64, 128)
    )
    bundle = dataclasses.replace(tiny_bundle, models=few)
    for recipe in bundle.recipes:
        shapes = in_every_shape(bundle, recipe)
        assert [shaped.working_size for shaped in shapes] == [(64, 128), (128, 64)]
        assert [shaped.is_transposed for shaped in shapes] == [False, recipe not in with_portrait]
        assert [shaped.load().output_size for shaped in shapes] == [(64, 128), (128, 64)]


def test_a_photograph_loads_only_the_model_of_its_orientation(
    tiny_bundle: Bundle, monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded = []
    load = ShapedModel.load

    def counted(shaped: ShapedModel) -> LiteRTModel:
        loaded.append(shaped.working_size)
        return load(shaped)

    monkeypatch.setattr(ShapedModel, "load", counted)
    model = pocket_bokeh.load(tiny_bundle.folder, "int8_qat")
    assert loaded == []
    landscape = np.zeros((100, 200, 3), np.uint8)
    for photo in (landscape, landscape):
        model.render(photo)
    assert loaded == [(64, 128)]
    model.render(landscape.transpose(1, 0, 2))
    assert loaded == [(64, 128), (128, 64)]


def test_a_model_tells_its_shapes_before_it_is_loaded(focus_bundle: Bundle) -> None:
    (shaped, *_) = in_every_shape(focus_bundle, "int8_qat")
    model = shaped.load()
    for name in ("input_size", "output_size", "input_channels", "fourth_channel"):
        assert getattr(shaped.when_run(), name) == getattr(model, name)
