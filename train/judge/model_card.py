"""The card of a model that ships, made of its bundle and its figures.

What people saw, below the card's last heading, is kept when the card is made anew.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pocket_bokeh.photo import write_atomically
from train.judge.bundle_place import same_models

CARD = "MODEL_CARD.md"
"""In the bundle."""

FIGURES = "figures.json"
"""In the bundle: what it was trained on, how, and what every recipe scores on every set."""

SHIPPED = "int8_qat"
"""The recipe whose detail and colours the card tells."""

_FAILURES = "## Where it fails\n"

_NOT_LOOKED_AT = "Its pictures were not looked at yet."

_OF_OTHERS = f"{_NOT_LOOKED_AT} The following was seen in the pictures of the models before these."


def write_card(bundle: Path, before: Path | None = None) -> None:
    """Writes the card of a bundle that has its figures, and keeps what people wrote.

    Args:
        bundle: its folder.
        before: a bundle that this one is to replace. What people wrote about it is kept; where
            its models are others, the card says so.
    """
    written = (_failures(before) if before else "") or _failures(bundle)
    if written and before and not same_models(bundle, before) and _OF_OTHERS not in written:
        written = f"{_OF_OTHERS}\n\n{written}" if written != _NOT_LOOKED_AT else written
    models = json.loads((bundle / "bundle.json").read_text())["models"]
    release = json.loads((bundle / FIGURES).read_text())
    text = card_text(bundle.name, models, release)
    write_atomically(bundle / CARD, f"{text}\n{_FAILURES}\n{written or _NOT_LOOKED_AT}\n")


def _failures(bundle: Path) -> str:
    """What people wrote below the card's last heading; nothing where there is no card."""
    card = bundle / CARD
    text = card.read_text() if card.is_file() else ""
    return text.partition(_FAILURES)[2].strip("\n")


def card_text(name: str, models: list[Mapping[str, Any]], release: Mapping[str, Any]) -> str:
    """The card but for its last part, in Markdown.

    Args:
        name: of the bundle.
        models: as in `bundle.json`.
        release: as in `figures.json`.
    """
    sets = ", ".join(f"`{folder}` {times} times" for folder, times in release["trained_on"].items())
    return f"""# Model card: {name}

Gives a photograph the background blur of a wide aperture, with no depth map: the subject stays
sharp, what lies behind it softens. A PyNET (Ignatov, Patel, Timofte 2020) of a quarter of the
published filters, without normalization, whose second level takes the background's detail away
through a gate (`pocket` in `train/network/presets.py`). A model works at the size in its name;
`pocket_bokeh.render`, the browser page and the phone app run it on two views of a photograph, the
second smaller and mirrored, and bring the mean blur to the photograph's own size.

{files_table(models)}

`bundle.json` holds each model's formats, checksums and differences to the float32 model, and what
each runtime made of it; `figures.json` what stands below, in full.

## Data and licence

Trained on {sets},
and {release["composites"]:,} composites (`train.composites`) of the subjects of `bokeh_pairs/train`
before other photographs. The shallow half of these and of `bokeh_pairs` was
rendered by a thin lens; the other pairs are captured or derived from captures. All photographs come
from research sets, some for non-commercial use only, some without a stated licence: **the weights
are for research and evaluation only.** The code is Apache-2.0.

## Training

`python -m train.release --data DIR --replace` repeats it, from the data to this card, in about two
and a half hours on two cores. Seed {release["seed"]}; the schedule and the fingerprints of the
data are in `figures.json`. Held-out pairs (`bokeh_pairs/val`) after each level, at that level's
size:

{levels_table(release, release["levels"])}

The network then rendered the {release["pseudo_photos"]} photographs in `backgrounds`, mirrored and
at three sizes. With the means of these renderings as pairs (`train.data.pseudo_pairs`), each taken
{release["pseudo_pairs"]} times, level 1 was trained once more, on what detail transfer makes of it:

{levels_table(release, release["second_round"])}

{SHIPPED} was then fine-tuned for {release["fine_tune_steps"]} steps at most, with its roundings in
place, to give what the float network gives.

## Figures

The pairs of `bokeh_pairs/val` also chose among the weights of {SHIPPED} during fine-tuning; no
choice was made by those of a `test` set.

Mean PSNR in dB over whole photographs of {release["short_side"]} px on the short side, as
`pocket_bokeh` renders them. Untouched is the photograph as it is; uniform blur the whole of it
blurred by the one Gaussian that suits the set best.

{figures_table(release["figures"])}

Of {SHIPPED}: the share of the subject's fine detail that is kept (gradient energy where the target
is sharp), and by how many steps of 255 the mean of the channel that is furthest off differs.

{faithfulness_table(release["figures"])}

## For other use

Put pairs of your own into a folder as `original/NAME.jpg` and `bokeh/NAME.jpg`, then `python -m
train.sequential --preset pocket --schedule release --data DIR --out runs/mine` and `python -m
quantize.export runs/mine --out bundles/mine`.
"""


def files_table(models: list[Mapping[str, Any]]) -> str:
    """A row per model: its file, its recipe, its bytes."""
    rows = [f"| `{one['file']}` | {one['recipe']} | {one['bytes']:,} |" for one in models]
    return "\n".join(["| file | recipe | bytes |", "|---|---|---:|", *rows])


def levels_table(release: Mapping[str, Any], levels: Mapping[str, Any]) -> str:
    """A row per level: its steps and crops, its PSNR beside the untouched photograph's.

    Args:
        release: as in `figures.json`.
        levels: validation by level, of one of its rounds.
    """
    lines = ["| level | steps | crops a step | PSNR | untouched |", "|---|---:|---:|---:|---:|"]
    for schedule in release["schedule"]["schedules"]:
        quality = levels.get(str(schedule["level"]))
        if quality:
            psnrs = (f"{quality[which]['psnr']:.2f} dB" for which in ("output", "untouched"))
            steps = f"{schedule['steps']:,} | {schedule['batch']}"
            lines.append(f"| {schedule['level']} | {steps} | {' | '.join(psnrs)} |")
    return "\n".join(lines)


def figures_table(figures: Mapping[str, Any]) -> str:
    """PSNR in dB by row and set."""
    rows = list(next(iter(figures.values()))["means"])
    lines = [
        "| | " + " | ".join(figures) + " |",
        "|---|" + "---:|" * len(figures),
        "| pairs | " + " | ".join(str(one["pairs"]) for one in figures.values()) + " |",
    ]
    for row in rows:
        cells = [f"{one['means'][row]['psnr']:.2f}" for one in figures.values()]
        lines.append(f"| {row} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def faithfulness_table(figures: Mapping[str, Any]) -> str:
    """The shipped recipe's detail and colour by set."""
    means = [one["means"][SHIPPED] for one in figures.values()]
    details = ["–" if mean["detail"] is None else f"{mean['detail']:.2f}" for mean in means]
    colours = [f"{max(mean['colour'], key=abs):+.2f}" for mean in means]
    return "\n".join(
        [
            "| | " + " | ".join(figures) + " |",
            "|---|" + "---:|" * len(figures),
            "| detail kept | " + " | ".join(details) + " |",
            "| colour | " + " | ".join(colours) + " |",
        ]
    )
