"""What a visitor does with a photo: focus, strength, the verdict, files that are no photo."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.gradio_app.browser import READY, VIEWER, open_page, trouble_of

pytestmark = pytest.mark.browser
expect.set_options(timeout=30_000)


@pytest.fixture
def page(chromium: Browser, address: str) -> Iterator[Page]:
    """A page with an example, wide enough for everything."""
    page = open_page(chromium, address, viewport={"width": 1200, "height": 900})
    page.locator("[data-example=coffee]").click()
    page.wait_for_function(f"{VIEWER}.photo.name === 'coffee' && {READY}")
    yield page
    page.context.close()


def asked(page: Page) -> list[Any]:
    return list(page.evaluate("() => window.asked.splice(0)"))


def test_a_tap_asks_for_a_focus_and_a_second_one_for_none(page: Page) -> None:
    """The models of this server take no focus: it is asked for, and the question is looked at."""
    expect(page.locator(".viewer .group.focus")).to_be_hidden()
    page.evaluate(
        f"""() => {{
            window.asked = [];
            {VIEWER}.ask = (wish) => window.asked.push(wish.focus);
            {VIEWER}.photo.takesFocus = true;
            {VIEWER}.set({{}});
        }}"""
    )
    expect(page.locator(".viewer .focus-hint")).to_be_visible()
    stage = page.locator(".viewer .stage").bounding_box()
    assert stage
    place = (stage["x"] + stage["width"] / 2 + 60, stage["y"] + stage["height"] / 2 + 30)
    page.mouse.click(*place)
    page.wait_for_function("window.asked.length")
    ((x, y),) = asked(page)
    assert 0.5 < x < 0.7
    assert 0.5 < y < 0.7
    assert page.evaluate(f"() => {VIEWER}.fitted")
    page.mouse.click(*place)
    page.wait_for_function("window.asked.length")
    assert asked(page) == [None]
    # By keyboard and by button.
    page.mouse.move(5, 5)
    page.keyboard.press("f")
    assert asked(page) == [[pytest.approx(0.5, abs=0.01), pytest.approx(0.5, abs=0.01)]]
    page.get_by_role("button", name="Automatic focus").click()
    assert asked(page) == [None]
    page.get_by_role("button", name="Focus here").click()
    assert len(asked(page)) == 1
    # Two quick clicks zoom instead.
    page.mouse.dblclick(*place)
    page.wait_for_timeout(500)
    assert asked(page) == []
    assert not page.evaluate(f"() => {VIEWER}.fitted")


def test_strength_mixes_photo_and_rendering_at_once(page: Page) -> None:
    def values(strength: float) -> list[list[int]]:
        page.locator(".viewer .strength input").fill(str(strength))
        found = page.evaluate(
            f"""() => {{
                const v = {VIEWER};
                return ['original', v.b].map((key) => v.shown(key).rgb(300, 200));
            }}"""
        )
        return list(found)

    (photo, whole), (_, none), (_, half) = values(1), values(0), values(0.5)
    assert none == photo != whole
    assert half == [pytest.approx((a + b) / 2, abs=1) for a, b in zip(photo, whole, strict=True)]
    expect(page.locator(".viewer .strength output")).to_have_text("50 %")


def test_the_verdict_and_the_blind_test_are_words(page: Page) -> None:
    verdict = page.locator(".viewer .verdict > p")
    expect(verdict).to_have_text(
        re.compile(r"float16 differs from float32 by at most \d+ of 255, visibly in \d+ % of")
    )
    labels = page.evaluate(f"() => [{VIEWER}.label({VIEWER}.a), {VIEWER}.label({VIEWER}.b)]")
    assert labels == ["float32", "float16"]
    page.keyboard.press("t")  # though the focus is on an example
    for _ in range(10):
        page.keyboard.press(f"Shift+{page.evaluate(f'() => {VIEWER}.blind.test.x')}")
    page.keyboard.press("Escape")
    expect(verdict).to_contain_text("In a blind test you could tell float32 and float16 apart.")


def test_files_that_are_no_photo_are_a_sentence(page: Page, tmp_path: Path) -> None:
    letter = tmp_path / "letter.pdf"
    letter.write_bytes(b"%PDF-1.7")
    page.set_input_files("#own_photo", letter)
    expect(page.locator("#file_notice")).to_contain_text("letter.pdf is not a photo")
    assert page.evaluate(f"() => {VIEWER}.photo.name") == "coffee"


def test_keys_leave_form_fields_alone_and_the_menu_closes(page: Page) -> None:
    page.locator("button[data-mode=before]").focus()
    page.keyboard.press("ArrowRight")
    assert page.evaluate(f"() => {VIEWER}.mode") == "split"
    page.locator("[data-side=a]").focus()
    page.keyboard.press("d")
    assert page.evaluate(f"() => {VIEWER}.mode") == "split"
    page.locator("#models input").first.focus()
    page.keyboard.press("g")
    assert page.evaluate(f"() => {VIEWER}.mode") == "grid"
    menu = page.locator(".viewer .menu")
    for close in (lambda: page.keyboard.press("Escape"), lambda: page.mouse.click(5, 5)):
        menu.locator("summary").click()
        expect(menu).to_have_attribute("open", "")
        close()
        expect(menu).not_to_have_attribute("open", "")
    expect(page.locator("#stop")).to_be_hidden()
    assert trouble_of(page) == []


def test_a_photo_of_ones_own_is_shared(page: Page, photo_file: Path, address: str) -> None:
    page.set_input_files("#own_photo", photo_file)
    page.wait_for_function(f"{VIEWER}.photo.name === '{photo_file.name}' && {READY}")
    page.keyboard.press("k")
    page.wait_for_function("location.hash.startsWith('#shared=')")
    link = page.url
    other = page.context.browser.new_context().new_page()  # type: ignore[union-attr]
    other.goto(link)
    other.wait_for_function(f"{READY} && {VIEWER}.photo.name === '{photo_file.name}'")
    expect(other.locator("#notice")).to_contain_text("Somebody shared this comparison with you")
    expect(other.locator("#opening")).to_be_hidden()
    other.context.close()
