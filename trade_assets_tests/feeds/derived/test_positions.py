"""Positions of ledgers, in cases computed by hand."""

from datetime import UTC, date, datetime, timedelta
from decimal import localcontext

import polars as pl
import pytest

from trade_assets.datasets.records import COMMON_SCHEMA
from trade_assets.feeds.derived.positions import (
    OUTPUT_SCHEMA,
    POSITIONS_SCHEMA,
    positions,
    positions_figures,
)
from trade_assets_tests.feeds.derived.position_samples import (
    DAY,
    FILE,
    FOLDER,
    SOD_FILE,
    ZN_NAME,
    about,
    held,
    ledger,
    lots,
    only,
    picked,
    sod,
    trade,
)


def test_fills_of_one_instrument() -> None:
    fills = ledger(
        trade("buy", 3, 110.5),
        trade("buy", 1, 111.5),
        trade("sell", 2, 111.0),
        trade("buy", 2, 112),
    )
    row = only(positions(fills, sod()))
    # Sold 2 of the first 3: (111 - 110.5) * 2 = 1 point, 1,000 USD a point.
    # Open: 1 at 110.5, 1 at 111.5, 2 at 112: (110.5 + 111.5 + 224) / 4 = 446 / 4 = 111.5.
    assert row == {
        "record_key": "ZNU5",
        "event_time": datetime(2025, 7, 16, 22, tzinfo=UTC),
        "file_key": FILE,
        "row": 5,
        **about("ZNU5", DAY),
        "instrument": ZN_NAME,
        "opening_quantity": 0.0,
        "opening_source": None,
        "bought_quantity": 6.0,
        "sold_quantity": 2.0,
        "exercised_quantity": 0.0,
        "position_quantity": 4.0,
        "average_price": 111.5,
        "realized_points": 1.0,
        "realized_value": 1000.0,
        "currency": "USD",
        "fills": 4,
        "first_fill_time": datetime(2025, 7, 17, 0, 1, tzinfo=UTC),
        "last_fill_time": datetime(2025, 7, 17, 0, 4, tzinfo=UTC),
        "lots": '[[1.0,110.5,"t1"],[1.0,111.5,"t2"],[2.0,112.0,"t4"]]',
    }


def test_the_columns_and_their_order() -> None:
    frame = positions(ledger(trade("buy", 1, 110)), sod())
    identity = ["record_key", "event_time", "file_key", "row"]
    assert frame.columns == [*identity, *COMMON_SCHEMA, *POSITIONS_SCHEMA]
    assert dict(frame.schema) == dict(OUTPUT_SCHEMA)


def test_a_sell_crosses_zero() -> None:
    fills = ledger(trade("buy", 2, 110), trade("sell", 5, 110.25), trade("buy", 1, 110.5))
    row = only(positions(fills, sod()))
    # (110.25 - 110) * 2 = 0.5; 3 short at 110.25, 1 bought back: (110.5 - 110.25) * -1 = -0.25.
    assert picked(row, "position_quantity", "average_price") == (-2.0, 110.25)
    assert picked(row, "realized_points", "realized_value") == (0.25, 250.0)
    assert lots(row) == [(-2.0, 110.25, "t2")]


def test_a_buy_crosses_zero_over_several_lots() -> None:
    fills = ledger(trade("sell", 1, 110), trade("sell", 2, 111), trade("buy", 4, 109))
    row = only(positions(fills, sod()))
    # (109 - 110) * -1 = 1, (109 - 111) * -2 = 4; 1 stays long at 109.
    assert picked(row, "position_quantity", "average_price", "realized_points") == (1.0, 109.0, 5.0)
    assert lots(row) == [(1.0, 109.0, "t3")]


