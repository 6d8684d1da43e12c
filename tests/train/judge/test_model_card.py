"""The card shows the bundle's figures and keeps the text written by hand."""

import json
from pathlib import Path
from typing import Any

import pytest

from train.judge.model_card import CARD, FIGURES, figures_table, write_card


def means(psnr: float, detail: float | None, colour: tuple[float, ...]) -> dict[str, Any]:
    return {"psnr": psnr, "detail": detail, "colour": colour}


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    """What the card reads of a bundle."""
    folder = tmp_path / "pocket"
    folder.mkdir()
    model = {"file": "int8_qat_384x512.tflite", "recipe": "int8_qat", "bytes": 2727856}
    (folder / "bundle.json").write_text(json.dumps({"models": [model]}))
    untouched, shipped = means(24.5, 1.0, (0.0, 0.0, 0.0)), means(27.25, 0.91, (0.1, -0.4, 0.2))
    figures = {
        "pairs/val": {"pairs": 24, "means": {"untouched": untouched, "int8_qat": shipped}},
        "pairs/test": {"pairs": 6, "means": {"untouched": untouched, "int8_qat": shipped}},
    }
    keys = ("photographs", "right", "subject_kept", "softened", "background_kept")
    kinds = {
        "all": dict(zip(keys, (10, 0.2, 0.861, 0.19, 0.39), strict=True)),
        "portrait": dict(zip(keys, (4, 0.25, 0.9, 0.1, None), strict=True)),
    }
    separation = {"untouched": kinds, "float32": kinds, "int8_qat": kinds}
    quality = {"output": {"psnr": 28.5}, "untouched": {"psnr": 25.75}}
    release = {
        "short_side": 384,
        "seed": 0,
        "composites": 2500,
        "several": 1200,
        "fine_tune_steps": 200,
        "rendered": 9000,
        "scenes": 500,
        "subjects": 5570,
        "trained_on": {"pairs/train": 3},
        "schedule": {
            "schedules": [
                {"level": 2, "steps": 6000, "batch": 2},
                {"level": 1, "steps": 800, "batch": 2},
            ]
        },
        "levels": {
            "2": quality,
            "1": {"output": {"psnr": 26.75}, "untouched": {"psnr": 24.5}},
        },
        "figures": figures,
        "separation": {"subjects/test": {"photographs": 10, "means": separation}},
    }
    (folder / FIGURES).write_text(json.dumps(release))
    return folder


def test_the_card_has_every_figure(bundle: Path) -> None:
    write_card(bundle)
    card = (bundle / CARD).read_text()
    for line in (
        "# Model card: pocket",
        "| `int8_qat_384x512.tflite` | int8_qat | 2,727,856 |",
        "| 2 | 6,000 | 2 | 28.50 dB | 25.75 dB |",
        "| 1 | 800 | 2 | 26.75 dB | 24.50 dB |",
        "| | pairs/val | pairs/test |",
        "| pairs | 24 | 6 |",
        "| untouched | 24.50 | 24.50 |",
        "| int8_qat | 27.25 | 27.25 |",
        "| detail kept | 0.91 | 0.91 |",
        "| colour | -0.40 | -0.40 |",
        "| float32 | 10 | 0.20 | 0.86 | 0.19 | 0.39 |",
        "| int8_qat | 10 | 0.20 | 0.86 | 0.19 | 0.39 |",
        "| int8_qat, portrait | 4 | 0.25 | 0.90 | 0.10 | – |",
    ):
        assert line in card.splitlines()
    assert card.endswith(
        "## Where it fails\n\nNobody has inspected the renderings of these models yet.\n"
    )


def test_what_people_saw_is_kept(bundle: Path) -> None:
    write_card(bundle)
    card = bundle / CARD
    head = card.read_text().partition("Nobody has inspected")[0]
    card.write_text(head + "Faces high up are blurred: 7 of 82.\n\n![a face](face.jpg)\n")
    seen = card.read_text()
    write_card(bundle)
    assert card.read_text() == seen


def test_a_set_without_a_sharp_area_has_a_dash(bundle: Path) -> None:
    release = json.loads((bundle / FIGURES).read_text())
    release["figures"]["pairs/test"]["means"]["int8_qat"]["detail"] = None
    (bundle / FIGURES).write_text(json.dumps(release))
    write_card(bundle)
    assert "| detail kept | 0.91 | – |" in (bundle / CARD).read_text()
    assert figures_table(release["figures"]).splitlines()[-1] == "| int8_qat | 27.25 | 27.25 |"
