"""One HTTP exchange: a request goes out, an answer comes back whole, or an error of ours says why.

No retries, redirects or limits belong here (`protection`, the clients), and no API is known.
What is secret in a request (headers, body, query) is in no representation and no error.
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urlencode, urlsplit

import urllib3
from urllib3.exceptions import (
    DecodeError,
    HTTPError,
    LocationParseError,
    NewConnectionError,
    SSLError,
    TimeoutError,
    URLSchemeUnknown,
)
from urllib3.response import BaseHTTPResponse

from trade_assets.errors import (
    MalformedAnswerError,
    RemoteRejectedError,
    RemoteUnavailableError,
    TradeAssetsError,
)

LARGEST_ANSWER: Final = 64 * 1024 * 1024
"""Bytes of an answer, decoded."""

CHUNK: Final = 64 * 1024
LONGEST_CONNECT_SECONDS: Final = 3.0
CONNECTIONS: Final = 8
"""Kept open to a host."""


@dataclass(frozen=True, slots=True, repr=False)
class Request:
    """What to ask.

    Attributes:
        method: of HTTP, in capitals.
        url: absolute; it may have a query of its own.
        headers: as they go out; nothing is added but what HTTP cannot do without.
        query: parameters, added to those of the URL.
        body: bytes to send; None sends none and no `Content-Type`.
    """

    method: str
    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = None

    @property
    def place(self) -> str:
        """Method and URL without user, query and fragment: what an error and a log may say."""
        try:
            parts = urlsplit(self.url)
            port = f":{parts.port}" if parts.port else ""
        except ValueError:
            return f"{self.method} (no URL)"
        return f"{self.method} {parts.scheme}://{parts.hostname or ''}{port}{parts.path}"

    @property
    def full_url(self) -> str:
        """The URL with the whole query."""
        if not self.query:
            return self.url
        return f"{self.url}{'&' if '?' in self.url else '?'}{urlencode(self.query)}"

    def __repr__(self) -> str:
        return f"Request({self.place})"


@dataclass(frozen=True, slots=True, repr=False)
class Response:
    """What was answered.

    Attributes:
        status: of HTTP, whatever it is.
        headers: names without regard to case.
        data: the whole body; a `Content-Encoding` is undone.
    """

    status: int
    headers: Mapping[str, str]
    data: bytes

    def __repr__(self) -> str:
        return f"Response({self.status}, {len(self.data)} bytes)"


class Http:
    """HTTP over kept connections. Thread-safe. It follows no redirect and uses no proxy."""

    def __init__(self, largest_answer: int = LARGEST_ANSWER) -> None:
        self._largest_answer = largest_answer
        self._pool = urllib3.PoolManager(maxsize=CONNECTIONS, retries=False)

    def send(self, request: Request, timeout: float) -> Response:
        """Send it and read the whole answer, in `timeout` seconds.

        Raises:
            RemoteUnavailableError: no connection, no answer in time, or not the whole of it.
            MalformedAnswerError: the answer is larger than any should be, or wrongly encoded.
            RemoteRejectedError: this cannot be sent, as a header or the URL is not well-formed.
        """
        end = time.monotonic() + timeout
        try:
            response = self._open(request, timeout)
            try:
                data = self._read(request, response, end, timeout)
            except BaseException:
                response.close()
                raise
            response.release_conn()
            return Response(response.status, response.headers, data)
        except (HTTPError, OSError, ValueError) as error:
            # `from None`: texts of these errors may hold the URL, a header or a body.
            raise _translated(error, request.place, timeout) from None

    def close(self) -> None:
        """Give the connections back."""
        self._pool.clear()

    def _open(self, request: Request, timeout: float) -> BaseHTTPResponse:
        return self._pool.request(
            request.method,
            request.full_url,
            body=request.body,
            headers=dict(request.headers),
            timeout=urllib3.Timeout(connect=min(timeout, LONGEST_CONNECT_SECONDS), total=timeout),
            retries=False,
            redirect=False,
            preload_content=False,
        )

    def _read(
        self, request: Request, response: BaseHTTPResponse, end: float, timeout: float
    ) -> bytes:
        """The body, read bit by bit, so that one that trickles in ends in time too."""
        # A server that closes the connection after its answer has taken the socket out of it:
        # there a single read may last `timeout` once more.
        sock = getattr(response.connection, "sock", None)
        data = bytearray()
        while True:
            left = end - time.monotonic()
            if left <= 0:
                raise RemoteUnavailableError(f"{request.place}: {_late(timeout)}")
            if sock is not None:
                sock.settimeout(left)
            chunk = response.read1(CHUNK)
            if not chunk:
                return bytes(data)
            data += chunk
            if len(data) > self._largest_answer:
                raise MalformedAnswerError(
                    f"{request.place}: the answer has more than {self._largest_answer} bytes"
                )


def _late(timeout: float) -> str:
    return f"no whole answer within {timeout:.1f} s"


def _translated(error: Exception, place: str, timeout: float) -> TradeAssetsError:
    """The error of ours, in words of ours."""
    malformed = isinstance(error, LocationParseError | URLSchemeUnknown)
    if malformed or not isinstance(error, HTTPError | OSError):
        return RemoteRejectedError(f"{place}: not a well-formed request")
    if isinstance(error, DecodeError):
        return MalformedAnswerError(f"{place}: the body is not what its Content-Encoding says")
    return RemoteUnavailableError(f"{place}: {_cause(error, timeout)}")


def _cause(error: Exception, timeout: float) -> str:
    if isinstance(error, NewConnectionError):
        return "cannot connect"
    if isinstance(error, TimeoutError):
        return _late(timeout)
    if isinstance(error, SSLError):
        return "no trusted connection (TLS)"
    return f"the connection broke ({type(error).__name__})"
