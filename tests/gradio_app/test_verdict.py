"""The verdict says what was measured, and what counts as visible."""

import numpy as np
import pytest

from gradio_app.comparison import Comparison, Picture
from gradio_app.model_catalogue import ModelChoice
from gradio_app.photos import Photo
from gradio_app.tasks import Measured
from gradio_app.verdict import percent, verdict
from gradio_app.visible_difference import visible_share
from pocket_bokeh.metrics import PictureMetrics

PHOTO = Photo("grey", "grey", lambda: np.zeros((8, 8, 3), np.uint8))
FLOAT32 = ModelChoice("a", "float32", "float32", (), "a", 26.0)


def comparison(largest: int, visible: float, to_target: float | None) -> Comparison:
    measured = Measured(PictureMetrics(50.0, 0.99, largest), visible)
    int8 = ModelChoice("b", "int8_qat", "int8 (fine-tuned)", (), "a", to_target)
    pictures = (
        Picture("original", "photo"),
        Picture("a", "float32", True, FLOAT32),
        Picture("b", int8.label, True, int8, measured),
    )
    return Comparison(PHOTO, (8, 8), pictures)


@pytest.mark.parametrize(
    ("now", "sentence"),
    [
        (
            comparison(11, 0.0016, 25.97),
            "int8 (fine-tuned) differs from float32 by at most 11 of 255, visibly in 0.2 % of the "
            "picture. On the test pairs it costs 0.03 dB against the real blur.",
        ),
        (
            comparison(0, 0, None),
            "int8 (fine-tuned) renders this photo exactly as float32.",
        ),
        (
            comparison(3, 0, 26.02),
            "int8 (fine-tuned) differs from float32 by at most 3 of 255, visibly in no part of the "
            "picture. On the test pairs it is 0.02 dB closer to the real blur than float32.",
        ),
    ],
)
def test_the_verdict_is_a_sentence(now: Comparison, sentence: str) -> None:
    assert verdict(now) == sentence


def test_without_a_measurement_there_is_no_verdict() -> None:
    assert verdict(Comparison(PHOTO, (8, 8), (Picture("original", "photo"),))) == ""


@pytest.mark.parametrize(
    ("share", "text"),
    [(0, "no part"), (0.0004, "less than 0.1 %"), (0.034, "3.4 %"), (0.42, "42 %")],
)
def test_little_is_not_nothing(share: float, text: str) -> None:
    assert percent(share) == text


def test_one_step_of_grey_cannot_be_seen_and_eight_can() -> None:
    grey = np.full((600, 10, 3), 128, np.uint8)
    assert visible_share(grey, grey) == 0
    assert visible_share(grey, grey + 1) == 0
    changed = grey.copy()
    changed[:150] += 8
    assert visible_share(grey, changed) == 0.25
