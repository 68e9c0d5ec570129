"""What a response of a remote API means: a good body, or the error of our tree that it stands for.

Here is what holds for every API: which statuses are worth another try, how long a `Retry-After`
asks to wait, and an error text with the server's own words, cut and with no credential in it. What
is special to one API (where its words stand, an error inside a 200, what a body must have) is in
its client; how large a body may be, in `http`. Nothing is sent here.
"""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Final
from urllib.parse import quote, quote_plus

import orjson
from pydantic import SecretStr

from trade_assets.errors import (
    CredentialsError,
    MalformedAnswerError,
    RemoteRejectedError,
    RemoteUnavailableError,
    ThrottledError,
)
from trade_assets.logs import SHORTEST_SECRET, redact
from trade_assets.remote.http import Response

MESSAGE_LENGTH: Final = 300
FIRST_ERROR: Final = 400
"""The lowest HTTP status of an error."""

_FIRST_REDIRECT, _FIRST_SERVER_ERROR = 300, 500
_UNAUTHORIZED, _THROTTLED, _UNAVAILABLE = 401, 429, 503
_TOO_SLOW = 408  # A gateway that gave up waiting for our request: it may be repeated.
_BROKEN_TEXT = re.compile(r"[\x00-\x20\x7f-\x9f\u2028\u2029]+")


@dataclass(frozen=True)
class ResponseJudge:
    """Judges the responses to one question.

    Attributes:
        what: the API and the question, for messages.
        hidden: the credentials of the question, which no message may hold.
        keep_data: whether errors may carry the body. Not where a good answer is itself a secret.
    """

    what: str
    hidden: tuple[SecretStr, ...] = ()
    keep_data: bool = True

    def body(self, response: Response, words: str = "") -> bytes:
        """The body of a good response; `words` are the server's own, for the error of another.

        Raises:
            RemoteRejectedError, RemoteUnavailableError: as `status_error`, from 400 on.
            MalformedAnswerError: a redirect that nobody follows.
        """
        if response.status >= FIRST_ERROR:
            raise self.status_error(response.status, response.headers, words)
        if response.status >= _FIRST_REDIRECT:
            raise self.malformed(f"an unexpected answer, {response.status}", response.data)
        return response.data

    def status_error(
        self, status: int, headers: Mapping[str, str], words: str = ""
    ) -> RemoteRejectedError | RemoteUnavailableError:
        """The error that a status stands for.

        CredentialsError for 401; ThrottledError for 429, and for a 503 with a Retry-After;
        RemoteUnavailableError for another 5xx, and 408; RemoteRejectedError for all others.
        """
        message = f"{self.what}: {status}{self._shown(words)}"
        if status == _UNAUTHORIZED:
            return CredentialsError(message, status)
        wait_seconds = retry_after(headers.get("Retry-After"))
        # A 503 that says when to come back (maintenance) is honoured as a 429 is.
        if status == _THROTTLED or (status == _UNAVAILABLE and wait_seconds is not None):
            return ThrottledError(message, wait_seconds)
        if status >= _FIRST_SERVER_ERROR or status == _TOO_SLOW:
            return RemoteUnavailableError(message)
        return RemoteRejectedError(message, status)

    def rejected(self, why: str, status: int | None = None) -> RemoteRejectedError:
        """The error for an answer that sends us where we do not go."""
        return RemoteRejectedError(f"{self.what}: {self._clean(why)}", status)

    def malformed(self, fault: str, data: bytes = b"") -> MalformedAnswerError:
        """The error for an answer that is not what the API promises."""
        kept = data if self.keep_data and not self.is_secret_in(data) else b""
        return MalformedAnswerError(f"{self.what}: {fault}", kept)

    def is_secret_in(self, data: bytes) -> bool:
        """Whether it holds a credential, as it is or quoted."""
        texts = [text for text in self._texts() if len(text) >= SHORTEST_SECRET]
        return any(text.encode() in data for text in texts)

    def _shown(self, words: str) -> str:
        """The server's words after a colon; redacted before they are cut, never half a secret."""
        text = self._clean(words)
        cut = text if len(text) <= MESSAGE_LENGTH else f"{text[: MESSAGE_LENGTH - 1]}…"
        return f": {cut}" if cut else ""

    def _clean(self, text: str) -> str:
        return _BROKEN_TEXT.sub(" ", redact(text, tuple(self._texts()))).strip()

    def _texts(self) -> list[str]:
        plain = {value.get_secret_value() for value in self.hidden} - {""}
        written = {write(text) for text in plain for write in (str, quote, quote_plus)}
        return sorted(written, key=len, reverse=True)


def json_of(data: bytes) -> Any:
    """The JSON document of a body; None where it is none."""
    try:
        return orjson.loads(data)
    except orjson.JSONDecodeError:
        return None


def words_of(document: Any, members: Sequence[str]) -> str:
    """What an error document says in those of its members that are texts, each text once."""
    said = document if isinstance(document, dict) else {}
    found = [said[name] for name in members if isinstance(said.get(name), str)]
    return "; ".join(dict.fromkeys(found))


def retry_after(value: str | None) -> float | None:
    """Seconds that a Retry-After header asks to wait: seconds, or an HTTP date; None: neither."""
    if value is None:
        return None
    try:
        seconds = float(value)
    except ValueError:
        return _seconds_until(value)
    return seconds if math.isfinite(seconds) and seconds >= 0 else None


def _seconds_until(date: str) -> float | None:
    try:
        moment = parsedate_to_datetime(date)
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return max(0.0, (moment - datetime.now(UTC)).total_seconds())
