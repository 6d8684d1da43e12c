"""What a real server refuses, and that it keeps running."""

import base64
import http.client
import json
from urllib.parse import urlsplit

import pytest
from starlette.responses import PlainTextResponse
from starlette.testclient import TestClient

from gradio_app.guard import Guard, Login
from gradio_app.public_address import PublicAddress, read_public_address
from pocket_bokeh.bundle import Bundle
from pocket_bokeh.errors import UserError


def ask(
    address: str, path: str, method: str = "GET", body: bytes = b"", /, **headers: str
) -> tuple[int, str]:
    """Status and text of an answer; the path is sent unchanged."""
    connection = http.client.HTTPConnection(urlsplit(address).netloc, timeout=20)
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    connection.request(method, path, body, named)
    answer = connection.getresponse()
    return answer.status, answer.read().decode(errors="replace")


def post_event(address: str, body: str) -> tuple[int, str]:
    path = "/gradio_api/queue/join"
    return ask(address, path, "POST", body.encode(), Content_Type="application/json")


@pytest.mark.parametrize("host", ["evil.example", "evil.example:7860", "127.0.0.1.evil.example"])
def test_a_foreign_name_is_refused(address: str, host: str) -> None:
    assert ask(address, "/", Host=host)[0] == 421


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1:80", "[::1]:7860", "192.168.1.2:7860"])
def test_its_own_names_and_addresses_are_served(address: str, host: str) -> None:
    assert ask(address, "/", Host=host)[0] == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1:1"},
        {"Sec_Fetch_Site": "cross-site"},
    ],
)
def test_what_another_site_sends_is_refused(address: str, headers: dict[str, str]) -> None:
    assert ask(address, "/gradio_api/upload", "POST", b"", **headers)[0] == 403


@pytest.mark.parametrize(
    "path",
    [
        "/gradio_api/file=http://example.com/",
        "/gradio_api/file=%68ttp://example.com/",
        "/gradio_api/proxy=http://example.com/",
        "/proxy=http://example.com/",
        "/gradio_api/file=/tmp/../etc/passwd",
        "/results/../../etc/passwd.png",
        "/results/..%2f..%2fetc/passwd.png",
        "/results/original/.hidden.png",
        "/viewer/../page.py",
        "/viewer/..%2fpage.py",
        "/static/..%2f..%2f..%2fetc/passwd",
        "/assets/%2e%2e/%2e%2e/etc/passwd",
        "/gradio_api/info",
        "/docs",
        "/openapi.json",
    ],
)
def test_there_is_nothing_beside_the_page(address: str, path: str) -> None:
    assert ask(address, path) == (404, "Not found.\n")


def test_files_of_the_machine_are_not_served(address: str, bundle: Bundle) -> None:
    for file in ("/etc/passwd", __file__, str(bundle.folder / "bundle.json")):
        assert ask(address, f"/gradio_api/file={file}")[0] == 403


def test_the_queue_cannot_be_skipped(address: str) -> None:
    for path in ("/gradio_api/run/predict", "/gradio_api/call/run", "/gradio_api/api/run"):
        assert (
            ask(address, path, "POST", b'{"data": []}', Content_Type="application/json")[0] == 404
        )


@pytest.mark.parametrize(
    "path",
    ["/etc/hostname", "http://example.com/x.png", "uploads/../../../etc/hostname", "\0", 7],
)
def test_a_file_that_was_never_uploaded_is_not_read(address: str, path: object) -> None:
    """A forged event gives the camera's handler another file."""
    config = json.loads(ask(address, "/config")[1])
    camera = next(c["id"] for c in config["components"] if c["props"].get("elem_id") == "camera")
    takes = next(d for d in config["dependencies"] if camera in d["inputs"])
    forged = {"path": path, "meta": {"_type": "gradio.FileData"}}
    for given in (forged, [{"deep": [forged]}]):
        data = [given if component == camera else None for component in takes["inputs"]]
        body = json.dumps({"fn_index": takes["id"], "data": data, "session_hash": "forged"})
        assert post_event(address, body) == (403, "Refused: names a file that was not uploaded.\n")


def test_an_event_is_no_longer_than_the_page_makes_them(address: str) -> None:
    assert post_event(address, json.dumps({"data": ["x" * (1 << 20)]}))[0] == 413
    assert post_event(address, "[" * 100_000)[0] == 403


def test_nonsense_is_answered_without_a_traceback(address: str) -> None:
    status, text = post_event(address, '{"data": ["x"], "fn_index": 999, "session_hash": "a"}')
    assert status == 500
    assert "Traceback" not in text
    assert "KeyError" not in text
    assert ask(address, "/")[0] == 200


