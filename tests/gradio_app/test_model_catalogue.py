"""The models of a bundle, as visitors can choose them."""

import dataclasses

import numpy as np

from gradio_app.model_catalogue import list_models, with_unique_labels
from pocket_bokeh.bundle import Bundle
from pocket_bokeh.render import render_photo


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


def test_a_network_with_a_focus_map_finds_the_subject_by_itself(bundle: Bundle) -> None:
    told = dataclasses.replace(bundle, fourth_channel="focus")
    (renderer,) = list_models(told)[0].renderers()
    assert (renderer.fourth_channel, renderer.input_channels) == ("focus", 4)
    seen: list[np.ndarray] = []

    def run(photo: np.ndarray) -> np.ndarray:
        seen.append(photo)
        return photo[..., :3].repeat(2, 0).repeat(2, 1)

    renderer.run = run  # type: ignore[method-assign]
    render_photo(np.full((64, 96, 3), 128, np.uint8), [renderer])
    assert all(photo.shape == (32, 48, 4) and not photo[..., 3].any() for photo in seen)
    assert len(seen) == 2
