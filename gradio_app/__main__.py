"""Opens the browser app: python -m gradio_app --bundle DIR"""

import errno
import ipaddress
import logging
import os
import signal
import socket
import sys
import tempfile
import threading
import time
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

# Read by gradio when it is imported: nothing is asked of any other machine.
os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
os.environ["HF_HUB_OFFLINE"] = "1"

import tyro
import uvicorn

from gradio_app.guard import Login
from gradio_app.models import sweep_uploads
from gradio_app.public_address import PublicAddress, read_public_address
from gradio_app.quota import MEGABYTE, UploadLimits, Uploads
from gradio_app.store import LONGEST_AGE, ResultStore
from gradio_app.sweep import sweep_on
from gradio_app.workshop import Workshop
from pocket_bokeh.bundle import SHIPPED_BUNDLE, Bundle, read_bundle
from pocket_bokeh.errors import UserError, run_command

if TYPE_CHECKING:
    from gradio_app.handlers import App

SWEEP_EVERY = 300.0
UPLOADS = "uploads"
AUTH_VARIABLE = "POCKET_BOKEH_AUTH"


@dataclass(frozen=True)
class AppOptions:
    """Compare what the models of a bundle make of a photo, pixel by pixel, in the browser."""

    bundle: Path = SHIPPED_BUNDLE
    """A bundle, as written by `quantize.export`."""
    host: str = "127.0.0.1"
    """0.0.0.0 lets other machines in; then name --auth, or everyone may use it."""
    port: int = 7860
    """The first port to try is also the last."""
    auth: str | None = None
    """NAME:PASSWORD that everyone must give. Sent in clear: put TLS before it outside. Others on
    this machine see the command; they don't see the environment variable POCKET_BOKEH_AUTH,
    which says the same."""
    name: tuple[str, ...] = ()
    """Further names under which browsers know this server, such as behind a proxy."""
    root_path: str | None = None
    """Behind a proxy: the address that browsers see, such as https://example.org/bokeh. Only a
    path, /bokeh, suffices where the proxy sends the name on in Host or X-Forwarded-Host."""
    uploads: int = 2000
    """Megabytes that all uploads together may take on the disk; they are kept for an hour."""
    uploads_each: int = 500
    """Megabytes that one visitor, told by the network address, may upload in an hour."""


def main() -> None:
    options = tyro.cli(AppOptions)
    login = _login(options.auth)
    public = None if options.root_path is None else read_public_address(options.root_path)
    if min(options.uploads, options.uploads_each) < 1:
        raise UserError("--uploads and --uploads-each: at least 1, in megabytes")
    bundle = read_bundle(options.bundle)
    connection = _listen(options.host, options.port)
    # Else a kill would leave the folder, which may hold gigabytes.
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))
    with tempfile.TemporaryDirectory(prefix="pocket-bokeh-") as folder:
        # Where gradio keeps uploads: gone with the server.
        os.environ["GRADIO_TEMP_DIR"] = str(Path(folder) / UPLOADS)
        _serve(options, bundle, login, public, connection, Path(folder))


def _serve(
    options: AppOptions,
    bundle: Bundle,
    login: Login | None,
    public: PublicAddress | None,
    connection: socket.socket,
    folder: Path,
) -> None:
    results = folder / "results"
    results.mkdir()
    store = ResultStore(results)
    workshop = Workshop(store)
    seen = not _is_loopback(options.host) or public is not None or bool(options.name)
    strangers = seen and login is None
    # Gradio reads the environment when it is imported, and takes seconds.
    from gradio_app.handlers import App
    from gradio_app.page import build_page
    from gradio_app.server import build_server

    app = App(bundle, workshop, folder, takes_models=not strangers)
    page = build_page(app)
    limits = UploadLimits(options.uploads * MEGABYTE, options.uploads_each * MEGABYTE)
    uploads = Uploads(folder / UPLOADS, [app.models_folder], limits)
    server = build_server(page, store, folder / UPLOADS, options.name, login, uploads, public)
    sweep_models = partial(sweep_uploads, app.models_folder, LONGEST_AGE)
    sweep_on([store.sweep, sweep_models, uploads.sweep], SWEEP_EVERY)
    if strangers:
        print(
            f"Open to everyone who reaches {public or options.host}: any of them may use this "
            f"machine. Set {AUTH_VARIABLE}=NAME:PASSWORD to change that. Models of visitors' own "
            "are not taken."
        )
    shown = f"http://{_shown(options.host)}:{options.port}"
    if public is not None:
        shown = f"{shown}, for browsers {public}"
    print(f"Pocket Bokeh on {shown} (Ctrl-C ends it)")
    logging.basicConfig(level=logging.WARNING)
    config = uvicorn.Config(server, log_level="warning", timeout_graceful_shutdown=1)
    listening = uvicorn.Server(config)
    threading.Thread(target=_prepare, args=(listening, app), daemon=True).start()
    try:
        listening.run(sockets=[connection])
    except KeyboardInterrupt:
        pass
    finally:
        workshop.close()


def _listen(host: str, port: int) -> socket.socket:
    """Takes the port before the seconds of start-up.

    Raises:
        UserError: it is taken, or the host is none of this machine's.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    connection = socket.socket(family, socket.SOCK_STREAM)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        connection.bind((host, port))
        connection.listen(256)
    except (OSError, OverflowError) as error:
        connection.close()
        if isinstance(error, OSError) and error.errno == errno.EADDRINUSE:
            raise UserError(f"port {port} is taken; name another with --port") from error
        raise UserError(
            f"cannot listen on {host} port {port} ({error}); name an address of this machine "
            "with --host and a port from 1024 to 65535 with --port"
        ) from error
    return connection


def _login(auth: str | None) -> Login | None:
    """What --auth says, or else the environment, from which it is removed.

    Models of visitors' own run in processes that would inherit it.
    """
    said = os.environ.pop(AUTH_VARIABLE, None)
    source = "--auth" if auth is not None else AUTH_VARIABLE
    auth = said if auth is None else auth
    if auth is None:
        return None
    name, colon, password = auth.partition(":")
    if not (name and colon and password):
        raise UserError(f"{source}: expected NAME:PASSWORD, neither of them empty")
    return Login(name, password)


def _prepare(listening: uvicorn.Server, app: "App") -> None:
    """Renders what everyone sees first, once the page itself can be had."""
    while not listening.started:
        time.sleep(0.1)
    try:
        app.prepare()
    except Exception:
        if not listening.should_exit:  # else it was ended meanwhile
            logging.exception("the first example could not be rendered")


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _shown(host: str) -> str:
    if host in ("0.0.0.0", "::"):
        return "localhost"
    return f"[{host}]" if ":" in host else host


if __name__ == "__main__":
    run_command(main)
