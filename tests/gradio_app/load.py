"""Simulates many visitors at once: python tests/gradio_app/load.py BUNDLE

Starts a server, sends it a different photo from each visitor, as browsers do, and reports how many
got an answer and how much memory the server took. Takes minutes; not part of ./run test.
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
BUSY_TEXT = "The server is busy"
COMPARE_FAILED, BUSY, ANSWERED = "failed", "busy", "answered"


@dataclass(frozen=True)
class LoadOptions:
    """How many visitors come, and with what."""

    bundle: tyro.conf.Positional[Path]
    """A folder written by `quantize.export`."""
    visitors: int = 30
    """Visitors at the same time."""
    requests: int = 30
    """Comparisons in all."""
    megapixels: float = 12.0
    """The size of each photo."""
    models: tuple[str, ...] = ("float32", "int8 (fine-tuned)")
    """The labels of the ticked models."""
    port: int = 7899
    """The server's port."""


@dataclass(frozen=True)
class Page:
    """What a browser reads from the page's configuration to send its events."""

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
        send_requests(server.pid, address, page, options)
    finally:
        server.terminate()
        server.wait()


def send_requests(pid: int, address: str, page: Page, options: LoadOptions) -> None:
    """Sends all requests and prints their outcomes."""
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
    """Uploads a photo, compares, and fetches every picture."""
    start = time.perf_counter()
    session = f"visitor{number}"
    own = photo + f"{time.time_ns()} {number}".encode()  # after the end of the picture
    # A different address for each, as a proxy sends it, since uploads are limited per address.
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
    """Sends an event through the queue; returns its outcome and the viewer's last JSON."""
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
            elif isinstance(first, list):  # only the changes
                told = latest(told, first)
            if message["msg"] == "process_completed" and BUSY_TEXT in status:
                return BUSY, None
            if message["msg"] == "process_completed":
                return (ANSWERED if message["success"] else COMPARE_FAILED), told
    return COMPARE_FAILED, told


def latest(told: Any, changes: list[Any]) -> Any:
    """The viewer's JSON after an update."""
    for change in changes:
        if change[0] == "replace" and not change[1]:
            return json.loads(change[2])
    return told


def read_page(address: str, labels: tuple[str, ...]) -> Page:
    """Waits for the server and reads its events."""
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
    keys = tuple(key for label, key in choices if label.split(" · ")[0] in labels)
    return Page(upload, compare, keys)


def make_photo(megapixels: float) -> bytes:
    """A JPEG of 4:3 with a camera's noise."""
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
    """Records the largest memory use of a process."""

    def __init__(self, pid: int):
        self.largest = 0.0
        self._pid = pid
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Stops recording."""
        self._end.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._end.wait(0.2):
            self.largest = max(self.largest, memory(self._pid))


def memory(pid: int) -> float:
    """The resident memory of a process in MB, without mapped files."""
    pages = Path(f"/proc/{pid}/statm").read_text().split()
    return (int(pages[1]) - int(pages[2])) * os.sysconf("SC_PAGE_SIZE") / 1e6


if __name__ == "__main__":
    main()
