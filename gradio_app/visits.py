"""What a visitor had on the page, so that a reloaded browser tab gets it back."""

import secrets
import threading
import time
from collections import OrderedDict
from dataclasses import dataclass

from gradio_app.model_catalogue import ModelChoice
from gradio_app.photos import Photo
from gradio_app.result_store import LONGEST_AGE
from pocket_bokeh.focus_map import Point


@dataclass(frozen=True)
class Visit:
    """What was on the page.

    Attributes:
        photo: the photo that was compared.
        keys: of the ticked models.
        own: the visitor's models.
        focus: what was kept sharp; None: automatic.
    """

    photo: Photo
    keys: tuple[str, ...]
    own: tuple[ModelChoice, ...]
    focus: Point | None = None


def new_token() -> str:
    """A name for a visit that nobody can guess.

    A checksum of the photo would not do: everyone who has the file knows it.
    """
    return secrets.token_urlsafe(16)


class Visits:
    """The latest visits by their tokens; the oldest are dropped."""

    def __init__(self, most: int = 1000, longest_age: float = LONGEST_AGE):
        self._most = most
        self._longest_age = longest_age
        self._visits: OrderedDict[str, tuple[float, Visit]] = OrderedDict()
        self._lock = threading.Lock()

    def keep(self, token: str, visit: Visit) -> None:
        """Stores a visit and replaces the one that the token named before."""
        with self._lock:
            self._visits[token] = time.monotonic(), visit
            self._visits.move_to_end(token)
            while len(self._visits) > self._most:
                self._visits.popitem(last=False)

    def find(self, token: str) -> Visit | None:
        """The visit of a token; None if the token is unknown or too old."""
        with self._lock:
            since, visit = self._visits.get(token, (0.0, None))
        return visit if time.monotonic() - since <= self._longest_age else None

    def share(self, token: str) -> str | None:
        """A new token for a copy of a visit, which later changes of the visitor do not reach.

        Returns:
            None if the visit is unknown or too old.
        """
        visit = self.find(token)
        if visit is None:
            return None
        shared = new_token()
        self.keep(shared, visit)
        return shared
