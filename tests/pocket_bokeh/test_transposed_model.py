"""A transposed landscape model equals the portrait model that the converter makes."""

import numpy as np
import pytest

from pocket_bokeh.bundle import Bundle
from pocket_bokeh.litert_model import LiteRTModel
from pocket_bokeh.transposed_model import transposed
from quantize.convert.recipes import RECIPES
from tests.conftest import IN_PORTRAIT, PORTRAIT


@pytest.mark.parametrize("recipe", RECIPES)
def test_a_transposed_model_equals_the_converted_one(tiny_bundle: Bundle, recipe: str) -> None:
    landscape, *portrait = (tiny_bundle.folder / m.file for m in tiny_bundle.models_of(recipe))
    content = landscape.read_bytes()
    model = LiteRTModel(transposed(content))
    assert model.output_size == PORTRAIT
    photo = np.random.default_rng(0).random((64, 32, 3), np.float32)
    if recipe in IN_PORTRAIT:
        expected = LiteRTModel(portrait[0])
        assert expected.output_size == PORTRAIT
    else:
        # A portrait model would be calibrated on other crops, so its ranges would differ.
        # Transposing twice must give the landscape model.
        photo = photo.swapaxes(0, 1)
        model = LiteRTModel(transposed(transposed(content)))
        expected = LiteRTModel(landscape)
    np.testing.assert_array_equal(model.run(photo), expected.run(photo))
