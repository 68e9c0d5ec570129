"""The traps of the spot-risk format, one test each."""

from datetime import UTC, date, datetime

import pytest

from trade_assets.datasets.records import ParsedFile
from trade_assets.errors import UnparsableFileError
from trade_assets.feeds.formats.spot_risk import SPOT_RISK

NAME = "bav_analysis_20250717_143331.csv"
NARROW = "Key,BID,ASK,STRIKE,ITYPE,ADJTHEOR,IVBID,IVASK,IVAVERAGE"
WIDE = (
    NARROW + ",POS.POSITION,POS.STARTOFDAYPOS,POS.PREMIUM,POS.PRICE,POS.MARKETVALUE,"
    "UTOTAL.PREMIUM,UTOTAL.YESTERDAYPL"
)
SHORT = "Key,BID,ASK,STRIKE,ITYPE"
TYPES = "Type,VAR_PRICE,VAR_PRICE,VAR_PRICE,VAR_STRING"


def parse(*lines: str, name: str = NAME) -> ParsedFile:
    return SPOT_RISK.parse("\n".join([*lines, ""]).encode(), name)


def reasons(parsed: ParsedFile) -> dict[int, str]:
    return {item.row: item.reason for item in parsed.rejected}


def test_wide_rows_have_positions() -> None:
    (row,) = parse(
        WIDE,
        "XCME.VY3.21JUL25.110.P,.0156250,.0312500,110,P,,,,,100,90,4687.5000000,.0234375,"
        "2343.7500000,110649437.5000000,-6065.6250000",
    ).frame.to_dicts()
    assert row == {
        "record_key": "XCME.VY3.21JUL25.110.P",
        "event_time": datetime(2025, 7, 17, 19, 33, 31, tzinfo=UTC),
        "row": 2,
        "trading_date": date(2025, 7, 17),
        "instrument_id": "VY3N25-P110",
        "product": "ZN",
        "expiry": date(2025, 7, 21),
        "strike_price": 110.0,
        "put_call": "P",
        "underlying_id": "ZNU25",
        "instrument_type": "P",
        "bid_price": 0.015625,
        "ask_price": 0.03125,
        "theoretical_price": None,
        "bid_volatility": None,
        "ask_volatility": None,
        "average_volatility": None,
        "position_quantity": 100,
        "start_of_day_quantity": 90,
        "position_premium_usd": 4687.5,
        "position_price": 0.0234375,
        "position_market_value_usd": 2343.75,
        "underlying_premium_usd": 110649437.5,
        "underlying_yesterday_pnl_usd": -6065.625,
        "extra": None,
    }


def test_narrow_files_lack_positions_but_not_their_columns() -> None:
    parsed = parse(NARROW, "K,1,2,3,C,.5,5.1,5.3,5.2")
    assert dict(parsed.frame.schema) == SPOT_RISK.frame_schema
    assert parsed.frame["theoretical_price"].to_list() == [0.5]
    assert parsed.frame["average_volatility"].to_list() == [5.2]
    assert parsed.frame["position_quantity"].to_list() == [None]
    assert parsed.frame["underlying_premium_usd"].to_list() == [None]


def test_columns_may_stand_in_any_order() -> None:
    parsed = parse("ITYPE,STRIKE,ASK,BID,Key", "C,3,2,1,K")
    assert parsed.frame.select("record_key", "bid_price", "ask_price", "strike_price").rows() == [
        ("K", 1.0, 2.0, 3.0)
    ]


def test_type_row_is_not_a_row() -> None:
    parsed = parse(SHORT, TYPES, "K,1,2,3,F")
    assert (parsed.rows_in, parsed.frame["row"].to_list()) == (1, [3])


def test_type_row_may_be_missing() -> None:
    assert parse(SHORT, "K,1,2,3,F").frame["row"].to_list() == [2]


def test_type_row_elsewhere_is_rejected_as_any_bad_row() -> None:
    assert list(reasons(parse(SHORT, "K,1,2,3,F", TYPES))) == [3]


def test_invalid_and_empty_are_null() -> None:
    parsed = parse(SHORT, "K,INVALID,,INVALID,C")
    assert parsed.frame.select("bid_price", "ask_price", "strike_price").rows() == [
        (None, None, None)
    ]
    assert parsed.rejected == ()


def test_numbers_may_begin_with_the_point() -> None:
    assert parse(SHORT, "K,.0156250,-.5,3,C").frame["bid_price"].to_list() == [0.015625]


@pytest.mark.parametrize("text", [".0069999", "0.0069999", ".00699990"])
def test_cabinet_price_is_seven_thousandths(text: str) -> None:
    parsed = parse(WIDE, f"K,{text},{text},{text},C,{text},,,,1,1,1,{text},1,1,1")
    (row,) = parsed.frame.to_dicts()
    assert (row["bid_price"], row["ask_price"], row["position_price"]) == (0.007, 0.007, 0.007)
    assert (row["strike_price"], row["theoretical_price"]) == (0.0069999, 0.0069999)


def test_absurd_volatilities_stay() -> None:
    assert parse(NARROW, "K,1,2,3,C,,1628.67,,").frame["bid_volatility"].to_list() == [1628.67]


