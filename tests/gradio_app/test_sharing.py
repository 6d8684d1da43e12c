"""A comparison of one's own photo can be shared, under a name that nobody can guess."""

import json
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from gradio_app.handlers import App
from gradio_app.page_load import start_state
from gradio_app.photos import read_upload
from gradio_app.sharing import sharing_route
from gradio_app.task_pool import TaskPool
from gradio_app.visits import Visit
from pocket_bokeh.bundle import Bundle


@pytest.fixture
def app(bundle: Bundle, pool: TaskPool, tmp_path: Path) -> App:
    return App(bundle, pool, tmp_path)


@pytest.fixture
def client(app: App) -> TestClient:
    return TestClient(Starlette(routes=[sharing_route(app.visits)]))


def opened(app: App, shared: str) -> str:
    return json.dumps({"fragment": f"#shared={shared}&mode=grid", "kept": ""})


def test_a_shared_comparison_is_a_copy_and_says_what_it_is(
    app: App, client: TestClient, photo_file: Path
) -> None:
    keys = (app.models[0].key,)
    app.visits.keep("token", Visit(read_upload(photo_file), keys, (), (0.5, 0.25)))
    shared = client.post("/share", json={"visit": "token"}).json()["shared"]
    assert len(shared) >= 22
    # What the visitor does later is not shared.
    app.visits.keep("token", Visit(app.examples["cat"], (), ()))
    state = start_state(app, opened(app, shared))
    assert (state.photo.name, state.keys, state.focus) == ("meadow.png", list(keys), (0.5, 0.25))
    assert (
        "Somebody shared this comparison with you: meadow.png, rendered by float32." in state.notice
    )
    assert "for an hour" in state.notice


def test_a_link_that_is_too_old_says_so(app: App) -> None:
    state = start_state(app, opened(app, "guess"))
    assert "no longer on the server" in state.notice
    assert state.photo.name == "portrait"


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ('{"visit": "unknown"}', 404),
        ("{}", 400),
        ("[1]", 400),
        ("no json", 400),
        ("[" * 999, 400),
        ("x" * 1001, 413),
    ],
)
def test_a_bad_request_is_refused(client: TestClient, body: str, status: int) -> None:
    assert client.post("/share", content=body).status_code == status
