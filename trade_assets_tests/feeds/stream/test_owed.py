"""A store that is away: the other one goes on, and what it is owed is kept, and paid."""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from threading import Event
from typing import ClassVar

import polars as pl
import pytest

from trade_assets.datasets.dataset import Dataset
from trade_assets.datasets.records import FILE_KEY
from trade_assets.datasets.statements import NOTHING_STATED, StatedAt
from trade_assets.errors import (
    DynamoUnavailableError,
    ObjectMissingError,
    RedisUnavailableError,
    StoreUnavailableError,
)
from trade_assets.feeds.stream import payments
from trade_assets.feeds.stream.owed import OwedFiles, RecordStore
from trade_assets.feeds.stream.reporting import StreamReports
from trade_assets.ingest.figures import FileFigures
from trade_assets.ports import LOOPBACK, free_port
from trade_assets.settings import Settings
from trade_assets.stores.dynamodb.history_store import HistoryWritten
from trade_assets.stores.redis.latest_store import LatestWritten
from trade_assets.stores.sqs.notifications import QueueDepth
from trade_assets_tests.feeds.stream.harness import (
    RefusingWriter,
    SlowWriter,
    consuming,
    drained,
    expected_state,
    kept,
    state,
    states,
    stored,
)
from trade_assets_tests.feeds.stream.test_consumer import put_all, spot_files
from trade_assets_tests.stores.samples import SPOT, ledger_bytes, ledger_key, spot_key
from trade_assets_tests.support.stores import Stores
from trade_assets_tests.support.waiting import PATIENCE_SECONDS, eventually

pytestmark = pytest.mark.integration

EMPTY = QueueDepth(waiting=0, in_flight=0, dead=0)
HASTY = {"store_retry_seconds": 0.2}


@dataclass
class Switched:
    """A writer of a store that is away until it is told to be back; keeps what it was given."""

    stores: Stores
    back: Event = field(default_factory=Event)
    taken: list[str] = field(default_factory=list)

    error: ClassVar[type[StoreUnavailableError]]

    def _look(self, records: pl.DataFrame) -> None:
        if not self.back.is_set():
            raise self.error("away, as asked")
        self.taken += records[FILE_KEY].unique(maintain_order=True).to_list()


class SwitchedHistory(Switched):
    """The history."""

    error = DynamoUnavailableError

    def write(
        self, dataset: Dataset, records: pl.DataFrame, stated: StatedAt = NOTHING_STATED
    ) -> HistoryWritten:
        self._look(records)
        return kept(self.stores).write(dataset, records, stated)


class SwitchedLatest(Switched):
    """The newest records."""

    error = RedisUnavailableError

    def write(
        self, dataset: Dataset, records: pl.DataFrame, stated: StatedAt = NOTHING_STATED
    ) -> LatestWritten:
        self._look(records)
        return self.stores.latest.write(dataset, records, stated)


@pytest.fixture
def hasty(quick: Settings) -> Iterator[Stores]:
    """Stores that are not tried for long."""
    with Stores(quick.changed(HASTY)) as made:
        yield made


def owed(stores: Stores, store: RecordStore) -> list[str]:
    """The files that a store is owed, each once (a message that comes back is owed again), the
    oldest first."""
    files, found = OwedFiles(stores.objects), []
    for key in files.keys(store):
        with suppress(ObjectMissingError):  # it was paid between the two looks
            found += [version.key for version in files.read(store, key).versions]
    return list(dict.fromkeys(found))


def shown_last(stores: Stores, key: str) -> None:
    eventually(lambda: stores.latest.status(SPOT)["last_file"] == key, what=f"{key} is shown")


def all_paid(stores: Stores) -> None:
    eventually(lambda: not OwedFiles(stores.objects).any(), what="all paid")


FILES = {**spot_files(6), ledger_key(): ledger_bytes([111.5, 111.25, 111.0])}


@pytest.mark.parametrize("store", RecordStore)
def test_without_one_store_the_other_goes_on_and_nothing_is_lost(
    stores: Stores, hasty: Stores, quick: Settings, reference: Settings, store: RecordStore
) -> None:
    kind = SwitchedLatest if store is RecordStore.LATEST else SwitchedHistory
    away, reports = kind(hasty), StreamReports()
    latest, history = (away, None) if store is RecordStore.LATEST else (None, away)
    with consuming(hasty, latest, history, reports=reports) as consumer:  # type: ignore[arg-type]
        put_all(stores, FILES)
        eventually(lambda: len(owed(stores, store)) == len(FILES), what="all owed")
        eventually(lambda: stores.queue.depth() == EMPTY, what="no message waits")
        assert consumer.healthy
        other = RecordStore.HISTORY if store is RecordStore.LATEST else RecordStore.LATEST
        assert owed(stores, other) == []
        if store is RecordStore.HISTORY:
            assert stores.latest.status(SPOT)["last_file"] == spot_key(5)
            assert state(quick)["history"] == []
        else:
            assert stores.latest.record_keys(SPOT) == []
            assert state(quick)["history"] != []
        assert states(quick) == {}
        away.back.set()
        all_paid(stores)
        drained(stores, *FILES)
        assert consumer.healthy
    assert state(quick) == expected_state(reference, FILES)
    assert states(quick) == stored(FILES)
    told = [figures for figures in reports.take() if isinstance(figures, FileFigures)]
    assert sum(figures.files for figures in told) >= len(FILES)


