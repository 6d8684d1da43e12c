"""The page reports what the browser could not compute, and tries again on request."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.gradio_app.browser import READY, VIEWER, open_page

pytestmark = pytest.mark.browser
expect.set_options(timeout=30_000)

WORKER = "**/viewer/measure_worker.js"
CRASHING = "self.onmessage = () => { throw new Error('lost'); };"
SILENT = "self.onmessage = () => {};"


@pytest.fixture
def page(chromium: Browser, address: str) -> Iterator[Page]:
    """A page whose worker has not been used yet."""
    page = open_page(chromium, address)
    page.locator(".viewer .stage").focus()
    yield page
    page.context.close()


def break_worker(page: Page, script: str | None) -> None:
    """Replaces the page's worker; None stands for a missing file."""
    if script is None:
        page.context.route(WORKER, lambda route: route.abort())
    else:
        page.context.route(
            WORKER, lambda route: route.fulfill(body=script, content_type="text/javascript")
        )
    page.reload()
    page.wait_for_function(READY)
    page.locator(".viewer .stage").focus()


@pytest.mark.parametrize("script", [None, CRASHING], ids=["not loaded", "crashing"])
def test_a_rectangle_that_could_not_be_measured_is_asked_again(
    page: Page, script: str | None
) -> None:
    break_worker(page, script)
    page.keyboard.press("Enter")
    report = page.locator(".viewer .region-report")
    expect(report).to_contain_text("not measured")
    page.context.unroute(WORKER)
    report.get_by_role("button", name="Try again").click()
    expect(report.locator("caption")).to_contain_text("compared with B (float16)")


@pytest.mark.parametrize("script", [None, CRASHING], ids=["not loaded", "crashing"])
def test_a_difference_that_failed_is_asked_again(page: Page, script: str | None) -> None:
    break_worker(page, script)
    page.keyboard.press("d")
    words = page.locator(".viewer .panel .largest")
    expect(words).to_contain_text("unknown")
    page.context.unroute(WORKER)
    page.get_by_role("button", name="Try again").click()
    expect(words).to_contain_text("of 255")
    expect(page.locator("[data-do=largest]")).to_have_text("Show it")


def test_a_picture_that_cannot_be_decoded_is_said_and_returning_asks_again(page: Page) -> None:
    page.evaluate(
        f"""() => {{
            const picture = {VIEWER}.picture({VIEWER}.a);
            window.kept = picture.blob;
            picture.blob = new Blob(['no picture']);
        }}"""
    )
    page.keyboard.press("d")
    words = page.locator(".viewer .panel .largest")
    expect(words).to_contain_text("unknown")
    page.evaluate(f"() => {{ {VIEWER}.picture({VIEWER}.a).blob = window.kept; }}")
    page.keyboard.press("s")
    page.keyboard.press("d")
    expect(words).to_contain_text("of 255")


def test_a_worker_that_says_nothing_more_is_given_up(page: Page) -> None:
    break_worker(page, SILENT)
    page.clock.install()
    page.keyboard.press("Enter")
    report = page.locator(".viewer .region-report")
    expect(report).to_contain_text("measuring")
    page.clock.run_for(121_000)
    expect(report).to_contain_text("not measured (no answer for two minutes)")


def test_two_differences_are_kept(page: Page) -> None:
    page.keyboard.press("d")
    for other in ("2", "3", "4"):
        page.keyboard.press(other)
        page.wait_for_function(f"{VIEWER}.difference()")
    assert page.evaluate(f"() => {VIEWER}.differences.count") == 2


def test_a_difference_of_the_photo_before_is_not_this_photos(page: Page) -> None:
    """The result arrives after the photo has changed, with the same keys."""
    found = page.evaluate(
        f"""async () => {{
            const v = {VIEWER};
            const [answers, ask] = [[], v.measuring.ask];
            v.measuring.ask = () => new Promise((resolve) => answers.push(resolve));
            v.setMode('difference');
            v.show({{...v.photo, photo: 'another'}});
            const ready = () => v.ready.length === v.entries.length;
            while (!ready()) await new Promise((resolve) => setTimeout(resolve, 20));
            v.difference();
            const level = await createImageBitmap(new ImageData(1, 1));
            answers[0]({{levels: [level], largest: 1, x: 0, y: 0}});
            await new Promise((resolve) => setTimeout(resolve, 20));
            return [answers.length, v.difference()];
        }}"""
    )
    assert found == [2, None]


def test_figures_of_a_rectangle_go_with_the_photo(page: Page) -> None:
    page.keyboard.press("Enter")
    expect(page.locator(".region-report caption")).to_contain_text("compared with B (float16)")
    page.evaluate(f"() => {VIEWER}.show({{...{VIEWER}.photo, photo: 'another'}})")
    expect(page.locator(".region-report")).to_be_hidden()


def test_a_blind_test_ends_when_one_of_its_pictures_goes(page: Page) -> None:
    page.keyboard.press("t")
    expect(page.locator(".viewer .blind")).to_be_visible()
    page.evaluate(
        f"""() => {{
            const v = {VIEWER};
            v.show({{...v.photo, pictures: v.entries.filter((entry) => entry.key !== v.b)}});
        }}"""
    )
    expect(page.locator(".viewer .blind")).to_be_hidden()