def test_rows_are_taken_by_time_and_rows_of_one_time_as_they_stand() -> None:
    fills = ledger(
        trade("buy", 1, 112, at=9), trade("buy", 1, 110, at=3), trade("buy", 1, 111, at=3)
    )
    row = only(positions(fills.reverse(), sod()))
    assert lots(row) == [(1.0, 110.0, "t2"), (1.0, 111.0, "t3"), (1.0, 112.0, "t1")]
    assert row["first_fill_time"] == datetime(2025, 7, 17, 0, 3, tzinfo=UTC)
    assert row["row"] == 4


def test_flat_has_no_average_price_and_no_lots() -> None:
    row = only(positions(ledger(trade("buy", 2, 110), trade("sell", 2, 109.5)), sod()))
    # (109.5 - 110) * 2 = -1.
    assert picked(row, "position_quantity", "average_price", "lots") == (0.0, None, "[]")
    assert picked(row, "realized_points", "realized_value") == (-1.0, -1000.0)


def test_sums_have_no_float_dust() -> None:
    fills = ledger(
        trade("buy", 0.1, 0.007), trade("buy", 0.2, 0.007), trade("sell", 0.3, 0.014)
    )  # fmt: skip
    row = only(positions(fills, sod()))
    # 0.1 + 0.2 - 0.3 is 5.6e-17 in floats; (0.014 - 0.007) * 0.3 = 0.0021.
    assert picked(row, "bought_quantity", "position_quantity") == (0.3, 0.0)
    assert picked(row, "realized_points", "realized_value") == (0.0021, 2.1)


def test_the_callers_decimal_context_does_not_matter() -> None:
    fills = ledger(trade("buy", 3, 110.0078125), trade("sell", 1, 110.015625))
    with localcontext(prec=3):
        narrow = positions(fills, sod())
    assert narrow.equals(positions(fills, sod()))
    assert narrow["realized_points"].to_list() == [0.0078125]


# Opening lots.


def test_start_of_day_rows_of_the_ledger_open_first_whatever_their_time() -> None:
    fills = ledger(
        trade("sell", 3, 111, at=1),
        trade("sell", 4, 112, kind="start_of_day", at=30),
        trade("buy", 2, 110, at=60),
    )
    row = only(positions(fills, sod(held(900.0, 100.0))))
    # Opening -4 at 112, then -3 at 111; 2 bought: (110 - 112) * -2 = 4.
    assert picked(row, "opening_quantity", "opening_source") == (-4.0, "ledger")
    assert picked(row, "bought_quantity", "sold_quantity", "fills") == (2.0, 3.0, 2)
    assert lots(row) == [(-2.0, 112.0, "t2"), (-3.0, 111.0, "t1")]
    # (2 * 112 + 3 * 111) / 5 = 557 / 5.
    assert picked(row, "average_price", "realized_points") == (111.4, 4.0)
    assert row["first_fill_time"] == datetime(2025, 7, 17, 0, 1, tzinfo=UTC)


def test_the_sod_feed_opens_what_the_ledger_does_not() -> None:
    fills = ledger(trade("sell", 3, 111))
    row = only(positions(fills, sod(held(2.0, 109.0, key="B1"), held(2.0, 110.0, key="A1"))))
    # A1 first: (111 - 110) * 2 = 2, then 1 of B1: (111 - 109) * 1 = 2.
    assert picked(row, "opening_quantity", "opening_source") == (4.0, "sod")
    assert picked(row, "position_quantity", "realized_points", "fills") == (1.0, 4.0, 1)
    assert lots(row) == [(1.0, 109.0, "B1")]
    assert row["row"] == 2


@pytest.mark.parametrize(
    "other",
    [
        held(5.0, 110.0, day=DAY + timedelta(days=1)),
        held(0.0, 110.0),
        held(None, 110.0),
    ],
    ids=["another date", "nothing held", "no quantity"],
)
def test_sod_rows_that_open_nothing(other: dict[str, str | date | float | None]) -> None:
    row = only(positions(ledger(trade("buy", 1, 110)), sod(other)))
    assert picked(row, "opening_quantity", "opening_source") == (0.0, None)
    assert row["position_quantity"] == 1.0


