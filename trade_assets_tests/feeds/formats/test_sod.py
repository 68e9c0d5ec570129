"""The traps of the start-of-day file, one test each."""

from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trade_assets.datasets.records import ParsedFile
from trade_assets.errors import UnparsableFileError
from trade_assets.feeds.formats.sod import SOD

NAME = "actant.csv"
ROW = {
    "ACCOUNT": "ACCT1",
    "UNDERLYING": "ZN",
    "ASSET": "ZN",
    "RUN_DATE": "05/20/2025",
    "PRODUCT_CODE": "FUTURE",
    "LONG_SHORT": "L",
    "PUT_CALL": "",
    "STRIKE_PRICE": "",
    "QUANTITY": "500.0",
    "EXPIRE_DATE": "06/18/2025",
    "LOT_SIZE": "1000.0",
    "PRICE_TODAY": "110.125",
    "IS_AMERICAN": "",
}
OPTION = {
    "ASSET": "VY5",
    "RUN_DATE": "2025-05-23",
    "PRODUCT_CODE": "FUTR-OP",
    "PUT_CALL": "P",
    "STRIKE_PRICE": "109.5",
    "EXPIRE_DATE": "2025-05-27",
}
OPTIONAL = ("PUT_CALL", "STRIKE_PRICE", "EXPIRE_DATE", "LOT_SIZE", "IS_AMERICAN")


def line(**changes: str) -> str:
    return ",".join({**ROW, **changes}.values())


def parse(*lines: str, header: str = ",".join(ROW)) -> ParsedFile:
    return SOD.parse("\n".join([header, *lines, ""]).encode(), NAME)


def one(**changes: str) -> dict[str, object]:
    parsed = parse(line(**changes))
    assert parsed.rejected == ()
    return parsed.frame.to_dicts()[0]


def reason(**changes: str) -> str:
    parsed = parse(line(**changes))
    assert parsed.frame.is_empty()
    return parsed.rejected[0].reason


def test_a_future() -> None:
    row = one()
    assert row.pop("instrument_id")
    row.pop("underlying_id")
    assert row == {
        "record_key": "ACCT1:ZN:2025-06-18#500@110.125",
        "event_time": datetime(2025, 5, 19, 22, 0, tzinfo=UTC),
        "row": 2,
        "trading_date": date(2025, 5, 20),
        "product": "ZN",
        "expiry": date(2025, 6, 18),
        "strike_price": None,
        "put_call": None,
        "account": "ACCT1",
        "asset": "ZN",
        "product_code": "FUTURE",
        "quantity": 500.0,
        "price": 110.125,
        "lot_size": 1000.0,
        "is_american": None,
        "extra": None,
    }


def test_an_option() -> None:
    row = one(**OPTION, LONG_SHORT="S", QUANTITY="100", IS_AMERICAN="Y")
    assert row["record_key"] == "ACCT1:VY5:2025-05-27:109.5:P#-100@110.125"
    assert row["event_time"] == datetime(2025, 5, 22, 22, 0, tzinfo=UTC)
    assert (row["expiry"], row["strike_price"], row["put_call"]) == (
        date(2025, 5, 27),
        109.5,
        "P",
    )
    assert (row["quantity"], row["is_american"]) == (-100.0, True)
    assert row["extra"] is None


def test_a_known_series_has_its_instrument_and_underlying() -> None:
    names = {"ASSET": "ZN5", "EXPIRE_DATE": "2025-05-30"}
    row = one(**{**OPTION, **names})
    assert row["instrument_id"] is not None
    assert row["underlying_id"] is not None


def test_a_series_that_cannot_be_translated_keeps_the_parts_of_its_row() -> None:
    row = one(**{**OPTION, "ASSET": "QQ9"})
    assert row["instrument_id"] is row["underlying_id"] is None
    assert (row["product"], row["expiry"], row["strike_price"], row["put_call"]) == (
        "ZN",
        date(2025, 5, 27),
        109.5,
        "P",
    )


