"""A DynamoDB endpoint that fails as AWS does (the stand-in never throttles), then hands on."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import orjson
import urllib3

from trade_assets.settings import AwsService, Settings

Answer = tuple[int, bytes]
Forward = Callable[[bytes], bytes]
Fault = Callable[[bytes, Forward], Answer | None]
"""Given a request's body and a way to hand requests on: its own answer, or None to hand it on."""


def refusing(code: str, status: int = 400) -> Fault:
    """A fault that answers with an error of DynamoDB."""
    answer = {"__type": f"com.amazonaws.dynamodb.v20120810#{code}", "message": "as asked"}
    return lambda _, __: (status, orjson.dumps(answer))


def half_unprocessed(body: bytes, forward: Forward) -> Answer:
    """Take the first half of a BatchWriteItem and give the rest back."""
    ((table, requests),) = orjson.loads(body)["RequestItems"].items()
    taken, left = requests[: len(requests) // 2], requests[len(requests) // 2 :]
    if taken:
        forward(orjson.dumps({"RequestItems": {table: taken}}))
    return 200, orjson.dumps({"UnprocessedItems": {table: left}})


def half_unread(body: bytes, forward: Forward) -> Answer:
    """Answer the first half of a BatchGetItem and give the other keys back."""
    ((table, request),) = orjson.loads(body)["RequestItems"].items()
    keys = request["Keys"]
    half = len(keys) // 2
    found: dict[str, Any] = {"Responses": {table: []}}
    if half:
        asked = {**request, "Keys": keys[:half]}
        found = orjson.loads(forward(orjson.dumps({"RequestItems": {table: asked}})))
    left = {table: {**request, "Keys": keys[half:]}}
    return 200, orjson.dumps({"Responses": found["Responses"], "UnprocessedKeys": left})


@dataclass
class FaultyDynamo:
    """What the endpoint does: `faults` by operation, used up one a request; `calls` counts."""

    faults: dict[str, list[Fault]] = field(default_factory=dict)
    calls: dict[str, int] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def next_fault(self, operation: str) -> Fault | None:
        """The next fault of an operation, if one is left."""
        with self.lock:
            self.calls[operation] = self.calls.get(operation, 0) + 1
            left = self.faults.get(operation)
            return left.pop(0) if left else None


class _Server(ThreadingHTTPServer):
    """One that ends connections which its clients keep."""

    daemon_threads = True

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._connections: list[Any] = []

    def process_request(self, request: Any, client_address: Any) -> None:
        self._connections.append(request)
        super().process_request(request, client_address)

    def hang_up(self) -> None:
        for connection in self._connections:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)


@contextmanager
def faulty_dynamo(settings: Settings) -> Iterator[tuple[FaultyDynamo, Settings]]:
    """Such an endpoint in front of that of `settings`, and settings that name it."""
    state, behind = FaultyDynamo(), settings.aws_endpoint_of(AwsService.DYNAMODB)
    pool = urllib3.PoolManager()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            headers = {name: value for name, value in self.headers.items() if name != "Host"}

            def forward(content: bytes) -> bytes:
                sent = {**headers, "Content-Length": str(len(content))}
                return pool.request("POST", f"{behind}/", body=content, headers=sent).data

            fault = state.next_fault(self.headers["X-Amz-Target"].rsplit(".", 1)[-1])
            answer = fault(body, forward) if fault else None
            if answer is None:
                sent = pool.request("POST", f"{behind}/", body=body, headers=headers)
                answer = sent.status, sent.data
            self.send_response(answer[0])
            self.send_header("Content-Type", "application/x-amz-json-1.0")
            self.send_header("Content-Length", str(len(answer[1])))
            self.end_headers()
            self.wfile.write(answer[1])

        def log_message(self, format: str, *args: object) -> None:
            """Keep quiet."""

    server = _Server(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        url = f"http://127.0.0.1:{server.server_address[1]}"
        yield state, settings.changed({"aws_endpoint_url_dynamodb": url})
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
        server.hang_up()
        pool.clear()