def test_a_position_of_two_files_counts_once_as_the_last_says() -> None:
    late = SOD_FILE.replace("hh=11", "hh=12")
    opening = sod(
        held(7.0, 111.0) | {"file_key": late},
        held(2.0, 110.0),
        held(3.0, 109.0, key="A2"),
        held(0.0, 109.0, key="A2") | {"file_key": late},
        held(9.0, 109.0, day=DAY - timedelta(days=1)) | {"file_key": late},
    )
    row = only(positions(ledger(trade("sell", 1, 111)), opening))
    assert picked(row, "opening_quantity", "position_quantity") == (7.0, 6.0)


def test_accounts_on_both_sides_close_each_other() -> None:
    fills = ledger(trade("buy", 1, 111))
    row = only(positions(fills, sod(held(5.0, 110.0, key="A1"), held(-2.0, 110.5, key="B1"))))
    # (110.5 - 110) * 2 = 1.
    assert picked(row, "opening_quantity", "position_quantity") == (3.0, 4.0)
    assert row["realized_points"] == 1.0
    assert lots(row) == [(3.0, 110.0, "A1"), (1.0, 111.0, "t1")]


def test_a_position_held_overnight_shows_without_a_fill() -> None:
    fills = ledger(trade("buy", 1, 110))
    frame = positions(fills, sod(held(-60.0, 108.5, instrument_id="ZFU5", key="A7")))
    row = only(frame.filter(pl.col("record_key") == "ZFU5"))
    assert row == {
        "record_key": "ZFU5",
        "event_time": datetime(2025, 7, 16, 22, tzinfo=UTC),
        "file_key": FILE,
        "row": 1,
        **about("ZFU5", DAY),
        "instrument": "ZFU5",
        "opening_quantity": -60.0,
        "opening_source": "sod",
        "bought_quantity": 0.0,
        "sold_quantity": 0.0,
        "exercised_quantity": 0.0,
        "position_quantity": -60.0,
        "average_price": 108.5,
        "realized_points": 0.0,
        "realized_value": 0.0,
        "currency": "USD",
        "fills": 0,
        "first_fill_time": None,
        "last_fill_time": None,
        "lots": '[[-60.0,108.5,"A7"]]',
    }


def test_an_overnight_position_goes_to_the_ledger_with_the_most_rows() -> None:
    one, two, three = (f"{FOLDER}trades_2025071{digit}.csv" for digit in (6, 7, 8))
    fills = ledger(
        trade("buy", 1, 110, file_key=one),
        trade("buy", 1, 110, file_key=two),
        trade("buy", 1, 108, file_key=two, instrument_id="RXU5"),
        trade("buy", 1, 110, file_key=three),
        *[trade("buy", 1, 110, file_key=three, day=DAY + timedelta(days=1))] * 3,
    )
    frame = positions(fills, sod(held(5.0, 108.5, instrument_id="ZFU5")))
    assert frame.filter(pl.col("record_key") == "ZFU5")["file_key"].to_list() == [two]
    level = fills.filter(pl.col("product") == "ZN")
    frame = positions(level, sod(held(5.0, 108.5, instrument_id="ZFU5")))
    assert frame.filter(pl.col("record_key") == "ZFU5")["file_key"].to_list() == [one]


def test_overnight_positions_of_a_date_without_a_ledger_are_left_out() -> None:
    other = held(5.0, 108.5, instrument_id="ZFU5", day=DAY - timedelta(days=1))
    assert positions(ledger(trade("buy", 1, 110)), sod(other))["record_key"].to_list() == ["ZNU5"]


