"""How the page shows a comparison: to the viewer's script, as a status line and as a plot."""

import json
import re
from collections.abc import Sequence
from html import escape
from pathlib import Path
from typing import Any

import gradio as gr

from gradio_app.comparison import Comparison
from gradio_app.measurements import SPEED, Measurements
from gradio_app.model_catalogue import ModelChoice
from gradio_app.result_store import ResultStore
from gradio_app.verdict import verdict
from pocket_bokeh.focus_map import Point


def to_viewer(
    now: Comparison, visit: str, own: Sequence[ModelChoice], focus: Point | None = None
) -> str:
    """A comparison for the viewer's script, as JSON, with what a reload of the tab needs."""
    height, width = now.size
    photo = now.photo
    own_models = [model.focused(focus) for model in own]
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
            "takesFocus": any(model.takes_focus for model in now.models),
            "focus": focus,
            "verdict": verdict(now),
            "pictures": [
                {
                    "key": picture.model.weights if picture.model else picture.key,
                    "label": picture.label,
                    "name": picture.model.name if picture.model else picture.label,
                    "kind": "model" if picture.model else picture.key,
                    "own": picture.model in own_models,
                    "ready": picture.ready,
                    "failure": picture.failure,
                    "address": f"results/{photo.key}/{picture.key}.png",
                }
                for picture in now.pictures
            ],
        }
    )


def progress(now: Comparison) -> str:
    """The status line of a comparison."""
    height, width = now.size
    size = f" · {width} × {height}" if width else ""
    note = f" · {escape(now.photo.note)}" if now.photo.note else ""
    about = f"<b>{escape(now.photo.name)}</b>{size}{note}"
    failures = "".join(
        f'<br><span class="wrong">{escape(p.label)}: {escape(p.failure)}</span>'
        for p in now.pictures
        if p.failure
    )
    if now.done:
        # No seconds: they would depend on what else ran on the server.
        return _html_line(f"{about} · {_rendered(now)}{failures}")
    waiting = now.waiting
    doing = f"rendering {', '.join(waiting)}" if waiting else "measuring"
    if not width:
        doing = "decoding"
    done, total = len(now.pictures) - len(waiting), len(now.pictures)
    return _html_line(
        f'{about} · <progress value="{done}" max="{total}"></progress> {done} of {total} · '
        f"{escape(doing)} · {now.seconds:.0f} s{failures}"
    )


def _rendered(now: Comparison) -> str:
    count = sum(picture.ready for picture in now.pictures if picture.model)
    models = {0: "no models", 1: "1 model"}.get(count, f"{count} models")
    return f"{models}, from the cache" if count and now.from_cache else models


def sentence(text: str, kind: str = "") -> str:
    """Plain text as a status line; the kind `wrong` makes it stand out."""
    return _html_line(escape(text), kind)


def _html_line(html: str, kind: str = "") -> str:
    return f'<p class="status {kind}" role="status" aria-live="polite">{html}</p>'


def draw_plot(measurements: Measurements | None, horizontal: str, vertical: str) -> Any:
    """A point for every picture that has both values; the horizontal axis starts at zero."""
    if measurements is None:
        return empty_plot("…")
    points = measurements.frame().dropna(subset=[horizontal, vertical])
    if points.empty:
        return empty_plot(_why_empty(measurements, horizontal, vertical))
    right = 1.1 * float(points[horizontal].max())
    return gr.ScatterPlot(
        value=points,
        x=horizontal,
        y=vertical,
        color="picture",
        x_lim=[0, right],
        title=f"{vertical} against {horizontal}; better towards the upper left",
        show_label=False,
    )


def empty_plot(reason: str) -> gr.ScatterPlot:
    """A plot without points; the reason is its label, since Gradio hides the title then."""
    return gr.ScatterPlot(value=None, label=reason, show_label=True)


def _why_empty(measurements: Measurements, horizontal: str, vertical: str) -> str:
    if horizontal == SPEED and not measurements.speeds:
        return "no times yet: they are measured when this computer is idle"
    return f"no {vertical} for this photo"


def tick_labels(models: list[ModelChoice]) -> list[tuple[str, str]]:
    """The labels of the models' check boxes, each with its model's key."""
    return [(f"{model.label} · {model.bytes / 1e6:.1f} MB", model.key) for model in models]


def write_csv(store: ResultStore, measurements: Measurements) -> str:
    """Writes the measurements to a file to download; returns its path."""
    photo = measurements.comparison.photo
    stem = re.sub(r"[^\w-]+", "_", Path(photo.name).stem)[:60]
    return str(store.write_table(photo.key, f"{stem}_measurements.csv", measurements.csv()))
