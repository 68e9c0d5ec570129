"""What counts as a change from a slot to the next."""

from datetime import UTC, datetime, timedelta
from typing import Any

import polars as pl

from trade_assets.tt.formats.orders_snapshot import ORDERS
from trade_assets.tt.slots.slot_changes import changed_records

SLOT = datetime(2026, 11, 21, 10, 0, 30, tzinfo=UTC)
BEFORE = SLOT - timedelta(seconds=30)
PLACED = datetime(2026, 11, 21, 9, tzinfo=UTC)


def frame(*rows: dict[str, Any]) -> pl.DataFrame:
    return pl.DataFrame(list(rows), schema=ORDERS.record_schema)


def order(key: str, **values: Any) -> dict[str, Any]:
    return {"record_key": key, "event_time": PLACED, "row": 1, "file_key": "f", **values}


def changed(now: list[dict[str, Any]], before: list[dict[str, Any]] | None) -> list[str]:
    earlier = None if before is None else frame(*before)
    found = changed_records(frame(*now), SLOT, earlier, BEFORE)
    assert dict(found.schema) == ORDERS.record_schema
    return found["record_key"].to_list()


def test_without_a_slot_before_everything_is_new() -> None:
    both = [order("b"), order("a")]
    assert changed(both, None) == ["b", "a"]
    assert changed(both, []) == ["b", "a"]
    assert changed([], both) == []


def test_what_differs_is_a_change_in_the_order_it_stands() -> None:
    before = [order(key, price=1.5) for key in "abcdef"]
    now = [
        order("f", price=1.5),
        order("e", price=1.25),
        order("d"),
        order("c", price=1.5, side="buy"),
        order("b", price=1.5, extra='{"x":1}'),
        order("new", price=1.5),
        order("a", price=1.5, instrument="ZNM5"),
    ]
    assert changed(now, before) == ["e", "d", "c", "b", "new", "a"]


def test_nulls_are_equal_and_where_it_stood_does_not_matter() -> None:
    before = [order("a", row=7, file_key="g", trading_date=SLOT.date())]
    assert changed([order("a")], before) == []
    assert changed([order("a", is_manual=False)], before) == ["a"]


def test_a_time_of_the_records_own_is_content() -> None:
    later = order("a", event_time=PLACED + timedelta(microseconds=1))
    assert changed([later], [order("a")]) == ["a"]


def test_a_time_that_is_but_the_slot_is_not() -> None:
    now, before = order("a", event_time=SLOT), order("a", event_time=BEFORE)
    assert changed([now], [before]) == []
    assert changed([now | {"price": 1.0}], [before]) == ["a"]
    # One record with a time of its own, and times count.
    own = [now, order("b")]
    assert changed(own, [before, order("b")]) == ["a"]
