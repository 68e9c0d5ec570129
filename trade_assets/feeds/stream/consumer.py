"""The queue consumer: notifications in, records in both stores, messages deleted.

Two stages work side by side, so that DynamoDB is never idle while files are read::

    receivers ──inbox──▶ read, parse, Redis ──▶ DynamoDB, ledger, quarantine, delete
                         (a micro-batch is whatever has arrived meanwhile)

A message is deleted only when both stores have its rows. What fails for a passing reason is tried
again in place, within a bound; then the consumer ends with that error and its messages come back.
"""

import queue
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Final, TypeVar

import structlog

from trade_assets.datasets.keys import FEEDS_PREFIX
from trade_assets.errors import StoreRejectedError, TransientError
from trade_assets.feeds.derivation import Deriver
from trade_assets.feeds.derived.declarations import Derived, derived_from
from trade_assets.feeds.stream.micro_batch import HistoryWriter, LatestWriter, Work
from trade_assets.feeds.stream.reporting import tell
from trade_assets.feeds.stream.visibility import InFlight
from trade_assets.ingest.figures import Reports
from trade_assets.ingest.file_status import note_files
from trade_assets.ingest.reading import (
    REWRITE_ROUNDS,
    FeedBatch,
    FileResult,
    FileVersion,
    account,
    by_feed,
    describe,
    read_files,
    stale_versions,
)
from trade_assets.logs import get_logger
from trade_assets.settings import Settings
from trade_assets.stores.connections import Stores
from trade_assets.stores.dynamodb.ledger import FileState
from trade_assets.stores.retrying import retrying
from trade_assets.stores.sqs.notifications import Message

log = get_logger(__name__)

T = TypeVar("T")

POLL_SECONDS: Final = 2
"""Length of a long poll, and so the longest that a stop waits for a receiver."""
INBOX_MESSAGES: Final = 256
DONE_VERSIONS: Final = 20_000
"""Files whose last version is remembered, so that a notification that comes twice costs nothing."""


