"""Replay: sends a folder of files again, at the pace that the times in their names give.

No journal: replaying means sending again, under the keys of now. The files are at rest; a folder
that is being written to is the agent's matter.
"""

import re
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Final

from trade_assets.agent.folder_files import Stamp, is_ignored
from trade_assets.agent.journal import Forgetful
from trade_assets.agent.loop import Listener
from trade_assets.agent.progress import PushReport, printable
from trade_assets.agent.push_agent import GRACE_SECONDS
from trade_assets.agent.uploader import Now, Upload, Uploader, utc_now
from trade_assets.agent.worker_pool import WorkerPool
from trade_assets.datasets.registry import feed_of_file
from trade_assets.errors import PermanentError, TransientError
from trade_assets.logs import get_logger
from trade_assets.settings import Settings
from trade_assets.stores.s3.objects import ObjectStore

DEFAULT_MAX_GAP_SECONDS: Final = 60.0
DEFAULT_WORKERS: Final = 8
TICK_SECONDS: Final = 0.25
FOREVER_SECONDS: Final = 10 * 365 * 86_400.0

_TIME_IN_NAME: Final = re.compile(r"(?<!\d)(\d{8})(?:_(\d{6}|\d{4}))?(?!\d)")

_ANY_TIME: Final = datetime(1, 1, 1)  # noqa: DTZ001  (times in names have no zone)

_log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Planned:
    """A file of the replay. `at`: the time in its name, as written; `offset`: seconds after the
    start at which it is sent."""

    name: str
    at: datetime | None
    offset: float


@dataclass(frozen=True, slots=True)
class Plan:
    """What a replay sends, in order, and the names in the folder that no feed claims."""

    files: tuple[Planned, ...]
    unclaimed: tuple[str, ...]


def time_of_name(name: str) -> datetime | None:
    """The time that a file name carries, without a zone, or None.

    The first of `YYYYMMDD_HHMMSS`, `YYYYMMDD_HHMM` and `YYYYMMDD` (its midnight) that is a time.
    """
    for match in _TIME_IN_NAME.finditer(name):
        day, clock = match.groups(default="")
        try:
            # Only differences count, and all names are in the desk's one zone.
            return datetime.strptime(f"{day}{clock:0<6}", "%Y%m%d%H%M%S")  # noqa: DTZ007
        except ValueError:
            continue
    return None


def plan(names: Iterable[str], speed: float, max_gap: float, limit: int | None = None) -> Plan:
    """Order files by the time in their names, and place them on the replay's own clock.

    Args:
        names: file names; ignored ones (dotfiles, `*.tmp`) count as absent.
        speed: 1 is the original cadence, 60 is sixty times faster, 0 is without waiting.
        max_gap: no wait is longer than this many seconds, after scaling.
        limit: at most this many files.

    Files of one time are in the order of their names; files without one come first.
    """
    if speed < 0 or max_gap < 0:
        raise ValueError("speed and max_gap cannot be negative")
    counted = [name for name in names if not is_ignored(name)]
    timed = [(time_of_name(name), name) for name in counted if feed_of_file(name) is not None]
    timed.sort(key=lambda item: (item[0] is not None, item[0] or _ANY_TIME, item[1]))
    files: list[Planned] = []
    offset, before = 0.0, None
    for at, name in timed[:limit]:
        if speed and at is not None and before is not None:
            offset += min((at - before).total_seconds() / speed, max_gap)
        before = at
        files.append(Planned(name, at, offset))
    unclaimed = tuple(sorted(name for name in counted if feed_of_file(name) is None))
    return Plan(tuple(files), unclaimed)


@dataclass(frozen=True, slots=True)
class _Failed:
    name: str
    reason: str


