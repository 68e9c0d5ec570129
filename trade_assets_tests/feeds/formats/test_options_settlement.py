"""The traps of the options settlement file, one test each."""

from datetime import UTC, date, datetime

import pytest

from trade_assets.datasets.records import ParsedFile
from trade_assets.errors import UnparsableFileError
from trade_assets.feeds.formats.options_settlement import OPTIONS_SETTLEMENT

NAME = "Options_20250717_1600.csv"
HEADER = "SYMBOL,PX_LAST,PX_SETTLE,EXPIRE_DT,MONEYNESS,,"
SYMBOL = "VBYN25P3 110.250 Comdty"


def parse(*lines: str, header: str = HEADER, name: str = NAME) -> ParsedFile:
    return OPTIONS_SETTLEMENT.parse("\n".join([header, *lines, ""]).encode(), name)


def reason(line: str) -> str:
    parsed = parse(line)
    assert parsed.frame.is_empty()
    return parsed.rejected[0].reason


def test_an_option() -> None:
    (row,) = parse(f"{SYMBOL},0.0625,0.078125,7/21/2025,OTM,,").frame.to_dicts()
    assert row.pop("instrument_id")
    assert row.pop("underlying_id")
    assert row == {
        "record_key": SYMBOL,
        "event_time": datetime(2025, 7, 17, 21, 0, tzinfo=UTC),
        "row": 2,
        "trading_date": date(2025, 7, 17),
        "product": "ZN",
        "expiry": date(2025, 7, 21),
        "strike_price": 110.25,
        "put_call": "P",
        "last_price": 0.0625,
        "settlement_price": 0.078125,
        "moneyness": "OTM",
        "extra": None,
    }


@pytest.mark.parametrize(
    ("symbol", "expiry", "strike", "right"),
    [
        ("VBYN25C2 112.250 Comdty", "7/14/2025", 112.25, "C"),
        ("TJWN25C3 111.000 Comdty", "7/17/2025", 111.0, "C"),
        ("3MN5P 110.500 Comdty", "7/18/2025", 110.5, "P"),
        ("TYWN25P4 109.500 Comdty", "7/23/2025", 109.5, "P"),
        ("TYQ5C 112.250 Comdty", "7/25/2025", 112.25, "C"),
    ],
)
def test_every_series_of_the_file_is_translated(
    symbol: str, expiry: str, strike: float, right: str
) -> None:
    (row,) = parse(f"{symbol},1,1,{expiry},OTM,,").frame.to_dicts()
    assert row["instrument_id"] is not None
    assert (row["strike_price"], row["put_call"]) == (strike, right)


def test_prices_are_decimal() -> None:
    parsed = parse(f"{SYMBOL},1.265625,0.0,7/21/2025,ITM,,")
    assert parsed.frame.select("last_price", "settlement_price").rows() == [(1.265625, 0.0)]


@pytest.mark.parametrize("text", ["0.007", ".0069999"])
def test_the_cabinet_price(text: str) -> None:
    parsed = parse(f"{SYMBOL},{text},{text},7/21/2025,OTM,,")
    assert parsed.frame.select("last_price", "settlement_price").rows() == [(0.007, 0.007)]


@pytest.mark.parametrize("word", ["", "#N/A", "#N/A Field Not Applicable", "#N/A N/A"])
def test_words_for_a_missing_price(word: str) -> None:
    parsed = parse(f"{SYMBOL},{word},0.015625,7/21/2025,OTM,,")
    assert parsed.frame.select("last_price", "settlement_price").rows() == [(None, 0.015625)]


def test_a_row_without_any_price_is_stored() -> None:
    parsed = parse(f"{SYMBOL},#N/A Field Not Applicable,#N/A Field Not Applicable,7/21/2025,OTM,,")
    assert parsed.frame.select("last_price", "settlement_price").rows() == [(None, None)]


@pytest.mark.parametrize("text", ["x", "#N/Ax", "0'05", "nan", "INVALID"])
def test_a_bad_price_is_rejected(text: str) -> None:
    assert reason(f"{SYMBOL},1,{text},7/21/2025,OTM,,").startswith(f"PX_SETTLE {text!r} ")


