"""One HTTP request: it goes out, its answer comes back whole, or an error of ours says why.

No retries, redirects or limits belong here (`protection`, `exchange`), and no API is known.
What is secret in a request (headers, body, query) is in no representation and no error.
"""

import contextlib
import socket
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Self
from urllib.parse import urlencode, urlsplit

import urllib3
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import (
    DecodeError,
    HTTPError,
    LocationParseError,
    NewConnectionError,
    SSLError,
    TimeoutError,
    URLSchemeUnknown,
)
from urllib3.response import BaseHTTPResponse, HTTPResponse

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
        headers: as they go out; only `Host`, lengths, and what urllib3 says of itself are added.
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
        self._pool.pool_classes_by_scheme = {"http": _Pool, "https": _TlsPool}

    def send(self, request: Request, timeout: float) -> Response:
        """Send it and read the whole answer, in `timeout` seconds.

        Raises:
            RemoteUnavailableError: no connection, no answer in time, or not the whole of it.
            MalformedAnswerError: the answer is larger than any should be, or wrongly encoded.
            RemoteRejectedError: this cannot be sent, as a header or the URL is not well-formed.
        """
        if timeout <= 0:
            raise RemoteUnavailableError(f"{request.place}: {_late(timeout)}")
        failure: TradeAssetsError | None = None
        with _End(timeout) as end:
            try:
                answer = self._exchanged(request, timeout)
            except (HTTPError, OSError, ValueError) as error:
                failure = _translated(error, request.place, timeout)
        # What was cut short can look like an answer: one that ends with its connection.
        if end.passed:
            failure = RemoteUnavailableError(f"{request.place}: {_late(timeout)}")
        # Out here, without context: texts of those errors may hold the URL, a header or a body.
        if failure is not None:
            raise failure
        return answer

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

    def _exchanged(self, request: Request, timeout: float) -> Response:
        response = self._open(request, timeout)
        try:
            data = self._read(request, response)
        except BaseException:
            response.close()
            raise
        response.release_conn()
        return Response(response.status, response.headers, data)

    def _read(self, request: Request, response: BaseHTTPResponse) -> bytes:
        """The body, read bit by bit, so that one that is too large is noticed."""
        data = bytearray()
        while chunk := response.read1(CHUNK):
            data += chunk
            if len(data) > self._largest_answer:
                raise MalformedAnswerError(
                    f"{request.place}: the answer has more than {self._largest_answer} bytes"
                )
        return bytes(data)


class _End:
    """Context that cuts the connection of this thread's exchange off when its time is over.

    A socket's own timeout starts anew with every byte that comes, so that an answer which trickles
    in, be it in its headers, could last for hours.
    """

    def __init__(self, seconds: float) -> None:
        self.passed = False
        self._socket: socket.socket | None = None
        self._lock = threading.Lock()
        self._timer = threading.Timer(seconds, self._cut)
        self._timer.daemon = True

    def __enter__(self) -> Self:
        _under_way.end = self
        self._timer.start()
        return self

    def __exit__(self, *_: object) -> None:
        del _under_way.end
        with self._lock:
            self._socket = None
        self._timer.cancel()

    def watch(self, connection: socket.socket) -> None:
        """Cut this one off."""
        with self._lock:
            self._socket = connection

    def _cut(self) -> None:
        with self._lock:
            self.passed = True
            if self._socket is not None:
                # Not the method of a TLS socket: it takes the session away from who reads.
                with contextlib.suppress(OSError):
                    socket.socket.shutdown(self._socket, socket.SHUT_RDWR)


class _UnderWay(threading.local):
    """The exchange of this thread."""

    end: _End


_under_way: Final = _UnderWay()


class _Connection(HTTPConnection):
    def getresponse(self) -> HTTPResponse:  # type: ignore[override]
        _under_way.end.watch(self.sock)
        return super().getresponse()


class _TlsConnection(HTTPSConnection):
    def getresponse(self) -> HTTPResponse:  # type: ignore[override]
        _under_way.end.watch(self.sock)
        return super().getresponse()


class _Pool(urllib3.HTTPConnectionPool):
    ConnectionCls = _Connection


class _TlsPool(urllib3.HTTPSConnectionPool):
    ConnectionCls = _TlsConnection


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
