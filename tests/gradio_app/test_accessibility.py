"""axe-core finds nothing to object to, in light and dark, on wide and narrow screens."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page

from tests.gradio_app.browser import open_page

pytestmark = pytest.mark.browser

_TRANSITION = 400
"""Milliseconds that Gradio's colours take to change."""


_NOTHING_FADED = "!document.querySelector('.pending')"
"""Gradio fades a component while it waits for the server, so its contrast is that of no state."""


def violations(page: Page) -> str:
    page.wait_for_timeout(_TRANSITION)
    page.wait_for_function(_NOTHING_FADED)
    found = Axe().run(page)
    return found.generate_report() if found.response["violations"] else ""


def test_axe_finds_no_violation(chromium: Browser, address: str) -> None:
    page = open_page(chromium, address, viewport={"width": 1440, "height": 900})
    for dark in (False, True):
        page.evaluate("dark => document.body.classList.toggle('dark', dark)", dark)
        page.emulate_media(color_scheme="dark" if dark else "light")
        page.set_viewport_size({"width": 1440, "height": 900})
        for tab in ("Accelerators", "About the models", "Measurements"):
            page.get_by_role("tab", name=tab).first.click()
            assert violations(page) == ""
        for width in (1024, 390):
            page.set_viewport_size({"width": width, "height": 900})
            assert violations(page) == ""
    page.context.close()
