"""What the page starts with: an example, the view of a link, or what the tab showed before."""

import json
from typing import Any, NamedTuple
from urllib.parse import parse_qs

from gradio_app.display import sentence
from gradio_app.handlers import App
from gradio_app.model_catalogue import ModelChoice
from gradio_app.photos import Photo
from gradio_app.result_store import ORIGINAL
from gradio_app.visits import Visit
from pocket_bokeh.focus_map import Point

KEPT = "The server keeps it for an hour after it was shared."
GONE = (
    "The comparison of this link is no longer on the server, which keeps it for an hour. Ask for "
    "a new link."
)

# viewer/link.js writes what a tab remembers. A reloaded tab still has it, a new tab does not.
READ_TAB = """() => {
    let kept = '';
    try { kept = sessionStorage.getItem('pocket-bokeh') ?? ''; } catch { /* storage is blocked */ }
    return JSON.stringify({fragment: location.hash, kept});
}"""


class StartState(NamedTuple):
    """What the page shows first.

    Attributes:
        photo: the photo to compare.
        own: the visitor's models.
        keys: of the ticked models.
        notice: says what is no longer available, or what a shared link shows; empty otherwise.
        focus: what to keep sharp; None: automatic.
    """

    photo: Photo
    own: list[ModelChoice]
    keys: list[str]
    notice: str = ""
    focus: Point | None = None


def start_state(app: App, tab: str) -> StartState:
    """What the page shows first in a browser tab.

    Args:
        app: has the examples, the models and the earlier visits.
        tab: from `READ_TAB`; anything else is treated like a new tab.
    """
    fragment, token, brought = _read(tab)
    visit = app.visits.find(token)
    if shared := parse_qs(fragment.removeprefix("#")).get("shared"):
        return _open_shared(app, shared[0], visit)
    if visit is None:
        photo, keys = open_link(app, fragment)
        return StartState(photo, [], keys, _notice(brought))
    return _open_visit(app, visit, fragment)


def _open_shared(app: App, shared: str, own_visit: Visit | None) -> StartState:
    """What somebody shared; the tab's own visit if the link is too old."""
    visit = app.visits.find(shared)
    if visit is None:
        state = _open_visit(app, own_visit, "") if own_visit else _first(app)
        return state._replace(notice=sentence(GONE, "wrong"))
    state = _open_visit(app, visit, "")
    names = ", ".join(m.label for m in [*app.models, *state.own] if m.key in state.keys)
    text = f"Somebody shared this comparison with you: {visit.photo.name}, rendered by {names}."
    return state if state.notice else state._replace(notice=sentence(f"{text} {KEPT}"))


def _first(app: App) -> StartState:
    photo, keys = open_link(app, "")
    return StartState(photo, [], keys)


def _open_visit(app: App, visit: Visit, fragment: str) -> StartState:
    own = [model for model in visit.own if all(file.file.is_file() for file in model.files)]
    lost = [model.label for model in visit.own if model not in own]
    known = {model.key for model in [*app.models, *own]}
    photo, keys, focus = visit.photo, [key for key in visit.keys if key in known], visit.focus
    if not _is_available(app, photo):
        lost.insert(0, photo.name)
        photo, focus = next(iter(app.examples.values())), None
    linked, linked_keys = open_link(app, fragment)
    if fragment.removeprefix("#") and linked.key != photo.key:
        photo, keys, focus = linked, linked_keys, None
    return StartState(photo, own, keys, _notice(lost), focus)


def _is_available(app: App, photo: Photo) -> bool:
    return photo.is_there() or app.pool.store.has(photo.key, ORIGINAL)


def _notice(lost: list[str]) -> str:
    if not lost:
        return ""
    return sentence(
        f"No longer on the server: {', '.join(lost)}. Uploads are kept for an hour, or until the "
        "server restarts. Please upload them again.",
        "wrong",
    )


def _read(tab: str) -> tuple[str, str, list[str]]:
    """The address's fragment, the token of the visit, and the names of the visitor's uploads."""
    try:
        outer = json.loads(tab)
        kept: Any = json.loads(outer["kept"] or "{}")
        fragment, token = str(outer["fragment"]), str(kept.get("visit", ""))
        brought = [str(name)[:200] for name in kept.get("brought", [])]
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return "", "", []
    return fragment, token, brought[:20]


def open_link(app: App, fragment: str) -> tuple[Photo, list[str]]:
    """The example of a link and the keys of its models; by default the first and all.

    Args:
        app: has the examples and the models.
        fragment: of the page's address, `#photo=NAME&models=RECIPE,RECIPE&…`.
    """
    values = parse_qs((fragment or "").removeprefix("#"))
    photo = app.examples.get(values.get("photo", [""])[0])
    names = values.get("models", [""])[0].split(",")
    keys = [model.key for model in app.models if model.name in names]
    return photo or next(iter(app.examples.values())), keys or [m.key for m in app.models]
