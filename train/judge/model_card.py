"""Writes the model card of a bundle from its `bundle.json` and `figures.json`.

The text under the card's last heading is written by hand and kept when the card is rewritten.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pocket_bokeh.photo import write_atomically
from train.judge.bundle_installation import same_models
from train.judge.evaluation import UNTOUCHED
from train.judge.separation import LEAST_SUBJECT, MOST_BACKGROUND, MOST_SOFTENED, SOFT_BELOW
from train.judge.subject_evaluation import ALL

CARD = "MODEL_CARD.md"
"""The card's file name in the bundle."""

FIGURES = "figures.json"
"""A file in the bundle: training data, training, and scores of every recipe on every set."""

SHIPPED = "int8_qat"
"""The recipe that the apps use; the card reports its detail and colour."""

_FAILURES = "## Where it fails\n"

NOT_INSPECTED = "Nobody has inspected the renderings of these models yet."
"""The end of a card until somebody describes what they saw."""

_PREVIOUS = f"{NOT_INSPECTED} The following describes the models before these."


def write_card(bundle: Path, before: Path | None = None) -> None:
    """Writes the card of a bundle that has its figures, and keeps the text written by hand.

    Args:
        bundle: the bundle's folder.
        before: a bundle that this one will replace. The card takes over the text written about it,
            and says so if the models differ.
    """
    written = (_failures(before) if before else "") or _failures(bundle)
    if written and before and not same_models(bundle, before) and _PREVIOUS not in written:
        written = f"{_PREVIOUS}\n\n{written}" if written != NOT_INSPECTED else written
    models = json.loads((bundle / "bundle.json").read_text())["models"]
    release = json.loads((bundle / FIGURES).read_text())
    text = card_text(bundle.name, models, release)
    write_atomically(bundle / CARD, f"{text}\n{_FAILURES}\n{written or NOT_INSPECTED}\n")


def _failures(bundle: Path) -> str:
    """The text under the card's last heading; empty if there is no card."""
    card = bundle / CARD
    text = card.read_text() if card.is_file() else ""
    return text.partition(_FAILURES)[2].strip("\n")


def card_text(name: str, models: list[Mapping[str, Any]], release: Mapping[str, Any]) -> str:
    """The card without its last section, in Markdown.

    Args:
        name: of the bundle.
        models: as in `bundle.json`.
        release: as in `figures.json`.
    """
    sections = (
        f"# Model card: {name}",
        _INTRODUCTION,
        files_table(models),
        _FILES_NOTE,
        _data_section(release),
        _training_section(release),
        _figures_section(release),
        *([_separation_section(release)] if release.get("separation") else []),
        _OWN_DATA,
    )
    return "\n\n".join(section.strip("\n") for section in sections) + "\n"


_INTRODUCTION = """
These models blur the background of a photograph as a wide aperture would, and keep the subject
sharp. They need no depth map. **The weights are for research and evaluation only** (see
[Data and licence](#data-and-licence)); the code is Apache-2.0.

The network is a PyNET (Ignatov, Patel, Timofte 2020) with a quarter of the published filters, 3×3
kernels and no normalization. It finds the subject by itself, or can be told where to focus. Its
level 2 removes the background's detail through a gate (`pocket` in `train/network/presets.py`).
Each model works at the size in its file name, and gives the picture and, as a fourth channel, where
the photograph stays sharp. `pocket_bokeh`, the browser page and the phone app run a model on two
views of a photograph, the second one smaller and mirrored. They average the two and transfer the
blur to the photograph at its own size.
"""

_FILES_NOTE = """
`bundle.json` describes each model: formats, checksums, differences from the float32 model, and the
results of each runtime. `figures.json` has all figures of this card.
"""

_OWN_DATA = """
## Train on your own pairs

Put pairs into a folder as `original/NAME.jpg` and `bokeh/NAME.jpg`. Then run `python -m
train.sequential --preset pocket --start-from models/pocket --schedule fine_tune --data DIR --out
runs/mine`, which goes on from these weights, and `python -m quantize.export runs/mine --out
bundles/mine`.
"""


def _data_section(release: Mapping[str, Any]) -> str:
    sets = ", ".join(f"`{folder}` {times} times" for folder, times in release["trained_on"].items())
    return f"""
## Data and licence

The training data is {release["rendered"]:,} pairs rendered of {release["subjects"]:,} photographs
with masks (`train.render_pairs`), {release["scenes"]:,} photographs without a subject, whose target
is themselves, {release["composites"]:,} composites of one of the same subjects in front of another
photograph and {release["several"]:,} of two or three, of which the network is always told the one
in focus (`train.composites`), and {sets}. The blurred photographs of the rendered pairs, the
composites and `bokeh_pairs` were made with a thin lens; the others are captured or derived from
captures. `docs/data.md` names the sources. All photographs come from public collections, some for
non-commercial use only, some without a stated licence. Therefore **the weights are for research and
evaluation only.** The code is Apache-2.0.
"""


