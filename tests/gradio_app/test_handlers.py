"""What the page's events answer, as plain functions."""

import json
from pathlib import Path

import pytest
from PIL import Image

from gradio_app.handlers import (
    BUSY,
    App,
    open_link,
    run_comparison,
    take_models,
    take_photo,
)
from gradio_app.workshop import Line, Workshop
from quantize.bundle import Bundle


@pytest.fixture
def app(bundle: Bundle, workshop: Workshop, tmp_path: Path) -> App:
    return App(bundle, workshop, tmp_path)


def test_a_comparison_fills_viewer_table_and_csv(app: App, photo_file: Path) -> None:
    photo, _ = take_photo(str(photo_file))
    assert photo is not None
    keys = [model.key for model in app.models]
    viewer, rows, status, figures, file, _ = list(run_comparison(app, photo, keys, [], "me"))[-1]
    told = json.loads(viewer)
    assert told["done"]
    assert (told["width"], told["height"], told["example"]) == (120, 80, None)
    assert [picture["label"] for picture in told["pictures"]] == ["photo", "float32", "float16"]
    assert all(picture["ready"] for picture in told["pictures"])
    assert [row[0] for row in rows] == list(figures["picture"]) == ["photo", "float32", "float16"]
    assert "3 pictures" in status
    assert Path(file).name == "meadow_figures.csv"
    assert "float16" in Path(file).read_text()


def test_stop_ends_a_comparison_with_a_word(app: App, photo_file: Path) -> None:
    photo, _ = take_photo(str(photo_file))
    run = run_comparison(app, photo, [model.key for model in app.models], [], "me")
    next(run)
    app.end("me")
    *_, last = run
    assert "Stopped." in last[2]


def test_a_second_comparison_of_one_visitor_ends_the_first(app: App, photo_file: Path) -> None:
    photo, _ = take_photo(str(photo_file))
    first = run_comparison(app, photo, [], [], "me")
    other = run_comparison(app, photo, [], [], "someone else")
    next(first), next(other)
    next(run_comparison(app, photo, [], [], "me"))
    assert "Stopped." in list(first)[-1][2]
    assert "Stopped." not in list(other)[-1][2]


def test_who_comes_late_waits_or_is_told_that_it_is_busy(app: App, photo_file: Path) -> None:
    photo, _ = take_photo(str(photo_file))
    app.line = Line(places=1, most_waiting=1)
    first = run_comparison(app, photo, [], [], "first")
    second = run_comparison(app, photo, [], [], "second")
    next(first)
    assert "1 comparison before yours" in next(second)[2]
    third = list(run_comparison(app, photo, [], [], "third"))
    assert [BUSY in outputs[2] for outputs in third] == [True]
    assert "1 pictures" in list(first)[-1][2]
    assert "1 pictures" in list(second)[-1][2]
    # What is known already needs no turn.
    assert app.line.join() is not None
    assert "1 pictures" in list(run_comparison(app, photo, [], [], "third"))[-1][2]


def test_names_of_files_are_no_markup(app: App, photo_file: Path) -> None:
    named = photo_file.rename(photo_file.with_name("<img src=x onerror=alert(1)>.png"))
    photo, _ = take_photo(str(named))
    statuses = [outputs[2] for outputs in run_comparison(app, photo, [], [], "me")]
    assert all("<img" not in str(status) for status in statuses)


def test_what_was_left_out_of_an_animation_stands_beside_its_name(app: App, tmp_path: Path) -> None:
    file = tmp_path / "moving.gif"
    still, other = (Image.new("RGB", (64, 48), colour) for colour in ("green", "red"))
    still.save(file, save_all=True, append_images=[other])
    photo, _ = take_photo(str(file))
    last = list(run_comparison(app, photo, [app.models[0].key], [], "someone"))[-1]
    assert "the first of its 2 pictures is taken" in last[2]


def test_a_visitors_model_is_ticked_beside_the_others(app: App, bundle: Bundle) -> None:
    keys = [app.models[0].key]
    file = str(bundle.folder / "float16.tflite")
    own, ticks = take_models(app, [file], [], keys)
    assert [model.label for model in own] == ["float16.tflite"]
    assert ticks.value == [*keys, own[0].key]
    again, _ = take_models(app, [file], own, keys)
    assert again == own


def test_a_link_opens_its_example_and_anything_else_the_first(app: App) -> None:
    photo, keys = open_link(app, "#photo=coffee&models=float16&mode=grid")
    assert photo.name == "coffee"
    assert keys == [app.models[1].key]
    for fragment in ("", "#", "#photo=../../etc/passwd&models=%00", "#a=b&&=&photo"):
        photo, keys = open_link(app, fragment)
        assert photo.name == "portrait"
        assert len(keys) == 2