def test_bare_underlying_has_no_prices() -> None:
    parsed = parse(SHORT, "XCME.ZN,INVALID,INVALID,INVALID,N")
    assert parsed.frame["instrument_type"].to_list() == ["N"]
    assert parsed.rejected == ()


def test_unknown_instrument_type_is_rejected() -> None:
    parsed = parse(SHORT, "K,1,2,3,X", "L,1,2,3,")
    assert reasons(parsed) == {
        2: "ITYPE 'X' is not one of F, C, P, N",
        3: "ITYPE '' is not one of F, C, P, N",
    }


def test_quantities_are_whole() -> None:
    parsed = parse(f"{SHORT},POS.POSITION", "K,1,2,3,F,1.5", "L,1,2,3,F,-100.0", "M,1,2,3,F,1e20")
    assert parsed.frame["position_quantity"].to_list() == [-100]
    assert reasons(parsed)[2] == "POS.POSITION 1.5 is not a whole number"
    assert sorted(reasons(parsed)) == [2, 4]


@pytest.mark.parametrize("text", ["abc", "1,5", "nan", "inf", "-", ".", "1_0", " 1", "1e999", "٣"])
def test_what_is_no_number_is_rejected_with_its_text(text: str) -> None:
    parsed = parse(SHORT, f"K,1,{text.replace(',', ';')},3,C", "L,1,2,3,C")
    assert parsed.frame["record_key"].to_list() == ["L"]
    assert reasons(parsed)[2].startswith(f"ASK {text.replace(',', ';')!r} ")


def test_unknown_columns_are_kept_as_json() -> None:
    parsed = parse(f"{SHORT},DELTA,NOTE", 'K,1,2,3,C,.5,"x', "L,1,2,3,C,,", "M,1,2,3,C,,y")
    assert parsed.frame["extra"].to_list() == [
        '{"DELTA":".5","NOTE":"\\"x"}',
        None,
        '{"NOTE":"y"}',
    ]


def test_chunks_are_files_of_the_feed_and_of_one_time() -> None:
    name = "bav_analysis_20250717_143331_chunk_03_of_16.csv"
    assert SPOT_RISK.file_pattern.fullmatch(name)
    assert parse(SHORT, "K,1,2,3,F", name=name).frame["event_time"].to_list() == [
        datetime(2025, 7, 17, 19, 33, 31, tzinfo=UTC)
    ]


@pytest.mark.parametrize(
    ("stamp", "utc"),
    [
        ("20250115_090000", datetime(2025, 1, 15, 15, tzinfo=UTC)),
        ("20250715_090000", datetime(2025, 7, 15, 14, tzinfo=UTC)),
        ("20250309_015959", datetime(2025, 3, 9, 7, 59, 59, tzinfo=UTC)),
        ("20250309_030000", datetime(2025, 3, 9, 8, tzinfo=UTC)),
        ("20251102_013000", datetime(2025, 11, 2, 6, 30, tzinfo=UTC)),
        ("20251102_020000", datetime(2025, 11, 2, 8, tzinfo=UTC)),
    ],
)
def test_event_time_is_the_name_in_central_time(stamp: str, utc: datetime) -> None:
    parsed = parse(SHORT, "K,1,2,3,F", name=f"bav_analysis_{stamp}.csv")
    assert parsed.frame["event_time"].to_list() == [utc]


@pytest.mark.parametrize(
    "name",
    [
        "bav_analysis_20250309_023000.csv",  # the hour that clocks jump over
        "bav_analysis_20250230_120000.csv",
        "bav_analysis_20250717_250000.csv",
        "bav_analysis_20250717_120060.csv",
        "bav_analysis_00010101_000000.csv",
        "other.csv",
    ],
)
def test_name_without_a_time_that_exists_is_unparsable(name: str) -> None:
    with pytest.raises(UnparsableFileError, match="holds no time"):
        parse(SHORT, "K,1,2,3,F", name=name)


@pytest.mark.parametrize("column", ["Key", "BID", "ASK", "STRIKE", "ITYPE"])
def test_required_columns(column: str) -> None:
    header = ",".join(name if name != column else "OTHER" for name in SHORT.split(","))
    with pytest.raises(UnparsableFileError, match=f"no column '{column}'") as caught:
        parse(header, "K,1,2,3,F")
    assert caught.value.rows == (1,)


def test_header_alone_is_a_file_without_rows() -> None:
    parsed = parse(WIDE)
    assert (parsed.rows_in, parsed.rejected) == (0, ())
    assert dict(parsed.frame.schema) == SPOT_RISK.frame_schema


def test_same_instrument_twice_the_last_wins() -> None:
    parsed = parse(SHORT, "K,1,2,3,C", "L,1,2,3,C", "K,5,6,3,C", "K,bad,6,3,C")
    assert parsed.frame.select("record_key", "bid_price", "row").rows() == [
        ("L", 1.0, 3),
        ("K", 5.0, 4),
    ]
    assert reasons(parsed) == {
        2: "duplicate of row 4, which wins",
        5: "BID 'bad' is not a number",
    }
