"""The viewer in a real browser: what its canvas shows, compared with the lossless files."""

import base64
import io
import json
import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Browser, Page, expect

from pocket_bokeh.metrics import compare_pictures
from pocket_bokeh.photo import read_photo
from tests.gradio_app.browser import READY, VIEWER, open_page, trouble_of

pytestmark = pytest.mark.browser
expect.set_options(timeout=30_000)

WIDTH, HEIGHT = 300, 200


@pytest.fixture(scope="module")
def photo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Noise on a ramp: every pixel differs from its neighbours."""
    random = np.random.default_rng(1)
    ramp = np.linspace(20, 200, WIDTH)[None, :, None] * np.ones((HEIGHT, 1, 3))
    file = tmp_path_factory.mktemp("photos") / "noise.png"
    noisy = np.clip(ramp + random.integers(-20, 21, ramp.shape), 0, 255).astype(np.uint8)
    Image.fromarray(noisy).save(file)
    return file


@pytest.fixture(scope="module")
def shared_page(chromium: Browser, address: str, photo: Path) -> Iterator[Page]:
    """A page after the photo was uploaded and compared."""
    page = open_page(chromium, address, viewport={"width": 1200, "height": 900})
    page.set_input_files("#upload input[type=file]", photo)
    page.wait_for_function(f"{VIEWER}.photo.name === 'noise.png' && {READY}")
    yield page
    page.context.close()


@pytest.fixture
def page(shared_page: Page) -> Page:
    """The same page, with the view reset."""
    shared_page.evaluate(
        f"""() => {{
            const v = {VIEWER};
            v.endBlindTest();
            v.controls.help.hidden = true;
            Object.assign(v, {{mode: 'split', a: v.entries[0].key, b: v.entries[2].key,
                divider: 0.5, gain: 8, magnifier: false, region: null, regionTool: false,
                blinking: false, blinkSide: 'b', pointer: null}});
            v.controls.report.hidden = true;
            v.fit();
        }}"""
    )
    shared_page.locator(".viewer .stage").focus()
    return shared_page


def settle(page: Page) -> None:
    page.evaluate("() => new Promise(r => requestAnimationFrame(() => requestAnimationFrame(r)))")


def codes(page: Page, pixels: str) -> np.ndarray:
    """The bytes of a typed array that a script returns; sent as numbers they would take seconds."""
    text = page.evaluate(
        f"""() => {{
            const data = (() => {{ const v = {VIEWER}; return {pixels}; }})();
            let text = '';
            for (let i = 0; i < data.length; i += 8192)
                text += String.fromCharCode(...data.subarray(i, i + 8192));
            return btoa(text);
        }}"""
    )
    return np.frombuffer(base64.b64decode(text), np.uint8)


def shown(page: Page) -> np.ndarray:
    """The pixels of the canvas, height × width × 3."""
    settle(page)
    height, width = page.evaluate(f"() => [{VIEWER}.canvas.height, {VIEWER}.canvas.width]")
    pixels = codes(
        page, "v.drawing.context.getImageData(0, 0, v.canvas.width, v.canvas.height).data"
    )
    return pixels.reshape(height, width, 4)[..., :3]


def corner(page: Page) -> tuple[int, int]:
    """The picture's top left corner on the canvas: row and column."""
    left, top = page.evaluate(
        f"""() => {{
            const v = {VIEWER};
            return [Math.round(v.canvas.width / 2 - v.centre.x * v.scale),
                    Math.round(v.canvas.height / 2 - v.centre.y * v.scale)];
        }}"""
    )
    return top, left


def files(page: Page) -> dict[str, np.ndarray]:
    """The server's pictures, by label."""
    entries = page.evaluate(f"() => {VIEWER}.entries.map(e => [e.label, e.address])")
    base = page.url.partition("#")[0]
    return {
        label: read_photo(page.request.get(f"{base}{address}").body()) for label, address in entries
    }


