"""Opens the browser app: python -m gradio_app --bundle DIR"""

import os
import tempfile
from dataclasses import dataclass
from pathlib import Path

# Read by gradio when it is imported: nothing is asked of any other machine.
os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"

import gradio as gr
import tyro

from gradio_app.comparison import Comparison
from gradio_app.page import build_page
from quantize.bundle import read_bundle
from train.errors import UserError, run_command

LARGEST_UPLOAD = "60mb"
MOST_WAITING = 30


@dataclass(frozen=True)
class AppOptions:
    """Compare what the models of a bundle make of a photo, side by side in the browser."""

    bundle: Path = Path("bundles/bokeh")
    """A bundle, as written by `quantize.export` (or by `./run bokeh`)."""
    host: str = "127.0.0.1"
    """0.0.0.0 lets other machines in."""
    port: int = 7860
    """The first port to try is also the last."""


def main() -> None:
    options = tyro.cli(AppOptions)
    comparison = Comparison(read_bundle(options.bundle))
    with tempfile.TemporaryDirectory(prefix="pocket-bokeh-") as folder:
        page = build_page(comparison, Path(folder))
        # Closed to the API route that would skip the queue.
        page.queue(max_size=MOST_WAITING, api_open=False)
        try:
            page.launch(
                server_name=options.host,
                server_port=options.port,
                theme=_theme(),
                footer_links=[],
                run_history=False,
                max_file_size=LARGEST_UPLOAD,
                share=False,
            )
        except OSError as error:
            raise UserError(f"port {options.port} is taken; name another with --port") from error


def _theme() -> gr.Theme:
    # The SemiBold files that gradio bundles lack letters; 400 and 700 are whole.
    font = gr.themes.LocalFont("IBM Plex Sans", weights=(400, 700))
    return gr.themes.Soft(primary_hue="amber", font=[font, "system-ui", "sans-serif"])


if __name__ == "__main__":
    run_command(main)
