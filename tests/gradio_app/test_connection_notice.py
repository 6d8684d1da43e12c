"""The page reports a server that does not answer, or a proxy that answers in its place."""

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from tests.gradio_app.browser import READY, open_page

pytestmark = pytest.mark.browser
expect.set_options(timeout=30_000)

JOIN = "**/gradio_api/queue/join*"


def no_answer(route: Route) -> None:
    route.abort()


def refusal(route: Route) -> None:
    route.fulfill(status=403, body="Refused: sent by another site.\n", content_type="text/plain")


def other_page(route: Route) -> None:
    route.fulfill(body="<!doctype html><title>Welcome to nginx!</title>", content_type="text/html")


ANSWERS = {
    "does not answer": no_answer,
    "refuses this page’s requests (403)": refusal,
    "Another server answers": other_page,
}


@pytest.mark.parametrize("words", ANSWERS)
def test_a_page_whose_events_fail_says_so_instead_of_opening_for_ever(
    chromium: Browser, address: str, words: str
) -> None:
    page = chromium.new_page()
    page.route(JOIN, ANSWERS[words])
    page.goto(address)
    expect(page.locator("#unreachable")).to_contain_text(words)
    expect(page.locator("#status")).to_be_hidden()
    page.context.close()


def test_a_server_that_ends_before_it_sends_results_is_said(
    chromium: Browser, address: str
) -> None:
    page = chromium.new_page()
    page.route("**/gradio_api/queue/data*", no_answer)
    page.goto(address)
    expect(page.locator("#unreachable")).to_contain_text("does not answer")
    page.context.close()


def test_a_viewer_that_cannot_be_loaded_is_said(chromium: Browser, address: str) -> None:
    page = chromium.new_page()
    page.route("**/viewer/viewer.js", no_answer)
    page.goto(address)
    expect(page.locator("#unreachable")).to_contain_text("could not be loaded")
    page.context.close()


def test_a_server_that_ends_is_said_and_one_that_is_back_is_used(
    chromium: Browser, address: str
) -> None:
    page: Page = open_page(chromium, address)
    page.route("**/gradio_api/**", no_answer)
    page.locator("[data-example=coffee]").click()
    expect(page.locator("#unreachable")).to_contain_text("does not answer")
    page.unroute("**/gradio_api/**")
    page.wait_for_timeout(3000)  # the framework asks every two seconds, then opens the page anew
    page.wait_for_function(READY)
    expect(page.locator("#unreachable")).to_have_count(0)
    page.context.close()
