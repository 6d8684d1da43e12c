"""What a page starts with: the view of a link, the first example, or the tab's state before."""

import json
from pathlib import Path

import pytest

from gradio_app.handlers import App, take_models
from gradio_app.page_load import open_link, start_state
from gradio_app.photos import Photo, read_upload
from gradio_app.task_pool import TaskPool
from gradio_app.visits import Visit, Visits, new_token
from pocket_bokeh.bundle import Bundle


@pytest.fixture
def app(bundle: Bundle, pool: TaskPool, tmp_path: Path) -> App:
    return App(bundle, pool, tmp_path)


def tab(visit: str = "", brought: list[str] | None = None, fragment: str = "") -> str:
    """What a tab sends when the page opens."""
    kept = json.dumps({"visit": visit, "brought": brought or []}) if visit else ""
    return json.dumps({"fragment": fragment, "kept": kept})


def test_a_link_opens_its_example_and_anything_else_the_first(app: App) -> None:
    photo, keys = open_link(app, "#photo=coffee&models=float16&mode=grid")
    assert photo.name == "coffee"
    assert keys == [app.models[1].key]
    for fragment in ("", "#", "#photo=../../etc/passwd&models=%00", "#a=b&&=&photo"):
        photo, keys = open_link(app, fragment)
        assert photo.name == "portrait"
        assert len(keys) == 2


def test_a_reload_finds_photo_ticks_and_models_again(
    app: App, bundle: Bundle, photo_file: Path
) -> None:
    own, _ = take_models(app, [str(bundle.folder / "float16.tflite")], [], [])
    photo = read_upload(photo_file)
    app.visits.keep("token", Visit(photo, (app.models[1].key, own[0].key), tuple(own)))
    opened = start_state(app, tab("token", ["meadow.png", "float16.tflite"]))
    assert opened.photo == photo
    assert opened.own == own
    assert opened.keys == [app.models[1].key, own[0].key]
    assert opened.notice == ""


def test_what_is_no_longer_there_is_named(app: App, bundle: Bundle, photo_file: Path) -> None:
    own, _ = take_models(app, [str(bundle.folder / "float16.tflite")], [], [])
    keys = (app.models[0].key, own[0].key)
    app.visits.keep("token", Visit(read_upload(photo_file), keys, tuple(own)))
    photo_file.unlink()
    own[0].files[0].file.unlink()
    opened = start_state(app, tab("token", ["meadow.png", "float16.tflite"]))
    assert "No longer on the server: meadow.png, float16.tflite." in opened.notice
    assert opened.photo.name == "portrait"
    assert (opened.own, opened.keys) == ([], [app.models[0].key])
    # After a restart the server knows nothing, but the tab still knows the names.
    opened = start_state(app, tab("forgotten", ["<b>meadow.png"]))
    assert "No longer on the server: &lt;b&gt;meadow.png." in opened.notice
    assert opened.photo.name == "portrait"
    assert start_state(app, tab("forgotten")).notice == ""


def test_a_link_to_another_example_goes_before_what_the_tab_had(app: App, photo_file: Path) -> None:
    app.visits.keep("token", Visit(read_upload(photo_file), (), ()))
    assert start_state(app, tab("token", fragment="#photo=coffee")).photo.name == "coffee"


def test_another_tab_or_nonsense_opens_the_first_example(app: App, photo_file: Path) -> None:
    app.visits.keep(new_token(), Visit(read_upload(photo_file), (), ()))
    for told in (
        "",
        "null",
        "[]",
        tab(),
        tab("guess"),
        '{"fragment": 3, "kept": "[1]"}',
        "[" * 9999,
    ):
        opened = start_state(app, told)
        assert (opened.photo.name, opened.notice) == ("portrait", "")
        assert len(opened.keys) == 2


def test_visits_are_forgotten_by_number_and_age(app: App) -> None:
    def visit(name: str) -> Visit:
        return Visit(Photo(name, name, app.examples["cat"].decode), (), ())

    visits = Visits(most=2)
    for name in ("a", "b", "a", "c"):
        visits.keep(name, visit(name))
    assert visits.find("b") is None
    assert visits.find("a") is not None
    assert visits.find("c") is not None
    visits = Visits(longest_age=-1.0)
    visits.keep("a", visit("a"))
    assert visits.find("a") is None
    assert len({new_token() for _ in range(100)}) == 100
    assert all(len(new_token()) >= 22 for _ in range(100))