def test_with_a_login_nobody_else_is_let_in() -> None:
    guarded = Guard(PlainTextResponse("inside"), login=Login("ada", "söcret"))
    browser = TestClient(guarded, base_url="http://localhost")
    right = base64.b64encode("ada:söcret".encode()).decode()
    wrong = base64.b64encode(b"ada:secret").decode()
    for path in ("/", "/results/a/b.png", "/viewer/viewer.js", "/config", "/gradio_api/file=/x"):
        refused = browser.get(path)
        assert refused.status_code == 401
        assert refused.headers["WWW-Authenticate"].startswith("Basic ")
        assert browser.get(path, headers={"Authorization": f"Basic {wrong}"}).status_code == 401
        let_in = browser.get(path, headers={"Authorization": f"Basic {right}"})
        assert let_in.text == "inside"
        assert "frame-ancestors 'none'" in let_in.headers["Content-Security-Policy"]


def test_an_error_inside_shows_nothing_of_itself() -> None:
    async def broken(scope: object, receive: object, send: object) -> None:
        raise RuntimeError("the secret of the house")

    answer = TestClient(Guard(broken), base_url="http://localhost").get("/")
    assert answer.status_code == 500
    assert "secret" not in answer.text


def test_a_name_that_was_given_is_served() -> None:
    guarded = Guard(PlainTextResponse("inside"), names=["Bokeh.example"])
    assert TestClient(guarded, base_url="http://bokeh.example").get("/").text == "inside"
    assert TestClient(guarded, base_url="http://other.example").get("/").status_code == 421


def behind_proxy(address: str) -> TestClient:
    """A guarded application with a public address, and the Host that nginx sends."""
    guarded = Guard(PlainTextResponse("inside"), public=read_public_address(address))
    return TestClient(guarded, base_url="http://127.0.0.1:7860")


def test_behind_a_proxy_the_public_address_is_the_origin() -> None:
    browser = behind_proxy("https://bokeh.example/tools/bokeh")
    for path in ("/", "/tools/bokeh/"):
        assert browser.get(path).text == "inside"
    assert browser.get("/tools/bokeh/docs").status_code == 404
    upload = "/gradio_api/upload"
    assert browser.post(upload, headers={"Origin": "https://bokeh.example"}).text == "inside"
    for origin in ("https://evil.example", "null", "https://bokeh.example:444"):
        refused = browser.post(upload, headers={"Origin": origin})
        assert refused.status_code == 403
        assert "--root-path" in refused.text


def test_a_name_that_a_proxy_sends_on_must_be_known_too() -> None:
    guarded = Guard(PlainTextResponse("inside"), names=["bokeh.example"])
    browser = TestClient(guarded, base_url="http://127.0.0.1:7860")
    origin = {"Origin": "https://bokeh.example"}
    sent_on = {"X-Forwarded-Host": "bokeh.example"}
    assert browser.post("/gradio_api/upload", headers=origin).status_code == 403
    assert browser.post("/gradio_api/upload", headers=origin | sent_on).text == "inside"
    other = {"Origin": "https://evil.example", "X-Forwarded-Host": "evil.example"}
    assert browser.post("/gradio_api/upload", headers=other).status_code == 421


@pytest.mark.parametrize("host", ["127.0.0.1", "192.168.1.2:7860"])
def test_no_other_site_may_read_or_send_headers(address: str, host: str) -> None:
    """Gradio allows every origin if Host is not the name of this machine."""
    connection = http.client.HTTPConnection(urlsplit(address).netloc, timeout=20)
    asks = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "x-a"}
    for method, more in (("OPTIONS", asks), ("GET", {})):
        headers = {"Host": host, "Origin": "http://evil.example", **more}
        connection.request(method, "/config", headers=headers)
        answer = connection.getresponse()
        answer.read()
        assert not [name for name, _ in answer.getheaders() if "access-control" in name.lower()]


@pytest.mark.parametrize(
    ("text", "origin", "path"),
    [
        ("/", "", ""),
        ("/bokeh", "", "/bokeh"),
        ("/a/b/", "", "/a/b"),
        ("https://example.org", "https://example.org", ""),
        ("https://Example.org:443/bokeh/", "https://example.org", "/bokeh"),
        ("http://example.org:8080/bokeh", "http://example.org:8080", "/bokeh"),
        ("http://[::1]:8080", "http://[::1]:8080", ""),
    ],
)
def test_a_public_address_is_read(text: str, origin: str, path: str) -> None:
    assert read_public_address(text) == PublicAddress(origin, path)


@pytest.mark.parametrize(
    "text",
    ["", "bokeh", "ftp://example.org", "https://", "http://a:b@c/", "http://x:y/", "/a b", "/a?b"],
)
def test_what_is_no_public_address_is_refused(text: str) -> None:
    with pytest.raises(UserError, match="expected a path such as /bokeh"):
        read_public_address(text)


def test_a_login_compares_the_whole_of_it() -> None:
    login = Login("ada", "x")
    assert login.matches("Basic " + base64.b64encode(b"ada:x").decode())
    for given in ("", "Basic ", "Basic !!", "Bearer " + base64.b64encode(b"ada:x").decode()):
        assert not login.matches(given)
