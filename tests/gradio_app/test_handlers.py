"""The handlers of the page's events, as plain functions."""

import io
import json
from collections.abc import Iterable
from pathlib import Path

import gradio as gr
import numpy as np
import pytest
from PIL import Image

from gradio_app.display import draw_plot, tick_labels
from gradio_app.handlers import (
    BUSY,
    App,
    ComparisonRequest,
    PageUpdate,
    choose_photo,
    run_comparison,
    take_models,
    take_photo,
    update_speeds,
)
from gradio_app.measurements import SPEED
from gradio_app.photos import Photo, read_upload
from gradio_app.task_pool import TaskPool, WaitingLine
from pocket_bokeh.bundle import Bundle


@pytest.fixture
def app(bundle: Bundle, pool: TaskPool, tmp_path: Path) -> App:
    return App(bundle, pool, tmp_path)


def test_a_comparison_fills_viewer_table_and_csv(app: App, photo_file: Path) -> None:
    photo, _ = take_photo(str(photo_file))
    assert photo is not None
    keys = [model.key for model in app.models]
    last = list(run_comparison(app, ComparisonRequest(photo, keys, []), "me"))[-1]
    told = json.loads(last.viewer)
    assert told["done"]
    assert (told["width"], told["height"], told["example"]) == (120, 80, None)
    assert [picture["label"] for picture in told["pictures"]] == ["photo", "float32", "float16"]
    assert all(picture["ready"] for picture in told["pictures"])
    labels = ["photo", "float32", "float16"]
    assert [row[0] for row in last.rows] == list(last.measurements.frame()["picture"]) == labels
    assert "2 models<" in last.status  # without seconds
    assert Path(last.download.value["path"]).name == "meadow_measurements.csv"
    assert "float16" in Path(last.download.value["path"]).read_text()


def test_stop_ends_a_comparison_with_a_word(app: App, photo_file: Path) -> None:
    photo, _ = take_photo(str(photo_file))
    run = run_comparison(
        app, ComparisonRequest(photo, [model.key for model in app.models], []), "me"
    )
    next(run)
    app.cancel("me", by_stop=True)
    *_, last = run
    assert "Stopped." in last.status


def test_a_second_comparison_of_one_visitor_ends_the_first(app: App, photo_file: Path) -> None:
    photo, _ = take_photo(str(photo_file))
    first = run_comparison(app, ComparisonRequest(photo, [], []), "me")
    other = run_comparison(app, ComparisonRequest(photo, [], []), "someone else")
    next(first), next(other)
    next(run_comparison(app, ComparisonRequest(photo, [], []), "me"))
    # Without a word: the page is the second's by now.
    assert not any(isinstance(update.status, str) for update in first)
    assert "no models<" in list(other)[-1].status


def test_who_comes_late_waits_or_is_told_that_it_is_busy(app: App, photo_file: Path) -> None:
    photo, _ = take_photo(str(photo_file))
    app.line = WaitingLine(places=1, most_waiting=1)
    first = run_comparison(app, ComparisonRequest(photo, [], []), "first")
    second = run_comparison(app, ComparisonRequest(photo, [], []), "second")
    next(first)
    assert "1 comparison before yours" in next(second).status
    third = list(run_comparison(app, ComparisonRequest(photo, [], []), "third"))
    assert [BUSY in outputs.status for outputs in third] == [True]
    assert "no models<" in list(first)[-1].status
    assert "no models<" in list(second)[-1].status
    # What is known already needs no turn.
    assert app.line.join() is not None
    assert (
        "no models<"
        in list(run_comparison(app, ComparisonRequest(photo, [], []), "third"))[-1].status
    )


def test_names_of_files_are_no_markup(app: App, photo_file: Path) -> None:
    named = photo_file.rename(photo_file.with_name("<img src=x onerror=alert(1)>.png"))
    photo, _ = take_photo(str(named))
    statuses = [
        outputs.status for outputs in run_comparison(app, ComparisonRequest(photo, [], []), "me")
    ]
    assert all("<img" not in str(status) for status in statuses)


def test_what_was_left_out_of_an_animation_stands_beside_its_name(app: App, tmp_path: Path) -> None:
    file = tmp_path / "moving.gif"
    still, other = (Image.new("RGB", (64, 48), colour) for colour in ("green", "red"))
    still.save(file, save_all=True, append_images=[other])
    photo, _ = take_photo(str(file))
    last = list(run_comparison(app, ComparisonRequest(photo, [app.models[0].key], []), "someone"))[
        -1
    ]
    assert "only the first of its 2 pictures is used" in last.status


def test_a_visitors_model_is_ticked_beside_the_others(app: App, bundle: Bundle) -> None:
    keys = [app.models[0].key]
    file = str(bundle.folder / "float16.tflite")
    own, ticks = take_models(app, [file], [], keys)
    assert [model.label for model in own] == ["float16.tflite"]
    assert ticks.value == [*keys, own[0].key]
    again, _ = take_models(app, [file], own, keys)
    assert again == own


@pytest.fixture
def cut_photo(tmp_path: Path) -> Photo:
    """A photo that is damaged after its header, which is noticed when it is decoded."""
    stream = io.BytesIO()
    noise = np.random.default_rng(0).integers(0, 256, (100, 100, 3), np.uint8)
    Image.fromarray(noise).save(stream, "PNG")
    (tmp_path / "cut.png").write_bytes(stream.getvalue()[:9000])
    return read_upload(tmp_path / "cut.png")


