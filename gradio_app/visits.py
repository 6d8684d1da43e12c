"""What a visitor had on the page, for the browser tab that reloads it."""

import secrets
import threading
import time
from collections import OrderedDict
from dataclasses import dataclass

from gradio_app.models import ModelChoice
from gradio_app.photos import Photo
from gradio_app.store import LONGEST_AGE


@dataclass(frozen=True)
class Visit:
    """What was on the page.

    Attributes:
        photo: that was compared on.
        keys: of the models that were ticked.
        own: the visitor's models.
    """

    photo: Photo
    keys: tuple[str, ...]
    own: tuple[ModelChoice, ...]


def new_token() -> str:
    """A name for a visit that nobody can guess.

    The checksum of a photo would be known to everyone who has the file.
    """
    return secrets.token_urlsafe(16)


class Visits:
    """The latest visits by their tokens; the oldest are forgotten."""

    def __init__(self, most: int = 1000, longest_age: float = LONGEST_AGE):
        self._most = most
        self._longest_age = longest_age
        self._kept: OrderedDict[str, tuple[float, Visit]] = OrderedDict()
        self._lock = threading.Lock()

    def keep(self, token: str, visit: Visit) -> None:
        """Keeps a visit in place of what the token named before."""
        with self._lock:
            self._kept[token] = time.monotonic(), visit
            self._kept.move_to_end(token)
            while len(self._kept) > self._most:
                self._kept.popitem(last=False)

    def find(self, token: str) -> Visit | None:
        """The visit that a token names, unless it is too old or unknown."""
        with self._lock:
            since, visit = self._kept.get(token, (0.0, None))
        return visit if time.monotonic() - since <= self._longest_age else None
