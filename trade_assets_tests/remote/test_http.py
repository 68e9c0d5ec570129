"""The HTTP exchange against a real server on a socket, which does whatever a test wants."""

import contextlib
import gzip
import re
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from trade_assets.errors import (
    MalformedAnswerError,
    RemoteRejectedError,
    RemoteUnavailableError,
)
from trade_assets.ports import LOOPBACK, free_port
from trade_assets.remote.http import Http, Request, Response
from trade_assets_tests.support.waiting import PATIENCE_SECONDS

SECRET = "s3cr3t-t0ken"
Answer = bytes | Callable[[socket.socket], object]


class Server:
    """Answers the requests of one connection after the other with the given bytes, verbatim."""

    def __init__(self, *answers: Answer) -> None:
        self.requests: list[bytes] = []
        self.connections = 0
        self._answers = list(answers)
        self._listener = socket.create_server((LOOPBACK, 0))
        self.url = f"http://{LOOPBACK}:{self._listener.getsockname()[1]}"
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def _serve(self) -> None:
        while self._answers:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            with connection:
                self._converse(connection)

    def _converse(self, connection: socket.socket) -> None:
        while self._answers:
            request = received(connection)
            if not request:
                return
            self.requests.append(request)
            answer = self._answers.pop(0)
            if callable(answer):
                answer(connection)
                return
            connection.sendall(answer)

    def close(self) -> None:
        self._answers.clear()
        # A thread in `accept` is not woken by closing what it waits for.
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(PATIENCE_SECONDS)
        assert not self._thread.is_alive()


def received(connection: socket.socket) -> bytes:
    """One request, with its body; nothing once the asker has hung up."""
    data = b""
    while True:
        head, end, body = data.partition(b"\r\n\r\n")
        length = re.search(rb"content-length: (\d+)", head, re.IGNORECASE)
        if end and len(body) >= int(length[1] if length else 0):
            return data
        read = connection.recv(4096)
        if not read:
            return b""
        data += read


@contextmanager
def serving(*answers: Answer) -> Iterator[tuple[Server, Http]]:
    """A server with these answers, and what asks it."""
    server, http = Server(*answers), Http(largest_answer=1000)
    try:
        yield server, http
    finally:
        http.close()
        server.close()


def answer(body: bytes, *headers: str, status: str = "200 OK") -> bytes:
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers, "", ""]
    return "\r\n".join(lines).encode() + body


def get(server: Server, **fields: object) -> Request:
    headers = {"Authorization": f"Bearer {SECRET}"}
    fields = {"headers": headers, "query": {"requestId": SECRET}, **fields}
    return Request("GET", f"{server.url}/ttledger/orders", **fields)  # type: ignore[arg-type]


def failure(*answers: Answer, timeout: float = PATIENCE_SECONDS) -> RemoteUnavailableError:
    """The error that asking this server ends with; no text of it holds a secret."""
    with (
        serving(*answers) as (server, http),
        pytest.raises(RemoteUnavailableError) as raised,
    ):
        http.send(get(server), timeout)
    error = raised.value
    assert str(error).startswith(f"GET {server.url}/ttledger/orders: ")
    assert error.__cause__ is None
    assert error.__suppress_context__ or error.__context__ is None
    assert SECRET not in f"{error!r}"
    return error


def test_an_answer_comes_back_whole() -> None:
    body = b'{"orders": []}'
    with serving(answer(body, "Content-Type: application/json", "X-Odd: 1")) as (server, http):
        response = http.send(get(server), PATIENCE_SECONDS)
    assert (response.status, response.data) == (200, body)
    assert (response.headers["x-odd"], response.headers.get("Retry-After")) == ("1", None)