def merged(updates: Iterable[PageUpdate]) -> PageUpdate:
    """What the page shows at the end: the last value of each part."""
    page = PageUpdate()
    for update in updates:
        page = PageUpdate(
            *(old if is_skip(new) else new for old, new in zip(page, update, strict=True))
        )
    return page


def is_skip(value: object) -> bool:
    return isinstance(value, dict) and value == gr.skip()


def test_a_photo_that_is_no_photo_leaves_everything_as_it_is(app: App, tmp_path: Path) -> None:
    letter = tmp_path / "letter.jpg"
    letter.write_text("Dear Sir or Madam")
    shown = app.examples["cat"]
    photo, notice = choose_photo(str(letter), shown)
    assert is_skip(photo)
    assert "letter.jpg: not an image that can be read" in notice
    assert "Still showing cat." in notice
    assert "Still showing" not in choose_photo(str(letter), None)[1]


def test_a_photo_damaged_inside_leaves_the_page_with_the_one_before(
    app: App, photo_file: Path, cut_photo: Photo
) -> None:
    """Every part of the page, and the next comparison, keep the photo before."""
    shown = read_upload(photo_file)
    keys = [model.key for model in app.models]
    page = merged(run_comparison(app, ComparisonRequest(cut_photo, keys, [], shown, "token"), "me"))
    assert "cut.png: the file is damaged or incomplete. Choose another copy." in page.notice
    assert "Still showing meadow.png." in page.notice
    assert page.photo == page.shown == shown
    assert "meadow.png" in page.status
    told = json.loads(page.viewer)
    assert (told["name"], told["done"]) == ("meadow.png", True)
    assert page.measurements.comparison.photo == shown
    assert Path(page.download.value["path"]).name == "meadow_measurements.csv"
    visit = app.visits.find("token")
    assert visit is not None
    assert visit.photo == shown


def test_without_a_photo_before_a_damaged_one_leaves_none(app: App, cut_photo: Photo) -> None:
    page = merged(run_comparison(app, ComparisonRequest(cut_photo, [], []), "me"))
    assert "damaged" in page.notice
    assert page.photo is None
    assert (
        "Choose a photo"
        in merged(run_comparison(app, ComparisonRequest(None, [], []), "me")).status
    )


def test_nothing_of_the_photo_before_stands_beside_a_new_one(app: App, photo_file: Path) -> None:
    photo, _ = take_photo(str(photo_file))
    run = run_comparison(
        app, ComparisonRequest(photo, [model.key for model in app.models], []), "me"
    )
    first = next(update for update in run if not is_skip(update.viewer))
    assert first.measurements is None
    assert first.plot.value is None
    assert first.download.value is None
    assert first.stop.visible
    assert json.loads(first.viewer)["name"] == first.shown.name == "meadow.png"


def test_what_was_done_before_a_stop_can_be_downloaded(app: App, photo_file: Path) -> None:
    photo, _ = take_photo(str(photo_file))
    run = run_comparison(
        app, ComparisonRequest(photo, [model.key for model in app.models], []), "me"
    )
    updates = [next(run)]
    while is_skip(updates[-1].viewer):
        updates.append(next(run))
    app.cancel("me", by_stop=True)
    page = merged([*updates, *run])
    assert "Stopped." in page.status
    assert page.measurements.comparison.photo == photo
    assert Path(page.download.value["path"]).name == "meadow_measurements.csv"


def test_no_time_of_a_busy_run_stands_anywhere(app: App, photo_file: Path) -> None:
    """Run times come only from the speed meter, wherever they are shown."""
    photo, _ = take_photo(str(photo_file))
    assert photo is not None
    keys = [model.key for model in app.models]
    app.speeds.request = lambda models: None  # type: ignore[method-assign]
    page = merged(run_comparison(app, ComparisonRequest(photo, keys, []), "me"))
    assert list(page.measurements.frame()[SPEED].dropna()) == []
    assert "no times yet" in draw_plot(page.measurements, SPEED, "PSNR to float32").label
    csv_file = Path(page.download.value["path"])
    column = csv_file.read_text().splitlines()[0].split(",").index(SPEED)
    assert {line.split(",")[column] for line in csv_file.read_text().splitlines()[1:]} == {""}
    assert not any(" ms" in label for label, _ in tick_labels(app.models))
    notes = csv_file.parent.glob("*.json")
    assert not any("milliseconds" in note.read_text() for note in notes)
    assert page.clock.active

    app.speeds.known = lambda models: {keys[0]: 12.34, keys[1]: 5.0}  # type: ignore[method-assign]
    app.speeds.is_done = lambda models: True  # type: ignore[method-assign]
    later = update_speeds(app, page.measurements, "MB", "PSNR to float32", "me")
    assert [row[2] for row in later.rows] == [None, 12.3, 5.0]
    assert ",12.3," in Path(later.download.value["path"]).read_text()
    assert not later.clock.active


def test_times_are_not_filled_in_while_the_next_comparison_runs(app: App, photo_file: Path) -> None:
    photo, _ = take_photo(str(photo_file))
    page = merged(run_comparison(app, ComparisonRequest(photo, [], []), "me"))
    app.begin("me")
    assert update_speeds(app, page.measurements, "MB", "PSNR to float32", "me") == PageUpdate()
