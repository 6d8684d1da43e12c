"""What a script asks of the server, and how a focus reaches the models."""

import dataclasses
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gradio_app.handlers import App, ComparisonRequest, run_comparison
from gradio_app.model_catalogue import list_models
from gradio_app.photos import read_upload
from gradio_app.task_pool import TaskPool
from gradio_app.wishes import Wish, read_wish
from pocket_bokeh.bundle import Bundle
from pocket_bokeh.photo import read_photo


@pytest.fixture
def app(bundle: Bundle, pool: TaskPool, tmp_path: Path) -> App:
    return App(bundle, pool, tmp_path)


def test_an_example_or_a_focus_can_be_asked_for(app: App) -> None:
    assert read_wish(app, {"example": "cat"}) == Wish(app.examples["cat"])
    assert read_wish(app, {"focus": [0.25, 1]}) == Wish(focus=(0.25, 1))
    assert read_wish(app, {"focus": None}) == Wish()


@pytest.mark.parametrize(
    "data",
    [None, [], {"example": "dog"}, {"focus": [2, 0]}, {"focus": "a"}, {"focus": [float("nan"), 0]}],
)
def test_nonsense_is_ignored(app: App, data: Any) -> None:
    assert read_wish(app, data) is None


def test_a_focus_is_another_rendering_of_models_that_take_one(bundle: Bundle) -> None:
    plain = list_models(bundle)[1]
    assert plain.focused((0.2, 0.4)) == plain
    told = list_models(dataclasses.replace(bundle, fourth_channel="focus"))[1]
    focused = told.focused((0.2, 0.4))
    assert (focused.key, focused.reference) == (f"{told.key}_200_400", f"{told.reference}_200_400")
    assert focused.weights == told.weights == told.key
    assert told.focused(None) == told


def test_a_tap_renders_all_models_anew(
    focus_bundle: Bundle, pool: TaskPool, tmp_path: Path, photo_file: Path
) -> None:
    app = App(focus_bundle, pool, tmp_path)
    photo = read_upload(photo_file)
    keys = [model.key for model in app.models]

    def rendered(focus: tuple[float, float] | None) -> dict[str, Any]:
        request = ComparisonRequest(photo, keys, [], None, "token", focus)
        return dict(json.loads(list(run_comparison(app, request, "me"))[-1].viewer))

    automatic, told = rendered(None), rendered((0.1, 0.2))
    assert automatic["takesFocus"]
    assert told["focus"] == [0.1, 0.2]
    assert [picture["key"] for picture in told["pictures"]] == ["original", *keys]
    addresses = {picture["address"] for state in (automatic, told) for picture in state["pictures"]}
    assert len(addresses) == 1 + 2 * len(keys)
    pictures = [
        read_photo(pool.store.picture_file(photo.key, key))
        for key in (keys[0], f"{keys[0]}_100_200")
    ]
    assert np.abs(pictures[0].astype(int) - pictures[1]).max() > 0
    visit = app.visits.find("token")
    assert visit is not None
    assert visit.focus == (0.1, 0.2)
