"""Running consumers in tests: writers that fail on purpose, hand-made events, and an oracle."""

import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any

import orjson
import polars as pl

from trade_assets.datasets.dataset import Dataset, to_records
from trade_assets.datasets.keys import parse_feed_key
from trade_assets.datasets.statements import NOTHING_STATED, StatedAt
from trade_assets.errors import StoreRejectedError, StoreUnavailableError
from trade_assets.feeds.datasets import derived_from
from trade_assets.feeds.derivation import Deriver
from trade_assets.feeds.derived.declarations import GREEKS, POSITIONS
from trade_assets.feeds.stream.consumer import StreamConsumer
from trade_assets.feeds.stream.reporting import StreamReports
from trade_assets.ingest.isolation import Portion
from trade_assets.ingest.writing import HistoryWriter, LatestWriter
from trade_assets.io_managers.history_io_manager import HistoryIOManager
from trade_assets.settings import Settings
from trade_assets.stores.aws import sqs_client
from trade_assets.stores.dynamodb.history_store import HistoryWritten
from trade_assets.stores.dynamodb.statement_index import is_mark
from trade_assets.stores.redis.latest_store import LatestWritten
from trade_assets.stores.retrying import Retries, retried
from trade_assets.stores.sqs.notifications import Message, NotificationQueue, QueueDepth
from trade_assets_tests.stores.samples import FILLS, SPOT, history_items, items, redis_records
from trade_assets_tests.support.stores import Stores
from trade_assets_tests.support.waiting import PATIENCE_SECONDS, eventually