def test_both_stores_away_is_two_debts_and_one_account(
    stores: Stores, hasty: Stores, quick: Settings, reference: Settings
) -> None:
    latest, history = SwitchedLatest(hasty), SwitchedHistory(hasty)
    reports = StreamReports()
    with consuming(hasty, latest, history, reports=reports):
        put_all(stores, FILES)
        for store in RecordStore:
            eventually(lambda: sorted(owed(stores, store)) == sorted(FILES), what=f"{store}")  # noqa: B023
        history.back.set()
        eventually(lambda: owed(stores, RecordStore.HISTORY) == [], what="DynamoDB is paid")
        assert states(quick) == {}
        latest.back.set()
        all_paid(stores)
        drained(stores, *FILES)
    assert state(quick) == expected_state(reference, FILES)
    assert states(quick) == stored(FILES)
    told = [figures for figures in reports.take() if isinstance(figures, FileFigures)]
    assert sum(figures.files for figures in told) >= len(FILES)


@pytest.mark.parametrize("together", [1, 3, 100])
def test_what_is_owed_survives_whoever_noted_it_and_is_paid_oldest_first(
    stores: Stores,
    hasty: Stores,
    quick: Settings,
    reference: Settings,
    together: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    files = spot_files(8)
    with consuming(hasty, history=SwitchedHistory(hasty)):
        for number, key in enumerate(files, 1):
            stores.objects.put(key, files[key])
            eventually(lambda: len(owed(stores, RecordStore.HISTORY)) == number)  # noqa: B023
        assert owed(stores, RecordStore.HISTORY) == list(files)
    back = SwitchedHistory(stores)
    back.back.set()
    monkeypatch.setattr(payments, "MARKERS_AT_A_TIME", together)
    with consuming(stores, history=back, run_id="the next one"):
        all_paid(stores)
    assert back.taken == list(files)
    assert state(quick) == expected_state(reference, files)
    assert states(quick) == stored(files)


def test_an_endpoint_that_refuses_connections_is_a_store_that_is_away(
    stores: Stores, quick: Settings, reference: Settings
) -> None:
    nowhere = f"http://{LOOPBACK}:{free_port()}"
    files = spot_files(3)
    put_all(stores, files)
    with Stores(quick.changed({**HASTY, "aws_endpoint_url_dynamodb": nowhere})) as cut:
        with consuming(cut) as consumer:
            eventually(lambda: len(owed(stores, RecordStore.HISTORY)) == 3, what="all owed")
            assert consumer.healthy
        assert sorted(stores.latest.record_keys(SPOT)) != []
    with consuming(stores):
        all_paid(stores)
    assert state(quick) == expected_state(reference, files)


def test_what_a_store_refuses_when_it_is_paid_ends_as_a_dead_letter(
    stores: Stores, hasty: Stores, quick: Settings
) -> None:
    files = spot_files(3)
    with consuming(hasty, history=SwitchedHistory(hasty)):
        put_all(stores, files)
        eventually(lambda: len(owed(stores, RecordStore.HISTORY)) == 3, what="all owed")
    with consuming(stores, history=RefusingWriter(stores, spot_key(1))):
        all_paid(stores)
        drained(stores, *files, dead=1)
    found = states(quick)
    assert found.pop(spot_key(1)) == {"failed"}
    assert found == stored([spot_key(0), spot_key(2)])


def test_the_summary_says_since_when(stores: Stores, hasty: Stores) -> None:
    files = OwedFiles(stores.objects)
    assert files.summary() == []
    with consuming(hasty, history=SwitchedHistory(hasty)):
        put_all(stores, spot_files(1))
        eventually(files.any, what="something owed")
    (found,) = files.summary()
    landed = stores.objects.head(spot_key(0))
    assert landed is not None
    assert (found.store, found.markers) == (RecordStore.HISTORY, 1)
    assert isinstance(found.since, datetime)
    assert abs((found.since - landed.landed_at).total_seconds()) < 2


def test_while_a_debt_is_paid_what_comes_is_shown_and_not_waited_for(
    stores: Stores, hasty: Stores, quick: Settings, reference: Settings
) -> None:
    files = spot_files(8)
    first, *later = files
    with consuming(hasty, history=SwitchedHistory(hasty)):
        stores.objects.put(first, files[first])
        eventually(lambda: owed(stores, RecordStore.HISTORY) == [first], what="the first is owed")
    slow = SlowWriter(stores)
    with consuming(stores, history=slow):
        assert slow.called.wait(PATIENCE_SECONDS)
        for key in later:
            stores.objects.put(key, files[key])
            # One after the other: together they could be one micro-batch, which never waits.
            shown_last(stores, key)
        eventually(lambda: later[-1] in owed(stores, RecordStore.HISTORY), what="the last is owed")
        assert state(quick)["history"] == []
        slow.go_on.set()
        all_paid(stores)
        drained(stores, *files)
    assert states(quick) == stored(files)
    assert state(quick) == expected_state(reference, files)