def test_a_lot_without_a_price_hides_the_average_until_it_is_closed() -> None:
    opening = sod(held(2.0, None))
    still_open = only(positions(ledger(trade("buy", 1, 110), trade("sell", 1, 111)), opening))
    assert picked(still_open, "position_quantity", "average_price") == (2.0, None)
    assert lots(still_open) == [(1.0, None, "A1"), (1.0, 110.0, "t1")]
    gone = only(positions(ledger(trade("buy", 1, 110), trade("sell", 2, 111)), opening))
    assert picked(gone, "position_quantity", "average_price") == (1.0, 110.0)
    for row in (still_open, gone):
        assert picked(row, "realized_points", "realized_value") == (None, None)
        assert row["currency"] == "USD"


def test_an_open_lot_without_a_price_leaves_what_was_realized() -> None:
    row = only(positions(ledger(trade("buy", 1, 110)), sod(held(2.0, None))))
    assert picked(row, "average_price", "realized_points", "realized_value") == (None, 0.0, 0.0)


# Exercises.


def test_an_exercise_closes_lots_at_zero() -> None:
    fills = ledger(
        trade("buy", 3, 0.5), trade("sell", 2, 0, kind="exercise"), trade("sell", 1, 0.25)
    )
    row = only(positions(fills, sod()))
    # (0 - 0.5) * 2 = -1, (0.25 - 0.5) * 1 = -0.25.
    assert picked(row, "exercised_quantity", "position_quantity") == (-2.0, 0.0)
    assert picked(row, "bought_quantity", "sold_quantity", "fills") == (3.0, 1.0, 2)
    assert row["realized_points"] == -1.25


def test_an_assignment_closes_a_short_position() -> None:
    fills = ledger(trade("sell", 3, 0.5), trade("buy", 1, 0, kind="exercise", at=90))
    row = only(positions(fills, sod()))
    # (0 - 0.5) * -1 = 0.5.
    assert picked(row, "exercised_quantity", "position_quantity") == (1.0, -2.0)
    assert picked(row, "realized_points", "average_price") == (0.5, 0.5)
    assert row["last_fill_time"] == datetime(2025, 7, 17, 0, 1, tzinfo=UTC)


def test_an_exercise_alone_is_no_fill() -> None:
    row = only(positions(ledger(trade("sell", 2, 0, kind="exercise")), sod()))
    assert picked(row, "fills", "first_fill_time", "last_fill_time") == (0, None, None)
    assert lots(row) == [(-2.0, 0.0, "t1")]
    assert str(row["average_price"]) == "0.0"


# Instruments, dates, files.


def test_an_unknown_instrument_keeps_the_ledgers_name() -> None:
    fills = ledger(*(trade(side, 1, 2, instrument_id=None, name="XX?") for side in ("buy", "sell")))
    row = only(positions(fills, sod()))
    assert picked(row, "record_key", "instrument", "instrument_id") == ("XX?", "XX?", None)
    assert picked(row, "realized_points", "realized_value", "currency") == (0.0, None, None)


def test_a_start_of_day_position_that_cannot_be_translated_is_one_of_its_own() -> None:
    unknown = held(5.0, 1.0) | {"instrument_id": None}
    frame = positions(ledger(trade("buy", 1, 110)), sod(unknown))
    own, other = sorted(frame.to_dicts(), key=lambda row: row["instrument_id"] is not None)
    assert own["record_key"] == own["instrument"] == unknown["record_key"]
    assert picked(own, "instrument_id", "opening_source", "position_quantity") == (None, "sod", 5.0)
    assert other["opening_source"] is None
    assert positions_figures(frame)["untranslated"] == 1


def test_a_product_without_contract_facts_has_points_but_no_value() -> None:
    fills = ledger(
        trade("buy", 1, 2, instrument_id="WAT1"), trade("sell", 1, 5, instrument_id="WAT1")
    )
    row = only(positions(fills, sod()))
    assert picked(row, "realized_points", "realized_value", "currency") == (3.0, None, None)


