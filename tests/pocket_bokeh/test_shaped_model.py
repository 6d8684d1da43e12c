"""Every recipe gets a model for landscape and for portrait photographs."""

import dataclasses

from pocket_bokeh.bundle import Bundle
from pocket_bokeh.shaped_model import in_every_shape


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
