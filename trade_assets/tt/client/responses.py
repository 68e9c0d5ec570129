"""What an answer of TT means: its document, or the error of our tree that it is.

Errors carry the server's own message, cut and with no credential in it. Nothing is sent here.
"""

import math
import re
from collections.abc import Callable, Mapping
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
    TradeAssetsError,
)
from trade_assets.logs import SHORTEST_SECRET, redact
from trade_assets.remote.http import Response

MESSAGE_LENGTH: Final = 300
_MESSAGES: Final = ("status_message", "status_desc", "message")  # The last is its gateway's own.
_UNAUTHORIZED, _THROTTLED, _UNAVAILABLE = 401, 429, 503
_FIRST_SERVER_ERROR, _LAST = 500, 599
_TOO_SLOW = 408  # A gateway that gave up waiting for our request: it may be repeated.
_FIRST_REDIRECT, _FIRST_ERROR = 300, 400
_BROKEN_TEXT = re.compile(r"[\x00-\x20\x7f-\x9f\u2028\u2029]+")

Payload = dict[str, Any]


@dataclass(frozen=True)
class Judge:
    """Reads the answers to one question.

    Attributes:
        what: the question, for messages: service and endpoint.
        hidden: what no message may hold.
        keep_data: whether errors may carry the body. Not where a good answer is itself a secret.
    """

    what: str
    hidden: tuple[SecretStr, ...]
    keep_data: bool = True

    def payload(self, response: Response, check: Callable[[Payload], str | None]) -> Payload:
        """The document of an answer; `check` says what it lacks, None: nothing.

        Raises:
            CredentialsError: 401.
            RemoteRejectedError: another 4xx, or an error in a 200 that has no better status.
            ThrottledError: 429, and a 503 with a Retry-After.
            RemoteUnavailableError: another 5xx, and 408.
            MalformedAnswerError: no JSON object, or one that `check` finds fault with.
        """
        document = _parsed(response.data)
        status = _error_status(response.status, document)
        if status is not None:
            raise self._refusal(status, document, response.headers)
        if response.status >= _FIRST_REDIRECT:
            raise self.malformed(f"an unexpected answer, {response.status}", response.data)
        if not isinstance(document, dict):
            raise self.malformed("the answer is not a JSON object", response.data)
        fault = check(document)
        if fault is not None:
            raise self.malformed(fault, response.data)
        return document

    def rejected(self, why: str, status: int | None = None) -> RemoteRejectedError:
        """The error for an answer that sends us where we do not go."""
        return RemoteRejectedError(f"TT {self.what}: {self._clean(why)}", status)

    def malformed(self, fault: str, data: bytes = b"") -> MalformedAnswerError:
        """The error for an answer that is not what TT promises."""
        kept = data if self.keep_data and not self.is_secret_in(data) else b""
        return MalformedAnswerError(f"TT {self.what}: {fault}", kept)

    def is_secret_in(self, data: bytes) -> bool:
        """Whether it holds a credential, as it is or quoted."""
        texts = [text for text in self._texts() if len(text) >= SHORTEST_SECRET]
        return any(text.encode() in data for text in texts)

    def _refusal(self, status: int, document: Any, headers: Mapping[str, str]) -> TradeAssetsError:
        message = f"TT {self.what}: {status}{self._words(document)}"
        if status == _UNAUTHORIZED:
            return CredentialsError(message, status)
        wait_seconds = retry_after(headers.get("Retry-After"))
        # A 503 that says when to come back (maintenance) is honoured as a 429 is.
        if status == _THROTTLED or (status == _UNAVAILABLE and wait_seconds is not None):
            return ThrottledError(message, wait_seconds)
        if status >= _FIRST_SERVER_ERROR or status == _TOO_SLOW:
            return RemoteUnavailableError(message)
        return RemoteRejectedError(message, status)

    def _words(self, document: Any) -> str:
        """The server's message after a colon; redacted before it is cut, never half a secret."""
        said = document if isinstance(document, dict) else {}
        found = [said[name] for name in _MESSAGES if isinstance(said.get(name), str)]
        text = self._clean("; ".join(dict.fromkeys(found)))
        cut = text if len(text) <= MESSAGE_LENGTH else f"{text[: MESSAGE_LENGTH - 1]}…"
        return f": {cut}" if cut else ""

    def _clean(self, text: str) -> str:
        return _BROKEN_TEXT.sub(" ", redact(text, tuple(self._texts()))).strip()

    def _texts(self) -> list[str]:
        plain = {value.get_secret_value() for value in self.hidden} - {""}
        written = {write(text) for text in plain for write in (str, quote, quote_plus)}
        return sorted(written, key=len, reverse=True)


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


def _parsed(data: bytes) -> Any:
    try:
        return orjson.loads(data)
    except orjson.JSONDecodeError:
        return None


def _error_status(status: int, document: Any) -> int | None:
    """The HTTP status of an error; of an error inside a 200 its `statusCode`; None: no error."""
    if status >= _FIRST_ERROR:
        return status
    said = document if isinstance(document, dict) else {}
    code = _code(said.get("statusCode"))
    if code is not None:
        return code
    return status if str(said.get("status", "")).strip().lower() == "error" else None


def _code(value: Any) -> int | None:
    try:
        code = int(value)
    except (TypeError, ValueError, OverflowError):
        return None
    return code if _FIRST_ERROR <= code <= _LAST else None
