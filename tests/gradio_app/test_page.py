"""The page as its server gives it, and what its events answer."""

import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import numpy as np

from gradio_app.comparison import ORIGINAL, Comparison
from gradio_app.page import _compare, build_page
from quantize.bundle import Bundle
from train.photo import read_photo, write_photo


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_the_server_opens_the_page(bundle: Bundle) -> None:
    port = free_port()
    arguments = ["-m", "gradio_app", "--bundle", str(bundle.folder), "--port", str(port)]
    process = subprocess.Popen([sys.executable, *arguments], stderr=subprocess.PIPE, text=True)
    try:
        page = ""
        for _ in range(120):
            assert process.poll() is None, process.communicate()[1]
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{port}/") as answer:
                    page = answer.read().decode()
                break
            except urllib.error.URLError:
                time.sleep(0.5)
        assert '"title":"Pocket Bokeh"' in page
        other = subprocess.run([sys.executable, *arguments], capture_output=True, text=True)
        assert other.returncode == 2
        assert f"port {port} is taken" in other.stderr.splitlines()[-1]
    finally:
        process.terminate()
        process.communicate()


def test_a_missing_bundle_is_one_line(tmp_path: Path) -> None:
    process = subprocess.run(
        [sys.executable, "-m", "gradio_app", "--bundle", str(tmp_path / "none")],
        capture_output=True,
        text=True,
    )
    assert process.returncode == 2
    assert "not a bundle" in process.stderr.splitlines()[-1]
    assert "Traceback" not in process.stderr


def test_the_slider_gets_both_sides_without_loss(bundle: Bundle, tmp_path: Path) -> None:
    build_page(Comparison(bundle), tmp_path)
    photo = np.random.default_rng(0).integers(0, 256, (64, 96, 3), np.uint8)
    write_photo(tmp_path / "photo.png", photo)
    content = (tmp_path / "photo.png").read_bytes()
    sides, figures = _compare(Comparison(bundle), tmp_path, content, (ORIGINAL, "float32"))
    np.testing.assert_array_equal(read_photo(sides[0]), photo)
    assert (read_photo(sides[1]) != photo).any()
    assert "96 × 64 pixels" in figures


def test_a_damaged_photo_is_a_sentence_on_the_page(bundle: Bundle, tmp_path: Path) -> None:
    sides, sentence = _compare(Comparison(bundle), tmp_path, b"\xff\xd8", (ORIGINAL, "float32"))
    assert sides is None
    assert "not an image" in sentence


def test_the_app_starts_without_tensorflow() -> None:
    """Seconds of start-up, and half a gigabyte, for nothing that it needs."""
    loaded = subprocess.run(
        [
            sys.executable,
            "-c",
            "import gradio_app.page, quantize.bundle, sys; "
            "print({'tensorflow', 'keras', 'tf_keras'} & set(sys.modules))",
        ],
        capture_output=True,
        text=True,
        check=True,
    )
    assert loaded.stdout.strip() == "set()"
