"""Limits uploads: of all visitors together and of each visitor.

A visitor is a network address. The login is shared by all, and the session's name is chosen by the
browser, so neither tells visitors apart. Behind a proxy the address comes from X-Forwarded-For,
which uvicorn accepts from this machine only (FORWARDED_ALLOW_IPS names others). If the proxy does
not send it, all its visitors count as one.
"""

import ipaddress
import json
import shutil
import threading
import time
from collections import Counter, deque
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import anyio.to_thread
from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gradio_app.result_store import LONGEST_AGE
from gradio_app.sweep import age_of, bytes_on_disk, delete_older, entries_of

UPLOAD_PATH = "/gradio_api/upload"

MEGABYTE = 1_000_000

_LEFT_FREE = 200 * MEGABYTE
"""Bytes of disk space left to other programs."""

_BYTES_PER_FILE = 8192
"""Disk space in addition to a file's content: Gradio keeps each upload in its own folder."""

_LONGEST_PAUSE = 600.0
"""Seconds without new data after which an upload counts as aborted."""

_MOST_DRAINED = 512 * MEGABYTE
"""Bytes of a refused upload that are read."""


class QuotaError(Exception):
    """An upload exceeds a limit; the message is for the visitor.

    Attributes:
        status: the HTTP status; 413 for the visitor's limit, 507 for the total.
    """

    def __init__(self, status: int, message: str):
        super().__init__(message)
        self.status = status


@dataclass(frozen=True)
class UploadLimits:
    """Limits in bytes.

    Attributes:
        total: on disk, of all visitors together.
        each: of one visitor in an hour.
    """

    total: int = 2000 * MEGABYTE
    each: int = 500 * MEGABYTE


class Uploads:
    """Counts uploads, running ones and those on disk."""

    def __init__(
        self, folder: Path, copies: Sequence[Path] = (), limits: UploadLimits | None = None
    ):
        """Starts to count.

        Args:
            folder: where Gradio keeps uploads; files that are in it now belong to the page.
            copies: folders with copies of uploads; they count, too.
            limits: the defaults if not given.
        """
        self._folder = folder
        self._counted = (folder, *copies)
        self._limits = limits or UploadLimits()
        self._of_page = frozenset(folder.rglob("*"))
        self._in_flight: Counter[str] = Counter()
        self._sent: dict[str, deque[tuple[float, int]]] = {}
        self._lock = threading.Lock()

    def begin(self, visitor: str, length: int) -> None:
        """Reserves space for an upload; call `end` afterwards.

        Args:
            visitor: from `visitor_of`.
            length: of the upload in bytes.

        Raises:
            QuotaError: a limit is exceeded; nothing is reserved.
        """
        with self._lock:
            sent = sum(count for _, count in self._sent.get(visitor, ()))
            left = self._limits.each - sent - self._in_flight[visitor]
            if length > left:
                raise QuotaError(413, _exceeds_share(self._limits.each, left))
            kept = sum(map(bytes_on_disk, self._counted)) + self._in_flight.total()
            if length > min(self._limits.total - kept, self._free_bytes()):
                raise QuotaError(507, _NO_ROOM)
            self._in_flight[visitor] += length

    def end(self, visitor: str, length: int, taken: int) -> None:
        """Releases the reservation and counts the bytes really taken, for an hour."""
        with self._lock:
            self._in_flight[visitor] -= length
            if not self._in_flight[visitor]:
                del self._in_flight[visitor]
            self._sent.setdefault(visitor, deque()).append((time.time(), taken))

    def sweep(self, longest_age: float = LONGEST_AGE) -> None:
        """Deletes uploads older than `longest_age` seconds and stops counting them."""
        delete_older(self._folder, longest_age, spared=self._of_page)
        for file in entries_of(self._folder):
            age = age_of(file)
            is_aborted = age is not None and age > _LONGEST_PAUSE and file.is_file()
            if is_aborted and file not in self._of_page:
                file.unlink(missing_ok=True)
        oldest = time.time() - longest_age
        with self._lock:
            for visitor, sent in list(self._sent.items()):
                while sent and sent[0][0] < oldest:
                    sent.popleft()
                if not sent:
                    del self._sent[visitor]

    def _free_bytes(self) -> int:
        existing = self._folder if self._folder.is_dir() else self._folder.parent
        return shutil.disk_usage(existing).free - _LEFT_FREE


_NO_ROOM = (
    "The server has no room for more uploads. Uploads are deleted after an hour; try again later."
)


def _exceeds_share(each: int, left: int) -> str:
    return (
        f"Each visitor may upload {each // MEGABYTE} MB an hour; you have "
        f"{max(0, left) // MEGABYTE} MB left. Upload a smaller file, or try again later."
    )


class UploadQuota:
    """Refuses uploads that exceed a limit, before anything is written."""

    def __init__(self, app: ASGIApp, uploads: Uploads):
        self._app = app
        self._uploads = uploads

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes on every request except refused uploads."""
        if scope["type"] != "http" or scope["path"] != UPLOAD_PATH or scope["method"] != "POST":
            await self._app(scope, receive, send)
            return
        length = Headers(scope=scope).get("content-length", "")
        if not length.isdecimal():
            words = "An upload must state its length (Content-Length).\n"
            await PlainTextResponse(words, 411)(scope, receive, send)
            return
        visitor = visitor_of(scope)
        try:
            await anyio.to_thread.run_sync(self._uploads.begin, visitor, int(length))
        except QuotaError as full:
            # Many browsers show an answer only after they have sent everything.
            await _drain(receive)
            await PlainTextResponse(f"{full}\n", full.status)(scope, receive, send)
            return
        counter = _RequestCounter(receive, send)
        try:
            await self._app(scope, counter.receive, counter.send)
        finally:
            self._uploads.end(visitor, int(length), counter.taken())


class _RequestCounter:
    """Counts the bytes of a request, and the files that the answer names."""

    def __init__(self, receive: Receive, send: Send):
        self._receive = receive
        self._send = send
        self._received = 0
        self._answer = b""

    async def receive(self) -> Message:
        message = await self._receive()
        self._received += len(message.get("body", b""))
        return message

    async def send(self, message: Message) -> None:
        self._answer += message.get("body", b"")
        await self._send(message)

    def taken(self) -> int:
        """The bytes that the upload takes on disk."""
        try:
            files = json.loads(self._answer)
        except ValueError:
            files = []
        return self._received + _BYTES_PER_FILE * (len(files) if isinstance(files, list) else 0)


def visitor_of(scope: Scope) -> str:
    """The sender of a request: an IPv4 address, or the /64 network of an IPv6 address.

    A household has a whole IPv6 network and can change its address within it at any time.
    """
    client = (scope.get("client") or ("",))[0]
    try:
        address = ipaddress.ip_address(client)
    except ValueError:
        return str(client)
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is not None:
            return str(address.ipv4_mapped)
        return str(ipaddress.ip_network((int(address), 64), strict=False))
    return str(address)


async def _drain(receive: Receive) -> None:
    """Reads and discards the body of a request, up to a bound."""
    drained = 0
    while drained < _MOST_DRAINED:
        message = await receive()
        drained += len(message.get("body", b""))
        if message["type"] == "http.disconnect" or not message.get("more_body"):
            return