def test_a_newcomer_sees_an_example_compared(chromium: Browser, address: str) -> None:
    page = open_page(chromium, address)
    assert page.title() == "Pocket Bokeh"
    expect(page.locator("#opening h1")).to_have_text("Pocket Bokeh")
    for picture in page.locator("#opening img").all():
        assert picture.evaluate("image => image.naturalWidth") == 1024
    expect(page.locator("#status")).to_contain_text("portrait")
    label = page.locator(".viewer canvas").first.get_attribute("aria-label")
    assert label == "Before / after: photo on the left, float16 on the right"
    canvas = shown(page)
    assert canvas.std() > 20
    assert trouble_of(page) == []
    page.context.close()


def test_the_photo_arrives_as_it_is(page: Page, photo: Path) -> None:
    pictures = files(page)
    assert list(pictures) == ["photo", "float32", "float16"]
    np.testing.assert_array_equal(pictures["photo"], read_photo(photo))
    for index, pixels in enumerate(pictures.values()):
        loaded = codes(page, f"v.picture(v.entries[{index}].key).pixels(0, 0, {WIDTH}, {HEIGHT})")
        np.testing.assert_array_equal(loaded.reshape(HEIGHT, WIDTH, 4)[..., :3], pixels)


def test_split_at_100_percent_shows_true_pixels_on_both_sides(page: Page) -> None:
    pictures = files(page)
    page.keyboard.press("z")
    canvas, (top, left) = shown(page), corner(page)
    middle = canvas.shape[1] // 2 - left
    # Below the labels and away from the handle.
    rows = slice(HEIGHT // 2 + 30, HEIGHT)
    part = canvas[top : top + HEIGHT, left : left + WIDTH][rows]
    a, b = pictures["photo"][rows], pictures["float16"][rows]
    np.testing.assert_array_equal(part[:, : middle - 3], a[:, : middle - 3])
    np.testing.assert_array_equal(part[:, middle + 3 :], b[:, middle + 3 :])


def test_a_pixel_at_800_percent_is_a_square(page: Page) -> None:
    pictures = files(page)
    for _ in range(10):
        if page.evaluate(f"() => {VIEWER}.scale") < 8:
            page.keyboard.press("+")
    page.keyboard.press("b")
    canvas, (top, left) = shown(page), corner(page)
    x, y = WIDTH // 2 + 3, HEIGHT // 2 + 2
    square = canvas[top + 8 * y : top + 8 * y + 16, left + 8 * x : left + 8 * x + 16]
    expected = pictures["float16"][y : y + 2, x : x + 2].repeat(8, 0).repeat(8, 1)
    np.testing.assert_array_equal(square, expected)


def test_zoom_and_place_stay_when_modes_and_pictures_change(page: Page) -> None:
    page.keyboard.press("z")
    page.keyboard.press("+")
    page.keyboard.press("ArrowLeft")
    view = f"() => [{VIEWER}.scale, {VIEWER}.centre.x, {VIEWER}.centre.y]"
    before = page.evaluate(view)
    for key in ("g", "b", "d", "2", "x", "Shift+3", "s"):
        page.keyboard.press(key)
        assert page.evaluate(view) == before


def test_difference_is_exact_and_names_its_largest_value(page: Page) -> None:
    pictures = files(page)
    difference = np.abs(pictures["photo"].astype(int) - pictures["float16"])
    page.keyboard.press("d")
    page.keyboard.press("z")
    page.wait_for_function(f"{VIEWER}.difference()")
    for gain in (8, 16):
        canvas, (top, left) = shown(page), corner(page)
        rows = slice(40, HEIGHT - 60)  # between the label and the panel
        part = canvas[top : top + HEIGHT, left : left + WIDTH][rows]
        np.testing.assert_array_equal(part, np.minimum(255, gain * difference)[rows])
        page.keyboard.press("]")
    largest = difference.max()
    expect(page.locator(".viewer .largest").first).to_contain_text(
        f"Largest difference {largest} of 255"
    )
    page.keyboard.press("m")
    x, y = page.evaluate(f"() => [{VIEWER}.pointer.x, {VIEWER}.pointer.y]")
    assert difference[y, x].max() == largest
    code = " ".join(str(code) for code in pictures["photo"][y, x])
    expect(page.locator(".viewer .magnifier output").first).to_have_text(f"A {code}")


def test_blink_shows_one_and_then_the_other(page: Page) -> None:
    pictures = files(page)
    page.keyboard.press("b")
    page.keyboard.press("z")
    for label in ("float16", "photo"):
        canvas, (top, left) = shown(page), corner(page)
        part = canvas[top : top + HEIGHT, left : left + WIDTH]
        np.testing.assert_array_equal(part[50:], pictures[label][50:])
        page.keyboard.press(" ")
    page.keyboard.press("p")
    side = page.evaluate(f"() => {VIEWER}.blinkSide")
    page.wait_for_function(f"{VIEWER}.blinkSide !== '{side}'")


def test_the_grid_shows_every_picture_at_the_same_place(page: Page) -> None:
    pictures = files(page)
    page.keyboard.press("g")
    page.keyboard.press("z")
    canvas = shown(page)
    boxes = page.evaluate(f"() => {VIEWER}.boxes().map(b => [b.entry.label, b.box])")
    assert [label for label, _ in boxes] == list(pictures)
    for label, box in boxes:
        y = round(box["y"] + box["height"] / 2)
        x = round(box["x"] + box["width"] / 2)
        patch = canvas[y - 5 : y + 5, x - 5 : x + 5]
        top, left = HEIGHT // 2 - 5, WIDTH // 2 - 5
        near = [
            np.array_equal(
                patch, pictures[label][top + dy : top + dy + 10, left + dx : left + dx + 10]
            )
            for dy in (-1, 0, 1)
            for dx in (-1, 0, 1)
        ]
        assert sum(near) == 1


def test_a_rectangle_is_measured_as_the_server_measures(page: Page) -> None:
    pictures = files(page)
    page.keyboard.press("z")
    box = page.locator(".viewer .stage").bounding_box()
    assert box
    top, left = corner(page)
    page.keyboard.down("Shift")
    page.mouse.move(box["x"] + left + 20.5, box["y"] + top + 30.5)
    page.mouse.down()
    page.mouse.move(box["x"] + left + 119.5, box["y"] + top + 79.5, steps=3)
    page.mouse.up()
    page.keyboard.up("Shift")
    region = page.evaluate(f"() => {VIEWER}.region")
    assert region == {"x": 20, "y": 30, "width": 100, "height": 50}
    part = (slice(30, 80), slice(20, 120))
    expected = compare_pictures(pictures["float32"][part], pictures["float16"][part])
    row = page.locator(".region-report tr", has_text="float32").locator("td")
    expect(row.nth(2)).to_have_text(str(expected.largest_step))
    assert float(row.nth(0).inner_text()) == pytest.approx(expected.psnr, abs=0.006)
    assert float(row.nth(1).inner_text()) == pytest.approx(expected.ssim, abs=6e-5)
    page.keyboard.press("Escape")
    expect(page.locator(".region-report")).to_be_hidden()


def test_a_blind_test_of_ten_rounds_by_keyboard(page: Page) -> None:
    page.keyboard.press("t")
    panel = page.locator(".viewer .blind p")
    for number in range(1, 11):
        expect(panel).to_contain_text(f"Round {number} of 10")
        assert "float16" not in panel.inner_text()
        for key in "abx":
            page.keyboard.press(key)
        hidden = page.evaluate(f"() => {VIEWER}.blind.test.x")
        page.keyboard.press(f"Shift+{hidden}")
    expect(panel).to_contain_text("10 of 10 right")
    expect(panel).to_contain_text("you can tell photo and float16 apart (p < 0.001)")
    page.keyboard.press("Escape")
    page.keyboard.press("t")
    for _ in range(10):
        page.get_by_role("button", name="I can’t tell").click()
    expect(panel).to_contain_text(
        "You could not tell photo and float16 apart. 10 × “I can’t tell”."
    )
    page.get_by_role("button", name="Close").first.click()
    expect(page.locator(".viewer .blind")).to_be_hidden()


def test_what_is_saved_is_what_was_compared(page: Page, tmp_path: Path) -> None:
    pictures = files(page)

    def saved(key: str) -> tuple[str, bytes]:
        with page.expect_download() as download:
            page.keyboard.press(key)
        download.value.save_as(tmp_path / "saved")
        return download.value.suggested_filename, (tmp_path / "saved").read_bytes()

    name, content = saved("w")
    assert name == "noise_float16.png"
    np.testing.assert_array_equal(read_photo(content), pictures["float16"])
    name, content = saved("j")
    assert name == "noise_float16.jpg"
    assert Image.open(io.BytesIO(content)).format == "JPEG"
    assert np.abs(read_photo(content).astype(int) - pictures["float16"]).mean() < 12
    name, content = saved("c")
    assert name == "noise_comparison_split.png"
    view = page.evaluate(f"() => [{VIEWER}.canvas.height, {VIEWER}.canvas.width]")
    assert read_photo(content).shape[:2] == (view[0] + 40, view[1])
    with page.expect_download() as download:
        page.locator("#csv").click()
    assert download.value.suggested_filename == "noise_measurements.csv"


def test_numbers_stand_in_the_table(page: Page) -> None:
    pictures = files(page)
    expected = compare_pictures(pictures["float16"], pictures["float32"])
    table = page.locator("#measurements")
    expect(table).to_contain_text("float16")
    expect(table).to_contain_text(str(expected.largest_step))
    assert re.search(rf"{expected.psnr:.2f}".rstrip("0"), table.inner_text())


def test_every_key_of_the_help_is_shown_and_escape_closes_it(page: Page) -> None:
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keys")).to_contain_text("blind test")
    page.keyboard.press("Escape")
    expect(page.locator(".viewer .help")).to_be_hidden()
    page.keyboard.press("r")
    page.keyboard.press("Enter")
    expect(page.locator(".region-report caption")).to_contain_text("compared with B (float16)")
    page.keyboard.press("Escape")
    page.keyboard.press(",")
    assert page.evaluate(f"() => {VIEWER}.divider") == pytest.approx(0.48)
    assert trouble_of(page) == []


def test_without_a_mouse_everything_can_be_reached(page: Page) -> None:
    page.evaluate("() => document.activeElement.blur()")
    page.locator("button[data-mode=split]").focus()
    page.keyboard.press("ArrowRight")
    reached = ["split"]
    for _ in range(30):
        page.keyboard.press("Tab")
        reached.append(
            page.evaluate(
                """() => {
                    const e = document.activeElement;
                    return e.dataset.mode ?? e.dataset.side ?? e.dataset.do ?? e.className;
                }"""
            )
        )
        if "stage" in reached[-1]:
            break
    assert page.evaluate(f"() => {VIEWER}.mode") == "grid"
    assert {"a", "b", "in", "magnifier", "region", "blind"} <= set(reached)
    assert "stage" in reached[-1]


def test_what_is_no_photo_is_a_sentence_and_the_page_goes_on(
    chromium: Browser, address: str, photo: Path, tmp_path: Path
) -> None:
    page = open_page(chromium, address)
    text = tmp_path / "letter.jpg"
    text.write_text("Dear Sir or Madam")
    page.set_input_files("#upload input[type=file]", text)
    expect(page.locator("#notice .wrong")).to_contain_text("not an image that can be read")
    # Pasted anywhere, it goes the same way; and the field is free again.
    page.wait_for_selector("#upload input[type=file]", state="attached")
    page.evaluate(
        """codes => {
            const file = new File([new Uint8Array(codes)], 'noise.png', {type: 'image/png'});
            const clipboardData = new DataTransfer();
            clipboardData.items.add(file);
            document.body.dispatchEvent(
                new ClipboardEvent('paste', {clipboardData, bubbles: true}));
        }""",
        list(photo.read_bytes()),
    )
    page.wait_for_function(f"{VIEWER}.photo.name === 'noise.png' && {READY}")
    assert trouble_of(page) == []
    page.context.close()


def test_a_photo_dropped_anywhere_is_compared(chromium: Browser, address: str, photo: Path) -> None:
    """A file dropped where there is no upload field."""
    page = open_page(chromium, address)
    page.wait_for_selector("#upload input[type=file]", state="attached")
    session = page.context.new_cdp_session(page)
    dragged = {"items": [], "files": [str(photo)], "dragOperationsMask": 1}
    place = {"x": 50, "y": 350, "data": dragged}
    for kind in ("dragEnter", "dragOver", "drop"):
        session.send("Input.dispatchDragEvent", {"type": kind, **place})
    page.wait_for_function(f"{VIEWER}.photo.name === '{photo.name}' && {READY}")
    assert trouble_of(page) == []
    page.context.close()


def test_a_link_opens_the_same_view(chromium: Browser, address: str) -> None:
    link = (
        "#photo=coffee&models=float32&mode=difference&a=photo&b=float32&gain=32&zoom=2&x=310&y=190"
    )
    page = open_page(chromium, f"{address}/{link}")
    state = page.evaluate(
        f"""() => {{
            const v = {VIEWER};
            return [v.photo.name, v.entries.map(e => e.label), v.mode, v.label(v.b), v.gain,
                v.scale, v.centre.x, v.centre.y];
        }}"""
    )
    assert state == ["coffee", ["photo", "float32"], "difference", "float32", 32, 2, 310, 190]
    page.locator(".viewer .stage").focus()
    page.keyboard.press("g")
    page.wait_for_function("location.hash.includes('mode=grid')")
    assert "zoom=2" in page.url
    page.context.close()


def test_on_a_phone_nothing_sticks_out_and_fingers_zoom(chromium: Browser, address: str) -> None:
    page = open_page(
        chromium,
        address,
        viewport={"width": 390, "height": 844},
        device_scale_factor=2,
        has_touch=True,
        is_mobile=True,
        reduced_motion="reduce",
    )
    assert page.evaluate("() => document.documentElement.scrollWidth") <= 390
    parts = page.locator("#choices, #examples, #upload, .viewer .bar > *, .viewer .stage")
    right = parts.evaluate_all("all => Math.max(...all.map(e => e.getBoundingClientRect().right))")
    assert right <= 390  # what is clipped does not scroll
    headers = page.locator("#measurements th").first
    headers.wait_for()
    # At most five lines of words, not letter below letter.
    assert headers.evaluate("header => header.clientHeight") < 150
    page.locator("[data-example=portrait]").click()
    expect(page.locator("#opening")).to_be_hidden()
    stage = page.locator(".viewer .stage").bounding_box()
    assert stage
    assert stage["y"] + stage["height"] < 844  # seen without scrolling
    controls = page.locator(".viewer button:visible, .viewer select, .viewer .strength input")
    heights = controls.evaluate_all("all => all.map(e => e.getBoundingClientRect().height)")
    assert min(heights) >= 40
    x, y = stage["x"] + stage["width"] / 4, stage["y"] + stage["height"] / 2
    before = page.evaluate(f"() => {VIEWER}.scale")
    session = page.context.new_cdp_session(page)

    def touch(kind: str, *points: tuple[float, float]) -> None:
        fingers = [{"x": px, "y": py, "id": n} for n, (px, py) in enumerate(points)]
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": fingers})

    touch("touchStart", (x - 20, y), (x + 20, y))
    touch("touchMove", (x - 40, y), (x + 40, y))
    touch("touchMove", (x - 60, y), (x + 60, y))
    touch("touchEnd")
    assert page.evaluate(f"() => {VIEWER}.scale") == pytest.approx(3 * before, rel=0.05)
    divider = stage["x"] + stage["width"] / 2
    touch("touchStart", (divider, y))
    touch("touchMove", (divider + 60, y))
    touch("touchEnd")
    assert page.evaluate(f"() => {VIEWER}.divider") > 0.6
    assert page.evaluate(f"() => {VIEWER}.blinking") is False
    # At fit a finger scrolls the page and leaves the picture where it is.
    page.evaluate(f"() => {VIEWER}.fit()")
    settle(page)
    touch("touchStart", (x, y))
    for up in (20, 60, 120):
        touch("touchMove", (x, y - up))
    touch("touchEnd")
    page.wait_for_function("scrollY > 0")
    assert page.evaluate(f"() => [{VIEWER}.fitted, {VIEWER}.centre.y]") == [True, 512]
    assert trouble_of(page) == []
    page.context.close()


def test_the_choice_of_models_is_the_choice_of_pictures(chromium: Browser, address: str) -> None:
    page = open_page(chromium, address)
    page.locator("#models label", has_text="float16").click()
    page.wait_for_function(f"{VIEWER}.entries.length === 2 && {READY}")
    labels = json.loads(page.evaluate(f"() => JSON.stringify({VIEWER}.entries.map(e => e.label))"))
    assert labels == ["photo", "float32"]
    page.context.close()
