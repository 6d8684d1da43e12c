"""The model that ships: complete, small, as good as its card says, and good on photographs.

What it does to the photographs is measured in every clone. The figures of the card need pairs that
are not part of the repository.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter
from skimage import data

from gradio_app.photos import list_examples
from pocket_bokeh.bundle import Bundle, read_bundle
from pocket_bokeh.photo import read_photo, to_float
from pocket_bokeh.render import render_photo
from pocket_bokeh.shaped_model import in_every_shape
from train.data.pairs import find_whole_folder, fingerprint
from train.judge.candidates import open_candidates
from train.judge.evaluation import BLURRED, UNTOUCHED, Evaluation, mean_scores
from train.judge.faithfulness import gradient_energy
from train.judge.model_card import CARD, FIGURES, NOT_INSPECTED, SHIPPED, figures_table
from train.release import REPORTED_ON, SHORT_SIDE

ROOT = Path(__file__).resolve().parents[2]
POCKET = ROOT / "models" / "pocket"
CAPTURED = ROOT.parent / "shared" / "real_pairs" / "test"
"""Six pairs for a quick check; not part of the repository."""

Area = tuple[slice, slice]


@dataclass(frozen=True)
class Scene:
    """A photograph with one area that must stay sharp and one that must become soft.

    The areas are rows and columns in pixels, drawn by hand.
    """

    read: Callable[[], np.ndarray]
    subject: Area
    background: Area


def _photo(name: str) -> Callable[[], np.ndarray]:
    return lambda: read_photo(Path(__file__).parent / "photos" / name)


SCENES = {
    "face before a city": Scene(
        _photo("portrait_city.jpg"), np.s_[220:420, 430:600], np.s_[20:250, 720:1000]
    ),
    "face before trees": Scene(
        _photo("portrait_road.jpg"), np.s_[180:340, 470:630], np.s_[20:250, 20:300]
    ),
    "motorcycle in a workshop": Scene(
        lambda: data.stereo_motorcycle()[0], np.s_[200:330, 330:480], np.s_[10:120, 180:300]
    ),
}

SUBJECT_KEPT = 0.8
"""Minimum share of the photograph's gradient energy that must remain in the subject."""

BACKGROUND_KEPT = 0.25
"""Maximum share of it that may remain in the background."""


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


def test_the_card_claims_more_than_doing_nothing(release: Any) -> None:
    """On captured pairs a uniform blur is closer, as the card says."""
    quality = {
        name: {row: figures["psnr"] for row, figures in found["means"].items()}
        for name, found in release["figures"].items()
    }
    assert set(quality) == set(REPORTED_ON)
    for name in ("bokeh_pairs/val", "bokeh_pairs/test"):
        assert quality[name][SHIPPED] > max(quality[name][UNTOUCHED], quality[name][BLURRED]) + 1.5
    for name in ("real_pairs/test", "ebb_real/test"):
        assert quality[name][SHIPPED] > quality[name][UNTOUCHED]
    found = release["separation"]["subjects/test"]["means"][SHIPPED]
    assert found["all"]["right"] > 0.67
    assert found["portrait"]["right"] > 0.7
    assert found["portrait"]["subject_kept"] > 0.95


def test_somebody_looked_at_these_models_and_the_card_says_what_was_seen() -> None:
    assert NOT_INSPECTED not in (POCKET / CARD).read_text()


def test_the_card_shows_the_figures(release: Any) -> None:
    assert figures_table(release["figures"]) in (POCKET / CARD).read_text()


def test_the_figures_are_those_of_the_models(release: Any) -> None:
    if not CAPTURED.is_dir():
        pytest.skip(f"{CAPTURED} is not there: the pairs are not part of the repository")
    pairs = find_whole_folder(CAPTURED)
    if fingerprint(pairs) != release["fingerprints"]["real_pairs/test"]:
        pytest.skip(f"{CAPTURED}: other pairs than those of the card")
    evaluation = Evaluation(open_candidates(POCKET, SHIPPED), pairs, "plain", SHORT_SIDE, border=0)
    judged = [evaluation.judge(index).figures[SHIPPED] for index in range(len(pairs))]
    expected = release["figures"]["real_pairs/test"]["means"][SHIPPED]
    assert mean_scores(judged).psnr == pytest.approx(expected["psnr"], abs=0.02)


@cache
def _renderers(recipe: str) -> list[Any]:
    return [shaped.load() for shaped in in_every_shape(read_bundle(POCKET), recipe)]


def _kept(scene: Scene, change: Callable[[np.ndarray], np.ndarray]) -> tuple[float, float]:
    """Shares of the gradient energy that remain in the subject and in the background."""
    photo = scene.read()
    before, after = (gradient_energy(to_float(it)) for it in (photo, change(photo)))
    subject, background = (
        float(after[area].sum() / before[area].sum()) for area in (scene.subject, scene.background)
    )
    return subject, background


@pytest.mark.parametrize("recipe", ["float32", SHIPPED])
@pytest.mark.parametrize("name", SCENES)
def test_the_subject_stays_sharp_and_the_background_becomes_soft(name: str, recipe: str) -> None:
    subject, background = _kept(SCENES[name], lambda photo: render_photo(photo, _renderers(recipe)))
    assert subject > SUBJECT_KEPT
    assert background < BACKGROUND_KEPT


@pytest.mark.parametrize("recipe", ["float32", SHIPPED])
def test_a_tap_keeps_hair_that_is_blurred_without_it(recipe: str) -> None:
    """The page shows this photograph as a failure and says that a tap helps."""
    photo, hair = list_examples()["failure"].decode(), np.s_[30:90, 400:580]
    scene = Scene(lambda: photo, hair, np.s_[20:300, 20:250])
    alone, _ = _kept(scene, lambda photo: render_photo(photo, _renderers(recipe)))
    told, leaves = _kept(
        scene, lambda photo: render_photo(photo, _renderers(recipe), focus=(0.46, 0.2))
    )
    assert alone < 0.5
    assert told > SUBJECT_KEPT
    assert leaves < BACKGROUND_KEPT


@pytest.mark.parametrize("name", SCENES)
def test_neither_the_photo_nor_a_uniform_blur_would_pass(name: str) -> None:
    """Checks the criterion itself: trivial results must fail it."""
    _, background = _kept(SCENES[name], lambda photo: photo)
    assert background > BACKGROUND_KEPT
    subject, _ = _kept(SCENES[name], lambda photo: gaussian_filter(photo, (2, 2, 0)))
    assert subject < SUBJECT_KEPT
