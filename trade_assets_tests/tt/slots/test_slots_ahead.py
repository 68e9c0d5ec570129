"""Slots of a clock that was ahead, and rows that TT dates ahead: what the stores take of them."""

from datetime import UTC, datetime, timedelta

import pytest

from trade_assets.settings import Settings
from trade_assets.stores.redis.latest_reader import PictureOfSet
from trade_assets.tt.datasets import SNAPSHOTS_BY_KIND
from trade_assets.tt.formats.slot_times import SLOT, hour_of, slot_at
from trade_assets.tt.slots.results import SlotResult
from trade_assets.tt.slots.slot_notes import written_until
from trade_assets_tests.stores.samples import history_items
from trade_assets_tests.support.stores import Stores
from trade_assets_tests.tt.slots.conftest import Desk, forget_history, forget_redis
from trade_assets_tests.tt.slots.model import ZN
from trade_assets_tests.tt.slots.rerun import contents, rerun

FAR = timedelta(days=400)
POSITIONS, FILLS = SNAPSHOTS_BY_KIND["positions"], SNAPSHOTS_BY_KIND["fills"]
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@pytest.fixture
def now(desk: Desk) -> datetime:
    """A slot that has just been, since when a document lands is said by the bucket's own clock; and
    a fill of that very time: the trading day may have begun with it."""
    slot = slot_at(datetime.now(UTC)) - 4 * SLOT
    desk.model.fill("today", nanoseconds(slot))
    return slot


def take_at(desk: Desk, slot: datetime, stores: Stores | None = None) -> SlotResult:
    """Take a slot as a clock of that time would, right or wrong."""
    desk.clock.at(slot)
    return desk.taker(stores).take(slot, "run")


def nanoseconds(moment: datetime) -> int:
    return (moment - EPOCH) // timedelta(microseconds=1) * 1000


def believing(desk: Desk) -> Stores:
    """Stores that take everything for possible, as all did before."""
    return Stores(desk.settings.changed({"ahead_seconds": 1e10}))


def positions(desk: Desk) -> PictureOfSet:
    found = desk.stores.latest.read_set(POSITIONS)
    assert found is not None
    return found


def test_a_set_of_a_slot_that_is_ahead_is_refused_and_the_next_one_is_taken(
    desk: Desk, now: datetime
) -> None:
    assert take_at(desk, now).whole
    desk.model.position(7.0, ZN)
    ahead = take_at(desk, now + FAR)
    assert "after its file landed" in ahead.kinds["positions"].reason
    assert (positions(desk).event_time, len(positions(desk).records)) == (now, 1)
    assert written_until(desk.stores, POSITIONS) == desk.documents.key("positions", now)
    wrong = desk.documents.key("positions", now + FAR)
    assert desk.stores.objects.head(f"quarantine/{wrong}") is not None
    assert not [item for item in history_items(desk.settings) if item["sk"]["S"] > f"{now + FAR}"]

    assert take_at(desk, now + SLOT).whole
    assert (positions(desk).event_time, len(positions(desk).records)) == (now + SLOT, 2)


def test_fills_of_a_slot_that_is_ahead_are_taken_for_what_they_are(
    desk: Desk, now: datetime
) -> None:
    """They are in no other document, and have a time of their own."""
    assert take_at(desk, now).whole
    desk.model.fill("f2", nanoseconds(now))
    take_at(desk, now + FAR)
    assert take_at(desk, now + SLOT).whole
    assert desk.stores.latest.record_keys(FILLS) == ["f2", "today"]
    assert written_until(desk.stores, FILLS) == desk.documents.key("fills", now + SLOT)


def test_a_fill_and_an_order_that_are_dated_ahead_are_rejected_alone(
    desk: Desk, now: datetime
) -> None:
    desk.model.order("o2", 111.0, nanoseconds(now + FAR))
    desk.model.fill("f2", nanoseconds(now + FAR))
    result = take_at(desk, now)
    assert result.whole
    assert {kind: item.rejected for kind, item in result.kinds.items()} == {
        "orders": 1, "fills": 1, "positions": 0, "instruments": 0,
    }  # fmt: skip
    assert desk.stores.latest.record_keys(SNAPSHOTS_BY_KIND["orders"]) == ["o1"]
    assert desk.stores.latest.record_keys(FILLS) == ["today"]


def test_frozen_sets_and_marks_are_put_right_by_the_next_slot(desk: Desk, now: datetime) -> None:
    with believing(desk) as stores:
        assert take_at(desk, now + FAR, stores).whole
    assert positions(desk).event_time == now + FAR
    desk.model.position(7.0, ZN)
    assert take_at(desk, now).whole
    assert (positions(desk).event_time, len(positions(desk).records)) == (now, 2)
    key = desk.documents.key("positions", now)
    assert written_until(desk.stores, POSITIONS) == key


def test_a_rerun_takes_back_what_rows_of_its_hour_froze(
    desk: Desk, capture_settings: Settings, now: datetime
) -> None:
    desk.model.order("o2", 111.0, nanoseconds(now + FAR))
    desk.model.fill("f2", nanoseconds(now + FAR))
    with believing(desk) as stores:
        assert take_at(desk, now, stores).whole
    assert desk.stores.latest.record_keys(FILLS) == ["f2", "today"]
    rerun(desk.stores, [hour_of(now)])
    repaired = contents(capture_settings)
    forget_redis(capture_settings)
    forget_history(capture_settings)
    rerun(desk.stores, [hour_of(now)])
    assert repaired == contents(capture_settings)
    assert desk.stores.latest.record_keys(FILLS) == ["today"]