def test_an_underlying_that_is_no_product_of_ours_is_kept_as_it_is() -> None:
    row = one(UNDERLYING="CL", ASSET="CL")
    assert row["product"] is row["instrument_id"] is None
    assert (row["asset"], row["extra"]) == ("CL", '{"UNDERLYING":"CL"}')


def test_a_future_without_an_expiry() -> None:
    row = one(EXPIRE_DATE="", UNDERLYING="FGBL", ASSET="FGBL")
    assert (row["record_key"], row["product"], row["expiry"]) == (
        "ACCT1:FGBL#500@110.125",
        "FGBL",
        None,
    )
    assert row["instrument_id"] is None


def test_the_strike_of_a_future_is_none_but_is_not_lost() -> None:
    row = one(STRIKE_PRICE="109.75")
    assert row["strike_price"] is None
    assert row["record_key"] == "ACCT1:ZN:2025-06-18#500@110.125"
    assert row["extra"] == '{"STRIKE_PRICE":"109.75"}'


def test_what_stands_in_unknown_columns_is_beside_it() -> None:
    parsed = parse(
        line(STRIKE_PRICE="109.75") + ",x", line() + ",", header=",".join([*ROW, "DESK"])
    )
    assert parsed.frame["extra"].to_list() == ['{"DESK":"x","STRIKE_PRICE":"109.75"}', None]
    assert parsed.unknown_columns == ("DESK",)


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("05/20/2025", date(2025, 5, 20)),
        ("9/5/2025", date(2025, 9, 5)),
        ("2025-05-23", date(2025, 5, 23)),
    ],
)
def test_dates_are_written_in_three_ways(text: str, day: date) -> None:
    row = one(RUN_DATE=text, EXPIRE_DATE=text)
    assert (row["trading_date"], row["expiry"]) == (day, day)


@pytest.mark.parametrize(
    "text",
    [
        "20/05/2025",
        "05/20/25",
        "2025/05/20",
        "2025-5-20",
        "20250520",
        "2025-02-30",
        "05/20/2025 ",
        "05-20-2025",
        "1925-05-20",
        "2025-05-23T00:00",
        "x",
    ],
)
@pytest.mark.parametrize("column", ["RUN_DATE", "EXPIRE_DATE"])
def test_and_in_no_other(column: str, text: str) -> None:
    assert reason(**{column: text}) == f"{column} {text!r} is not a date"


@pytest.mark.parametrize(
    ("day", "start"), [("2025-05-23", "2025-05-22T22:00Z"), ("2025-01-23", "2025-01-22T23:00Z")]
)
def test_a_position_is_true_from_the_start_of_its_trading_day(day: str, start: str) -> None:
    row = one(RUN_DATE=day)
    assert row["event_time"] == datetime.fromisoformat(start)
    assert row["trading_date"] == date.fromisoformat(day)


@pytest.mark.parametrize(
    ("text", "price"),
    [
        ("111'280", 111 + 28 / 32),
        ("111'285", 111 + 28.5 / 32),
        ("111'282", 111 + 28.25 / 32),
        ("111'287", 111 + 28.75 / 32),
        ("110'080", 110.25),
        ("111.280", 111.28),
        ("109.65625", 109.65625),
        (".0156250", 0.015625),
        (".0069999", 0.007),
        ("10.0", 10.0),
        ("", None),
    ],
)
def test_prices_are_decimal_or_in_tt_ticks(text: str, price: float | None) -> None:
    assert one(PRICE_TODAY=text)["price"] == price


@pytest.mark.parametrize("text", ["111'284", "111'320", "111'28", "110-16", "#N/A", "1e2", "nan"])
def test_and_nothing_else(text: str) -> None:
    assert reason(PRICE_TODAY=text).startswith(f"PRICE_TODAY {text!r} ")


def test_both_notations_in_one_file() -> None:
    parsed = parse(line(PRICE_TODAY="111'280"), line(ASSET="ZF", PRICE_TODAY="111.28"))
    assert parsed.frame["price"].to_list() == [111.875, 111.28]


