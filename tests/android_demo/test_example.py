"""The first screen's example shows what the model that ships makes of a photo."""

import numpy as np

from android_demo.example import BOKEH, ORIGINAL, make_example
from pocket_bokeh.metrics import psnr
from pocket_bokeh.photo import read_photo, to_float


def test_the_example_is_what_the_shipped_model_makes() -> None:
    original, bokeh = make_example()
    for file, made in ((ORIGINAL, original), (BOKEH, bokeh)):
        kept = read_photo(file)
        assert kept.shape == made.shape
        assert psnr(to_float(kept), to_float(made)) > 33, file
    trees = np.s_[100:250, 20:180]
    detail = [
        np.abs(np.diff(picture[trees].astype(float), axis=1)).mean()
        for picture in (bokeh, original)
    ]
    assert detail[0] < 0.6 * detail[1]
