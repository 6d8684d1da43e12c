"""Many visitors at once, by hand: python tests/gradio_app/load.py BUNDLE

Starts a server, sends it photos as browsers do, each unlike all others, and says how each visitor
fared and how much memory the server took. Needs minutes; no part of ./run test.
"""

import io
import json
import os
import subprocess
import sys
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import tyro
from PIL import Image

PATIENCE = 1800.0
BUSY_WORDS = "Too many are being served"
COMPARE_FAILED, BUSY, ANSWERED = "failed", "busy", "answered"


@dataclass(frozen=True)
class LoadOptions:
    """What the command line takes."""

    bundle: tyro.conf.Positional[Path]
    """As of the app."""
    visitors: int = 30
    """How many come at the same time."""
    requests: int = 30
    """How many comparisons there are in all."""
    megapixels: float = 12.0
    """Of each photo."""
    models: tuple[str, ...] = ("float32", "int8_qat")
    """Which are ticked."""
    port: int = 7899
    """Of the server."""


@dataclass(frozen=True)
class Page:
    """What a browser reads from the page's description to take part."""

    upload: dict[str, Any]
    compare: dict[str, Any]
    models: tuple[str, ...]


def main() -> None:
    options = tyro.cli(LoadOptions)
    command = [sys.executable, "-m", "gradio_app", "--bundle", str(options.bundle)]
    start = time.perf_counter()
    server = subprocess.Popen([*command, "--port", str(options.port)])
    address = f"http://127.0.0.1:{options.port}"
    try:
        page = read_page(address, options.models)
        print(f"started in {time.perf_counter() - start:.1f} s, {memory(server.pid):.0f} MB")
        burden(server.pid, address, page, options)
    finally:
        server.terminate()
        server.wait()


