"""Compresses what the page consists of; it is a third of its size then."""

from starlette.middleware.gzip import GZipMiddleware
from starlette.types import ASGIApp, Receive, Scope, Send

_LEVEL = 6
_COMPRESSED_ALREADY = ("/results/", "/opening/", "/gradio_api/")
"""Pictures, and events, which must not wait in a buffer."""


class Compressed:
    """Compresses the answers of an application, except pictures and events."""

    def __init__(self, app: ASGIApp):
        self._app = app
        self._compressing = GZipMiddleware(app, compresslevel=_LEVEL)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        is_plain = scope["type"] != "http" or scope["path"].startswith(_COMPRESSED_ALREADY)
        await (self._app if is_plain else self._compressing)(scope, receive, send)
