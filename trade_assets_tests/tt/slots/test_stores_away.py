"""Stores that are away in a slot: the other one goes on, and the next slot heals."""

import os
import signal
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import polars as pl
import pytest

from trade_assets.datasets.dataset import Dataset
from trade_assets.datasets.statements import NOTHING_STATED, StatedAt
from trade_assets.errors import StoreRejectedError, StoreUnavailableError
from trade_assets.ports import LOOPBACK, free_port
from trade_assets.settings import Settings
from trade_assets.stores.dynamodb.history_store import HistoryStore, HistoryWritten
from trade_assets.stores.redis.latest_set import Replaced
from trade_assets.stores.redis.latest_store import LatestStore, LatestWritten
from trade_assets.stores.s3.objects import ObjectStore
from trade_assets.tt.datasets import SNAPSHOTS_BY_KIND
from trade_assets.tt.formats.orders_snapshot import ORDERS
from trade_assets.tt.slots.results import KindState, SlotOutcome, SlotResult
from trade_assets.tt.slots.slot_log import SlotState
from trade_assets.tt.slots.take import SnapshotTaker
from trade_assets_tests.support.stores import Stores
from trade_assets_tests.support.waiting import PATIENCE_SECONDS
from trade_assets_tests.tt.slots.conftest import Desk, forget_history, forget_redis, slot_of
from trade_assets_tests.tt.slots.rerun import contents, rerun
from trade_assets_tests.tt.slots.test_slot_hours import HOURS

AWAY = StoreUnavailableError("DynamoDB is away")


@dataclass
class History:
    """The history store, or an error instead."""

    store: HistoryStore
    error: Exception | None = None
    tries: list[str] = field(default_factory=list)

    def write(
        self, feed: Dataset, records: pl.DataFrame, stated: StatedAt = NOTHING_STATED
    ) -> HistoryWritten:
        """As the store."""
        self.tries.append(feed.name)
        if self.error is not None:
            raise self.error
        return self.store.write(feed, records, stated)


@dataclass
class Latest:
    """The store of newest records, or an error instead."""

    store: LatestStore
    error: Exception | None = None

    def write(
        self, feed: Dataset, records: pl.DataFrame, stated: StatedAt = NOTHING_STATED
    ) -> LatestWritten:
        """As the store."""
        if self.error is not None:
            raise self.error
        return self.store.write(feed, records, stated)

    def replace(
        self, feed: Dataset, records: pl.DataFrame, file_key: str, event_time: datetime
    ) -> Replaced:
        """As the store."""
        if self.error is not None:
            raise self.error
        return self.store.replace(feed, records, file_key, event_time)


@dataclass
class Parts:
    """A desk whose stores can be away."""

    desk: Desk
    latest: Latest
    history: History

    def take(self, number: int) -> SlotResult:
        """Something happens, and a slot is taken."""
        desk = self.desk
        desk.model.order(f"o{number}", 110.0 + number, desk.time_ns(number))
        desk.model.orders.pop(f"o{number - 2}", None)
        desk.model.fill(f"g{number}", desk.time_ns(number))
        desk.model.position(float(number))
        desk.clock.at(slot_of(number))
        taker = SnapshotTaker(
            desk.settings, desk.stores, desk.api, self.latest, self.history, desk.clock
        )
        return taker.take(slot_of(number), "run")


@pytest.fixture
def parts(desk: Desk) -> Parts:
    return Parts(desk, Latest(desk.stores.latest), History(desk.stores.history))


def same_as_rerun(desk: Desk) -> None:
    """What the stores hold is what the raw documents say."""
    live = contents(desk.settings)
    forget_redis(desk.settings)
    forget_history(desk.settings)
    rerun(desk.stores, HOURS)
    assert contents(desk.settings) == live


def away_history(parts: Parts) -> None:
    parts.history.error = AWAY


def away_latest(parts: Parts) -> None:
    parts.latest.error = AWAY


@pytest.mark.parametrize("away", [away_history, away_latest])
def test_a_store_that_was_away_has_everything_after_the_next_slot(
    parts: Parts, away: Callable[[Parts], None]
) -> None:
    assert parts.take(0).whole
    away(parts)
    for number in (1, 2, 4):
        result = parts.take(number)
        assert result.outcome is SlotOutcome.PARTIAL
        assert result.reason.endswith("DynamoDB is away")
        assert {item.state for item in result.kinds.values()} == {KindState.TAKEN}
        assert not any(result.kinds[kind].written for kind in ("orders", "fills", "positions"))
    parts.history.error = parts.latest.error = None
    result = parts.take(5)
    assert result.whole
    for kind in ("orders", "fills", "positions"):
        assert result.kinds[kind].caught_up == 3
    assert parts.take(6).kinds["fills"].caught_up == 0
    same_as_rerun(parts.desk)


def test_one_store_goes_on_without_the_other(parts: Parts) -> None:
    parts.take(0)
    parts.history.error = AWAY
    for number in (1, 2, 4):
        parts.history.tries.clear()
        parts.take(number)
        picture = parts.desk.stores.latest.read_set(ORDERS)
        assert picture is not None
        assert picture.event_time == slot_of(number)
        shown = parts.desk.stores.latest.status(ORDERS)
        assert shown["last_file"] == parts.desk.documents.key("orders", slot_of(number))
        # It is waited for once a slot, not once a kind.
        assert len(parts.history.tries) == 1