class StreamConsumer:
    """Consumes the queue from `start` to `stop`. One instance a stream run."""

    def __init__(
        self,
        settings: Settings,
        stores: Stores,
        latest: LatestWriter,
        history: HistoryWriter,
        reports: Reports,
        run_id: str,
    ) -> None:
        self._settings = settings
        self._stores = stores
        self._latest = latest
        self._history = history
        self._reports = reports
        self._run_id = run_id
        self._deriver = Deriver(stores)
        self._inbox: queue.Queue[Message] = queue.Queue(INBOX_MESSAGES)
        self._written: queue.Queue[Work | None] = queue.Queue(2)
        self._in_flight = InFlight(stores.queue, settings.stream.queue_visibility_seconds)
        self._done: OrderedDict[str, str] = OrderedDict()
        self._stop_receiving = threading.Event()
        self._abort = threading.Event()
        self._error: BaseException | None = None
        self._receivers: list[threading.Thread] = []
        self._stages: list[threading.Thread] = []

    def start(self) -> None:
        """Begin to consume, in threads of its own."""
        self._receivers = [
            self._thread(self._receive_loop, f"receive-{n}")
            for n in range(self._settings.stream.receivers)
        ]
        self._stages = [
            self._thread(self._first_stage, "read-and-latest"),
            self._thread(self._second_stage, "history-and-ledger"),
        ]
        self._in_flight.start()
        for thread in self._stages:
            thread.start()
        for number, thread in enumerate(self._receivers):
            thread.start()
            # The stand-in looks into the queue every 100 ms of a long poll: polls that begin
            # side by side would all look at the same moments.
            if number + 1 < len(self._receivers):
                time.sleep(0.1 / len(self._receivers))

    @property
    def error(self) -> BaseException | None:
        """What ended the consumer, if something did."""
        return self._error

    @property
    def healthy(self) -> bool:
        """Whether it takes new files: nobody has stopped it and all its threads are at work."""
        if self._error is not None or self._stop_receiving.is_set():
            return False
        return all(thread.is_alive() for thread in self._stages + self._receivers)

    def stop(self, drain: bool = True) -> None:
        """End: finish what was received (`drain`), or give it back to the queue at once."""
        self._stop_receiving.set()
        if not drain:
            self._abort.set()
        for thread in self._receivers + self._stages:
            thread.join()
        left = self._in_flight.stop()
        if left:
            self._release(left)

    def _thread(self, target: Callable[[], None], name: str) -> threading.Thread:
        def guarded() -> None:
            # A thread begins with an empty context: its logs must name the run, too.
            structlog.contextvars.bind_contextvars(run_id=self._run_id)
            try:
                target()
            except TransientError as error:
                # An abort ends retries early: what was retried is given back, nothing has failed.
                if not self._abort.is_set():
                    self._fail(error)
            except Exception as error:
                # Whatever ends a stage ends the consumer; the run reports it and is replaced.
                self._fail(error)

        return threading.Thread(target=guarded, name=name, daemon=True)

    def _fail(self, error: BaseException) -> None:
        if self._error is None:
            self._error = error
        log.error("stream consumer ends", error=str(error), kind=type(error).__name__)
        self._stop_receiving.set()
        self._abort.set()

    def _receive_loop(self) -> None:
        while not self._stop_receiving.is_set():
            for message in self._retrying(partial(self._stores.queue.receive, POLL_SECONDS)):
                self._in_flight.add(message)
                self._put(self._inbox, message)

    def _put(self, target: "queue.Queue[Message]", message: Message) -> None:
        """Wait for room; an abort leaves the message to be released."""
        while not self._abort.is_set():
            try:
                target.put(message, timeout=0.2)
            except queue.Full:
                continue
            return

    def _first_stage(self) -> None:
        try:
            while not self._abort.is_set():
                messages = self._next_messages()
                if messages:
                    self._hand_on(self._read_and_show(messages))
                elif not any(thread.is_alive() for thread in self._receivers):
                    return
        finally:
            self._hand_on(None)

    def _next_messages(self) -> list[Message]:
        try:
            messages = [self._inbox.get(timeout=0.2)]
        except queue.Empty:
            return []
        while len(messages) < self._settings.stream.batch_max_files:
            try:
                messages.append(self._inbox.get_nowait())
            except queue.Empty:
                break
        return messages

    def _hand_on(self, work: Work | None) -> None:
        while True:
            try:
                self._written.put(work, timeout=0.2)
            except queue.Full:
                if self._abort.is_set() and not self._stages[1].is_alive():
                    return
                continue
            return

    def _read_and_show(self, messages: list[Message]) -> Work:
        """Read and parse a micro-batch and make it readable in Redis."""
        work = Work(messages)
        versions = self._new_versions(work)
        if not versions:
            return work
        results = self._retrying(partial(read_files, self._stores.objects, versions))
        work.results = {result.version.key: result for result in results}
        for batch in by_feed(results):
            self._show(work, batch)
        return work

    def _new_versions(self, work: Work) -> list[FileVersion]:
        """One version a key: of several announced, the last landed; the others are superseded."""
        newest: dict[str, FileVersion] = {}
        for message in work.messages:
            for item in message.announced or ():
                done = item.etag and self._done.get(item.key) == item.etag
                if done or not item.key.startswith(FEEDS_PREFIX):
                    continue
                version = FileVersion(item.key, item.etag, item.landed_at)
                other = newest.get(item.key)
                if other is None or other.landed_at <= version.landed_at:
                    newest[item.key], version = version, other or version
                if version.etag != newest[item.key].etag:
                    work.supersede(version)
        return list(newest.values())

    def _show(self, work: Work, batch: FeedBatch) -> None:
        try:
            written = self._retrying(partial(self._latest.write, batch.feed, batch.records))
        except StoreRejectedError as error:
            self._split(work, batch, error, self._show)
            return
        now = datetime.now(UTC)
        for result in batch.files:
            work.lags[result.version.key] = result.version.lag_seconds(now)
        path = batch.feed.path
        work.changed[path] = work.changed.get(path, 0) + written.changed
        self._retrying(partial(note_files, self._stores, batch.feed, batch.files, now, work.lags))

    def _second_stage(self) -> None:
        while True:
            work = self._written.get()
            if work is None:
                return
            if not self._abort.is_set():
                self._store(work)

    def _store(self, work: Work) -> None:
        """Write a micro-batch to history, account for it, and let go of its messages."""
        for batch in by_feed(list(work.results.values())):
            self._keep(work, batch)
        results = [*work.extra, *work.results.values()]
        self._retrying(
            partial(account, self._stores.objects, self._stores.ledger, results, self._run_id)
        )
        self._settle(work)
        tell(work, self._reports)

    def _keep(self, work: Work, batch: FeedBatch) -> None:
        self._write_history_and_derive(work, batch)
        if batch.feed.rewritten:
            self._follow_rewrites(work, batch.files)

    def _write_history_and_derive(self, work: Work, batch: FeedBatch) -> None:
        try:
            written = self._retrying(partial(self._history.write, batch.feed, batch.records))
        except StoreRejectedError as error:
            self._split(work, batch, error, self._write_history_and_derive)
            return
        path = batch.feed.path
        work.puts[path] = work.puts.get(path, 0) + written.puts
        for dataset in derived_from(batch.feed):
            self._derive(dataset, batch)

    def _derive(self, dataset: Derived, batch: FeedBatch) -> None:
        """Derive from a batch. What cannot be derived costs the derived records only."""
        feed_key = batch.files[-1].feed_key
        assert feed_key is not None
        write = partial(self._deriver.write, dataset, batch.records, self._latest, self._history)
        written, failure = None, ""
        try:
            written = self._retrying(write)
        except TransientError:
            raise
        except Exception as error:
            failure = describe(error)
            log.exception("cannot derive", dataset=dataset.path, file=feed_key.key)
        self._reports.add_derived(dataset, feed_key.partition, written, failure)

    def _split(
        self,
        work: Work,
        batch: FeedBatch,
        error: StoreRejectedError,
        again: Callable[[Work, FeedBatch], None],
    ) -> None:
        """A store refuses a batch: find the file it is about, so that the others go on."""
        if len(batch.files) == 1:
            result = batch.files[0]
            log.error("store refuses a file", file=result.version.key, error=str(error))
            work.results[result.version.key] = result.failed(error)
            return
        for result in batch.files:
            for single in by_feed([result]):
                again(work, single)

    def _follow_rewrites(self, work: Work, files: Sequence[FileResult]) -> None:
        """Write again whatever was rewritten between its reading and now.

        Two consumers may hold two versions of one key; the one that wrote last looks last, sees
        that its version is not the current one any more, and writes the current one.
        """
        for _ in range(REWRITE_ROUNDS):
            stale = self._retrying(partial(stale_versions, self._stores.objects, files))
            if not stale:
                return
            read = self._retrying(partial(read_files, self._stores.objects, stale))
            for item in stale:
                work.supersede(work.results[item.key].version)
            work.results.update({result.version.key: result for result in read})
            files = [result for result in read if result.records is not None]
            for batch in by_feed(files):
                self._show(work, batch)
            for batch in by_feed([work.results[result.version.key] for result in files]):
                self._write_history_and_derive(work, batch)
        # Their messages come back, and with them another look.
        for result in files:
            error = TransientError(f"{result.version.key} is rewritten faster than it can be read")
            work.results[result.version.key] = result.failed(error)

    def _settle(self, work: Work) -> None:
        """Delete the messages that are done with; let the others come back, later and later."""
        done: list[Message] = []
        failed: list[Message] = []
        for message in work.messages:
            target = done if work.is_done(message) else failed
            target.append(message)
        for message in failed:
            delay = min(2**message.receives, self._settings.stream.queue_visibility_seconds)
            if message.announced is None:
                log.error("not an S3 notification", body=message.body[:500])
            self._retrying(partial(self._stores.queue.postpone, [message], delay))
        self._retrying(partial(self._stores.queue.delete, done))
        self._in_flight.remove(work.messages)
        for result in work.results.values():
            if result.state in (FileState.STORED, FileState.QUARANTINED):
                self._remember(result)

    def _remember(self, result: FileResult) -> None:
        version = result.version
        if result.feed_key is not None and result.feed_key.feed.rewritten:
            return  # A, B, A again: the second A is new work.
        self._done[version.key] = version.etag
        self._done.move_to_end(version.key)
        while len(self._done) > DONE_VERSIONS:
            self._done.popitem(last=False)

    def _release(self, messages: list[Message]) -> None:
        try:
            self._stores.queue.postpone(messages, 0)
        except (TransientError, StoreRejectedError) as error:
            log.warning("messages come back by themselves", count=len(messages), error=str(error))

    def _retrying(self, function: Callable[[], T]) -> T:
        """Call, and call again while a store is away, within the bound or until an abort."""
        return retrying(self._settings.stores.retry_seconds, self._abort)(function)
