"""The traps of the futures settlement file, one test each."""

from datetime import UTC, date, datetime
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trade_assets.datasets.records import ParsedFile
from trade_assets.errors import UnparsableFileError
from trade_assets.feeds.formats.futures_settlement import FUTURES_SETTLEMENT

NAME = "Futures_20250717_1600.csv"
HEADER = "SYMBOL,PX_LAST,PX_SETTLE,"


def parse(*lines: str, header: str = HEADER, name: str = NAME) -> ParsedFile:
    return FUTURES_SETTLEMENT.parse("\n".join([header, *lines, ""]).encode(), name)


def prices(*lines: str) -> list[tuple[float | None, float | None]]:
    parsed = parse(*lines)
    assert parsed.rejected == ()
    return parsed.frame.select("last_price", "settlement_price").rows()


def test_a_product() -> None:
    (row,) = parse("TY,110.165,110.16,").frame.to_dicts()
    assert row == {
        "record_key": "TY",
        "event_time": datetime(2025, 7, 17, 21, 0, tzinfo=UTC),
        "row": 2,
        "trading_date": date(2025, 7, 17),
        "instrument_id": "ZN",
        "product": "ZN",
        "expiry": None,
        "strike_price": None,
        "put_call": None,
        "underlying_id": "ZN",
        "last_price": 110.515625,
        "settlement_price": 110.5,
        "extra": None,
    }


@pytest.mark.parametrize(
    ("symbol", "text", "price"),
    [
        ("TU", "103.19125", 103 + 19.125 / 32),
        ("FV", "108.01", 108 + 1 / 32),
        ("TY", "110.165", 110 + 16.5 / 32),
        ("US", "112.04", 112 + 4 / 32),
        ("US", "112.3", 112 + 30 / 32),
        ("US", "112", 112.0),
        ("UXY", "113.16", 113.5),
        ("WN", "113.16", 113.5),
        ("RX", "129.2656", 129.2656),
        ("RX", "129.5", 129.5),
        ("RX", "129.99", 129.99),
    ],
)
def test_treasuries_are_in_dotted_32nds_and_the_bund_is_decimal(
    symbol: str, text: str, price: float
) -> None:
    assert prices(f"{symbol},{text},{text},") == [(price, price)]


@settings(max_examples=50)
@given(st.integers(0, 200), st.integers(0, 255))
def test_every_tick_of_a_treasury(points: int, steps: int) -> None:
    whole, eighths = divmod(steps, 8)
    text = f"{points}.{whole:02}{f'{eighths / 8:.3f}'.removeprefix('0.')}"
    exact = points + Fraction(steps, 256)
    (found,) = prices(f"TU,{text},{text},")
    assert [price and Fraction(price) for price in found] == [exact, exact]


def test_thirty_two_32nds_are_no_price() -> None:
    parsed = parse("TY,110.32,110.16,", "RX,110.32,110.16,")
    assert parsed.frame["record_key"].to_list() == ["RX"]
    assert parsed.rejected[0].reason.startswith("PX_LAST '110.32' ")


@pytest.mark.parametrize("text", ["1e2", "110-16", "110'165", "INVALID", "#N/Ax", "nan", " 110.16"])
def test_other_texts_are_rejected_where_the_column_is_named(text: str) -> None:
    parsed = parse(f"TY,110.16,{text},")
    assert parsed.frame.is_empty()
    assert parsed.rejected[0].reason.startswith(f"PX_SETTLE {text!r} ")


@pytest.mark.parametrize("word", ["", "#N/A", "#N/A Field Not Applicable", "#N/A N/A"])
@pytest.mark.parametrize("symbol", ["TY", "RX"])
def test_words_for_a_missing_price(symbol: str, word: str) -> None:
    assert prices(f"{symbol},{word},110.16,")[0][0] is None


def test_a_row_without_any_price_is_stored() -> None:
    assert prices("TY,,#N/A N/A,") == [(None, None)]


@pytest.mark.parametrize("symbol", ["XX", "ty", "ZN", "TY ", "XXU5 Comdty"])
def test_a_symbol_that_cannot_be_translated_is_kept_and_its_price_never_guessed(
    symbol: str,
) -> None:
    parsed = parse(f"{symbol},110.165,110.16,", "TY,110.165,110.165,")
    assert parsed.rejected == ()
    names = "record_key", "instrument_id", "product", "last_price", "settlement_price", "extra"
    assert parsed.frame.select(names).rows() == [
        (symbol, *(None,) * 4, '{"PX_LAST":"110.165","PX_SETTLE":"110.16"}'),
        ("TY", "ZN", "ZN", 110.515625, 110.515625, None),
    ]


def test_what_is_unknown_of_an_untranslatable_symbol_stays_beside_its_prices() -> None:
    parsed = parse("XX,,110.16,7", header="SYMBOL,PX_LAST,PX_SETTLE,VOLUME")
    assert parsed.frame["extra"].to_list() == ['{"VOLUME":"7","PX_SETTLE":"110.16"}']


def test_a_row_without_a_symbol_is_rejected() -> None:
    parsed = parse(",110.16,110.16,")
    assert [item.reason for item in parsed.rejected] == ["has no record key"]


def test_a_contract_has_the_notation_of_its_product() -> None:
    parsed = parse("TYU5 Comdty,110.165,110.16,")
    assert parsed.frame.select("instrument_id", "last_price").rows() == [("ZNU25", 110.515625)]


def test_the_empty_column_is_no_column() -> None:
    parsed = parse("TY,110.16,110.16,")
    assert parsed.unknown_columns == ()
    assert parsed.frame["extra"].to_list() == [None]


def test_without_the_empty_column_and_with_others() -> None:
    parsed = parse("1,TY,110.16,110.165", header="VOLUME,SYMBOL,PX_SETTLE,PX_LAST")
    (row,) = parsed.frame.to_dicts()
    assert (row["settlement_price"], row["last_price"]) == (110.5, 110.515625)
    assert (row["extra"], parsed.unknown_columns) == ('{"VOLUME":"1"}', ("VOLUME",))


def test_of_the_same_symbol_twice_the_last_wins() -> None:
    parsed = parse("TY,110,110,", "TY,111,111,")
    assert parsed.frame["last_price"].to_list() == [111.0]
    assert [(item.row, item.duplicate) for item in parsed.rejected] == [(2, True)]


@pytest.mark.parametrize("column", ["SYMBOL", "PX_LAST", "PX_SETTLE"])
def test_required_columns(column: str) -> None:
    with pytest.raises(UnparsableFileError, match=f"no column '{column}'"):
        parse(header=HEADER.replace(column, "OTHER"))


def test_another_header_is_told_with_the_nearest_columns() -> None:
    with pytest.raises(UnparsableFileError) as caught:
        parse(header="SYMBOL,Last Price,Settlement Price")
    assert caught.value.reason == (
        "the header has no column 'PX_LAST' (nearest: 'Last Price')"
        " and no 'PX_SETTLE' (nearest: 'Settlement Price')"
    )


def test_a_name_without_a_time() -> None:
    with pytest.raises(UnparsableFileError, match="no time that exists"):
        parse(name="Futures_20250717_2560.csv")


def test_header_alone() -> None:
    parsed = parse()
    assert parsed.rows_in == 0
    assert dict(parsed.frame.schema) == FUTURES_SETTLEMENT.frame_schema