def test_an_interrupted_slot_waits_for_no_store(parts: Parts) -> None:
    ended = threading.Event()
    waited: list[bool] = []

    class Hangs(History):
        def write(
            self, feed: Dataset, records: pl.DataFrame, stated: StatedAt = NOTHING_STATED
        ) -> HistoryWritten:
            os.kill(os.getpid(), signal.SIGINT)  # the run is terminated
            waited.append(ended.wait(PATIENCE_SECONDS))
            raise AWAY

    parts.history = Hangs(parts.desk.stores.history)
    with pytest.raises(KeyboardInterrupt):
        parts.take(0)
    assert waited == []
    ended.set()


def test_a_store_that_refuses_one_kind_gets_the_others(parts: Parts) -> None:
    class Refuses(History):
        def write(
            self, feed: Dataset, records: pl.DataFrame, stated: StatedAt = NOTHING_STATED
        ) -> HistoryWritten:
            if feed is ORDERS:
                raise StoreRejectedError("orders are refused")
            return super().write(feed, records)

    parts.history = Refuses(parts.desk.stores.history)
    result = parts.take(0)
    assert result.reason == "orders: orders are refused"
    assert [item.kind for item in result.kinds.values() if not item.written] == ["orders"]
    (note,) = parts.desk.stores.slot_log.notes(slot_of(0), slot_of(1))
    assert (note.state, note.kinds) == (
        SlotState.PARTIAL, {"orders": "taken: orders are refused"},
    )  # fmt: skip


def test_a_redis_that_lost_everything_has_the_sets_and_goes_on(parts: Parts) -> None:
    for number in range(3):
        parts.take(number)
    forget_redis(parts.desk.settings)
    result = parts.take(3)
    assert result.whole
    picture = parts.desk.stores.latest.read_set(ORDERS)
    assert picture is not None
    assert [record["record_key"] for record in picture.records] == ["o2", "o3"]


def test_no_more_is_caught_up_than_a_slot_can_bear(
    parts: Parts, monkeypatch: pytest.MonkeyPatch
) -> None:
    parts.take(0)
    parts.history.error = AWAY
    for number in range(1, 6):
        parts.take(number)
    parts.history.error = None
    monkeypatch.setattr("trade_assets.tt.slots.slot_records.CAUGHT_UP_DOCUMENTS", 2)
    result = parts.take(6)
    assert result.outcome is SlotOutcome.PARTIAL
    first = parts.desk.documents.key("fills", slot_of(4))
    assert result.kinds["fills"].reason == f"not written: what is before {first}; rerun its hours"
    assert result.kinds["fills"].written
    assert result.kinds["fills"].caught_up == 2
    fills = SNAPSHOTS_BY_KIND["fills"]
    keys = [f"g{number}" for number in range(7)]
    kept = [key for key in keys if list(parts.desk.stores.history.read(fills, key))]
    assert kept == ["g0", "g4", "g5", "g6"]
    assert parts.take(7).whole


def test_a_rerun_of_a_later_hour_hides_no_slots_that_are_written_yet_to_be(parts: Parts) -> None:
    parts.take(0)
    parts.history.error = AWAY
    for number in range(1, 5):  # two in the first hour, two in the second
        parts.take(number)
    parts.history.error = None
    rerun(parts.desk.stores, HOURS[1:])
    assert parts.take(5).kinds["fills"].caught_up == 4
    same_as_rerun(parts.desk)


def test_a_rerun_of_all_that_is_lacking_leaves_nothing_to_the_next_slot(parts: Parts) -> None:
    parts.take(0)
    parts.history.error = AWAY
    for number in range(1, 5):
        parts.take(number)
    parts.history.error = None
    rerun(parts.desk.stores, HOURS)
    assert parts.take(5).kinds["fills"].caught_up == 0
    same_as_rerun(parts.desk)


def elsewhere(settings: Settings, **changes: Any) -> Settings:
    return settings.changed({"store_retry_seconds": 0.1, **changes})


def test_without_redis_nothing_is_asked_and_the_slot_is_noted(desk: Desk) -> None:
    url = type(desk.settings.stores.redis_url)(f"redis://:hunter2@{LOOPBACK}:{free_port()}/0")
    with Stores(elsewhere(desk.settings, redis_url=url)) as stores:
        desk.clock.at(slot_of(0))
        result = desk.taker(stores).take(slot_of(0), "run")
    assert (result.outcome, desk.api.asked) == (SlotOutcome.FAILED, [])
    assert "Redis" in result.reason
    assert "hunter2" not in str(result)
    (note,) = desk.stores.slot_log.notes(slot_of(0), slot_of(0) + timedelta(seconds=1))
    assert note.state is SlotState.FAILED


def test_without_the_bucket_nothing_is_asked_and_the_slot_is_noted(desk: Desk) -> None:
    endpoint = f"http://{LOOPBACK}:{free_port()}"
    with Stores(desk.settings) as stores:
        away = elsewhere(desk.settings, aws_endpoint_url=endpoint)
        stores.connections.__dict__["objects"] = ObjectStore(away)
        desk.clock.at(slot_of(0))
        result = desk.taker(stores).take(slot_of(0), "run")
    assert (result.outcome, desk.api.asked) == (SlotOutcome.FAILED, [])
    summary = desk.stores.slot_board.read()
    assert summary is not None
    assert (summary.failures, summary.kept) == (1, False)
