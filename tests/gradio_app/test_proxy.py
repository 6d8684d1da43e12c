"""The page behind a real nginx: under a path, under another name, and with nginx's defaults."""

import os
import pwd
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Browser, Response

from tests.gradio_app.browser import READY, VIEWER

pytestmark = pytest.mark.browser

# As in docs/browser.md, except for the address.
DOCUMENTED = """location /bokeh/ {{
    proxy_pass http://{upstream}/;
    client_max_body_size 100m;
}}"""
UNSTRIPPED = """location /bokeh/ {{ proxy_pass http://{upstream}; client_max_body_size 100m; }}"""
NAME_SENT_ON = """location / {{
    proxy_pass http://{upstream};
    proxy_set_header X-Forwarded-Host $http_host;
    client_max_body_size 100m;
}}"""
PATH_AND_NAME_SENT_ON = """location /bokeh/ {{
    proxy_pass http://{upstream}/;
    proxy_set_header Host $http_host;
    client_max_body_size 100m;
}}"""


@contextmanager
def nginx(port: int, lines: str, folder: Path) -> Iterator[None]:
    """Runs nginx on the loopback address with the given lines of configuration."""
    program = shutil.which("nginx", path="/usr/sbin:/usr/bin:/usr/local/sbin:/usr/local/bin")
    if program is None:
        pytest.skip("no nginx; bring it with: apt-get install nginx-light")
    folder.mkdir()
    configuration = folder / "nginx.conf"
    temporary = "\n".join(
        f"{kind}_temp_path {folder}/{kind};"
        for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    # Started by root, it would run as somebody who may not write to the folder.
    user = pwd.getpwuid(os.getuid()).pw_name
    configuration.write_text(
        f"daemon off; user {user}; pid {folder}/pid; error_log stderr; events {{}}\n"
        f"http {{ access_log off; {temporary}\n"
        f"server {{ listen 127.0.0.1:{port}; {lines} }} }}\n"
    )
    process = subprocess.Popen(
        [program, "-p", str(folder), "-e", "stderr", "-c", str(configuration)]
    )
    try:
        for _ in range(100):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            assert process.poll() is None
            time.sleep(0.1)
        yield
    finally:
        process.terminate()
        process.wait(60)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="module")
def photo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A photo above the megabyte that nginx accepts by default."""
    file = tmp_path_factory.mktemp("photos") / "noise.png"
    noise = np.random.default_rng(0).integers(0, 256, (640, 640, 3), np.uint8)
    Image.fromarray(noise).save(file)
    assert file.stat().st_size > 1 << 20
    return file


def check_page(chromium: Browser, address: str, photo: Path) -> None:
    """Opens the page in a browser and compares the example and a photo."""
    page = chromium.new_page()
    page.set_default_timeout(60_000)
    failed: list[str] = []

    def look(response: Response) -> None:
        if response.status >= 400 and response.url.startswith(address):
            failed.append(f"{response.status} {response.url}")

    page.on("response", look)
    page.goto(address)
    page.wait_for_function(READY)
    page.set_input_files("#upload input[type=file]", photo)
    page.wait_for_function(f"{VIEWER}.photo.name === 'noise.png' && {READY}")
    page.close()
    assert not failed


def test_a_path_with_nginx_as_it_is(
    chromium: Browser, serve: Any, photo: Path, tmp_path: Path
) -> None:
    """nginx sends 127.0.0.1 as Host; the browser uses localhost, as in --root-path."""
    port = free_port()
    address = f"http://localhost:{port}/bokeh"
    with serve("--root-path", address) as served:
        upstream = served.address.removeprefix("http://")
        for name, lines in (("documented", DOCUMENTED), ("unstripped", UNSTRIPPED)):
            with nginx(port, lines.format(upstream=upstream), tmp_path / name):
                check_page(chromium, f"{address}/", photo)


def test_a_name_that_the_proxy_sends_on(
    chromium: Browser, address: str, photo: Path, tmp_path: Path
) -> None:
    port = free_port()
    lines = NAME_SENT_ON.format(upstream=address.removeprefix("http://"))
    with nginx(port, lines, tmp_path / "nginx"):
        check_page(chromium, f"http://localhost:{port}/", photo)
        # The name is looked at as Host is.
        answer = httpx.get(f"http://127.0.0.1:{port}/", headers={"Host": "evil.example"})
        assert answer.status_code == 421


def test_a_path_alone_where_the_proxy_sends_the_name_on(
    chromium: Browser, serve: Any, photo: Path, tmp_path: Path
) -> None:
    port = free_port()
    with serve("--root-path", "/bokeh") as served:
        lines = PATH_AND_NAME_SENT_ON.format(upstream=served.address.removeprefix("http://"))
        with nginx(port, lines, tmp_path / "nginx"):
            check_page(chromium, f"http://localhost:{port}/bokeh/", photo)
