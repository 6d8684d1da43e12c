"""The server starts, or says why it cannot."""

import os
import subprocess
import sys
from typing import Any

import gradio as gr
import httpx
import pytest

from gradio_app.__main__ import _login, main
from gradio_app.guard import Login
from gradio_app.server import _poll_less_often
from pocket_bokeh.bundle import Bundle
from pocket_bokeh.errors import UserError


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--bundle", "none"], "not a bundle"),
        (["--auth", "secret"], "expected NAME:PASSWORD"),
        (["--host", "300.1.1.1"], "cannot listen on 300.1.1.1"),
        (["--root-path", "bokeh"], "expected a path such as /bokeh"),
        (["--uploads", "0"], "expected at least 1 (megabyte)"),
    ],
)
def test_what_cannot_be_served_is_one_line(
    bundle: Bundle, monkeypatch: pytest.MonkeyPatch, arguments: list[str], sentence: str
) -> None:
    monkeypatch.setattr("sys.argv", ["gradio_app", "--bundle", str(bundle.folder), *arguments])
    with pytest.raises(UserError) as refused:
        main()
    assert sentence in str(refused.value)
    assert "\n" not in str(refused.value)


def test_the_login_may_come_from_the_environment(serve: Any) -> None:
    """There neither other users of the machine nor the processes that check models see it."""
    with serve(POCKET_BOKEH_AUTH="ada:secret") as served:
        assert httpx.get(served.address, timeout=60).status_code == 401
        assert httpx.get(served.address, auth=("ada", "wrong"), timeout=60).status_code == 401
        assert httpx.get(served.address, auth=("ada", "secret"), timeout=60).status_code == 200


def test_the_login_is_not_handed_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POCKET_BOKEH_AUTH", "ada:secret")
    assert _login(None) == Login("ada", "secret")
    assert "POCKET_BOKEH_AUTH" not in os.environ
    monkeypatch.setenv("POCKET_BOKEH_AUTH", "ada:secret")
    assert _login("bob:other") == Login("bob", "other")
    assert "POCKET_BOKEH_AUTH" not in os.environ
    monkeypatch.setenv("POCKET_BOKEH_AUTH", "secret")
    with pytest.raises(UserError, match="POCKET_BOKEH_AUTH: expected NAME:PASSWORD"):
        _login(None)


def test_a_port_that_is_taken_is_one_line(bundle: Bundle, address: str) -> None:
    port = address.rpartition(":")[2]
    command = [sys.executable, "-m", "gradio_app", "--bundle", str(bundle.folder), "--port", port]
    process = subprocess.run(command, capture_output=True, text=True)
    assert process.returncode == 2
    assert f"port {port} is in use" in process.stderr.splitlines()[-1]
    assert "Traceback" not in process.stderr


def test_the_queue_of_an_idle_server_rarely_wakes_up() -> None:
    """Gradio's queue must still have these intervals; by default it wakes every millisecond."""
    with gr.Blocks() as page:
        gr.Markdown("Hello")
    page.queue()
    queue = page._queue
    assert queue.sleep_when_free <= 0.05
    assert queue.progress_update_sleep_when_free <= 0.1
    _poll_less_often(page)
    assert (queue.sleep_when_free, queue.progress_update_sleep_when_free) == (0.1, 0.1)


def test_the_app_starts_without_tensorflow() -> None:
    """TensorFlow would take seconds and half a gigabyte, and the page does not need it."""
    loaded = subprocess.run(
        [
            sys.executable,
            "-c",
            "import gradio_app.server, gradio_app.page, sys; "
            "print({'tensorflow', 'keras', 'tf_keras', 'jax', 'grain'} & set(sys.modules))",
        ],
        capture_output=True,
        text=True,
        check=True,
    )
    assert loaded.stdout.strip() == "set()"
