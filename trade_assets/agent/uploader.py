"""Sending the content of one file: under which key, whether at all, and again until it is there.

The agent and the replay share it; what was sent before is the memory's matter (`journal`).
"""

import hashlib
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from tenacity import (
    RetryCallState,
    Retrying,
    retry_if_exception_type,
    stop_after_delay,
    stop_any,
    stop_when_event_set,
    wait_random_exponential,
)
from tenacity.nap import sleep_using_event

from trade_assets.agent.folder_files import Stamp
from trade_assets.agent.journal import Memory, Pending
from trade_assets.datasets.keys import feed_file_key
from trade_assets.datasets.registry import feed_of_file
from trade_assets.errors import ObjectMissingError, TransientError, UnknownFeedError
from trade_assets.logs import get_logger
from trade_assets.stores.s3.objects import ObjectStore

RETRY_FIRST_SECONDS: Final = 0.5
RETRY_MOST_SECONDS: Final = 15.0
KEY_KEPT: Final = timedelta(minutes=10)
"""How long an unacknowledged upload keeps its key. Within it, a request that S3 took and never
answered may still land, and must land on the same key; after it the key says the hour of now."""

Now = Callable[[], datetime]

_log = get_logger(__name__)


def utc_now() -> datetime:
    """The time, in UTC."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Upload:
    """One version of a file that is on S3. `lag_seconds`: last change of the file → acknowledged,
    None where the file's own time says nothing (a replay)."""

    name: str
    key: str
    etag: str
    size: int
    lag_seconds: float | None = None


class Outage:
    """Says once that the bucket went out of reach, and once that it is back. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._since: float | None = None

    @property
    def seconds(self) -> float | None:
        """How long the bucket has been out of reach, or None if it is not."""
        since = self._since
        return None if since is None else time.monotonic() - since

    def failed(self, error: BaseException) -> None:
        """A call did not get through."""
        with self._lock:
            if self._since is not None:
                return
            self._since = time.monotonic()
        _log.warning("bucket out of reach, retrying until it is back", reason=str(error))

    def worked(self) -> None:
        """A call got through."""
        with self._lock:
            since, self._since = self._since, None
        if since is not None:
            _log.info("bucket is back", away_seconds=round(time.monotonic() - since, 1))


class Uploader:
    """Sends contents under the contract's keys. Thread-safe for different file names.

    Args:
        store: the bucket.
        memory: what was sent before.
        stop: ends waiting for a network that is away.
        patience_seconds: how long one call retries before it gives the error back.
    """

    def __init__(
        self,
        store: ObjectStore,
        memory: Memory,
        stop: threading.Event,
        patience_seconds: float,
        now: Now = utc_now,
    ) -> None:
        self.outage = Outage()
        self._store = store
        self._memory = memory
        self._stop = stop
        self._patience = patience_seconds
        self._now = now

    def upload(self, name: str, data: bytes, stamp: Stamp) -> Upload | None:
        """Send a file's content; None if the last version sent under its name is just that.

        Raises:
            UnknownFeedError: no feed claims the name.
            TransientError: the bucket was out of reach for as long as the patience, or until stop.
            PermanentError: the bucket refuses, or the memory cannot be kept.
        """
        md5 = hashlib.md5(data, usedforsecurity=False).hexdigest()
        return self._retrying()(self._attempt, name, data, md5, stamp)

    def _retrying(self) -> Retrying:
        return Retrying(
            retry=retry_if_exception_type(TransientError),
            wait=wait_random_exponential(multiplier=RETRY_FIRST_SECONDS, max=RETRY_MOST_SECONDS),
            stop=stop_any(stop_when_event_set(self._stop), stop_after_delay(self._patience)),
            sleep=sleep_using_event(self._stop),
            after=self._note_failure,
            reraise=True,
        )

    def _note_failure(self, state: RetryCallState) -> None:
        error = state.outcome.exception() if state.outcome else None
        if error is not None:
            self.outage.failed(error)

    def _attempt(self, name: str, data: bytes, md5: str, stamp: Stamp) -> Upload | None:
        """One try, also after a lost answer or a restart: what was under way is settled first."""
        entry = self._memory.recall(name)
        sent, pending = entry.md5, entry.pending
        if pending is not None and (etag := self._landed(pending)) is not None:
            same = pending.md5 == md5
            self._memory.finish(name, pending, etag, stamp if same else None)
            if same:
                return self._done(name, pending.key, etag, stamp)
            sent, pending = pending.md5, None
        if sent == md5:
            self._memory.settle(name, stamp)
            return None
        pending = self._intent(name, md5, pending)
        self._memory.begin(name, pending)
        etag = self._store.put(pending.key, data)
        self._memory.finish(name, pending, etag, stamp)
        return self._done(name, pending.key, etag, stamp)

    def _intent(self, name: str, md5: str, pending: Pending | None) -> Pending:
        """The key to put under: the one that the same content was begun with, else one of now."""
        now = self._now()
        if (
            pending is not None
            and pending.md5 == md5
            and now.timestamp() - pending.since < KEY_KEPT.total_seconds()
        ):
            return pending
        feed = feed_of_file(name)
        if feed is None:
            raise UnknownFeedError(f"{name}: no feed of the registry claims this file name")
        return Pending(md5, feed_file_key(feed, name, now), now.timestamp())

    def _landed(self, pending: Pending) -> str | None:
        """The ETag under which a version whose answer was lost did arrive, or None."""
        info = self._store.head(pending.key)
        if info is None:
            return None
        if info.etag == pending.md5:
            return info.etag
        # The ETag of a multipart or KMS-encrypted object is not its MD5: look at the bytes.
        try:
            stored = self._store.get(pending.key)
        except ObjectMissingError:
            return None
        same = hashlib.md5(stored.data, usedforsecurity=False).hexdigest() == pending.md5
        return stored.info.etag if same else None

    def _done(self, name: str, key: str, etag: str, stamp: Stamp) -> Upload:
        self.outage.worked()
        lag = round(max(0.0, stamp.age_seconds(time.time())), 3)
        return Upload(name, key, etag, stamp.size, lag)
