"""Checks every request before it reaches the page.

The page uses few of Gradio's routes. All others are closed, such as those that fetch from other
machines (file=http…, proxy=) or bypass the queue (run/, call/). A request with a foreign host name
may be DNS rebinding: another site whose name points to this server. A foreign Origin is a page of
another site in the visitor's browser. Both are refused.

Behind a proxy the browser's host name is in X-Forwarded-Host, or in the public address that the
server was given. Another site cannot forge that header: browsers send it only with a permission
(Access-Control-…) that the guard never gives, whatever Gradio answers.
"""

import base64
import hmac
import ipaddress
import json
import logging
import re
import socket
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gradio_app.public_address import PublicAddress

_OPEN = re.compile(
    r"/(|config/?|theme\.css|favicon\.ico|manifest\.json|robots\.txt|(static|assets|svelte)/[^?]+"
    r"|viewer/[a-z_]+\.(js|css)|results/[^?]+|opening/\w+\.jpg|share"
    r"|gradio_api/(queue/(join|data)|upload|upload_progress|cancel|reset/?|heartbeat/\w+"
    r"|startup-events|app_id/?|login_check/?|file=/[^?]+))"
)
EVENTS_PATH = "/gradio_api/queue/join"
_LARGEST_EVENT = 1 << 20
_SAFE_METHODS = ("GET", "HEAD", "OPTIONS")

_CONTENT_SECURITY_POLICY = (
    # Gradio uses inline scripts and styles, and builds templates with Function().
    "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval'; "
    "style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; media-src 'self' blob:; "
    "font-src 'self' data:; worker-src 'self' blob:; connect-src 'self' blob: data:; "
    "object-src 'none'; base-uri 'self'; form-action 'self'; frame-ancestors 'none'"
)
_HEADERS = {
    "Content-Security-Policy": _CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(self), microphone=(), geolocation=()",
}


_FOREIGN_NAME = (
    "This server does not accept that host name. Start it with --name NAME; behind a proxy, with "
    "--root-path https://NAME.\n"
)
_FOREIGN_ORIGIN = (
    "Refused: sent by another site. If the server runs behind a proxy, start it with --root-path "
    "and the address that browsers see.\n"
)


@dataclass(frozen=True)
class Login:
    """The name and password that all visitors share."""

    name: str
    password: str

    def matches(self, header: str) -> bool:
        """Whether an Authorization header has this name and password."""
        expected = base64.b64encode(f"{self.name}:{self.password}".encode()).decode()
        return hmac.compare_digest(header.encode(), f"Basic {expected}".encode())