def burden(pid: int, address: str, page: Page, options: LoadOptions) -> None:
    """Sends all requests and prints what became of them."""
    photo = make_photo(options.megapixels)
    watch = MemoryWatch(pid)
    start = time.perf_counter()
    with ThreadPoolExecutor(options.visitors) as visitors:
        visits = visitors.map(
            lambda number: visit(address, page, photo, number), range(options.requests)
        )
        outcomes: Counter[str] = Counter()
        waits = []
        for number, (outcome, seconds) in enumerate(visits, 1):
            outcomes[outcome] += 1
            if outcome == ANSWERED:
                waits.append(seconds)
            if number % max(1, options.requests // 8) == 0:
                print(f"{number:4} {dict(outcomes)} {memory(pid):.0f} MB", flush=True)
    watch.stop()
    print(
        f"{options.requests} comparisons by {options.visitors} visitors at a time, "
        f"{time.perf_counter() - start:.0f} s: {dict(outcomes)}"
    )
    if waits:
        print(
            f"answers after {min(waits):.1f} to {max(waits):.1f} s, median {np.median(waits):.1f} s"
        )
    print(f"memory of the server: largest {watch.largest:.0f} MB, at the end {memory(pid):.0f} MB")


def visit(address: str, page: Page, photo: bytes, number: int) -> tuple[str, float]:
    """Uploads a photo of one's own, compares, and fetches every picture."""
    start = time.perf_counter()
    session = f"visitor{number}"
    own = photo + f"{time.time_ns()} {number}".encode()  # behind the picture's end
    # An address of its own, as behind a proxy: each visitor has a share of the uploads.
    sender = {"X-Forwarded-For": f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}"}
    with httpx.Client(base_url=address, timeout=PATIENCE, headers=sender) as browser:
        sent = browser.post("/gradio_api/upload", files={"files": (f"{number}.jpg", own)})
        file = {
            "path": sent.json()[0],
            "orig_name": f"{number}.jpg",
            "meta": {"_type": "gradio.FileData"},
        }
        outcome, _ = event(browser, session, page.upload, [file, None])
        if outcome != ANSWERED:
            return outcome, time.perf_counter() - start
        outcome, viewer = event(
            browser, session, page.compare, [None, list(page.models), None, None, None]
        )
        if outcome == ANSWERED:
            for picture in viewer["pictures"]:
                if picture["failure"] or browser.get(f"/{picture['address']}").status_code != 200:
                    outcome = COMPARE_FAILED
    return outcome, time.perf_counter() - start


def event(
    browser: httpx.Client, session: str, dependency: dict[str, Any], data: list[Any]
) -> tuple[str, Any]:
    """Sends an event through the queue; gives its outcome and what the viewer was last told."""
    body = {"fn_index": dependency["id"], "data": data, "session_hash": session}
    joined = browser.post("/gradio_api/queue/join", json=body)
    if joined.status_code == 503:
        return BUSY, None
    told, status = None, ""
    with browser.stream("GET", "/gradio_api/queue/data", params={"session_hash": session}) as lines:
        for line in lines.iter_lines():
            if not line.startswith("data:"):
                continue
            message = json.loads(line[5:])
            outputs = (message.get("output") or {}).get("data") or [None]
            first = outputs[0]
            status = str(outputs[2:3]) if message["msg"] == "process_generating" else status
            if isinstance(first, str) and first.startswith("{"):
                told = json.loads(first)
            elif isinstance(first, list):  # only what changed
                told = latest(told, first)
            if message["msg"] == "process_completed" and BUSY_WORDS in status:
                return BUSY, None
            if message["msg"] == "process_completed":
                return (ANSWERED if message["success"] else COMPARE_FAILED), told
    return COMPARE_FAILED, told


def latest(told: Any, changes: list[Any]) -> Any:
    """The viewer's text where an update replaces it."""
    for change in changes:
        if change[0] == "replace" and not change[1]:
            return json.loads(change[2])
    return told


def read_page(address: str, labels: tuple[str, ...]) -> Page:
    """Waits for the server and reads which events there are."""
    for _ in range(240):
        try:
            config = httpx.get(f"{address}/config", timeout=5).json()
            break
        except httpx.HTTPError:
            time.sleep(0.25)
    parts = {part["props"].get("elem_id"): part for part in config["components"]}
    upload = next(
        each for each in config["dependencies"] if parts["upload"]["id"] in each["inputs"]
    )
    compare = next(
        each
        for each in config["dependencies"]
        if parts["viewer"]["id"] in each["outputs"] and parts["models"]["id"] in each["inputs"]
    )
    choices = parts["models"]["props"]["choices"]
    keys = tuple(key for words, key in choices if words.split(" · ")[0] in labels)
    return Page(upload, compare, keys)


def make_photo(megapixels: float) -> bytes:
    """A JPEG in 4 to 3, with the noise of a camera."""
    height = round((megapixels * 1e6 * 3 / 4) ** 0.5)
    random = np.random.default_rng(0)
    coarse = random.integers(0, 256, (48, 64, 3), np.uint8)
    smooth = Image.fromarray(coarse).resize((height * 4 // 3, height), Image.Resampling.BICUBIC)
    noise = random.integers(-5, 6, (height, height * 4 // 3, 1), np.int16)
    pixels = np.clip(np.asarray(smooth) + noise, 0, 255).astype(np.uint8)
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "JPEG", quality=92)
    return stream.getvalue()


class MemoryWatch:
    """The largest memory of a process while it is watched."""

    def __init__(self, pid: int):
        self.largest = 0.0
        self._pid = pid
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Ends the watch."""
        self._end.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._end.wait(0.2):
            self.largest = max(self.largest, memory(self._pid))


def memory(pid: int) -> float:
    """What a process holds of its own in main memory, in MB; mapped files do not count."""
    pages = Path(f"/proc/{pid}/statm").read_text().split()
    return (int(pages[1]) - int(pages[2])) * os.sysconf("SC_PAGE_SIZE") / 1e6


if __name__ == "__main__":
    main()
