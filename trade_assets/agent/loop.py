"""The agent's loop: one thread that decides what is looked at, when, and what follows from it.

All state of the loop belongs to its thread; the watch and the workers only put messages in its
inbox. A file is with one worker at most, so versions of a rewritten file go in their order.
"""

import threading
import time
from dataclasses import dataclass
from pathlib import Path
from queue import Empty, Queue
from typing import Final

from trade_assets.agent.candidates import Candidate, Candidates
from trade_assets.agent.folder_files import Stamp, is_ignored, regular_stamp
from trade_assets.agent.folder_scan import FolderScan
from trade_assets.agent.folder_watch import FolderWatch
from trade_assets.agent.journal import Journal
from trade_assets.agent.progress import PushReport, printable
from trade_assets.agent.push_attempt import Attempts, Outcome, Result
from trade_assets.agent.refusals import Refusals
from trade_assets.agent.uploader import RETRY_MOST_SECONDS, Outage, Upload
from trade_assets.agent.worker_pool import WorkerPool
from trade_assets.datasets.registry import feed_of_file
from trade_assets.errors import PermanentError
from trade_assets.logs import get_logger

HELD_OPEN_SECONDS: Final = 60.0
"""A file that stays unfinished for this long is reported."""
TRIES_ONCE: Final = 3
"""Looks at an unfinished file before a run of one pass leaves it."""
TICK_SECONDS: Final = 0.25
"""At most this long until a stop is noticed."""
PRUNE_SECONDS: Final = 3600.0

_log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Pace:
    """Times of the loop, all in seconds.

    Attributes:
        settle: a file must be unchanged this long after it was closed.
        rescan: pause between two scans of the folder.
        unseen: a file whose closing was not seen must be unchanged this long, if `settle` is less.
    """

    settle: float = 0.1
    rescan: float = 5.0
    unseen: float = 1.0

    def quiet(self, *, closed: bool) -> float:
        """How long a file must be unchanged."""
        return self.settle if closed else max(self.settle, self.unseen)


class Listener:
    """Hears what the loop does; this one ignores it."""

    def uploaded(self, upload: Upload) -> None:
        """A version of a file is on S3."""

    def progress(self, report: PushReport, away_seconds: float | None) -> None:
        """Called often. `away_seconds`: how long the bucket has been out of reach, if it is."""


@dataclass(frozen=True, slots=True)
class _Seen:
    name: str
    closed: bool