@pytest.mark.parametrize(
    ("side", "quantity", "expected"),
    [
        ("L", "500.0", 500.0),
        ("S", "-60", -60.0),
        ("S", "100", -100.0),
        ("L", "0.0", 0.0),
        ("S", "0", 0.0),
        ("S", "-0.0", 0.0),
    ],
)
def test_long_short_says_which_way(side: str, quantity: str, expected: float) -> None:
    value = one(LONG_SHORT=side, QUANTITY=quantity)["quantity"]
    assert repr(value) == repr(expected)


def test_a_negative_long_position_is_a_contradiction_for_one_reason() -> None:
    parsed = parse(line(QUANTITY="-60"), line(QUANTITY="-7.5"), line(LONG_SHORT="S"))
    assert [row.row for row in parsed.rejected] == [2, 3]
    assert {row.reason for row in parsed.rejected} == {
        "the sign of QUANTITY contradicts the side: LONG_SHORT says long"
    }
    assert parsed.frame["row"].to_list() == [4]


@pytest.mark.parametrize(
    ("column", "text", "expected"),
    [
        ("ACCOUNT", "", "ACCOUNT '' is missing"),
        ("ACCOUNT", "  ", "ACCOUNT '  ' is missing"),
        ("UNDERLYING", "", "UNDERLYING '' is missing"),
        ("PRODUCT_CODE", "", "PRODUCT_CODE '' is missing"),
        ("RUN_DATE", "", "RUN_DATE '' is missing"),
        ("ASSET", "", "ASSET '' is no name of an asset"),
        ("ASSET", " ", "ASSET ' ' is no name of an asset"),
        ("ASSET", "ZN#2", "ASSET 'ZN#2' is no name of an asset"),
        ("QUANTITY", "", "QUANTITY '' is missing"),
        ("QUANTITY", "x", "QUANTITY 'x' is not a number"),
        ("LOT_SIZE", "x", "LOT_SIZE 'x' is not a number"),
        ("LONG_SHORT", "B", "LONG_SHORT 'B' is neither L nor S"),
        ("LONG_SHORT", "", "LONG_SHORT '' is neither L nor S"),
        ("IS_AMERICAN", "1", "IS_AMERICAN '1' is neither Y nor N"),
        ("PUT_CALL", "X", "PUT_CALL 'X' is neither C nor P"),
        ("PUT_CALL", "C", "PUT_CALL 'C' stands on a future"),
    ],
)
def test_what_a_position_cannot_be_without(column: str, text: str, expected: str) -> None:
    assert reason(**{column: text}) == expected


@pytest.mark.parametrize("text", ["0", "-109.5", "x"])
def test_a_strike_is_a_number_above_zero(text: str) -> None:
    assert reason(**{**OPTION, "STRIKE_PRICE": text}).startswith(f"STRIKE_PRICE {text!r} is not")


@pytest.mark.parametrize(("text", "value"), [("Y", True), ("N", False), ("", None)])
def test_is_american(text: str, value: bool | None) -> None:
    assert one(IS_AMERICAN=text)["is_american"] is value


def test_a_lot_size_may_be_missing() -> None:
    assert one(LOT_SIZE="")["lot_size"] is None


def test_further_lots_of_the_same_instrument_have_keys_of_their_own() -> None:
    parsed = parse(
        line(QUANTITY="1.0"),
        line(QUANTITY="0.0"),
        line(ACCOUNT="ACCT2"),
        line(QUANTITY="3.0"),
    )
    key = "ACCT1:ZN:2025-06-18"
    assert parsed.frame.select("record_key", "quantity").rows() == [
        (f"{key}#1@110.125", 1.0),
        (f"{key}#0@110.125", 0.0),
        ("ACCT2:ZN:2025-06-18#500@110.125", 500.0),
        (f"{key}#3@110.125", 3.0),
    ]
    assert parsed.rejected == ()


def test_identical_lines_are_duplicates() -> None:
    parsed = parse(line(QUANTITY="1.0"), line(QUANTITY="2.0"), line(QUANTITY="1.0"))
    assert parsed.frame.select("record_key", "row").rows() == [
        ("ACCT1:ZN:2025-06-18#2@110.125", 3),
        ("ACCT1:ZN:2025-06-18#1@110.125", 4),
    ]
    assert [(item.row, item.duplicate) for item in parsed.rejected] == [(2, True)]


