"""A landscape model turned is the portrait model that the converter makes."""

import dataclasses

import numpy as np
import pytest

from pocket_bokeh.bundle import Bundle
from pocket_bokeh.litert_model import LiteRTModel
from pocket_bokeh.transposed_model import in_every_shape, turned
from quantize.convert.recipes import RECIPES


@pytest.mark.parametrize("recipe", RECIPES)
def test_a_turned_model_computes_what_the_converted_one_does(
    tiny_bundle: Bundle, recipe: str
) -> None:
    landscape, portrait = (tiny_bundle.folder / m.file for m in tiny_bundle.models_of(recipe))
    content = landscape.read_bytes()
    made, expected = LiteRTModel(turned(content)), LiteRTModel(portrait)
    assert made.output_size == expected.output_size == (128, 64)
    photo = np.random.default_rng(0).random((64, 32, 3), np.float32)
    if RECIPES[recipe].calibration == "photos":
        # Their ranges come from photographs cut to the shape: another model, and the same twice.
        photo, made, expected = (
            photo.swapaxes(0, 1),
            LiteRTModel(turned(turned(content))),
            LiteRTModel(landscape),
        )
    np.testing.assert_array_equal(made.run(photo), expected.run(photo))


def test_what_is_missing_in_a_shape_is_turned(tiny_bundle: Bundle) -> None:
    portraits = {"float16", "int8_qat"}
    few = tuple(
        model
        for model in tiny_bundle.models
        if model.recipe in portraits or model.working_size == (64, 128)
    )
    bundle = dataclasses.replace(tiny_bundle, models=few)
    for recipe in bundle.recipes:
        shapes = in_every_shape(bundle, recipe)
        assert [shaped.working_size for shaped in shapes] == [(64, 128), (128, 64)]
        assert [shaped.is_turned for shaped in shapes] == [False, recipe not in portraits]
        assert [shaped.load().output_size for shaped in shapes] == [(64, 128), (128, 64)]