def test_the_strike_at_the_money_is_listed_twice_and_the_last_wins() -> None:
    parsed = parse(f"{SYMBOL},1,1,7/21/2025,OTM,,", "A,2,2,,,", f"{SYMBOL},3,3,7/21/2025,ITM,,")
    assert parsed.frame.select("row", "last_price", "moneyness").rows() == [
        (3, 2.0, None),
        (4, 3.0, "ITM"),
    ]
    (item,) = parsed.rejected
    assert (item.row, item.duplicate) == (2, True)
    assert parsed.rows_in == 3


@pytest.mark.parametrize("text", ["7/21/2025", "07/21/2025"])
def test_dates_with_and_without_zeros(text: str) -> None:
    parsed = parse(f"{SYMBOL},1,1,{text},OTM,,")
    assert parsed.frame["expiry"].to_list() == [date(2025, 7, 21)]


@pytest.mark.parametrize(
    "text", ["2025-07-21", "21/7/2025", "7/21/25", "2/30/2025", "7/21/2025 ", "x", "7/021/2025"]
)
def test_other_dates_are_rejected(text: str) -> None:
    assert reason(f"{SYMBOL},1,1,{text},OTM,,") == f"EXPIRE_DT {text!r} is not a date"


def test_a_symbol_that_ends_on_another_day_than_its_row_says_is_not_translated() -> None:
    (row,) = parse(f"{SYMBOL},1,1,7/22/2025,OTM,,").frame.to_dicts()
    assert (row["record_key"], row["settlement_price"]) == (SYMBOL, 1.0)
    assert (row["instrument_id"], row["underlying_id"]) == (None, None)
    assert (row["expiry"], row["product"]) == (date(2025, 7, 22), "ZN")


def test_a_symbol_that_cannot_be_translated_keeps_the_expiry_of_its_row() -> None:
    (row,) = parse("ABCN25C3 110.750 Comdty,1,1,7/22/2025,ATM,,").frame.to_dicts()
    assert row["record_key"] == "ABCN25C3 110.750 Comdty"
    assert (row["expiry"], row["moneyness"]) == (date(2025, 7, 22), "ATM")
    unknown = ("instrument_id", "product", "strike_price", "put_call", "underlying_id")
    assert {row[name] for name in unknown} == {None}


def test_without_the_optional_columns_the_symbol_says_the_expiry() -> None:
    (row,) = parse(f"{SYMBOL},1,2", header="SYMBOL,PX_LAST,PX_SETTLE").frame.to_dicts()
    assert (row["expiry"], row["moneyness"]) == (date(2025, 7, 21), None)


def test_an_empty_expiry_is_the_symbol_s() -> None:
    assert parse(f"{SYMBOL},1,1,,OTM,,").frame["expiry"].to_list() == [date(2025, 7, 21)]


@pytest.mark.parametrize(("year", "day"), [("2025", date(2025, 7, 25)), ("2034", None)])
def test_the_file_s_day_says_which_decade_a_one_digit_year_is_of(
    year: str, day: date | None
) -> None:
    parsed = parse("TYQ5C 112.250 Comdty,1,1,,OTM,,", name=f"Options_{year}0717_1600.csv")
    expiry = parsed.frame["expiry"][0]
    assert expiry == day if day else expiry.year == 2035


@pytest.mark.parametrize("symbol", ["TYU5 Comdty", "TY"])
def test_a_future_is_rejected_because_its_price_would_be_in_32nds(symbol: str) -> None:
    assert reason(f"{symbol},110.165,110.165,,,,") == f"SYMBOL {symbol!r} is not an option"


def test_the_empty_columns_are_no_columns_and_others_are_kept() -> None:
    parsed = parse(f"{SYMBOL},1,1,7/21/2025,OTM,7,", header=HEADER.replace("S,,", "S,VOLUME,"))
    assert parsed.frame["extra"].to_list() == ['{"VOLUME":"7"}']
    assert parsed.unknown_columns == ("VOLUME",)


@pytest.mark.parametrize("column", ["SYMBOL", "PX_LAST", "PX_SETTLE"])
def test_required_columns(column: str) -> None:
    with pytest.raises(UnparsableFileError, match=f"no column '{column}'"):
        parse(header=HEADER.replace(column, "OTHER"))


def test_header_alone() -> None:
    parsed = parse()
    assert parsed.rows_in == 0
    assert dict(parsed.frame.schema) == OPTIONS_SETTLEMENT.frame_schema
