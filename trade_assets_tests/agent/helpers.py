"""What several of these tests need: an agent in a thread, what landed on S3, feed files, a line to
S3 that can be cut."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from trade_assets.agent.loop import Listener, Pace
from trade_assets.agent.progress import PushReport
from trade_assets.agent.push_agent import PushAgent
from trade_assets.agent.uploader import Upload
from trade_assets.settings import Settings
from trade_assets.stores.sqs.notifications import Announcement, NotificationQueue
from trade_assets_tests.support.waiting import PATIENCE_SECONDS, eventually

FAST = Pace(settle=0.03, rescan=0.2, unseen=0.15)


def risk_name(number: int) -> str:
    """The name of a spot risk file; numbers below 86,400 give different ones."""
    hours, rest = divmod(number, 3600)
    return f"bav_analysis_20250717_{hours:02}{rest // 60:02}{rest % 60:02}.csv"


def write(folder: Path, name: str, content: str) -> Path:
    """Write a file as a careful writer does: under another name, then renamed into place."""
    part = folder / f".{name}.tmp"
    part.write_text(content)
    return part.rename(folder / name)


class Landed:
    """Every version that arrived in a bucket, in order of arrival, from its notifications."""

    def __init__(self, settings: Settings) -> None:
        self._queue = NotificationQueue(settings)
        self.all: list[Announcement] = []

    def read(self) -> list[Announcement]:
        """All that has arrived until now."""
        while messages := self._queue.receive(wait_seconds=0):
            for message in messages:
                self.all += message.announced or ()
            self._queue.delete(messages)
        return self.all

    def wait_for(self, count: int) -> list[Announcement]:
        """Wait until so many have arrived, then return all."""
        eventually(lambda: len(self.read()) >= count, what=f"{count} versions on S3")
        return self.read()

    def names(self) -> list[str]:
        """File names of all that has arrived, sorted."""
        return sorted(item.key.rsplit("/", 1)[1] for item in self.read())


@dataclass
class Heard(Listener):
    """A listener that keeps the uploads."""

    uploads: list[Upload] = field(default_factory=list)
    reports: int = 0
    away: bool = False
    latest: PushReport = field(default_factory=PushReport)

    def uploaded(self, upload: Upload) -> None:
        self.uploads.append(upload)

    def progress(self, report: PushReport, away_seconds: float | None) -> None:
        self.reports += 1
        self.away = away_seconds is not None
        self.latest = report

    def wait_for(self, count: int) -> list[Upload]:
        """Wait until so many uploads were heard of, then return all."""
        eventually(lambda: len(self.uploads) >= count, what=f"{count} uploads")
        return self.uploads

    def wait_turns(self, count: int = 4) -> None:
        """Wait until the loop has gone round so often: what it had to notice, it has noticed."""
        until = self.reports + count
        eventually(lambda: self.reports >= until, what="turns of the loop")


@contextmanager
def running_agent(settings: Settings, folder: Path, pace: Pace = FAST) -> Iterator[Heard]:
    """A watching agent in a thread; an error of it fails the test when the context ends."""
    heard, stop, errors = Heard(), threading.Event(), []

    def run() -> None:
        try:
            PushAgent(settings, folder, pace=pace, listener=heard).run(stop)
        except Exception as error:  # handed over to the test
            errors.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield heard
    finally:
        stop.set()
        thread.join(PATIENCE_SECONDS)
    assert not thread.is_alive()
    assert not errors, errors


def push_once(settings: Settings, folder: Path) -> PushReport:
    """One pass of an agent."""
    return PushAgent(settings, folder, pace=FAST, once=True).run(threading.Event())


class Line:
    """A TCP line to an endpoint, on a port of its own, that can be cut and mended."""

    def __init__(self, endpoint: str) -> None:
        parts = urlsplit(endpoint)
        self._target = (parts.hostname or "127.0.0.1", parts.port or 80)
        self._listener: socket.socket | None = None
        self._open: set[socket.socket] = set()
        self._threads: list[threading.Thread] = []
        self.port = 0
        self.mend()

    @property
    def endpoint(self) -> str:
        """URL of this end."""
        return f"http://127.0.0.1:{self.port}"

    def mend(self) -> None:
        """Let connections through."""
        listener = socket.create_server(("127.0.0.1", self.port))
        self.port = listener.getsockname()[1]
        self._listener = listener
        self._start(self._accept, listener)

    def cut(self) -> None:
        """End all connections and refuse new ones."""
        listener, self._listener = self._listener, None
        if listener is not None:
            # close() alone does not wake the thread that accepts.
            listener.shutdown(socket.SHUT_RDWR)
            listener.close()
        for connection in list(self._open):
            _shut(connection)
        for thread in self._threads:
            thread.join(PATIENCE_SECONDS)
        self._threads.clear()

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                near, _ = listener.accept()
            except OSError:
                return
            far = socket.create_connection(self._target)
            self._open |= {near, far}
            self._start(self._pump, near, far)
            self._start(self._pump, far, near)

    def _pump(self, source: socket.socket, sink: socket.socket) -> None:
        try:
            while data := source.recv(65536):
                sink.sendall(data)
        except OSError:
            pass
        _shut(source)
        _shut(sink)

    def _start(self, target: object, *args: object) -> None:
        thread = threading.Thread(target=target, args=args, daemon=True)  # type: ignore[arg-type]
        self._threads.append(thread)
        thread.start()

    def close(self) -> None:
        """Cut for good, and give the sockets back."""
        self.cut()
        for connection in self._open:
            connection.close()


def _shut(connection: socket.socket) -> None:
    with suppress(OSError):  # it was shut before
        connection.shutdown(socket.SHUT_RDWR)


@contextmanager
def cuttable(settings: Settings) -> Iterator[tuple[Line, Settings]]:
    """A line to S3, and settings that use it."""
    line = Line(settings.aws_endpoint or "")
    try:
        yield line, settings.changed({"aws_endpoint_url": line.endpoint})
    finally:
        line.close()