@pytest.mark.parametrize(
    ("instrument_id", "value", "currency"),
    [("ZNU5", 20.0, "USD"), ("ZTU5", 40.0, "USD"), ("RXU5", 20.0, "EUR")],
)
def test_a_value_is_in_the_products_currency(
    instrument_id: str, value: float, currency: str
) -> None:
    fills = ledger(
        trade("buy", 2, 129, instrument_id=instrument_id),
        trade("sell", 2, 129.01, instrument_id=instrument_id),
    )
    row = only(positions(fills, sod()))
    # 0.01 * 2 = 0.02 points of 1,000 (ZT: 2,000).
    assert picked(row, "realized_points", "realized_value", "currency") == (0.02, value, currency)


def test_two_names_of_one_instrument_are_one_position() -> None:
    fills = ledger(trade("buy", 1, 110, name="ONE"), trade("sell", 3, 111, name="TWO"))
    row = only(positions(fills, sod(held(1.0, 109.0))))
    # (111 - 109) + (111 - 110) = 3.
    assert picked(row, "record_key", "instrument", "row") == ("ZNU5", "ONE", 3)
    assert picked(row, "opening_quantity", "position_quantity", "realized_points") == (1, -1, 3)


def test_each_trading_date_stands_for_itself() -> None:
    fills = ledger(trade("buy", 2, 110), trade("sell", 1, 111, day=DAY + timedelta(days=1)))
    frame = positions(fills, sod(held(2.0, 110.0, day=DAY + timedelta(days=1))))
    assert frame["trading_date"].to_list() == [DAY, DAY + timedelta(days=1)]
    assert frame["position_quantity"].to_list() == [2.0, 1.0]
    assert frame["opening_source"].to_list() == [None, "sod"]
    assert frame["row"].to_list() == [2, 3]
    assert frame["event_time"].to_list() == [
        datetime(2025, 7, 16, 22, tzinfo=UTC),
        datetime(2025, 7, 17, 22, tzinfo=UTC),
    ]


def test_each_ledger_stands_for_itself() -> None:
    other = FOLDER + "trades_20250718.csv"
    fills = ledger(trade("sell", 1, 111, file_key=other), trade("buy", 2, 110))
    frame = positions(fills, sod(held(2.0, 109.0)))
    assert frame["file_key"].to_list() == [FILE, other]
    assert frame["position_quantity"].to_list() == [4.0, 1.0]
    assert frame["realized_points"].to_list() == [0.0, 2.0]


@pytest.mark.parametrize(
    ("day", "opens"),
    [
        (date(2025, 1, 15), datetime(2025, 1, 14, 23)),
        (date(2025, 7, 14), datetime(2025, 7, 11, 22)),  # Monday: Friday evening
        (date(2025, 3, 10), datetime(2025, 3, 7, 23)),  # before clocks went forward
        (date(2025, 11, 3), datetime(2025, 10, 31, 22)),
        (date(2025, 7, 7), datetime(2025, 7, 3, 22)),  # behind the Fourth of July
    ],
)
def test_the_event_time_is_the_start_of_the_trading_day(day: date, opens: datetime) -> None:
    row = only(positions(ledger(trade("buy", 1, 110, day=day)), sod()))
    assert row["event_time"] == opens.replace(tzinfo=UTC)


def test_without_fills_there_are_no_positions() -> None:
    frame = positions(ledger(), sod(held(2.0, 109.0)))
    assert (frame.height, dict(frame.schema)) == (0, dict(OUTPUT_SCHEMA))


def test_figures() -> None:
    fills = ledger(
        trade("buy", 1, 2),
        trade("sell", 1, 2),
        trade("buy", 1, 2, instrument_id=None, name="XX?"),
        trade("sell", 1, 0, instrument_id="RXU5", kind="exercise"),
    )
    figures = {"positions": 3, "open": 2, "untranslated": 1, "fills": 3}
    assert positions_figures(positions(fills, sod())) == figures
    nothing = positions_figures(positions(ledger(), sod()))
    assert nothing == dict.fromkeys(figures, 0)