def test_a_get_has_what_was_given_and_no_content_type() -> None:
    with serving(answer(b"{}")) as (server, http):
        http.send(get(server, query={"a": "1 &2", "requestId": "x"}), PATIENCE_SECONDS)
    head = server.requests[0].decode()
    assert head.startswith("GET /ttledger/orders?a=1+%262&requestId=x HTTP/1.1\r\n")
    assert f"Authorization: Bearer {SECRET}\r\n" in head
    assert "content-type" not in head.lower()
    assert "content-length" not in head.lower()


def test_a_query_is_added_to_that_of_the_url() -> None:
    assert Request("GET", "http://x/a?b=1", query={"c": "2"}).full_url == "http://x/a?b=1&c=2"
    assert Request("GET", "http://x/a?b=1").full_url == "http://x/a?b=1"


def test_a_body_goes_out_as_it_is() -> None:
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    with serving(answer(b"{}")) as (server, http):
        http.send(
            Request("POST", f"{server.url}/token", headers, body=b"grant_type=x"), PATIENCE_SECONDS
        )
    head, _, body = server.requests[0].partition(b"\r\n\r\n")
    assert b"Content-Length: 12\r\n" in head
    assert b"Content-Type: application/x-www-form-urlencoded" in head
    assert body == b"grant_type=x"


@pytest.mark.parametrize(
    "status", ["303 See Other", "401 Unauthorized", "429 Slow Down", "503 Away"]
)
def test_every_status_is_an_answer(status: str) -> None:
    body = b"{}"
    with serving(answer(body, "Location: /elsewhere", status=status)) as (server, http):
        response = http.send(get(server), PATIENCE_SECONDS)
    assert (f"{response.status}", response.data) == (status[:3], body)
    assert len(server.requests) == 1


def test_compressed_and_chunked_bodies_are_undone() -> None:
    packed = gzip.compress(b"x" * 900)
    chunked = (
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"
    )
    answers = (answer(packed, "Content-Encoding: gzip"), chunked, answer(b""))
    with serving(*answers) as (server, http):
        bodies = [http.send(get(server), PATIENCE_SECONDS).data for _ in answers]
    assert bodies == [b"x" * 900, b"abcde", b""]


def test_connections_are_kept() -> None:
    with serving(*[answer(b"{}")] * 4) as (server, http):
        for _ in range(4):
            http.send(get(server), PATIENCE_SECONDS)
    assert server.connections == 1


def test_a_connection_that_failed_is_not_used_again() -> None:
    with serving(
        b"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n" + b"x" * 2000, answer(b"{}")
    ) as (
        server,
        http,
    ):
        with pytest.raises(MalformedAnswerError):
            http.send(get(server), PATIENCE_SECONDS)
        assert http.send(get(server), PATIENCE_SECONDS).data == b"{}"
    assert server.connections == 2


def test_nobody_there() -> None:
    url = f"http://{LOOPBACK}:{free_port()}/ttledger/orders"
    request = Request("GET", url, {"x-api-key": SECRET}, {"q": SECRET})
    with pytest.raises(RemoteUnavailableError) as raised:
        Http().send(request, PATIENCE_SECONDS)
    assert str(raised.value) == f"GET {url}: cannot connect"


def test_a_connection_that_is_dropped() -> None:
    assert "connection broke" in str(failure(lambda connection: None))


def test_nonsense_instead_of_http() -> None:
    assert "connection broke" in str(failure(b"hello, who is there?\r\n\r\n"))


@pytest.mark.parametrize("head", ["Content-Length: 500", "Transfer-Encoding: chunked"])
def test_a_body_that_is_cut(head: str) -> None:
    body = b"1f4\r\nabc" if "chunked" in head else b"not so many bytes"
    whole = f"HTTP/1.1 200 OK\r\n{head}\r\n\r\n".encode() + body
    assert "connection broke" in str(failure(lambda connection: connection.sendall(whole)))


def test_a_body_that_is_not_compressed_as_it_says() -> None:
    error = failure(answer(b"plain", "Content-Encoding: gzip"))
    assert isinstance(error, MalformedAnswerError)
    assert "Content-Encoding" in str(error)


