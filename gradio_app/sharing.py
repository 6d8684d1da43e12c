"""A link to a comparison of a visitor's own photo: a copy of the visit under a new name."""

import json
from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from gradio_app.visits import Visits

_LONGEST_REQUEST = 1000
"""Bytes."""


def sharing_route(visits: Visits) -> Route:
    """Answers a visit's token with the token of a copy of it, as JSON."""
    return Route("/share", _share(visits), methods=["POST"])


def _share(visits: Visits) -> Callable[[Request], Awaitable[Response]]:
    async def share(request: Request) -> Response:
        body = b""
        async for chunk in request.stream():
            body += chunk
            if len(body) > _LONGEST_REQUEST:
                return PlainTextResponse("Too long.\n", 413)
        try:
            token = str(json.loads(body)["visit"])
        except (ValueError, KeyError, TypeError, RecursionError):
            return PlainTextResponse("Expected a visit.\n", 400)
        shared = visits.share(token)
        if shared is None:
            return PlainTextResponse("No longer on the server.\n", 404)
        return JSONResponse({"shared": shared})

    return share
