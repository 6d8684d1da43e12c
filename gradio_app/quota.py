"""How much visitors may upload: all of them together, and each of them.

A visitor is an address on the network. The login is one name that all share, and a session's name
is the browser's own choice, so neither tells people apart. Behind a proxy the address is what the
proxy says in X-Forwarded-For, which uvicorn believes of this machine alone (FORWARDED_ALLOW_IPS
names others); a proxy that says nothing makes all its visitors one.
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

from gradio_app.store import LONGEST_AGE
from gradio_app.sweep import age_of, bytes_on_disk, delete_older, entries_of

UPLOAD_PATH = "/gradio_api/upload"

MEGABYTE = 1_000_000

_LEFT_FREE = 200 * MEGABYTE
"""Of the disk, for all else that runs on this machine."""

_BYTES_A_FILE = 8192
"""Of the disk, beside its content: the framework keeps each file in a folder of its own."""

_LONGEST_PAUSE = 600.0
"""Seconds after which an upload that is written no further is taken for broken off."""

_MOST_DRAINED = 512 * MEGABYTE


class QuotaError(Exception):
    """An upload that there is no room for; the message is for the visitor.

    Attributes:
        status: of HTTP; 413 where the visitor's own share is used up, 507 where all room is.
    """

    def __init__(self, status: int, message: str):
        super().__init__(message)
        self.status = status


@dataclass(frozen=True)
class UploadLimits:
    """How many bytes of uploads are kept.

    Attributes:
        total: of all visitors together, on the disk.
        each: that one visitor may send in an hour.
    """

    total: int = 2000 * MEGABYTE
    each: int = 500 * MEGABYTE


class Uploads:
    """What visitors have uploaded, in flight and on the disk."""

    def __init__(
        self, folder: Path, copies: Sequence[Path] = (), limits: UploadLimits | None = None
    ):
        """Counts from now on.

        Args:
            folder: where the framework keeps uploads; what is in it now belongs to the page.
            copies: folders that hold copies of them, which are counted with them.
            limits: how much is kept.
        """
        self._folder = folder
        self._counted = (folder, *copies)
        self._limits = limits or UploadLimits()
        self._of_page = frozenset(folder.rglob("*"))
        self._in_flight: Counter[str] = Counter()
        self._sent: dict[str, deque[tuple[float, int]]] = {}
        self._lock = threading.Lock()

    def begin(self, visitor: str, length: int) -> None:
        """Reserves room for an upload; `end` must follow.

        Args:
            visitor: as `visitor_of` names them.
            length: of the upload, in bytes.

        Raises:
            QuotaError: there is none; nothing is reserved.
        """
        with self._lock:
            sent = sum(count for _, count in self._sent.get(visitor, ()))
            left = self._limits.each - sent - self._in_flight[visitor]
            if length > left:
                raise QuotaError(413, _share_is_used_up(self._limits.each, left))
            kept = sum(map(bytes_on_disk, self._counted)) + self._in_flight.total()
            if length > min(self._limits.total - kept, self._free_bytes()):
                raise QuotaError(507, _NO_ROOM)
            self._in_flight[visitor] += length

    def end(self, visitor: str, length: int, taken: int) -> None:
        """Releases the room and counts what was really taken of it, for an hour."""
        with self._lock:
            self._in_flight[visitor] -= length
            if not self._in_flight[visitor]:
                del self._in_flight[visitor]
            self._sent.setdefault(visitor, deque()).append((time.time(), taken))

    def sweep(self, longest_age: float = LONGEST_AGE) -> None:
        """Deletes what is older than some seconds, and no longer counts it."""
        delete_older(self._folder, longest_age, spared=self._of_page)
        for file in entries_of(self._folder):
            age = age_of(file)
            broken_off = age is not None and age > _LONGEST_PAUSE and file.is_file()
            if broken_off and file not in self._of_page:
                file.unlink(missing_ok=True)
        oldest = time.time() - longest_age
        with self._lock:
            for visitor, sent in list(self._sent.items()):
                while sent and sent[0][0] < oldest:
                    sent.popleft()
                if not sent:
                    del self._sent[visitor]

    def _free_bytes(self) -> int:
        there = self._folder if self._folder.is_dir() else self._folder.parent
        return shutil.disk_usage(there).free - _LEFT_FREE


_NO_ROOM = (
    "The server has no room for more uploads. They are deleted an hour after they came; "
    "try again later."
)


def _share_is_used_up(each: int, left: int) -> str:
    return (
        f"Each visitor may upload {each // MEGABYTE} MB an hour, and {max(0, left) // MEGABYTE} MB "
        "of yours are left. Bring a smaller file, or try again later."
    )


class UploadQuota:
    """Refuses uploads that there is no room for, before anything of them is written."""

    def __init__(self, app: ASGIApp, uploads: Uploads):
        self._app = app
        self._uploads = uploads

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes on all but the uploads that are refused."""
        if scope["type"] != "http" or scope["path"] != UPLOAD_PATH or scope["method"] != "POST":
            await self._app(scope, receive, send)
            return
        length = Headers(scope=scope).get("content-length", "")
        if not length.isdecimal():
            words = "An upload must say how long it is (Content-Length).\n"
            await PlainTextResponse(words, 411)(scope, receive, send)
            return
        visitor = visitor_of(scope)
        try:
            await anyio.to_thread.run_sync(self._uploads.begin, visitor, int(length))
        except QuotaError as full:
            # Many browsers show an answer only once they have sent everything.
            await _drain(receive)
            await PlainTextResponse(f"{full}\n", full.status)(scope, receive, send)
            return
        watch = _Watch(receive, send)
        try:
            await self._app(scope, watch.receive, watch.send)
        finally:
            self._uploads.end(visitor, int(length), watch.taken())


class _Watch:
    """Counts what goes through a request: its bytes, and the files that the answer names."""

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
        """Bytes, those that the disk needs for each file included."""
        try:
            files = json.loads(self._answer)
        except ValueError:
            files = []
        return self._received + _BYTES_A_FILE * (len(files) if isinstance(files, list) else 0)


def visitor_of(scope: Scope) -> str:
    """Who sent a request: an IPv4 address, or the network of an IPv6 address.

    A household has a whole IPv6 network and may take another address of it any time.
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
    """Takes a request's body and forgets it, up to a bound."""
    drained = 0
    while drained < _MOST_DRAINED:
        message = await receive()
        drained += len(message.get("body", b""))
        if message["type"] == "http.disconnect" or not message.get("more_body"):
            return