def test_an_answer_that_does_not_come() -> None:
    error = failure(lambda connection: connection.recv(1), timeout=0.2)  # Until we hang up.
    assert "no whole answer within 0.2 s" in str(error)


@pytest.mark.parametrize("close", [True, False])
def test_an_answer_that_trickles_in(close: bool) -> None:
    """Every single read is in time, the whole is not."""

    def trickle(connection: socket.socket) -> None:
        head = f"HTTP/1.1 200 OK\r\nConnection: {'close' if close else 'keep-alive'}\r\n"
        connection.sendall(f"{head}Content-Length: 900\r\n\r\n".encode())
        try:
            for _ in range(900):
                connection.sendall(b"x")
                done.wait(0.05)
        except OSError:
            pass  # The asker has had enough.

    done = threading.Event()
    assert "no whole answer within 0.3 s" in str(failure(trickle, timeout=0.3))


def test_headers_that_trickle_in() -> None:
    """Cut off in time, however long they would go on; what came of them is no answer."""

    def trickle(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nX-Odd: ")
        with contextlib.suppress(OSError):  # The asker has had enough.
            while True:
                connection.sendall(b"x")
                done.wait(0.05)

    done = threading.Event()
    assert "no whole answer within 0.3 s" in str(failure(trickle, timeout=0.3))


@pytest.mark.parametrize("timeout", [0.0, -0.1])
def test_without_time_nothing_is_sent(timeout: float) -> None:
    with (
        serving(answer(b"{}")) as (server, http),
        pytest.raises(RemoteUnavailableError, match="no whole answer"),
    ):
        http.send(get(server), timeout)
    assert server.requests == []


@pytest.mark.parametrize(
    "huge",
    [
        answer(b"x" * 1001),
        answer(gzip.compress(b"x" * 1_000_000), "Content-Encoding: gzip"),
        b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 3000,
    ],
    ids=["plain", "compressed", "of unknown length"],
)
def test_an_answer_that_is_too_large(huge: bytes) -> None:
    error = failure(lambda connection: connection.sendall(huge))
    assert isinstance(error, MalformedAnswerError)
    assert "more than 1000 bytes" in str(error)


@pytest.mark.parametrize(
    "request_",
    [
        Request("GET", f"http://{LOOPBACK}:1/", {"Authorization": f"Bearer {SECRET}\n"}),
        Request("GET", f"http://{LOOPBACK}:1/", {"Authorization": f"Bearer {SECRET}€"}),
        Request("GET", f"http://{LOOPBACK}:1x/{SECRET}"),
        Request("GET", f"ftp://{LOOPBACK}/"),
    ],
)
def test_what_is_not_http_is_not_sent(request_: Request) -> None:
    with serving(answer(b"{}")) as (server, http):
        url = request_.url.replace(f"http://{LOOPBACK}:1/", f"{server.url}/")
        with pytest.raises(RemoteRejectedError, match="not a well-formed request") as raised:
            http.send(Request("GET", url, request_.headers), PATIENCE_SECONDS)
    assert raised.value.status is None
    assert SECRET not in f"{raised.value!r}"
    assert server.requests == []


def test_secrets_are_in_no_representation() -> None:
    request = Request(
        "POST",
        f"https://user:{SECRET}@host:8443/token?key={SECRET}#{SECRET}",
        {"x-api-key": SECRET},
        {"requestId": SECRET},
        SECRET.encode(),
    )
    assert repr(request) == "Request(POST https://host:8443/token)"
    response = Response(200, {"Location": SECRET}, SECRET.encode())
    assert repr(response) == f"Response(200, {len(SECRET)} bytes)"


def test_no_proxy_of_the_environment_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, f"http://{LOOPBACK}:1")
    with serving(answer(b"{}")) as (server, http):
        assert http.send(get(server), PATIENCE_SECONDS).status == 200