LOTS = st.lists(st.tuples(st.integers(0, 3), st.sampled_from(["L", "S"])), max_size=6)


@given(LOTS, LOTS)
def test_correcting_one_line_renames_no_other_lot(
    before: list[tuple[int, str]], after: list[tuple[int, str]]
) -> None:
    def keys(*lots: tuple[int, str]) -> set[str]:
        lines = [line(QUANTITY=str(quantity), LONG_SHORT=side) for quantity, side in lots]
        return set(parse(*lines).frame["record_key"])

    one_by_one = [keys(lot) for lot in before + after]
    assert keys(*before, *after) == set().union(*one_by_one)


def test_lots_that_differ_in_neither_quantity_nor_price_are_numbered() -> None:
    parsed = parse(line(LOT_SIZE="1000"), line(LOT_SIZE="100"), line(LOT_SIZE="1000"))
    assert parsed.frame.select("record_key", "row").rows() == [
        ("ACCT1:ZN:2025-06-18#500@110.125#2", 3),
        ("ACCT1:ZN:2025-06-18#500@110.125", 4),
    ]


def test_a_rejected_lot_leaves_the_keys_of_the_others_alone() -> None:
    parsed = parse(line(QUANTITY="x"), line(QUANTITY="2.0"))
    assert parsed.frame["record_key"].to_list() == ["ACCT1:ZN:2025-06-18#2@110.125"]


@pytest.mark.parametrize("text", ["109.5", "109.50", "109.5000"])
def test_the_key_of_a_strike_does_not_depend_on_its_zeros(text: str) -> None:
    row = one(**{**OPTION, "STRIKE_PRICE": text})
    assert "ACCT1:VY5:2025-05-27:109.5:P#" in str(row["record_key"])


def test_a_round_strike_in_a_key() -> None:
    row = one(**{**OPTION, "STRIKE_PRICE": "100", "PUT_CALL": "C"})
    assert "ACCT1:VY5:2025-05-27:100:C#" in str(row["record_key"])


def test_missing_optional_columns_are_null() -> None:
    names = [name for name in ROW if name not in OPTIONAL]
    (row,) = parse(",".join(ROW[name] for name in names), header=",".join(names)).frame.to_dicts()
    assert row["record_key"] == "ACCT1:ZN#500@110.125"
    absent = ("put_call", "strike_price", "expiry", "lot_size", "is_american", "instrument_id")
    assert {row[name] for name in absent} == {None}


@pytest.mark.parametrize("column", [name for name in ROW if name not in OPTIONAL])
def test_required_columns(column: str) -> None:
    with pytest.raises(UnparsableFileError, match=f"no column '{column}'"):
        parse(header=",".join(ROW).replace(column, "OTHER"))


def test_a_kind_of_product_that_is_not_known_is_kept() -> None:
    row = one(PRODUCT_CODE="SWAP")
    assert (row["product_code"], row["instrument_id"]) == ("SWAP", None)


@pytest.mark.parametrize(
    "name",
    [
        "actant.csv",
        "SOD.csv",
        "SampleZNSOD.csv",
        "SampleSOD_ticks.csv",
        "2025 SOD ZN.csv",
        "pricing_monkey_sod_20250718_070000.csv",
    ],
)
def test_names_of_the_file(name: str) -> None:
    assert SOD.file_pattern.fullmatch(name)


@pytest.mark.parametrize(
    "name",
    [".SOD.csv", "a/SOD.csv", "SOD.csv.part", "SOD.csv\n", "Actant.csv", "xactant.csv"],
)
def test_other_names(name: str) -> None:
    assert not SOD.file_pattern.fullmatch(name)


@pytest.mark.parametrize("absent", [(), OPTIONAL])
def test_header_alone(absent: tuple[str, ...]) -> None:
    parsed = parse(header=",".join(name for name in ROW if name not in absent))
    assert parsed.rows_in == 0
    assert dict(parsed.frame.schema) == SOD.frame_schema
