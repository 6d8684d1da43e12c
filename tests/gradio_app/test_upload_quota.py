"""A real server limits uploads, of each visitor and of all together."""

import os
import socket
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from playwright.sync_api import Browser, expect

from gradio_app.upload_quota import QuotaError, UploadLimits, Uploads, visitor_of

MEGABYTE = 1_000_000


@pytest.fixture(scope="module")
def small(serve: Any) -> Iterator[Any]:
    """A server that takes 8 MB of uploads, 4 MB from each visitor."""
    with serve("--uploads", "8", "--uploads-each", "4") as served:
        yield served


@pytest.fixture(scope="module")
def roomy(serve: Any) -> Iterator[Any]:
    """A server with the default total that takes 4 MB from each visitor."""
    with serve("--uploads-each", "4") as served:
        yield served


def upload(address: str, size: int, visitor: str, headers: Any = None) -> httpx.Response:
    """Uploads random bytes the way a proxy passes on a visitor's request."""
    content = os.urandom(size)
    return httpx.post(
        f"{address}/gradio_api/upload",
        files={"files": ("photo.jpg", content)},
        headers={"X-Forwarded-For": visitor, **(headers or {})},
        timeout=60,
    )


def kept_bytes(served: Any) -> int:
    (folder,) = served.temporary.glob("pocket-bokeh-*")
    return sum(file.stat().st_size for file in (folder / "uploads").rglob("*") if file.is_file())


def test_neither_one_nor_many_fill_the_disk(small: Any) -> None:
    """Nine uploads at once from one address, then eight from others."""
    with ThreadPoolExecutor(9) as senders:
        answers = list(senders.map(lambda _: upload(small.address, MEGABYTE, "10.0.0.1"), range(9)))
    assert Counter(answer.status_code for answer in answers) == {200: 3, 413: 6}
    refused = next(answer for answer in answers if answer.status_code == 413)
    assert refused.text.startswith("Each visitor may upload 4 MB an hour")
    assert "try again later" in refused.text
    with ThreadPoolExecutor(8) as senders:
        answers = list(
            senders.map(lambda n: upload(small.address, MEGABYTE, f"10.0.1.{n}"), range(8))
        )
    outcomes = Counter(answer.status_code for answer in answers)
    assert set(outcomes) == {200, 507}
    assert outcomes[200] >= 1
    refused = next(answer for answer in answers if answer.status_code == 507)
    assert "no room for more uploads" in refused.text
    assert kept_bytes(small) <= 8 * MEGABYTE
    # A small photo of someone new still has room, and a page that is read needs none.
    assert upload(small.address, 1000, "10.0.2.1").status_code == 200
    assert httpx.get(small.address, timeout=60).status_code == 200


def test_what_is_under_way_counts(roomy: Any) -> None:
    host = urlsplit(roomy.address)
    with socket.create_connection((host.hostname, host.port)) as slow:
        begun = (
            f"POST /gradio_api/upload HTTP/1.1\r\nHost: {host.netloc}\r\n"
            "X-Forwarded-For: 10.0.0.7\r\nContent-Length: 3500000\r\n"
            "Content-Type: multipart/form-data; boundary=b\r\n\r\n"
            '--b\r\nContent-Disposition: form-data; name="files"; filename="a"\r\n\r\n'
        )
        slow.sendall(begun.encode() + bytes(50_000))
        assert _until(lambda: upload(roomy.address, MEGABYTE, "10.0.0.7"), 413)
    # Broken off: what had not come is free again.
    assert _until(lambda: upload(roomy.address, MEGABYTE, "10.0.0.7"), 200)


def _until(ask: Callable[[], httpx.Response], status: int) -> bool:
    """Whether an answer has the status, at once or after a short while."""
    for _ in range(3):
        if ask().status_code == status:
            return True
        time.sleep(0.5)
    return False


def test_an_upload_says_how_long_it_is(small: Any) -> None:
    answer = httpx.post(f"{small.address}/gradio_api/upload", content=iter([b"x"]), timeout=60)
    assert answer.status_code == 411


@pytest.mark.browser
def test_the_page_shows_that_there_is_no_room(
    chromium: Browser, roomy: Any, tmp_path: Path
) -> None:
    large = tmp_path / "large.jpg"
    large.write_bytes(os.urandom(5 * MEGABYTE))
    page = chromium.new_page()
    page.goto(roomy.address)
    page.set_input_files("#upload input[type=file]", large)
    expect(page.get_by_text("Each visitor may upload 4 MB an hour").first).to_be_visible(
        timeout=60_000
    )
    page.close()


def test_what_is_swept_is_free_again(tmp_path: Path) -> None:
    folder = tmp_path / "uploads"
    folder.mkdir()
    (folder / "thumbnail.jpg").write_bytes(b"of the page")
    uploads = Uploads(folder, limits=UploadLimits(total=100_000, each=60_000))
    uploads.begin("ada", 50_000)
    photo = folder / "a" / "photo.jpg"
    photo.parent.mkdir()
    photo.write_bytes(bytes(50_000))
    uploads.end("ada", 50_000, taken=50_000)
    with pytest.raises(QuotaError, match="Each visitor") as refused:
        uploads.begin("ada", 20_000)
    assert refused.value.status == 413
    with pytest.raises(QuotaError, match="no room") as refused:
        uploads.begin("bob", 55_000)
    assert refused.value.status == 507
    for entry in (photo, folder / "thumbnail.jpg"):
        os.utime(entry, (time.time() - 4000,) * 2)
    uploads.sweep(longest_age=-1.0)
    assert not photo.exists()
    assert (folder / "thumbnail.jpg").exists()
    uploads.begin("ada", 50_000)


def test_what_broke_off_is_deleted_before_the_hour(tmp_path: Path) -> None:
    """Gradio leaves the file of an aborted upload in place."""
    uploads = Uploads(tmp_path)
    for name, age in (("tmpbroken", 700), ("tmpslow", 100)):
        (tmp_path / name).write_bytes(b"x")
        os.utime(tmp_path / name, (time.time() - age,) * 2)
    uploads.sweep()
    assert [file.name for file in tmp_path.iterdir()] == ["tmpslow"]


def test_many_small_files_count_as_what_they_take(roomy: Any) -> None:
    """Four hundred files of two bytes are 60 KB of traffic and 3 MB on disk."""
    parts = [("files", (f"{n}.txt", n.to_bytes(2, "little"))) for n in range(400)]

    def send() -> int:
        return httpx.post(
            f"{roomy.address}/gradio_api/upload",
            files=parts,
            headers={"X-Forwarded-For": "10.3.0.1"},
            timeout=60,
        ).status_code

    assert [send() for _ in range(3)] == [200, 200, 413]


@pytest.mark.parametrize(
    ("client", "visitor"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3::4", "2001:db8:1:2::/64"),
        ("2001:db8:1:2:ffff::", "2001:db8:1:2::/64"),
        ("testclient", "testclient"),
    ],
)
def test_a_visitor_is_an_address(client: str, visitor: str) -> None:
    assert visitor_of({"type": "http", "client": (client, 1)}) == visitor
    assert visitor_of({"type": "http", "client": None}) == ""