class PushLoop:
    """One run of the agent. See `agent.PushAgent` for what it promises."""

    def __init__(
        self,
        *,
        folder: Path,
        journal: Journal,
        attempts: Attempts,
        outage: Outage,
        workers: int,
        pace: Pace,
        once: bool,
        listener: Listener,
    ) -> None:
        self._folder = folder
        self._journal = journal
        self._outage = outage
        self._pace = pace
        self._once = once
        self._listener = listener
        self._inbox: Queue[_Seen | Outcome | Exception] = Queue()
        self._pool = WorkerPool[Candidate, Outcome](workers, attempts.push, self._inbox.put)
        self._watch = FolderWatch(folder, lambda name, closed: self._inbox.put(_Seen(name, closed)))
        self._scan = FolderScan(folder)
        self._candidates = Candidates()
        self._refusals = Refusals()
        self._handled = journal.stamps()
        self._busy: set[str] = set()
        self._again: dict[str, bool] = {}
        self._unfinished: dict[str, tuple[int, float]] = {}
        self._abandoned = False
        self._next_scan = self._next_prune = 0.0
        self.report = PushReport()

    def run(self, stop: threading.Event, halt: threading.Event, grace: float) -> PushReport:
        """Loop until `stop` is set or all is done; sets `halt` to end the waits of the workers."""
        try:
            while not (stop.is_set() or self._is_over()):
                self._turn()
        finally:
            halt.set()
            self._watch.stop()
            self.report.idle = self._pool.stop(grace)
        self._drain()
        self._tell_progress()
        return self.report

    def _is_over(self) -> bool:
        done = self._next_scan > 0 and not self._busy and not self._candidates
        return self._once and (self._abandoned or done)

    def _turn(self) -> None:
        if time.monotonic() >= self._next_scan and not (self._once and self._next_scan):
            self._rescan()
        for candidate in self._candidates.pop_due(time.monotonic()):
            self._busy.add(candidate.name)
            self._pool.submit(candidate)
        self._tell_progress()
        if not self._is_over():
            self._drain(self._wait_seconds())

    def _wait_seconds(self) -> float:
        due = self._candidates.next_due()
        until_due = TICK_SECONDS if due is None else due - time.monotonic()
        return min(TICK_SECONDS, max(0.0, until_due))

    def _drain(self, timeout: float = 0.0) -> None:
        """Handle what is in the inbox; wait up to `timeout` seconds for the first message."""
        try:
            self._handle(self._inbox.get(timeout=timeout) if timeout else self._inbox.get_nowait())
            while True:
                self._handle(self._inbox.get_nowait())
        except Empty:
            return

    def _handle(self, message: _Seen | Outcome | Exception) -> None:
        if isinstance(message, Exception):
            raise message
        if isinstance(message, _Seen):
            self._look(message.name, closed=message.closed)
        else:
            self._conclude(message)

    # What there is to do

    def _rescan(self) -> None:
        if not self._once:
            self._watch.ensure()
        found = self._scan.files()
        now = time.monotonic()
        # From the end of a scan, so that a slow folder is not scanned without pause.
        self._next_scan = now + self._pace.rescan
        if found is None:
            if self._once:
                raise PermanentError(f"{self._folder}: the folder cannot be read")
            return
        for name, stamp in found:
            if self._handled.get(name) != stamp and name not in self._candidates:
                self._consider(name, stamp, closed=False)
        self._note_vanished({name for name, _ in found})
        if now >= self._next_prune:
            self._journal.prune(time.time())
            self._next_prune = now + PRUNE_SECONDS

    def _note_vanished(self, present: set[str]) -> None:
        gone = self._handled.keys() - present - self._busy
        if gone:
            self._journal.vanished(gone, time.time())
            for name in gone:
                # None: an upload of it was under way when the agent last ended.
                if self._handled.pop(name) is None:
                    self._lost(name)
        self.report.unclaimed &= present
        for name in self.report.refused.keys() - present:
            self._forget_trouble(name)

    def _look(self, name: str, *, closed: bool) -> None:
        # A name that no feed claims is left to the scan: it may be the writer's temporary one.
        if is_ignored(name) or feed_of_file(name) is None:
            return
        try:
            stamp = regular_stamp(self._folder / name)
        except OSError:
            return  # the scan says what is wrong with the folder
        if stamp is not None and self._handled.get(name) != stamp:
            self._consider(name, stamp, closed=closed)

    def _consider(self, name: str, stamp: Stamp, *, closed: bool) -> None:
        if name in self._busy:
            self._again[name] = closed or self._again.get(name, False)
        elif feed_of_file(name) is None:
            self._note_unclaimed(name)
        else:
            quiet = self._pace.quiet(closed=closed)
            wait = min(quiet, max(0.0, quiet - stamp.age_seconds(time.time())))
            self._candidates.arm(Candidate(name, stamp, closed), time.monotonic() + wait)

    def _note_unclaimed(self, name: str) -> None:
        if name not in self.report.unclaimed:
            self.report.unclaimed.add(name)
            _log.warning("no feed claims this file, it is not pushed", file=printable(name))

    # What follows from a try

    def _conclude(self, outcome: Outcome) -> None:
        name = outcome.candidate.name
        self._busy.discard(name)
        if outcome.result is not Result.UNFINISHED:
            self._unfinished.pop(name, None)
        match outcome.result:
            case Result.PUSHED | Result.SAME:
                self._sent(outcome)
            case Result.UNFINISHED:
                self._try_later(outcome.candidate)
            case Result.VANISHED:
                self._lost(name)
            case Result.REFUSED:
                self._refused(outcome)
            case Result.UNREACHABLE:
                self._unreachable(outcome.candidate)
        closed = self._again.pop(name, None)
        if closed is not None:
            self._look(name, closed=closed)

    def _sent(self, outcome: Outcome) -> None:
        name, upload = outcome.candidate.name, outcome.upload
        self._handled[name] = outcome.candidate.stamp
        self._forget_trouble(name)
        if upload is None:
            self.report.same_files += 1
            return
        self.report.count(upload)
        _log.info(
            "pushed",
            file=name,
            key=upload.key,
            etag=upload.etag,
            bytes=upload.size,
            lag_seconds=upload.lag_seconds,
        )
        self._listener.uploaded(upload)

    def _try_later(self, candidate: Candidate) -> None:
        name, now = candidate.name, time.monotonic()
        tries, since = self._unfinished.get(name, (0, now))
        if self._once and tries + 1 >= TRIES_ONCE:
            self.report.unfinished.add(name)
            _log.warning("still being written, left for the next run", file=name)
            return
        if since != float("inf") and now - since >= HELD_OPEN_SECONDS:
            _log.warning("file is not finished: somebody has it open for writing", file=name)
            since = float("inf")
        self._unfinished[name] = (tries + 1, since)
        stamp = regular_stamp(self._folder / name) or candidate.stamp
        self._candidates.arm(Candidate(name, stamp), now + self._pace.quiet(closed=False))

    def _lost(self, name: str) -> None:
        self._forget_trouble(name)
        self.report.vanished_files += 1
        _log.warning("file is gone before it could be pushed", file=name)

    def _refused(self, outcome: Outcome) -> None:
        name = outcome.candidate.name
        self.report.refused[name] = outcome.reason
        delay = self._refusals.note(name, outcome.reason, len(self.report.refused))
        if not self._once:
            self._candidates.arm(outcome.candidate, time.monotonic() + delay)

    def _unreachable(self, candidate: Candidate) -> None:
        self._abandoned = self._once
        self._candidates.arm(candidate, time.monotonic() + RETRY_MOST_SECONDS)

    def _forget_trouble(self, name: str) -> None:
        self.report.refused.pop(name, None)
        self._refusals.forget(name)

    def _tell_progress(self) -> None:
        self.report.waiting_files = len(self._candidates) + len(self._busy)
        self._listener.progress(self.report, self._outage.seconds)
