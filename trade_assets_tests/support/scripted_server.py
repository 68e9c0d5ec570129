"""An HTTP server in a process of its own that answers as a test has written down, and remembers.

Knows nothing of TT (the simulator does): it is for answers that no simulator should give.
"""

import json
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import urllib3

SCRIPT, SEEN = "/_script", "/_seen"


@dataclass
class Seen:
    """A request as the server saw it; header names in lowercase."""

    method: str
    target: str
    headers: dict[str, str]
    body: str

    @property
    def path(self) -> str:
        return urlsplit(self.target).path

    @property
    def query(self) -> dict[str, str]:
        return dict(parse_qsl(urlsplit(self.target).query))


class ScriptedServer:
    """The test's side of it."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._pool = urllib3.PoolManager()

    def script(self, replies: dict[str, list[dict[str, Any]]]) -> None:
        """Answer each path with its replies, the last one again and again; forget what was seen.

        A reply: `status` (200), `headers`, `json` or `body`, `drop` (cut the connection), `delay`
        (seconds), `bearer` (for calls with that token, before all others). `{n}` in a body is the
        number of the request to that path.
        """
        answer = self._pool.request("POST", self.url + SCRIPT, body=json.dumps(replies).encode())
        assert answer.status == 200

    def seen(self, path: str | None = None) -> list[Seen]:
        """All requests since the script, or those to a path, in order."""
        items = [Seen(**item) for item in self._pool.request("GET", self.url + SEEN).json()]
        return [item for item in items if path in (None, item.path)]

    def close(self) -> None:
        self._pool.clear()


@contextmanager
def running_server() -> Iterator[ScriptedServer]:
    """A server on a free port, for as long as the context lasts."""
    process = subprocess.Popen([sys.executable, __file__], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        server = ScriptedServer(f"http://127.0.0.1:{int(process.stdout.readline())}")
        yield server
        server.close()
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


class _State:
    replies: dict[str, list[dict[str, Any]]]
    seen: list[dict[str, Any]]
    counts: Counter[str]

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.reset({})

    def reset(self, replies: dict[str, list[dict[str, Any]]]) -> None:
        self.replies, self.seen, self.counts = replies, [], Counter()

    def next_reply(self, path: str, request: dict[str, Any]) -> tuple[dict[str, Any], int]:
        with self.lock:
            self.seen.append(request)
            self.counts[path] += 1
            number = self.counts[path]
            token = request["headers"].get("authorization", "").removeprefix("Bearer ")
            replies = self.replies.get(path) or [{"status": 404, "json": {"status": "Error"}}]
            for_token = [reply for reply in replies if reply.get("bearer") == token]
            replies = for_token or [reply for reply in replies if "bearer" not in reply]
            return replies[min(number, len(replies)) - 1], number


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    state = _State()

    def do_GET(self) -> None:
        if self.path == SEEN:
            self._send(200, {}, json.dumps(self.state.seen).encode())
        else:
            self._play("")

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
        if self.path == SCRIPT:
            self.state.reset(json.loads(body))
            self._send(200, {}, b"")
        else:
            self._play(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def _play(self, body: str) -> None:
        headers = {name.lower(): value for name, value in self.headers.items()}
        request = {
            "method": self.command, "target": self.path, "headers": headers, "body": body
        }  # fmt: skip
        reply, number = self.state.next_reply(urlsplit(self.path).path, request)
        time.sleep(reply.get("delay", 0))
        if reply.get("drop"):
            self.close_connection = True
            return
        text = json.dumps(reply["json"]) if "json" in reply else reply.get("body", "")
        data = text.replace("{n}", str(number)).encode()
        self._send(reply.get("status", 200), reply.get("headers", {}), data)

    def _send(self, status: int, headers: dict[str, str], data: bytes) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)


if __name__ == "__main__":
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    print(server.server_address[1], flush=True)  # noqa: T201
    server.serve_forever()
