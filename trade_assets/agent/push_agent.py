"""The push agent: keeps a folder's finished files on S3. Its start, its stop and what it may use;
the decisions are the loop's (`loop`)."""

import threading
from pathlib import Path
from typing import Final

from trade_assets.agent.journal import FolderLock, Journal, journal_path
from trade_assets.agent.loop import Listener, Pace, PushLoop
from trade_assets.agent.progress import PushReport
from trade_assets.agent.push_attempt import Attempts
from trade_assets.agent.uploader import Now, Uploader, utc_now
from trade_assets.errors import PermanentError
from trade_assets.logs import get_logger
from trade_assets.settings import Settings
from trade_assets.stores.s3.objects import ObjectStore

DEFAULT_WORKERS: Final = 8
PATIENCE_SECONDS: Final = 60.0
"""How long a worker stays with one file while the network is away; then another has its turn."""
GRACE_SECONDS: Final = 3.0
"""How long uploads that run may take to finish once the agent is stopped."""

_log = get_logger(__name__)


class PushAgent:
    """Pushes the finished files of a folder, each version once, in whatever way it is interrupted.

    Args:
        settings: where the bucket is, and where the journal is kept (`home`).
        folder: what to watch; nothing below it.
        workers: uploads at a time.
        pace: how long files must be quiet, and how often the folder is scanned.
        once: push what is there and end; a bucket that stays out of reach for
            `settings.stores.retry_seconds` ends it too.
        listener: hears of each upload and of progress, on the thread of `run`.
        now: the clock for keys.
    """

    def __init__(
        self,
        settings: Settings,
        folder: Path,
        *,
        workers: int = DEFAULT_WORKERS,
        pace: Pace | None = None,
        once: bool = False,
        listener: Listener | None = None,
        now: Now = utc_now,
    ) -> None:
        self._settings = settings
        self._folder = folder.resolve()
        self._workers = workers
        self._pace = pace or Pace()
        self._once = once
        self._listener = listener or Listener()
        self._now = now

    def run(self, stop: threading.Event) -> PushReport:
        """Work until `stop` is set (or, with `once`, until all is done).

        After `stop` running uploads may take `GRACE_SECONDS` to finish. If one does not
        (`report.idle` is False), journal and lock stay open until the process ends, so that no
        other agent takes over meanwhile; the next one settles what became of it.

        Raises:
            PermanentError: no such folder, another agent works on it, or no journal can be kept.
        """
        if not self._folder.is_dir():
            raise PermanentError(f"{self._folder}: there is no such folder to push")
        path = journal_path(self._settings, self._folder)
        lock = FolderLock(path.with_suffix(".lock"), self._folder)
        lock.acquire()
        idle = True
        try:
            journal = Journal(path)
            try:
                report = self._push(journal, stop)
                idle = report.idle
            finally:
                if idle:
                    journal.close()
        finally:
            if idle:
                lock.release()
        return report

    def _push(self, journal: Journal, stop: threading.Event) -> PushReport:
        halt = threading.Event()
        store = ObjectStore(self._settings)
        patience = self._settings.stores.retry_seconds if self._once else PATIENCE_SECONDS
        uploader = Uploader(store, journal, halt, patience, self._now)
        loop = PushLoop(
            folder=self._folder,
            journal=journal,
            attempts=Attempts(self._folder, uploader),
            outage=uploader.outage,
            workers=self._workers,
            pace=self._pace,
            once=self._once,
            listener=self._listener,
        )
        _log.info("agent started", folder=str(self._folder), bucket=self._settings.bucket)
        try:
            report = loop.run(stop, halt, GRACE_SECONDS)
        finally:
            store.close()
        _log.info(
            "agent stopped",
            pushed_files=report.pushed_files,
            waiting_files=report.waiting_files,
            refused_files=len(report.refused),
        )
        return report
