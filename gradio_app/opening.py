"""What the page opens with: plain HTML and pictures that are there before Gradio has started."""

from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path

from PIL import Image
from starlette.requests import Request
from starlette.responses import FileResponse, PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gradio_app.photos import Photo
from gradio_app.showcase import SHOWCASE_FOLDER

_TEMPLATE = Path(__file__).parent / "opening.html"
_THUMBNAIL = (240, 240)
_BEFORE = "<gradio-app"
"""What the opening is put in front of in Gradio's page."""

_LICENCE = (
    "The weights are for research and evaluation only "
    '(<a href="#model_card" class="card">model card</a>).'
)
_CAPTIONS = {"failure": "a failure"}


def opening_html(
    examples: Mapping[str, Photo], photo_endings: Sequence[str], has_card: bool
) -> str:
    """The opening as HTML.

    Args:
        examples: to choose from.
        photo_endings: of the files that can be uploaded, with their dots.
        has_card: whether the page shows a model card.
    """
    return _TEMPLATE.read_text("utf-8").format(
        licence=_LICENCE if has_card else "",
        examples="".join(map(_example, examples)),
        accepted=",".join(photo_endings),
    )


def _example(name: str) -> str:
    caption = escape(_CAPTIONS.get(name, name))
    return (
        f'<li><button type="button" data-example="{escape(name)}" aria-pressed="false">'
        f'<img src="opening/{escape(name)}.jpg" width="96" height="96" alt="" loading="lazy">'
        f"<span>{caption}</span></button></li>"
    )


def write_thumbnails(examples: Mapping[str, Photo], folder: Path) -> None:
    """Writes a small picture of each example."""
    folder.mkdir(exist_ok=True)
    for name, photo in examples.items():
        image = Image.fromarray(photo.decode())
        image.thumbnail(_THUMBNAIL)
        image.save(folder / f"{name}.jpg", quality=85)


def opening_route(thumbnails: Path) -> Route:
    """Serves the pictures of the opening."""

    async def picture(request: Request) -> Response:
        name = Path(request.path_params["name"]).name
        for folder in (SHOWCASE_FOLDER, thumbnails):
            if (folder / name).is_file():
                return FileResponse(folder / name, headers={"Cache-Control": "max-age=600"})
        return PlainTextResponse("Not found.\n", 404)

    return Route("/opening/{name}", picture)


class WithOpening:
    """Puts the opening into Gradio's page."""

    def __init__(self, app: ASGIApp, opening: str):
        self._app = app
        self._opening = opening

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] != "/" or scope["method"] != "GET":
            await self._app(scope, receive, send)
            return
        started: Message = {}
        body = b""

        async def collect(message: Message) -> None:
            nonlocal started, body
            if message["type"] == "http.response.start":
                started = message
                return
            body += message.get("body", b"")
            if not message.get("more_body"):
                await self._send(started, body, send)

        await self._app(scope, receive, collect)

    async def _send(self, started: Message, body: bytes, send: Send) -> None:
        page = body.decode("utf-8").replace(_BEFORE, self._opening + _BEFORE, 1).encode()
        headers = [
            (name, str(len(page)).encode() if name.lower() == b"content-length" else value)
            for name, value in started["headers"]
        ]
        await send({**started, "headers": headers})
        await send({"type": "http.response.body", "body": page})