class Guard:
    """Answers refused requests itself and passes on the others."""

    def __init__(
        self,
        app: ASGIApp,
        names: Sequence[str] = (),
        login: Login | None = None,
        public: PublicAddress | None = None,
    ):
        """Guards an application.

        Args:
            app: the application behind the guard.
            names: accepted host names, in addition to this machine's own and all IP addresses.
            login: required from everyone, if given.
            public: the address behind a proxy.
        """
        self._app = app
        self._public = public or PublicAddress()
        self._names = {"localhost", socket.gethostname().lower(), *map(str.lower, names)}
        if self._public.origin:
            self._names.add(str(urlsplit(self._public.origin).hostname))
        self._login = login

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
        elif scope["type"] != "http":
            await send({"type": "websocket.close", "code": 1008})
        else:
            await self._answer(self._without_prefix(scope), receive, send)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        if refusal := self._refusal(scope):
            await refusal(scope, receive, send)
        else:
            await self._pass_on(scope, receive, send)

    def _without_prefix(self, scope: Scope) -> Scope:
        """The request without the public path, which some proxies remove themselves."""
        prefix = self._public.path
        if not prefix or not scope["path"].startswith(f"{prefix}/"):
            return scope
        raw = scope.get("raw_path", b"").removeprefix(prefix.encode())
        return {**scope, "path": scope["path"].removeprefix(prefix), "raw_path": raw}

    async def _pass_on(self, scope: Scope, receive: Receive, send: Send) -> None:
        answered = False

        async def sending(message: Message) -> None:
            nonlocal answered
            if message["type"] == "http.response.start":
                answered = True
                _harden(MutableHeaders(scope=message))
            await send(message)

        try:
            await self._app(scope, receive, sending)
        except Exception:
            logging.exception("%s %s failed", scope["method"], scope["path"])
            if not answered:
                text = "Something went wrong; see the server's log.\n"
                await PlainTextResponse(text, 500)(scope, receive, send)

    def _refusal(self, scope: Scope) -> PlainTextResponse | None:
        headers = Headers(scope=scope)
        host = headers.get("host", "")
        forwarded = headers.get("x-forwarded-host", host).split(",")[0].strip()
        if not (self._is_own(host) and self._is_own(forwarded)):
            return PlainTextResponse(_FOREIGN_NAME, 421)
        if scope["method"] not in _SAFE_METHODS and not _same_origin(
            headers, {forwarded, self._public.netloc}
        ):
            return PlainTextResponse(_FOREIGN_ORIGIN, 403)
        if self._login and not self._login.matches(headers.get("authorization", "")):
            ask = {"WWW-Authenticate": 'Basic realm="Pocket Bokeh", charset="UTF-8"'}
            return PlainTextResponse("Please log in.\n", 401, ask)
        path = unquote(scope["path"])
        if not _OPEN.fullmatch(path) or ".." in path.split("/") or "\\" in path:
            return PlainTextResponse("Not found.\n", 404)
        return None

    def _is_own(self, host: str) -> bool:
        try:
            name = urlsplit(f"//{host}").hostname or ""
            if name in self._names:
                return True
            ipaddress.ip_address(name)
        except ValueError:
            return False
        return True


def _same_origin(headers: Headers, hosts: Collection[str]) -> bool:
    if headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
        return False
    origin = headers.get("origin")
    return origin is None or (origin != "null" and urlsplit(origin).netloc in hosts)


def _harden(headers: MutableHeaders) -> None:
    """Sets the headers of an answer for the browser and for a proxy."""
    for name in [name for name in headers if name.startswith("access-control-")]:
        # Outside localhost, Gradio lets every site read its answers.
        del headers[name]
    headers.update(_HEADERS)
    if headers.get("content-type", "").startswith("text/event-stream"):
        # Otherwise nginx holds back events until its buffer is full.
        headers["X-Accel-Buffering"] = "no"


class UploadsOnly:
    """Refuses events that name a file which was not uploaded.

    In a mounted page, Gradio accepts any path of this machine in an event's data, and fetches
    whatever looks like an address.
    """

    def __init__(self, app: ASGIApp, folder: Path):
        self._app = app
        self._folder = folder.resolve()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or unquote(scope["path"]) != EVENTS_PATH:
            await self._app(scope, receive, send)
            return
        request = Request(scope, receive)
        body = b""
        async for chunk in request.stream():
            body += chunk
            if len(body) > _LARGEST_EVENT:
                await PlainTextResponse("Too long for an event of this page.\n", 413)(
                    scope, receive, send
                )
                return
        if not self._names_only_uploads(body):
            await PlainTextResponse("Refused: names a file that was not uploaded.\n", 403)(
                scope, receive, send
            )
            return
        sent = False

        async def replay() -> Message:
            nonlocal sent
            if sent:
                return await receive()
            sent = True
            return {"type": "http.request", "body": body, "more_body": False}

        await self._app(scope, replay, send)

    def _names_only_uploads(self, body: bytes) -> bool:
        try:
            paths = list(_paths_in(json.loads(body)))
        except (ValueError, RecursionError):
            return False
        return all(isinstance(path, str) and self._is_upload(path) for path in paths)

    def _is_upload(self, path: str) -> bool:
        try:
            return Path(path).resolve().is_relative_to(self._folder)
        except (OSError, ValueError):
            return False


def _paths_in(value: Any) -> Iterator[Any]:
    """Every value of a key `path` in an event's data, at any depth."""
    if isinstance(value, dict):
        for key, inner in value.items():
            if key == "path" and inner is not None:
                yield inner
            yield from _paths_in(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _paths_in(inner)