class Replay:
    """Plays a folder once.

    Args:
        settings: where the bucket is.
        folder: the files; nothing below it.
        speed, max_gap, limit: see `plan`.
        workers: uploads at a time; with 1 they also end in their order.
        listener: hears of uploads and progress, on the thread of `run`.
        clock: monotonic seconds. now: the clock for keys.
    """

    def __init__(
        self,
        settings: Settings,
        folder: Path,
        *,
        speed: float = 1.0,
        max_gap: float = DEFAULT_MAX_GAP_SECONDS,
        limit: int | None = None,
        workers: int = DEFAULT_WORKERS,
        listener: Listener | None = None,
        clock: Callable[[], float] = time.monotonic,
        now: Now = utc_now,
    ) -> None:
        self._settings = settings
        self._folder = folder
        self._workers = workers
        self._listener = listener or Listener()
        self._clock = clock
        self._now = now
        self._results: list[Upload | _Failed | Exception] = []
        self._changed = threading.Condition()
        self.plan = plan(self._names(), speed, max_gap, limit)
        self.report = PushReport(
            waiting_files=len(self.plan.files), unclaimed=set(self.plan.unclaimed)
        )

    def run(self, stop: threading.Event) -> PushReport:
        """Send all files at their times, or until `stop`. While the bucket is away, it waits."""
        for name in self.plan.unclaimed:
            _log.warning("no feed claims this file, it is not replayed", file=printable(name))
        halt = threading.Event()
        store = ObjectStore(self._settings)
        uploader = Uploader(store, Forgetful(), halt, FOREVER_SECONDS, self._now)
        pool = WorkerPool[str, Upload | _Failed](
            self._workers, lambda name: self._send(uploader, name), self._deliver
        )
        try:
            self._play(pool, uploader, stop)
        finally:
            halt.set()
            self.report.idle = pool.stop(GRACE_SECONDS)
            store.close()
        self._collect(uploader)
        return self.report

    def _names(self) -> list[str]:
        try:
            return [path.name for path in self._folder.iterdir() if path.is_file()]
        except OSError as error:
            raise PermanentError(f"{self._folder}: cannot be read: {error.strerror}") from error

    def _play(
        self, pool: WorkerPool[str, Upload | _Failed], uploader: Uploader, stop: threading.Event
    ) -> None:
        waiting = list(reversed(self.plan.files))
        start = self._clock()
        while self.report.waiting_files and not stop.is_set():
            while waiting and start + waiting[-1].offset <= self._clock():
                pool.submit(waiting.pop().name)
            wait = start + waiting[-1].offset - self._clock() if waiting else TICK_SECONDS
            with self._changed:
                if not self._results:
                    self._changed.wait(min(TICK_SECONDS, max(0.0, wait)))
            self._collect(uploader)

    def _send(self, uploader: Uploader, name: str) -> Upload | _Failed:
        path = self._folder / name
        try:
            stamp = Stamp.of(path.stat())
            upload = uploader.upload(name, path.read_bytes(), stamp)
        except (PermanentError, TransientError, OSError) as error:
            return _Failed(name, str(error))
        if upload is None:
            raise AssertionError("a memory that forgets cannot know a file")
        return replace(upload, lag_seconds=None)

    def _deliver(self, result: Upload | _Failed | Exception) -> None:
        with self._changed:
            self._results.append(result)
            self._changed.notify()

    def _collect(self, uploader: Uploader) -> None:
        with self._changed:
            results, self._results = self._results, []
        for result in results:
            self._count(result)
        self._listener.progress(self.report, uploader.outage.seconds)

    def _count(self, result: Upload | _Failed | Exception) -> None:
        if isinstance(result, Exception):
            raise result
        self.report.waiting_files -= 1
        if isinstance(result, _Failed):
            self.report.refused[result.name] = result.reason
            _log.error("replay refused", file=result.name, reason=result.reason)
            return
        self.report.count(result)
        self._listener.uploaded(result)


def span_seconds(files: Sequence[Planned]) -> float:
    """How long a replay of these files takes if nothing holds it up."""
    return files[-1].offset if files else 0.0
