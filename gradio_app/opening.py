"""What the page begins with: an example, the view that a link names, or what was there before."""

import json
from typing import Any, NamedTuple
from urllib.parse import parse_qs

from gradio_app.display import sentence
from gradio_app.handlers import App
from gradio_app.models import ModelChoice
from gradio_app.photos import Photo
from gradio_app.store import ORIGINAL

# What a tab remembers is written by viewer/save.js; a tab that is reloaded still has it, a new one
# has not.
READ_TAB = """() => {
    let kept = '';
    try { kept = sessionStorage.getItem('pocket-bokeh') ?? ''; } catch { /* storage is blocked */ }
    return JSON.stringify({fragment: location.hash, kept});
}"""


class Beginning(NamedTuple):
    """What is there when a page opens.

    Attributes:
        photo: to compare on.
        own: the visitor's models.
        keys: of the ticked models.
        notice: what is no longer there.
    """

    photo: Photo
    own: list[ModelChoice]
    keys: list[str]
    notice: str = ""


def begin(app: App, told: str) -> Beginning:
    """The page that a browser tab asks for.

    Args:
        app: has the examples, the models and the earlier visits.
        told: by `READ_TAB`; whatever else it is stands for a tab that is new.
    """
    fragment, token, brought = _read(told)
    visit = app.visits.find(token)
    if visit is None:
        photo, keys = open_link(app, fragment)
        return Beginning(photo, [], keys, _gone(brought))
    own = [model for model in visit.own if all(file.file.is_file() for file in model.files)]
    lost = [model.label for model in visit.own if model not in own]
    photo, keys = visit.photo, [key for key in visit.keys if key in _keys(app, own)]
    if not _is_there(app, photo):
        lost.insert(0, photo.name)
        photo = next(iter(app.examples.values()))
    linked, linked_keys = open_link(app, fragment)
    if fragment.removeprefix("#") and linked.key != photo.key:
        photo, keys = linked, linked_keys
    return Beginning(photo, own, keys, _gone(lost))


def _keys(app: App, own: list[ModelChoice]) -> set[str]:
    return {model.key for model in [*app.models, *own]}


def _is_there(app: App, photo: Photo) -> bool:
    return photo.is_there() or app.workshop.store.has(photo.key, ORIGINAL)


def _gone(names: list[str]) -> str:
    if not names:
        return ""
    return sentence(
        f"No longer on the server: {', '.join(names)}. It keeps what you bring for an hour, or "
        "until it is restarted; choose it again.",
        "wrong",
    )


def _read(told: str) -> tuple[str, str, list[str]]:
    """The page's fragment, the token of a visit, and names of what the visitor had brought."""
    try:
        outer = json.loads(told)
        kept: Any = json.loads(outer["kept"] or "{}")
        fragment, token = str(outer["fragment"]), str(kept.get("visit", ""))
        brought = [str(name)[:200] for name in kept.get("brought", [])]
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return "", "", []
    return fragment, token, brought[:20]


def open_link(app: App, fragment: str) -> tuple[Photo, list[str]]:
    """The example and the models that a link names; the first example and all models else.

    Args:
        app: has both.
        fragment: of the page's address, `#photo=NAME&models=RECIPE,RECIPE&…`.
    """
    named = parse_qs((fragment or "").removeprefix("#"))
    photo = app.examples.get(named.get("photo", [""])[0])
    recipes = named.get("models", [""])[0].split(",")
    keys = [model.key for model in app.models if model.label in recipes]
    return photo or next(iter(app.examples.values())), keys or [m.key for m in app.models]
