"""The page, its viewer and its pictures behind one guard."""

from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

import gradio as gr
from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import FileResponse, PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from gradio_app.guard import Guard, Login, UploadsOnly
from gradio_app.public_address import PublicAddress
from gradio_app.quota import UploadQuota, Uploads
from gradio_app.store import ResultStore

VIEWER_FOLDER = Path(__file__).parent / "viewer"
LARGEST_UPLOAD = "100mb"

MOST_EVENTS = 200
"""Of all visitors; comparisons wait in a shorter line of their own."""


def build_server(
    page: gr.Blocks,
    store: ResultStore,
    uploads: Path,
    names: Sequence[str] = (),
    login: Login | None = None,
    quota: Uploads | None = None,
    public: PublicAddress | None = None,
) -> ASGIApp:
    """Puts everything that a browser asks for behind the guard.

    Args:
        page: as `gradio_app.page.build_page` makes it.
        store: where the pictures are.
        uploads: where the framework keeps what visitors bring.
        names: of the server, beside its addresses.
        login: asked of everyone, if any is.
        quota: how much may be uploaded; the usual amounts where none is given.
        public: where browsers find it behind a proxy.
    """
    # Closed to the API route that would skip the queue.
    page.queue(max_size=MOST_EVENTS, api_open=False, default_concurrency_limit=4)
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    app.router.routes += [
        Route("/viewer/{name}", _viewer_file),
        Route("/results/{photo}/{picture}.png", _picture_route(store)),
    ]
    gr.mount_gradio_app(
        app,
        page,
        path="/",
        theme=_theme(),
        head=(
            '<link rel="stylesheet" href="viewer/viewer.css">'
            '<link rel="modulepreload" href="viewer/viewer.js">'
            f"<script>{(VIEWER_FOLDER / 'reach.js').read_text('utf-8')}</script>"
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
    # Only then does the framework look where a file comes from; mounting does not say so.
    page.has_launched = True
    limited = UploadQuota(UploadsOnly(app, uploads), quota or Uploads(uploads))
    return Guard(limited, names, login, public)


async def _viewer_file(request: Request) -> Response:
    file = VIEWER_FOLDER / Path(request.path_params["name"]).name
    if not file.is_file():
        return PlainTextResponse("There is nothing here.\n", 404)
    return FileResponse(file, headers={"Cache-Control": "no-cache"})


def _picture_route(store: ResultStore) -> Callable[[Request], Awaitable[Response]]:
    async def picture(request: Request) -> Response:
        try:
            file = store.picture_file(request.path_params["photo"], request.path_params["picture"])
        except ValueError:
            return PlainTextResponse("There is nothing here.\n", 404)
        try:
            # Here, because the response would look only after it has been sent off: then a
            # picture that is deleted in between ends in an error instead of this sentence.
            found = file.stat()
        except FileNotFoundError:
            return PlainTextResponse("No longer here; compare again.\n", 404)
        # Named by its content: what is under this address never changes.
        kept = {"Cache-Control": "private, max-age=3600, immutable"}
        return FileResponse(file, media_type="image/png", headers=kept, stat_result=found)

    return picture


def _theme() -> gr.Theme:
    # The SemiBold files that gradio bundles lack letters; 400 and 700 are whole.
    font = gr.themes.LocalFont("IBM Plex Sans", weights=(400, 700))
    theme = gr.themes.Soft(
        primary_hue="amber", neutral_hue="stone", font=[font, "system-ui", "sans-serif"]
    )
    # Calm beside pictures: a tick says that something is chosen, not a field of colour.
    return theme.set(
        checkbox_label_background_fill="transparent",
        checkbox_label_background_fill_dark="transparent",
        checkbox_label_background_fill_selected="transparent",
        checkbox_label_background_fill_selected_dark="transparent",
        checkbox_label_text_color_selected="*body_text_color",
        checkbox_label_text_color_selected_dark="*body_text_color",
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
        button_primary_text_color="#1c1917",
        button_primary_text_color_dark="#1c1917",
    )
