"""The traps of the trade ledger, one test each."""

from datetime import UTC, date, datetime

import pytest

from trade_assets.datasets.records import ParsedFile
from trade_assets.errors import UnparsableFileError
from trade_assets.feeds.formats.trade_ledger import FILLS

NAME = "trades_20250717.csv"
HEADER = "tradeId,instrumentName,marketTradeTime,buySell,quantity,price"
FUTURE = "XCMEFFDPSX20250919U0ZN"


def parse(*lines: str) -> ParsedFile:
    return FILLS.parse("\n".join([HEADER, *lines, ""]).encode(), NAME)


def at(time: str, price: str = "110.5", trade_id: str = "1") -> str:
    return f"{trade_id},{FUTURE},{time},B,1.0,{price}"


def reason(line: str) -> str:
    parsed = parse(line)
    assert parsed.frame.height == 0
    return parsed.rejected[0].reason


def test_a_fill() -> None:
    (row,) = parse(f"1381,{FUTURE},2025-08-24 20:02:58.000,B,1.0,112.078125").frame.to_dicts()
    assert row == {
        "record_key": "1381",
        "event_time": datetime(2025, 8, 25, 1, 2, 58, tzinfo=UTC),
        "row": 2,
        "instrument": FUTURE,
        "side": "buy",
        "quantity": 1.0,
        "price": 112.078125,
        "kind": "fill",
        "trading_date": date(2025, 8, 25),
        "instrument_id": "ZNU25",
        "product": "ZN",
        "expiry": date(2025, 9, 19),
        "strike_price": None,
        "put_call": None,
        "underlying_id": "ZNU25",
        "extra": None,
    }


@pytest.mark.parametrize(
    ("fraction", "microsecond"), [("", 0), (".123", 123_000), (".123456", 123_456)]
)
def test_times_have_no_fraction_or_three_or_six_digits(fraction: str, microsecond: int) -> None:
    parsed = parse(at(f"2025-07-16 13:43:47{fraction}"))
    assert parsed.frame["event_time"].to_list() == [
        datetime(2025, 7, 16, 18, 43, 47, microsecond, tzinfo=UTC)
    ]


@pytest.mark.parametrize(
    "text",
    [
        "2025-07-16 13:43:47.1",
        "2025-07-16 13:43:47.123456789",
        "2025-07-16T13:43:47",
        "2025-07-16",
        "2025-02-30 13:43:47",
        "2025-07-16 24:00:00",
        "2025-07-16 13:43:60",
        "0025-07-16 13:43:47",
        "",
    ],
)
def test_other_times_are_rejected(text: str) -> None:
    assert reason(at(text)) == f"marketTradeTime {text!r} is not a time"


def test_time_that_clocks_jump_over_is_rejected() -> None:
    assert "does not exist in US Central" in reason(at("2025-03-09 02:30:00"))


def test_repeated_hour_is_the_first_of_the_two() -> None:
    parsed = parse(at("2025-11-02 01:30:00"))
    assert parsed.frame["event_time"].to_list() == [datetime(2025, 11, 2, 6, 30, tzinfo=UTC)]


def test_midnight_sharp_is_a_start_of_day_position() -> None:
    parsed = parse(
        at("2025-07-19 00:00:00.000", trade_id="1"),
        at("2025-07-19 00:00:00", trade_id="2"),
        at("2025-07-19 00:00:00.001", trade_id="3"),
    )
    assert parsed.frame["kind"].to_list() == ["start_of_day", "start_of_day", "fill"]


def test_price_zero_is_an_exercise() -> None:
    assert parse(at("2025-07-19 10:00:00", "0.0")).frame["kind"].to_list() == ["exercise"]


def test_midnight_decides_over_price_zero() -> None:
    assert parse(at("2025-07-19 00:00:00", "0")).frame["kind"].to_list() == ["start_of_day"]


@pytest.mark.parametrize(
    ("time", "day"),
    [("16:59:59.999", 17), ("17:00:00", 18), ("23:59:59", 18), ("00:00:01", 17)],
)
def test_the_ledger_day_rolls_at_seventeen_central(time: str, day: int) -> None:
    parsed = parse(at(f"2025-07-17 {time}"))
    assert parsed.frame["trading_date"].to_list() == [date(2025, 7, day)]


def test_a_weekends_rows_belong_to_monday() -> None:
    """As in the desk's ledger of Monday 2025-07-21, which holds rows of the Saturday before."""
    parsed = parse(
        at("2025-07-19 00:00:00.000", trade_id="1"),
        at("2025-07-19 03:00:00.000", trade_id="2"),
        at("2025-07-20 18:30:00", trade_id="3"),
    )
    assert parsed.frame["trading_date"].to_list() == [date(2025, 7, 21)] * 3


def test_sides() -> None:
    parsed = parse(
        f"1,{FUTURE},2025-07-16 13:43:47,S,1.0,1", f"2,{FUTURE},2025-07-16 13:43:47,b,1.0,1"
    )
    assert parsed.frame["side"].to_list() == ["sell"]
    assert parsed.rejected[0].reason == "buySell 'b' is neither B nor S"


def test_stray_trailing_comma_does_no_harm() -> None:
    parsed = parse(at("2025-07-16 13:43:47") + ",", at("2025-07-16 13:43:47", trade_id="2") + ",,")
    assert (parsed.frame.height, parsed.rejected) == (2, ())


@pytest.mark.parametrize("price", ["", "#N/A", "110.5.1", "INVALID", "nan"])
def test_bad_price_is_rejected(price: str) -> None:
    assert reason(at("2025-07-16 13:43:47", price)).startswith(f"price {price!r} is ")


@pytest.mark.parametrize("quantity", ["", "x", "0", "-1.0"])
def test_bad_quantity_is_rejected(quantity: str) -> None:
    line = f"1,{FUTURE},2025-07-16 13:43:47,B,{quantity},110.5"
    assert reason(line).startswith(f"quantity {quantity!r} is ")


def test_negative_prices_of_spreads_stay() -> None:
    assert parse(at("2025-07-16 13:43:47", "-0.25")).frame["price"].to_list() == [-0.25]


def test_missing_instrument_is_rejected() -> None:
    assert reason("1,,2025-07-16 13:43:47,B,1.0,1") == "instrumentName '' is missing"
    assert reason("1, ,2025-07-16 13:43:47,B,1.0,1") == "instrumentName ' ' is missing"
    assert reason(f" ,{FUTURE},2025-07-16 13:43:47,B,1.0,1") == "has no record key"


def test_trade_ids_are_texts() -> None:
    parsed = parse(at("2025-07-16 13:43:47", trade_id="007"), at("2025-07-16 13:43:47"))
    assert parsed.frame["record_key"].to_list() == ["007", "1"]


def test_same_trade_at_another_time_is_another_record() -> None:
    parsed = parse(at("2025-07-16 13:43:47"), at("2025-07-16 13:43:48"), at("2025-07-16 13:43:47"))
    assert parsed.frame["row"].to_list() == [3, 4]
    assert [(item.row, item.reason) for item in parsed.rejected] == [
        (2, "duplicate of row 4, which wins")
    ]


def test_required_columns() -> None:
    with pytest.raises(UnparsableFileError, match="no column 'price'"):
        FILLS.parse(HEADER.replace("price", "cost").encode(), NAME)


def test_header_alone_is_a_ledger_without_trades() -> None:
    parsed = FILLS.parse(HEADER.encode(), NAME)
    assert parsed.rows_in == 0
    assert dict(parsed.frame.schema) == FILLS.frame_schema
