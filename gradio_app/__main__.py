"""Starts the server of the browser page: python -m gradio_app --bundle DIR"""

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
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

# Gradio reads these at import; with them it contacts no other machine.
os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
os.environ["HF_HUB_OFFLINE"] = "1"

import tyro
import uvicorn

from gradio_app.accelerator_table import check_phones
from gradio_app.guard import Login
from gradio_app.model_uploads import sweep_uploads
from gradio_app.public_address import PublicAddress, read_public_address
from gradio_app.result_store import LONGEST_AGE, ResultStore
from gradio_app.sweep import sweep_on
from gradio_app.task_pool import TaskPool
from gradio_app.upload_quota import MEGABYTE, UploadLimits, Uploads
from pocket_bokeh.bundle import SHIPPED_BUNDLE, Bundle, read_bundle
from pocket_bokeh.errors import UserError, run_command
from pocket_bokeh.phone_proof import PhoneProof, read_proof

if TYPE_CHECKING:
    from gradio_app.handlers import App

SWEEP_EVERY = 300.0
UPLOADS = "uploads"
AUTH_VARIABLE = "POCKET_BOKEH_AUTH"


@dataclass(frozen=True)
class AppOptions:
    """Compare the models of a bundle on a photo, pixel by pixel, in the browser."""

    bundle: Path = SHIPPED_BUNDLE
    """A folder written by `quantize.export`."""
    host: str = "127.0.0.1"
    """0.0.0.0 lets other machines in; then set --auth, or anyone can use the page."""
    port: int = 7860
    """The port to listen on; no other is tried."""
    auth: str | None = None
    """NAME:PASSWORD, required from every visitor. It travels unencrypted, so put TLS in front.
    Other users of this machine can see the command line; the environment variable
    POCKET_BOKEH_AUTH does the same and is hidden from them."""
    name: tuple[str, ...] = ()
    """Further host names of this server, for example behind a proxy."""
    root_path: str | None = None
    """Behind a proxy: the address that browsers see, such as https://example.org/bokeh. A path,
    /bokeh, is enough if the proxy passes on the host name in Host or X-Forwarded-Host."""
    uploads: int = 2000
    """Megabytes of disk space for all uploads; they are kept for an hour."""
    uploads_each: int = 500
    """Megabytes that each visitor (network address) may upload in an hour."""
    phone: tuple[Path, ...] = ()
    """Files that the app's proof screen shared: their times stand under "Accelerators"."""


def main() -> None:
    options = tyro.cli(AppOptions)
    login = _login(options.auth)
    public = None if options.root_path is None else read_public_address(options.root_path)
    if min(options.uploads, options.uploads_each) < 1:
        raise UserError("--uploads and --uploads-each: expected at least 1 (megabyte)")
    bundle = read_bundle(options.bundle)
    phones = [read_proof(file) for file in options.phone]
    check_phones(bundle, phones)
    connection = _listen(options.host, options.port)
    # Otherwise a kill would leave the folder, which may hold gigabytes.
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))
    with tempfile.TemporaryDirectory(prefix="pocket-bokeh-") as folder:
        # Gradio keeps uploads here; the folder is deleted with the server.
        os.environ["GRADIO_TEMP_DIR"] = str(Path(folder) / UPLOADS)
        _serve(options, bundle, phones, login, public, connection, Path(folder))


def _serve(
    options: AppOptions,
    bundle: Bundle,
    phones: Sequence[PhoneProof],
    login: Login | None,
    public: PublicAddress | None,
    connection: socket.socket,
    folder: Path,
) -> None:
    results = folder / "results"
    results.mkdir()
    store = ResultStore(results)
    pool = TaskPool(store)
    is_reachable = not _is_loopback(options.host) or public is not None or bool(options.name)
    is_open = is_reachable and login is None
    # Imported late: Gradio reads the environment at import, and importing it takes seconds.
    from gradio_app.handlers import App
    from gradio_app.page import build_page
    from gradio_app.server import build_server

    app = App(bundle, pool, folder, takes_models=not is_open, phones=phones)
    page = build_page(app)
    limits = UploadLimits(options.uploads * MEGABYTE, options.uploads_each * MEGABYTE)
    uploads = Uploads(folder / UPLOADS, [app.models_folder], limits)
    server = build_server(page, app, folder / UPLOADS, options.name, login, uploads, public)
    sweep_models = partial(sweep_uploads, app.models_folder, LONGEST_AGE)
    sweep_on([store.sweep, sweep_models, uploads.sweep], SWEEP_EVERY)
    if is_open:
        print(
            f"Anyone who can reach {public or options.host} can use this page. Set "
            f"{AUTH_VARIABLE}=NAME:PASSWORD to require a password. Until then visitors cannot "
            "upload models."
        )
    address = f"http://{_host_in_address(options.host)}:{options.port}"
    if public is not None:
        address = f"{address}, in browsers {public}"
    print(f"Pocket Bokeh on {address} (Ctrl-C ends it)")
    logging.basicConfig(level=logging.WARNING)
    config = uvicorn.Config(server, log_level="warning", timeout_graceful_shutdown=1)
    web_server = uvicorn.Server(config)
    threading.Thread(target=_prepare, args=(web_server, app), daemon=True).start()
    try:
        web_server.run(sockets=[connection])
    except KeyboardInterrupt:
        pass
    finally:
        pool.close()


def _listen(host: str, port: int) -> socket.socket:
    """Opens the port right away, since starting takes seconds.

    Raises:
        UserError: the port is in use, or the host is not an address of this machine.
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
            raise UserError(f"port {port} is in use; choose another with --port") from error
        raise UserError(
            f"cannot listen on {host} port {port} ({error}); set --host to an address of this "
            "machine and --port to a number from 1024 to 65535"
        ) from error
    return connection


def _login(auth: str | None) -> Login | None:
    """The login from --auth or from the environment, from which it is removed.

    Otherwise the processes that check visitors' models would inherit it.
    """
    from_environment = os.environ.pop(AUTH_VARIABLE, None)
    source = "--auth" if auth is not None else AUTH_VARIABLE
    auth = from_environment if auth is None else auth
    if auth is None:
        return None
    name, colon, password = auth.partition(":")
    if not (name and colon and password):
        raise UserError(f"{source}: expected NAME:PASSWORD, neither empty")
    return Login(name, password)


def _prepare(web_server: uvicorn.Server, app: "App") -> None:
    """Renders the first example as soon as the server answers."""
    while not web_server.started:
        time.sleep(0.1)
    try:
        app.prepare()
    except Exception:
        if not web_server.should_exit:  # otherwise the server is shutting down
            logging.exception("the first example could not be rendered")


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _host_in_address(host: str) -> str:
    if host in ("0.0.0.0", "::"):
        return "localhost"
    return f"[{host}]" if ":" in host else host


if __name__ == "__main__":
    run_command(main)
