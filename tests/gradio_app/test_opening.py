"""What the page opens with is the shipped model's, and stands in the page before Gradio."""

import numpy as np
from starlette.responses import HTMLResponse
from starlette.testclient import TestClient

from gradio_app.compression import Compressed
from gradio_app.opening import WithOpening, opening_html
from gradio_app.photos import list_examples
from gradio_app.showcase import AFTER, BEFORE, SHOWCASE_FOLDER, render_showcase
from pocket_bokeh.bundle import SHIPPED_BUNDLE
from pocket_bokeh.metrics import psnr
from pocket_bokeh.photo import read_photo

JPEG_LOSS = 34.0
"""dB; what JPEG costs is less, another model's rendering differs by more."""


def test_the_first_pictures_are_what_the_shipped_model_renders() -> None:
    before, after = (read_photo(SHOWCASE_FOLDER / name) for name in (BEFORE, AFTER))
    redraw = "run python -m gradio_app.showcase"
    assert psnr(before, list_examples()["portrait"].decode()) > JPEG_LOSS, redraw
    assert psnr(after, render_showcase(SHIPPED_BUNDLE)) > JPEG_LOSS, redraw
    assert np.abs(before.astype(int) - after).mean() > 4  # something to see


def test_the_opening_tells_the_size_of_the_model_that_ships() -> None:
    file = SHIPPED_BUNDLE / "int8_qat_384x512.tflite"
    megabytes = f"int8 model of {file.stat().st_size / 1e6:.1f} MB"
    assert megabytes in opening_html(list_examples(), (".jpg", ".png"), has_card=True)


def test_the_opening_stands_in_the_page_and_is_compressed() -> None:
    opening = opening_html(list_examples(), (".jpg", ".png"), has_card=True)
    page = HTMLResponse("<body><gradio-app></gradio-app></body>")
    client = TestClient(Compressed(WithOpening(page, opening)))
    answer = client.get("/", headers={"Accept-Encoding": "gzip"})
    assert answer.headers["content-encoding"] == "gzip"
    assert answer.text == f"<body>{opening}<gradio-app></gradio-app></body>"
    assert "research and evaluation only" in opening
    assert opening.count("data-example=") == 7
    assert "a failure" in opening
    assert "model card" not in opening_html(list_examples(), (".jpg",), has_card=False)
    assert (
        client.get("/results/a/b.png", headers={"Accept-Encoding": "gzip"}).text
        == bytes(page.body).decode()
    )
