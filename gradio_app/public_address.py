"""The address of a server behind a proxy, as browsers see it."""

import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from pocket_bokeh.errors import UserError


@dataclass(frozen=True)
class PublicAddress:
    """The address of a server behind a proxy, as browsers see it.

    Attributes:
        origin: such as https://example.org; empty if the proxy sends it in a header.
        path: such as /bokeh; empty if the server has the whole host name.
    """

    origin: str = ""
    path: str = ""

    @property
    def netloc(self) -> str:
        """Host name and port, if any; empty if the proxy sends them in a header."""
        return urlsplit(self.origin).netloc

    def __str__(self) -> str:
        return self.origin + self.path


def read_public_address(text: str) -> PublicAddress:
    """Reads the value of --root-path: a path or a whole address.

    Raises:
        UserError: it is neither.
    """
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        parts, port = urlsplit(""), None
    whole = parts.scheme in ("http", "https") and parts.hostname and not parts.username
    path = parts.path.rstrip("/")
    is_path = text.startswith("/") and not parts.netloc
    plain = not (parts.query or parts.fragment) and re.fullmatch(r"(/[\w.~-]+)*", path)
    if not plain or not (whole or is_path):
        raise UserError(
            f"--root-path {text}: expected a path such as /bokeh, or the address that browsers "
            "see, such as https://example.org/bokeh"
        )
    if not whole:
        return PublicAddress(path=path)
    usual = {"http": 80, "https": 443}[parts.scheme]
    host = f"[{parts.hostname}]" if ":" in str(parts.hostname) else str(parts.hostname)
    netloc = host if port in (None, usual) else f"{host}:{port}"
    return PublicAddress(f"{parts.scheme}://{netloc}", path)
