"""The model that ships: whole, small, as good as its card says, and a cup that stays sharp."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from skimage import data

from quantize.bundle import Bundle, read_bundle
from quantize.render import render_photo
from quantize.turned import in_every_shape
from train.candidates import open_subject
from train.evaluate import BLURRED, UNTOUCHED, Evaluation, mean_figures
from train.faithfulness import gradient_energy
from train.model_card import CARD, FIGURES, SHIPPED, figures_table
from train.pairs import find_whole_folder, fingerprint
from train.photo import to_float
from train.release import REPORTED_ON, SHORT_SIDE

POCKET = Path("models/pocket")
CAPTURED = Path("../shared/real_pairs/test")
"""Six pairs, quickly judged; not part of the repository."""

CUP, WOOD = (slice(20, 160), slice(180, 400)), (slice(60, 200), slice(510, 600))
"""Of scikit-image's coffee, 400 × 600."""


@pytest.fixture(scope="module")
def pocket() -> Bundle:
    return read_bundle(POCKET)


@pytest.fixture(scope="module")
def release() -> Any:
    return json.loads((POCKET / FIGURES).read_text())


def test_it_has_every_recipe_and_is_small(pocket: Bundle) -> None:
    found = {(model.recipe, model.working_size) for model in pocket.models}
    recipes = ("float32", "float16", "dynamic_int8", "int8_ptq", "int8_qat", "int16x8")
    landscapes = {(recipe, (384, 512)) for recipe in recipes}
    assert found == landscapes | {(recipe, (512, 384)) for recipe in ("float16", "int8_qat")}
    assert sum(file.stat().st_size for file in POCKET.iterdir()) < 40e6
    assert all(model.bytes < 5e6 for model in pocket.models_of(SHIPPED))


def test_it_is_better_than_doing_nothing_clever(release: Any) -> None:
    """Of one blur over all of a captured photograph the card tells, which is a little nearer."""
    quality = {
        name: {row: figures["psnr"] for row, figures in found["means"].items()}
        for name, found in release["figures"].items()
    }
    assert set(quality) == set(REPORTED_ON)
    for name in ("bokeh_pairs/val", "bokeh_pairs/test"):
        assert quality[name][SHIPPED] > max(quality[name][UNTOUCHED], quality[name][BLURRED]) + 1.5
    for name in ("real_pairs/test", "ebb_real/test"):
        assert quality[name][SHIPPED] > quality[name][UNTOUCHED] + 2


def test_the_card_shows_the_figures(release: Any) -> None:
    assert figures_table(release["figures"]) in (POCKET / CARD).read_text()


def test_the_figures_are_those_of_the_models(release: Any) -> None:
    if not CAPTURED.is_dir():
        pytest.skip(f"{CAPTURED} is not there: the pairs are not part of the repository")
    pairs = find_whole_folder(CAPTURED)
    if fingerprint(pairs) != release["fingerprints"]["real_pairs/test"]:
        pytest.skip(f"{CAPTURED}: other pairs than those of the card")
    evaluation = Evaluation(open_subject(POCKET, SHIPPED), pairs, "plain", SHORT_SIDE, border=0)
    judged = [evaluation.judge(index).figures[SHIPPED] for index in range(len(pairs))]
    expected = release["figures"]["real_pairs/test"]["means"][SHIPPED]
    assert mean_figures(judged).psnr == pytest.approx(expected["psnr"], abs=0.02)


def test_a_cup_stays_sharp_before_soft_wood(pocket: Bundle) -> None:
    photo = data.coffee()
    models = [shaped.load() for shaped in in_every_shape(pocket, SHIPPED)]
    before, after = (gradient_energy(to_float(it)) for it in (photo, render_photo(photo, models)))
    cup, wood = (np.sum(after[part]) / np.sum(before[part]) for part in (CUP, WOOD))
    assert cup > 0.8
    assert wood < 0.2
