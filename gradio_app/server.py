"""Puts the page, the viewer's files and the pictures behind one guard."""

from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

import gradio as gr
from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import FileResponse, PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from gradio_app.compression import Compressed
from gradio_app.guard import Guard, Login, UploadsOnly
from gradio_app.handlers import App
from gradio_app.opening import WithOpening, opening_html, opening_route, write_thumbnails
from gradio_app.page import PHOTO_ENDINGS
from gradio_app.page_text import model_card
from gradio_app.public_address import PublicAddress
from gradio_app.result_store import ResultStore
from gradio_app.sharing import sharing_route
from gradio_app.upload_quota import UploadQuota, Uploads

VIEWER_FOLDER = Path(__file__).parent / "viewer"
LARGEST_UPLOAD = "100mb"

MOST_EVENTS = 200
"""Waiting events of all visitors; comparisons have a shorter line, `App.line`."""


def build_server(
    page: gr.Blocks,
    app: App,
    uploads: Path,
    names: Sequence[str] = (),
    login: Login | None = None,
    quota: Uploads | None = None,
    public: PublicAddress | None = None,
) -> ASGIApp:
    """Puts everything that a browser requests behind the guard.

    Args:
        page: from `gradio_app.page.build_page`.
        app: what the page shows.
        uploads: the folder where Gradio keeps uploads.
        names: further host names of the server.
        login: required from everyone, if given.
        quota: limits uploads; by default to the amounts of `UploadLimits`.
        public: the address behind a proxy.
    """
    # api_open=False closes the route that would bypass the queue.
    page.queue(max_size=MOST_EVENTS, api_open=False, default_concurrency_limit=4)
    _poll_less_often(page)
    server = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    thumbnails = app.folder / "thumbnails"
    write_thumbnails(app.examples, thumbnails)
    server.router.routes += [
        Route("/viewer/{name}", _viewer_file),
        Route("/results/{photo}/{picture}.png", _picture_route(app.pool.store)),
        opening_route(thumbnails),
        sharing_route(app.visits),
    ]
    gr.mount_gradio_app(
        server,
        page,
        path="/",
        theme=_theme(),
        head=(
            '<link rel="stylesheet" href="viewer/viewer.css">'
            '<link rel="modulepreload" href="viewer/viewer.js">'
            f"<script>{(VIEWER_FOLDER / 'connection_notice.js').read_text('utf-8')}</script>"
        ),
        footer_links=[],
        run_history=False,
        show_error=False,
        max_file_size=LARGEST_UPLOAD,
        ssr_mode=False,
        enable_monitoring=False,
        pwa=False,
        mcp_server=False,
        root_path=str(public) if public else None,
    )
    # Gradio checks where files come from only in this state, which mounting does not set.
    page.has_launched = True
    opening = opening_html(app.examples, PHOTO_ENDINGS, model_card(app.bundle) is not None)
    whole = Compressed(WithOpening(server, opening))
    limited = UploadQuota(UploadsOnly(whole, uploads), quota or Uploads(uploads))
    return Guard(limited, names, login, public)


def _poll_less_often(page: gr.Blocks) -> None:
    """Makes Gradio's queue look for events 10 times a second instead of 1,000 times.

    Otherwise an idle server takes 7 % of a core; Gradio has no option for this.
    """
    page._queue.sleep_when_free = 0.1
    page._queue.progress_update_sleep_when_free = 0.1


async def _viewer_file(request: Request) -> Response:
    file = VIEWER_FOLDER / Path(request.path_params["name"]).name
    if not file.is_file():
        return PlainTextResponse("Not found.\n", 404)
    return FileResponse(file, headers={"Cache-Control": "no-cache"})


def _picture_route(store: ResultStore) -> Callable[[Request], Awaitable[Response]]:
    async def picture(request: Request) -> Response:
        try:
            file = store.picture_file(request.path_params["photo"], request.path_params["picture"])
        except ValueError:
            return PlainTextResponse("Not found.\n", 404)
        try:
            # The response itself would look too late: if the picture is deleted meanwhile, it
            # would end in an error.
            found = file.stat()
        except FileNotFoundError:
            return PlainTextResponse("No longer on the server; press “Run again”.\n", 404)
        # The address contains a checksum, so the picture behind it never changes.
        headers = {"Cache-Control": "private, max-age=3600, immutable"}
        return FileResponse(file, media_type="image/png", headers=headers, stat_result=found)

    return picture


def _theme() -> gr.Theme:
    # The SemiBold files that Gradio bundles lack letters; 400 and 700 are complete.
    font = gr.themes.LocalFont("IBM Plex Sans", weights=(400, 700))
    theme = gr.themes.Soft(
        primary_hue="amber", neutral_hue="stone", font=[font, "system-ui", "sans-serif"]
    )
    # Calm beside pictures: a tick shows a choice, not a coloured field.
    return theme.set(
        checkbox_label_background_fill="transparent",
        checkbox_label_background_fill_dark="transparent",
        checkbox_label_background_fill_selected="transparent",
        checkbox_label_background_fill_selected_dark="transparent",
        checkbox_label_text_color_selected="*body_text_color",
        checkbox_label_text_color_selected_dark="*body_text_color",
        checkbox_border_color="#78716c",
        checkbox_border_color_dark="#a8a29e",
        checkbox_label_padding="4px 8px",
        checkbox_label_shadow="none",
        block_border_width="1px",
        block_border_width_dark="1px",
        block_shadow="none",
        block_title_background_fill="none",
        block_title_text_color="*body_text_color",
        block_title_text_weight="700",
        block_title_padding="0",
        block_label_background_fill="*background_fill_secondary",
        block_label_background_fill_dark="*background_fill_secondary",
        block_label_text_color="*body_text_color",
        block_label_text_color_dark="*body_text_color",
        button_secondary_background_fill_hover="*neutral_300",
        button_secondary_background_fill_hover_dark="*neutral_700",
        button_primary_text_color="#1c1917",
        button_primary_text_color_dark="#1c1917",
    )
