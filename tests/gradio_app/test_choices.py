"""The page shows what was chosen last, and a reloaded tab shows it again."""

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Browser, Page, expect

from tests.gradio_app.browser import READY, VIEWER, open_page, trouble_of

pytestmark = pytest.mark.browser
expect.set_options(timeout=30_000)


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Two photos, a letter, and a photo that is damaged after its header."""
    folder = tmp_path_factory.mktemp("photos")
    Image.new("RGB", (300, 200), (60, 100, 60)).save(folder / "green.png")
    Image.new("RGB", (200, 300), (100, 60, 60)).save(folder / "red.png")
    (folder / "letter.jpg").write_text("Dear Sir or Madam")
    stream = io.BytesIO()
    noise = np.random.default_rng(0).integers(0, 256, (100, 100, 3), np.uint8)
    Image.fromarray(noise).save(stream, "PNG")
    (folder / "cut.png").write_bytes(stream.getvalue()[:9000])
    return {file.stem: file for file in folder.iterdir()}


def bring(page: Page, photo: Path) -> None:
    page.wait_for_selector("#upload input[type=file]", state="attached")
    page.set_input_files("#upload input[type=file]", photo)


def wait_for_photo(page: Page, name: str) -> None:
    page.wait_for_function(f"{READY} && {VIEWER}.photo.name === '{name}'")
    expect(page.locator("#status")).to_contain_text(name)


def example(page: Page, name: str) -> None:
    page.locator(f"[data-example={name}]").click()


def highlighted(page: Page) -> list[str]:
    return page.locator("#examples [aria-pressed=true]").all_inner_texts()


def csv_of(page: Page) -> str:
    with page.expect_download() as download:
        page.locator("#csv").click()
    return download.value.suggested_filename


def settled(page: Page, script: str, expected: object) -> object:
    """The value of a script once it has been the expected one for two seconds.

    The server may be slow: an outdated answer can come first. After a minute, the value as it is.
    """
    in_a_row = 0
    for _ in range(600):
        value = page.evaluate(f"() => {script}")
        in_a_row = in_a_row + 1 if value == expected else 0
        if in_a_row == 20:
            break
        page.wait_for_timeout(100)
    return value


def test_of_two_clicks_before_the_viewer_is_there_the_second_counts(
    chromium: Browser, address: str
) -> None:
    page = open_page(chromium, address)
    asked = page.evaluate(
        """async () => {
            const wait = (ms) => new Promise((done) => setTimeout(done, ms));
            const root = document.querySelector('.viewer'), viewer = root.viewer, asked = [];
            const click = (name) => document.querySelector(`[data-example=${name}]`).click();
            root.viewer = undefined;
            click('coffee');
            await wait(70);
            click('road');  // looks for the viewer 70 ms after the other does
            await wait(60);
            root.viewer = {ask: (wish) => asked.push(wish.example)};
            await wait(300);
            root.viewer = viewer;
            return asked;
        }"""
    )
    assert asked == ["road"]
    page.context.close()


def test_every_wish_is_followed_by_an_event_that_fetches_a_lost_answer(
    chromium: Browser, address: str
) -> None:
    """Gradio loses an answer if it closes its stream just when the question arrives."""
    page = open_page(chromium, address)
    with page.expect_request(
        lambda request: (
            "queue/join" in request.url and '"event_data":{}' in (request.post_data or "")
        )
    ):
        example(page, "coffee")
    assert settled(page, f"{VIEWER}.photo?.name", "coffee") == "coffee"
    assert trouble_of(page) == []
    page.context.close()


def test_of_two_quick_clicks_the_second_counts(chromium: Browser, address: str) -> None:
    page = open_page(chromium, address)
    for first, second in (("coffee", "road"), ("street", "cat")):
        example(page, first)
        example(page, second)
        assert settled(page, f"{VIEWER}.photo?.name", second) == second
        assert highlighted(page) == [second]
        assert csv_of(page) == f"{second}_measurements.csv"
    assert trouble_of(page) == []
    page.context.close()


def test_of_quick_ticks_the_last_state_counts(chromium: Browser, address: str) -> None:
    page = open_page(chromium, address)
    for _ in range(3):
        page.locator("#models label", has_text="float16").click()
    labels = f"{VIEWER}.entries.map((entry) => entry.label)"
    assert settled(page, labels, ["photo", "float32"]) == ["photo", "float32"]
    page.context.close()


@pytest.mark.parametrize("bad", ["letter", "cut"])
def test_after_a_photo_that_cannot_be_read_the_one_before_goes_on(
    chromium: Browser, address: str, photos: dict[str, Path], bad: str
) -> None:
    """The page and the next comparison keep the photo before."""
    page = open_page(chromium, address)
    bring(page, photos["green"])
    wait_for_photo(page, "green.png")
    bring(page, photos[bad])
    notice = page.locator("#notice")
    expect(notice).to_contain_text("Still showing green.png.")
    page.locator("#models label", has_text="float16").click()
    page.wait_for_function(f"{VIEWER}.entries.length === 2 && {READY}")
    expect(notice).to_contain_text("Still showing green.png.")
    expect(page.locator("#status")).to_contain_text("green.png")
    assert csv_of(page) == "green_measurements.csv"
    example(page, "coffee")
    wait_for_photo(page, "coffee")
    expect(notice).to_have_text("")
    assert trouble_of(page) == []
    page.context.close()


def test_no_example_is_highlighted_over_a_photo_of_ones_own(
    chromium: Browser, address: str, photos: dict[str, Path]
) -> None:
    page = open_page(chromium, address)
    example(page, "coffee")
    wait_for_photo(page, "coffee")
    assert highlighted(page) == ["coffee"]
    bring(page, photos["green"])
    wait_for_photo(page, "green.png")
    expect(page.locator("#examples [aria-pressed=true]")).to_have_count(0)
    example(page, "coffee")
    wait_for_photo(page, "coffee")
    page.context.close()


def test_a_reload_shows_the_photo_ticks_and_models_of_the_tab_again(
    chromium: Browser, address: str, photos: dict[str, Path], bundle_file: Path
) -> None:
    page = open_page(chromium, address)
    page.get_by_role("button", name="Add your own models").click()
    page.set_input_files("#own_models input[type=file]", bundle_file)
    page.locator("#models label", has_text="float16.tflite").wait_for()
    page.wait_for_function(READY)
    page.locator("#models label", has_text="float32").click()
    bring(page, photos["green"])
    wait_for_photo(page, "green.png")
    labels = ["photo", "float16", "float16.tflite"]
    page.wait_for_function(f"{VIEWER}.entries.map((e) => e.label).join() === '{','.join(labels)}'")
    page.reload()
    wait_for_photo(page, "green.png")
    assert page.evaluate(f"() => {VIEWER}.entries.map((e) => e.label)") == labels
    expect(page.locator("#models input:checked")).to_have_count(2)
    assert "green" not in page.url

    other = page.context.new_page()
    other.goto(address)
    other.wait_for_function(READY)
    assert other.evaluate(f"() => {VIEWER}.photo.name") == "portrait"
    page.context.close()


def test_two_tabs_get_their_own_photos_again(
    chromium: Browser, address: str, photos: dict[str, Path]
) -> None:
    page = open_page(chromium, address)
    other = page.context.new_page()
    other.goto(address)
    other.wait_for_function(READY)
    for tab, name in ((page, "green"), (other, "red")):
        bring(tab, photos[name])
        wait_for_photo(tab, f"{name}.png")
    for tab, name in ((page, "green"), (other, "red")):
        tab.reload()
        wait_for_photo(tab, f"{name}.png")
    page.context.close()


def test_a_photo_that_the_server_no_longer_has_is_named(
    chromium: Browser, address: str, photos: dict[str, Path]
) -> None:
    """As after a restart: the server does not know the tab's token."""
    page = open_page(chromium, address)
    bring(page, photos["green"])
    wait_for_photo(page, "green.png")
    page.evaluate(
        """() => {
            const kept = JSON.parse(sessionStorage.getItem('pocket-bokeh'));
            sessionStorage.setItem('pocket-bokeh', JSON.stringify({...kept, visit: 'unknown'}));
        }"""
    )
    page.reload()
    expect(page.locator("#notice")).to_contain_text("No longer on the server: green.png.")
    wait_for_photo(page, "portrait")
    page.context.close()
