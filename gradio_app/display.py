"""How the page shows a comparison: for the viewer, as a sentence, a plot, a table to download."""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

import gradio as gr
import pandas as pd

from gradio_app.comparison import COLUMNS, SPEED, Comparison, table, to_csv
from gradio_app.models import ModelChoice
from gradio_app.store import ResultStore


@dataclass(frozen=True)
class Shown:
    """A comparison as the table, the plot and the CSV show it.

    Attributes:
        comparison: the pictures and their figures.
        speeds: milliseconds by the model's key, as far as they are known.
    """

    comparison: Comparison
    speeds: dict[str, float]

    def frame(self) -> pd.DataFrame:
        """A row per picture, a column per figure."""
        return pd.DataFrame(table(self.comparison, self.speeds), columns=list(COLUMNS))


def to_viewer(now: Comparison, visit: str, own: Sequence[ModelChoice]) -> str:
    """What the viewer's script is told, as JSON: the comparison, and what a reload needs."""
    height, width = now.size
    photo = now.photo
    own_photo = [] if photo.example else [photo.name]
    return json.dumps(
        {
            "visit": visit,
            "brought": [*own_photo, *(model.label for model in own)],
            "photo": photo.key,
            "name": photo.name,
            "example": photo.name if photo.example else None,
            "width": width,
            "height": height,
            "done": now.done,
            "pictures": [
                {
                    "key": picture.key,
                    "label": picture.label,
                    "kind": "model" if picture.model else picture.key,
                    "ready": picture.ready,
                    "failure": picture.failure,
                    "address": f"results/{photo.key}/{picture.key}.png",
                }
                for picture in now.pictures
            ],
        }
    )


def progress(now: Comparison) -> str:
    """How far a comparison has come, as the status line."""
    height, width = now.size
    size = f" · {width} × {height}" if width else ""
    note = f" · {escape(now.photo.note)}" if now.photo.note else ""
    about = f"<b>{escape(now.photo.name)}</b>{size}{note}"
    failed = [picture for picture in now.pictures if picture.failure]
    reasons = "".join(
        f'<br><span class="wrong">{escape(p.label)}: {escape(p.failure)}</span>' for p in failed
    )
    if now.done:
        ready = sum(picture.ready for picture in now.pictures)
        # Without seconds: they depend on what else ran, and on what was there already.
        pictures = "1 picture" if ready == 1 else f"{ready} pictures"
        return sentence(f"{about} · {pictures}{reasons}", plain=False)
    waiting = now.waiting
    doing = f"rendering {', '.join(waiting)}" if waiting else "measuring"
    if not width:
        doing = "decoding"
    done, total = len(now.pictures) - len(waiting), len(now.pictures)
    return sentence(
        f'{about} · <progress value="{done}" max="{total}"></progress> {done} of {total} · '
        f"{escape(doing)} · {now.seconds:.0f} s{reasons}",
        plain=False,
    )


def sentence(text: str, kind: str = "", plain: bool = True) -> str:
    """The status line: of plain text, or of HTML; kind `wrong` stands out."""
    shown = escape(text) if plain else text
    return f'<p class="status {kind}" role="status" aria-live="polite">{shown}</p>'


def draw_plot(shown: Shown | None, horizontal: str, vertical: str) -> Any:
    """The plot of what there is, across from zero."""
    if shown is None:
        return empty_plot("…")
    known = shown.frame().dropna(subset=[horizontal, vertical])
    if known.empty:
        return empty_plot(_why_empty(shown, horizontal, vertical))
    right = 1.1 * float(known[horizontal].max())
    return gr.ScatterPlot(
        value=known,
        x=horizontal,
        y=vertical,
        color="picture",
        x_lim=[0, right],
        title=f"{vertical} over {horizontal}; up and left is better",
        show_label=False,
    )


def empty_plot(reason: str) -> gr.ScatterPlot:
    """No plot, and why; without a value its title is not shown."""
    return gr.ScatterPlot(value=None, label=reason, show_label=True)


def _why_empty(shown: Shown, horizontal: str, vertical: str) -> str:
    if horizontal == SPEED and not shown.speeds:
        return "no times yet: they are taken when nothing else runs on this computer"
    return f"no {vertical} on this photo"


def tick_labels(models: list[ModelChoice]) -> list[tuple[str, str]]:
    """What stands beside the ticks, and the key that each stands for."""
    return [(f"{model.label} · {model.bytes / 1e6:.1f} MB", model.key) for model in models]


def write_csv(store: ResultStore, shown: Shown) -> str:
    """Puts the figures into a file to download, and says where it is."""
    photo = shown.comparison.photo
    stem = re.sub(r"[^\w-]+", "_", Path(photo.name).stem)[:60]
    text = to_csv(shown.comparison, shown.speeds)
    return str(store.write_table(photo.key, f"{stem}_figures.csv", text))