class AwayAtFirst:
    """Both writers, of stores that are away for the first calls; they try again as stores do."""

    def __init__(self, stores: Stores, failures: int) -> None:
        self.left = failures
        self._stores = stores

    @property
    def retries(self) -> Retries:
        """Those of the stores."""
        return self._stores.connections.redis_retries

    @retried
    def latest(
        self, dataset: Dataset, records: pl.DataFrame, stated: StatedAt = NOTHING_STATED
    ) -> LatestWritten:
        """Writes, and then loses the answer: the harder half of a failure."""
        written = self._stores.latest.write(dataset, records, stated)
        self._fail()
        return written

    @retried
    def history(
        self, dataset: Dataset, records: pl.DataFrame, stated: StatedAt = NOTHING_STATED
    ) -> HistoryWritten:
        """Writes half, and fails."""
        kept(self._stores).write(dataset, records.head(records.height // 2))
        self._fail()
        return kept(self._stores).write(dataset, records, stated)

    def _fail(self) -> None:
        if self.left:
            self.left -= 1
            raise StoreUnavailableError("away, as asked")


def kept(stores: Stores) -> HistoryIOManager:
    """What writes the history, in the stream as everywhere."""
    return HistoryIOManager(stores, {})


class Writes:
    """A writer made of a function."""

    def __init__(self, write: Any) -> None:
        self.write = write


class AwayWriter:
    """A store that stays away, and is tried again for as long as the stores' retries say."""

    def __init__(self, stores: Stores) -> None:
        self.called = threading.Event()
        self._stores = stores

    @property
    def retries(self) -> Retries:
        """Those of the stores."""
        return self._stores.connections.redis_retries

    @retried
    def write(
        self, dataset: Dataset, records: pl.DataFrame, stated: StatedAt = NOTHING_STATED
    ) -> HistoryWritten:
        """Fails."""
        self.called.set()
        raise StoreUnavailableError("away, as asked")


class SlowWriter:
    """A history that takes as long as the test wants."""

    def __init__(self, stores: Stores) -> None:
        self.called = threading.Event()
        self.go_on = threading.Event()
        self._stores = stores

    def write(
        self, dataset: Dataset, records: pl.DataFrame, stated: StatedAt = NOTHING_STATED
    ) -> HistoryWritten:
        """Waits, then writes."""
        self.called.set()
        assert self.go_on.wait(PATIENCE_SECONDS)
        return kept(self._stores).write(dataset, records, stated)


class RefusingWriter:
    """A history that refuses whatever comes from one file."""

    def __init__(self, stores: Stores, file_key: str) -> None:
        self._stores = stores
        self._file_key = file_key

    def write(
        self, dataset: Dataset, records: pl.DataFrame, stated: StatedAt = NOTHING_STATED
    ) -> HistoryWritten:
        """Writes, unless the file is among them."""
        if self._file_key in records["file_key"].to_list():
            raise StoreRejectedError("refused, as asked")
        return kept(self._stores).write(dataset, records, stated)


def noted_postponements(queue: NotificationQueue) -> list[int]:
    """The seconds of each postponement from now on, as they come."""
    noted: list[int] = []
    postpone = queue.postpone

    def note(messages: Sequence[Message], seconds: int) -> None:
        noted.append(seconds)
        postpone(messages, seconds)

    queue.postpone = note  # type: ignore[method-assign]
    return noted


@contextmanager
def consuming(
    stores: Stores,
    latest: LatestWriter | None = None,
    history: HistoryWriter | None = None,
    run_id: str = "run",
    reports: StreamReports | None = None,
) -> Iterator[StreamConsumer]:
    """A consumer at work; at the end it finishes what it has received."""
    consumer = StreamConsumer(
        stores.settings,
        stores,
        latest or stores.latest,
        history or kept(stores),
        reports or StreamReports(),
        run_id,
    )
    consumer.start()
    try:
        yield consumer
    finally:
        consumer.stop()


def announce(settings: Settings, *versions: tuple[str, str, datetime]) -> None:
    """Send the notification of S3 for file versions (key, ETag, landed at), one message each."""
    for version in versions:
        send(settings, announcement_of(*version))


def announcement_of(key: str, etag: str, landed_at: datetime) -> str:
    """The notification of S3 for a file version."""
    record = {
        "eventName": "ObjectCreated:Put",
        "eventTime": landed_at.isoformat(),
        "s3": {"object": {"key": key, "eTag": etag}},
    }
    return orjson.dumps({"Records": [record]}).decode()


def send(settings: Settings, body: str) -> None:
    """Send a message to the notification queue."""
    sqs = sqs_client(settings)
    url = sqs.get_queue_url(QueueName=settings.queue_name)["QueueUrl"]
    sqs.send_message(QueueUrl=url, MessageBody=body)


def drained(stores: Stores, *keys: str, dead: int = 0) -> None:
    """Wait until the current versions of files are in the ledger, no message waits or is in work,
    and so many were given up.

    A notification follows its PUT in a moment: an empty queue alone says nothing.
    """
    heads = [head for head in stores.objects.head_many(keys) if head is not None]
    versions = {(head.key, head.etag) for head in heads}
    eventually(lambda: versions == stores.ledger.known(versions).keys(), what="all in the ledger")
    wanted = QueueDepth(waiting=0, in_flight=0, dead=dead)
    eventually(lambda: stores.queue.depth() == wanted, what=f"{wanted}")


def state(settings: Settings) -> dict[str, Any]:
    """All records that both stores hold, but for Greeks: a backlog has those of its end only. Of
    ledgers also what the history has standing: when it was dropped depends on what was read. Of
    spot risk what changed: which records repeat it depends on the order in which files came."""
    greeks = f"{GREEKS.source}#{GREEKS.name}#"
    records = [item for item in history_items(settings) if not is_mark(item)]
    fills = {item["record_key"]["S"] for item in records if item["feed"]["S"] == FILLS.name}
    with Stores(settings) as stores:
        standing = {key: list(stores.history.read(FILLS, key)) for key in sorted(fills)}
    return {
        "standing": standing,
        "spot": redis_records(settings, SPOT),
        "fills": redis_records(settings, FILLS),
        "positions": redis_records(settings, POSITIONS),
        "history": _changes(item for item in records if not item["pk"]["S"].startswith(greeks)),
    }


def _changes(history: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Of pictures the records that say something else than the record before."""
    place, said, changes = {"sk", "event_time", "file_key", "row", "expires_at"}, None, []
    for item in history:
        says = {name: value for name, value in item.items() if name not in place}
        if says != said or item["feed"]["S"] != SPOT.name:
            changes.append(item)
        said = says
    return changes


def expected_state(reference: Settings, files: Mapping[str, bytes]) -> dict[str, Any]:
    """What both stores hold when these files are written once each, in order, by nobody else."""
    with Stores(reference) as stores:
        for key in sorted(files):
            feed_key = parse_feed_key(key)
            parsed = feed_key.feed.parse(files[key], feed_key.file_name)
            frame = to_records(feed_key.feed, parsed, key)
            stated = {key: feed_key.hour} if feed_key.feed.statement else {}
            stores.latest.write(feed_key.feed, frame, stated)
            stores.history.write(feed_key.feed, frame, stated)
            for dataset in derived_from(feed_key.feed):
                origin = Portion(frame, stated)
                Deriver(stores).write(dataset, origin, stores.latest, stores.history)
    return state(reference)


def ledger_lines(settings: Settings) -> list[dict[str, str]]:
    """All lines of the ledger as plain texts; each fulfils the ledger's equation."""
    lines = [
        {name: str(next(iter(value.values()))) for name, value in item.items()}
        for item in items(settings, settings.ledger_table)
        if "state" in item
    ]
    for line in lines:
        kinds = ("rows_stored", "rows_unchanged", "rows_rejected")
        assert int(line["rows_in"]) == sum(int(line[kind]) for kind in kinds), line
    return lines


def states(settings: Settings) -> dict[str, set[str]]:
    """The states of each file's versions, by key."""
    found: dict[str, set[str]] = {}
    for line in ledger_lines(settings):
        found.setdefault(line["pk"], set()).add(line["state"])
    return found


def stored(keys: Iterable[str]) -> dict[str, set[str]]:
    """What `states` says where every version of these files is stored."""
    return {key: {"stored"} for key in keys}
