"""The queue consumer: notifications in, records in both stores, messages deleted.

Two stages work side by side, so that DynamoDB is never idle while files are read::

    receivers ──inbox──▶ read, parse, Redis ──▶ DynamoDB, ledger, quarantine, delete
                         (a micro-batch is whatever has arrived meanwhile)

A message is deleted only when both stores have its rows, or what they lack is noted for good
(`owed`): a store that is away holds up neither the other one nor the queue, and gets what it is
owed when it is back (`payments`); being paid holds up nobody either. Where the bucket or the queue
fails for longer than the bound of retries, the consumer ends with that error and its messages come
back.
"""

import queue
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Final

import structlog

from trade_assets.datasets.keys import FEEDS_PREFIX
from trade_assets.errors import StoreRejectedError, TransientError
from trade_assets.feeds.feed_stores import FeedStores
from trade_assets.feeds.stream.micro_batch import MicroBatch
from trade_assets.feeds.stream.owed import OwedFiles
from trade_assets.feeds.stream.payments import Payments
from trade_assets.feeds.stream.reporting import StreamReports
from trade_assets.feeds.stream.stages import StoreStages
from trade_assets.feeds.stream.visibility import InFlight
from trade_assets.ingest.reading import (
    FileResult,
    FileVersion,
    read_files,
)
from trade_assets.ingest.writing import HistoryWriter, LatestWriter
from trade_assets.logs import get_logger
from trade_assets.settings import Settings
from trade_assets.stores.dynamodb.ledger import FileState
from trade_assets.stores.sqs.notifications import Message

log = get_logger(__name__)

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
        stores: FeedStores,
        latest: LatestWriter,
        history: HistoryWriter,
        reports: StreamReports,
        run_id: str,
    ) -> None:
        self._settings = settings
        self._stores = stores
        self._run_id = run_id
        self._do = StoreStages(stores, latest, history, reports, run_id)
        self._owed = OwedFiles(stores.objects)
        self._inbox: queue.Queue[Message] = queue.Queue(INBOX_MESSAGES)
        self._written: queue.Queue[MicroBatch | None] = queue.Queue(2)
        self._in_flight = InFlight(stores.queue, settings.stream.queue_visibility_seconds)
        self._done: OrderedDict[str, str] = OrderedDict()
        self._stop_receiving = threading.Event()
        self._abort = threading.Event()
        self._error: BaseException | None = None
        self._receivers: list[threading.Thread] = []
        self._stages: list[threading.Thread] = []
        self._payments = Payments(stores, self._do, self._stop_receiving)
        self._paying: list[threading.Thread] = []

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
        self._paying = [self._thread(self._payments.run, "payments")]
        self._in_flight.start()
        for thread in (*self._stages, *self._paying):
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
        threads = (*self._receivers, *self._stages, *self._paying)
        return all(thread.is_alive() for thread in threads)

    def stop(self, drain: bool = True) -> None:
        """End: finish what was received (`drain`), or give it back to the queue at once."""
        self._stop_receiving.set()
        if not drain:
            self._end_retries()
        for thread in (*self._receivers, *self._stages, *self._paying):
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
        self._end_retries()

    def _end_retries(self) -> None:
        self._abort.set()
        self._stores.connections.end_retries()

    def _receive_loop(self) -> None:
        while not self._stop_receiving.is_set():
            for message in self._stores.queue.receive(POLL_SECONDS):
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
                    work = self._read_and_show(messages)
                    if not self._hand_on(work):
                        self._store(work, later=True)
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

    def _hand_on(self, work: MicroBatch | None) -> bool:
        """Wait for the second stage; False: not while it is held up by what is being paid, for
        what Redis shows would stand still meanwhile."""
        while True:
            try:
                self._written.put(work, timeout=0.2)
            except queue.Full:
                if self._abort.is_set() and not self._stages[1].is_alive():
                    return True
                if work is not None and self._payments.busy and not self._abort.is_set():
                    return False
                continue
            return True

    def _read_and_show(self, messages: list[Message]) -> MicroBatch:
        """Read and parse a micro-batch and make it readable in Redis."""
        work = MicroBatch(messages)
        versions = self._new_versions(work)
        if not versions:
            return work
        results = read_files(self._stores, versions)
        work.results = {result.version.key: result for result in results}
        self._do.show(work)
        return work

    def _new_versions(self, work: MicroBatch) -> list[FileVersion]:
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

    def _second_stage(self) -> None:
        while True:
            work = self._written.get()
            if work is None:
                return
            if not self._abort.is_set():
                self._store(work)

    def _store(self, work: MicroBatch, *, later: bool = False) -> None:
        """Write a micro-batch to history (or `later`: owe it that), account for it, note what it
        owes to stores that are away, and let go of its messages."""
        if later:
            self._do.keep_later(work)
        else:
            self._do.keep(work)
        self._do.finish(work)
        if work.owes:
            self._owed.owe(work.owed_versions())
        self._settle(work)

    def _settle(self, work: MicroBatch) -> None:
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
            self._stores.queue.postpone([message], delay)
        self._stores.queue.delete(done)
        self._in_flight.remove(work.messages)
        for result in work.results.values():
            if result.state in (FileState.STORED, FileState.QUARANTINED):
                self._remember(result)

    def _remember(self, result: FileResult) -> None:
        version = result.version
        if result.dataset is not None and result.dataset.rewritten:
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