def _training_section(release: Mapping[str, Any]) -> str:
    return f"""
## Training

`python -m train.release --data DIR --replace` repeats everything from the data to this card. The
seed is {release["seed"]}; `figures.json` has the schedule and the fingerprints of the data.
Validation after each level, on `bokeh_pairs/val` and on pairs rendered of `subjects/val`, at the
level's size:

{levels_table(release)}

Then {SHIPPED} was fine-tuned with simulated quantization for at most {release["fine_tune_steps"]}
steps, to match the output of the float network.
"""


def _figures_section(release: Mapping[str, Any]) -> str:
    return f"""
## Figures

`bokeh_pairs/val` was also used to select the weights of {SHIPPED} during fine-tuning. The `test`
sets were not used for any choice.

Mean PSNR in dB over whole photographs with a short side of {release["short_side"]} pixels, rendered
with `pocket_bokeh`. "Untouched" is the original photograph; "uniform blur" is the whole photograph
blurred by the Gaussian that suits the set best.

{figures_table(release["figures"])}

For {SHIPPED}: the share of the subject's fine detail that is kept (gradient energy where the target
is sharp), and the largest mean difference of a colour channel from the target, in units of 1/255.

{faithfulness_table(release["figures"])}
"""


def _separation_section(release: Mapping[str, Any]) -> str:
    tables = "\n\n".join(
        f"`{name}`:\n\n{separation_table(one['means'])}"
        for name, one in release["separation"].items()
    )
    return f"""
## Subject and background

What viewers see first: is the subject sharp, and the background soft? Measured on photographs with
masks at their own size, none of them used in training (`train.judge.separation`). "Mask and lens
blur" is what a user could do instead: the same mask, and behind it one lens for all photographs
(`train.judge.lens_blur`). *Kept* is the share of the photograph's own gradients that is left;
*softened* is the share of the subject's area where less than {SOFT_BELOW} of its detail is left. A
photograph is *right* if at least {LEAST_SUBJECT} of the subject is kept, at most {MOST_SOFTENED} of
it is softened, and at most {MOST_BACKGROUND} of the background is kept.

{tables}
"""


def separation_table(means: Mapping[str, Mapping[str, Mapping[str, Any]]]) -> str:
    """A row for each recipe over all photographs, and for the shipped one of each kind.

    Args:
        means: by row and kind, as in `figures.json`.
    """
    lines = [
        "| | photographs | right | subject kept | softened | background kept |",
        "|---|---:|---:|---:|---:|---:|",
    ]
    rows = [(name, kinds[ALL]) for name, kinds in means.items() if name != UNTOUCHED]
    for name, kinds in means.items():
        if name.startswith(SHIPPED):
            rows += [(f"{name}, {kind}", mean) for kind, mean in kinds.items() if kind != ALL]
    for name, mean in rows:
        shares = (mean[key] for key in ("right", "subject_kept", "softened", "background_kept"))
        cells = ["–" if share is None else f"{share:.2f}" for share in shares]
        lines.append(f"| {name} | {mean['photographs']} | {' | '.join(cells)} |")
    return "\n".join(lines)


def files_table(models: list[Mapping[str, Any]]) -> str:
    """A row per model: file, recipe, bytes."""
    rows = [f"| `{one['file']}` | {one['recipe']} | {one['bytes']:,} |" for one in models]
    return "\n".join(["| file | recipe | bytes |", "|---|---|---:|", *rows])


def levels_table(release: Mapping[str, Any]) -> str:
    """A row per level: steps, crops per step, and PSNR of the output and the untouched photograph.

    Args:
        release: as in `figures.json`.
    """
    lines = ["| level | steps | crops per step | PSNR | untouched |", "|---|---:|---:|---:|---:|"]
    for schedule in release["schedule"]["schedules"]:
        quality = release["levels"].get(str(schedule["level"]))
        if quality:
            psnrs = (f"{quality[which]['psnr']:.2f} dB" for which in ("output", "untouched"))
            steps = f"{schedule['steps']:,} | {schedule['batch']}"
            lines.append(f"| {schedule['level']} | {steps} | {' | '.join(psnrs)} |")
    return "\n".join(lines)


def figures_table(figures: Mapping[str, Any]) -> str:
    """PSNR in dB by row and set."""
    rows = dict.fromkeys(row for one in figures.values() for row in one["means"])
    lines = [
        "| | " + " | ".join(figures) + " |",
        "|---|" + "---:|" * len(figures),
        "| pairs | " + " | ".join(str(one["pairs"]) for one in figures.values()) + " |",
    ]
    for row in rows:
        means = [one["means"].get(row) for one in figures.values()]
        cells = ["–" if mean is None else f"{mean['psnr']:.2f}" for mean in means]
        lines.append(f"| {row} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def faithfulness_table(figures: Mapping[str, Any]) -> str:
    """Detail and colour of the shipped recipe, by set."""
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
