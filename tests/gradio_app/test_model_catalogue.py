"""The models of a bundle, as visitors can choose them."""

import numpy as np

from gradio_app.model_catalogue import list_models, with_unique_labels
from pocket_bokeh.bundle import Bundle


def test_every_recipe_can_be_chosen_and_is_held_against_float32(bundle: Bundle) -> None:
    float32, float16 = list_models(bundle)
    assert (float32.label, float16.label) == ("float32", "float16")
    assert float32.reference == float16.reference == float32.key != float16.key
    assert float16.bytes == (bundle.folder / "float16.tflite").stat().st_size


def test_a_model_is_loaded_when_it_runs(bundle: Bundle) -> None:
    (renderer,) = list_models(bundle)[1].renderers()
    rendered = renderer.run(np.full((32, 48, 3), 0.25, np.float32))
    np.testing.assert_allclose(rendered, 0.75, atol=1e-3)


def test_labels_differ(bundle: Bundle) -> None:
    models = list_models(bundle)
    labels = [model.label for model in with_unique_labels([*models, models[0]])]
    assert labels == ["float32", "float16", "float32 (2)"]
