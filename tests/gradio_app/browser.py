"""Opens the page in a real browser and reads the state of its viewer."""

from typing import Any

from playwright.sync_api import Browser, Page

VIEWER = "document.querySelector('.viewer').viewer"
READY = (
    "(v => { v?.use(); return v?.photo?.done && v.ready.length === v.entries.length })"
    "(document.querySelector('.viewer')?.viewer)"
)


def open_page(browser: Browser, address: str, **options: Any) -> Page:
    """A page in its own context after its first comparison; errors are collected."""
    context = browser.new_context(accept_downloads=True, **options)
    page = context.new_page()
    page.set_default_timeout(40_000)
    trouble: list[str] = []
    page.on("console", lambda m: trouble.append(m.text) if m.type == "error" else None)
    page.on("pageerror", lambda error: trouble.append(str(error)))
    page.on(
        "request",
        lambda r: (
            trouble.append(f"asks {r.url}")
            if not r.url.startswith((address.partition("#")[0], "blob:", "data:"))
            else None
        ),
    )
    page.trouble = trouble  # type: ignore[attr-defined]
    page.goto(address)
    page.wait_for_function(READY)
    return page


def trouble_of(page: Page) -> list[str]:
    return list(page.trouble)  # type: ignore[attr-defined]
