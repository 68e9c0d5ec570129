"""Fills: each once, and none that is only half there."""

from datetime import UTC, date, datetime

import pytest

from trade_assets.tt.formats.fills_snapshot import TT_FILLS
from trade_assets_tests.tt.formats.documents import (
    FILL,
    INSTRUMENT_ID,
    NAMES,
    TIME_NS,
    of_rows,
    read,
    reason,
)


def named(name: str, **fields: object) -> dict[str, object]:
    return {**FILL, "uniqueExecId": name, **fields}


def test_a_fill() -> None:
    (row,) = read(TT_FILLS, FILL).frame.to_dicts()
    assert {name: item for name, item in row.items() if item is not None} == {
        "record_key": FILL["uniqueExecId"],
        "event_time": datetime(2025, 5, 15, 17, 2, 20, 354606, tzinfo=UTC),
        "row": 1,
        "trading_date": date(2025, 5, 15),
        "instrument_id": "ZNM25",
        "product": "ZN",
        "expiry": date(2025, 6, 18),
        "underlying_id": "ZNM25",
        "instrument": "ZNM5",
        "unique_execution_id": FILL["uniqueExecId"],
        "execution_type": "F",
        "order_id": FILL["orderId"],
        "account_id": "1000001",
        "market_id": "7",
        "tt_instrument_id": INSTRUMENT_ID,
        "side": "sell",
        "quantity": 5.0,
        "price": 110.171875,
        "working_quantity": 75.0,
        "time_ns": TIME_NS,
        "trade_date": date(2025, 5, 15),
    }


def test_the_trading_day_begins_at_seventeen_central() -> None:
    seventeen = int(datetime(2025, 5, 15, 22, tzinfo=UTC).timestamp()) * 10**9
    parsed = read(TT_FILLS, named("a", timeStamp=seventeen - 1), named("b", timeStamp=seventeen))
    assert parsed.frame["trading_date"].to_list() == [date(2025, 5, 15), date(2025, 5, 16)]


@pytest.mark.parametrize(
    "field", ["uniqueExecId", "timeStamp", "instrumentId", "side", "lastQty", "lastPx"]
)
def test_half_a_fill_is_rejected(field: str) -> None:
    assert reason(TT_FILLS, {**FILL, field: None}) == f"{field} is missing"


@pytest.mark.parametrize("field", ["uniqueExecId", "instrumentId", "side"])
def test_blanks_are_nothing(field: str) -> None:
    assert reason(TT_FILLS, {**FILL, field: "  "}) == f"{field} is missing"


@pytest.mark.parametrize(
    ("field", "given", "why"),
    [
        ("side", "3", "side '3' is neither 1 (buy) nor 2 (sell)"),
        ("lastQty", 0, "lastQty '0' is not above 0"),
        ("lastQty", -1.0, "lastQty '-1.0' is not above 0"),
        ("tradeDate", 20250230, "tradeDate '20250230' is not a date"),
        ("tradeDate", "May", "tradeDate 'May' is not a whole number"),
    ],
)
def test_a_fill_that_cannot_be(field: str, given: str | float, why: str) -> None:
    assert reason(TT_FILLS, {**FILL, field: given}) == why


def test_fills_of_one_nanosecond_are_as_many() -> None:
    parsed = read(TT_FILLS, named("a"), named("b"), named("c"))
    assert parsed.frame["record_key"].to_list() == ["a", "b", "c"]


def test_a_fill_on_two_pages_is_one() -> None:
    pages = [named("a"), named("b")], [named("b"), named("c")]
    parsed = TT_FILLS.read(of_rows("fills", *pages), NAMES)
    assert parsed.frame["record_key"].to_list() == ["a", "b", "c"]
    assert [(row.row, row.duplicate) for row in parsed.rejected] == [(2, True)]


def test_fills_of_earlier_snapshots_are_left_out() -> None:
    document = of_rows(
        "fills", [named("a"), named("b"), named("c")], since_ns=TIME_NS, seen=("a", "c", "z")
    )
    parsed = TT_FILLS.read(document, NAMES)
    assert parsed.frame["record_key"].to_list() == ["b"]
    assert [(row.row, row.reason, row.duplicate) for row in parsed.rejected] == [
        (1, "an earlier snapshot has this fill", True),
        (3, "an earlier snapshot has this fill", True),
    ]
