"""The traps of the times to expiry, one test each."""

from datetime import UTC, date, datetime

import pytest

from trade_assets.datasets.records import ParsedFile
from trade_assets.errors import UnparsableFileError
from trade_assets.feeds.formats.vtexp import VTEXP

NAME = "vtexp_20250721_145812.csv"


def parse(*lines: str, header: str = "symbol,vtexp", name: str = NAME) -> ParsedFile:
    return VTEXP.parse("\n".join([header, *lines, ""]).encode(), name)


def test_a_series() -> None:
    (row,) = parse("XCME.ZN.N.G.22JUL25,0.961111").frame.to_dicts()
    assert row.pop("instrument_id")
    assert row.pop("underlying_id")
    assert row == {
        "record_key": "XCME.ZN.N.G.22JUL25",
        "event_time": datetime(2025, 7, 21, 19, 58, 12, tzinfo=UTC),
        "row": 2,
        "trading_date": date(2025, 7, 21),
        "product": "ZN",
        "expiry": date(2025, 7, 22),
        "strike_price": None,
        "put_call": None,
        "days_to_expiry": 0.961111,
        "extra": None,
    }


def test_a_month_in_place_of_a_day_is_the_month_s_own_expiry() -> None:
    parsed = parse("XCME.ZN.N.G.AUG25,4.064583", "XCME.ZN.N.G.25JUL25,4.064583")
    assert parsed.frame["expiry"].to_list() == [date(2025, 7, 25)] * 2


def test_days_are_kept_as_days() -> None:
    parsed = parse("XCME.ZN.N.G.22JUL25,252")
    assert parsed.frame["days_to_expiry"].to_list() == [252.0]


def test_an_expired_series_is_kept() -> None:
    assert parse("XCME.ZN.N.G.18JUL25,-0.5").frame["days_to_expiry"].to_list() == [-0.5]


@pytest.mark.parametrize("text", ["", "#N/A", "INVALID", "nan", "inf", "1,5", "0.5d"])
def test_a_row_without_days_is_rejected_and_the_others_are_kept(text: str) -> None:
    parsed = parse(f"XCME.ZN.N.G.22JUL25,{text}", "XCME.ZN.N.G.23JUL25,1.960417")
    assert parsed.frame["row"].to_list() == [3]
    assert [item.row for item in parsed.rejected] == [2]
    assert parsed.rejected[0].text == f"XCME.ZN.N.G.22JUL25,{text}"
    assert not parsed.rejected[0].duplicate


def test_a_rejected_number_is_named() -> None:
    assert parse("A,x").rejected[0].reason == "vtexp 'x' is not a number"


def test_a_series_that_cannot_be_translated_is_kept_under_its_own_name() -> None:
    (row,) = parse("XEUR.OGBL.N.G.22JUL25,0.5").frame.to_dicts()
    assert (row["record_key"], row["days_to_expiry"]) == ("XEUR.OGBL.N.G.22JUL25", 0.5)
    assert row["instrument_id"] is row["product"] is row["expiry"] is row["underlying_id"] is None


def test_of_the_same_series_twice_the_last_wins() -> None:
    parsed = parse("A,1", "B,2", "A,3")
    assert parsed.frame.select("record_key", "days_to_expiry").rows() == [("B", 2.0), ("A", 3.0)]
    (item,) = parsed.rejected
    assert (item.row, item.duplicate, item.reason) == (2, True, "duplicate of row 4, which wins")


def test_a_row_without_a_symbol_is_rejected() -> None:
    assert parse(",0.5").rejected[0].reason == "has no record key"


def test_columns_in_another_order_and_a_new_one() -> None:
    parsed = parse("0.5,x,A", header="vtexp,model,symbol")
    (row,) = parsed.frame.to_dicts()
    assert (row["record_key"], row["days_to_expiry"]) == ("A", 0.5)
    assert row["extra"] == '{"model":"x"}'
    assert parsed.unknown_columns == ("model",)


@pytest.mark.parametrize("name", ["symbol", "vtexp"])
def test_required_columns(name: str) -> None:
    with pytest.raises(UnparsableFileError, match=f"no column '{name}'"):
        parse(header="symbol,vtexp".replace(name, "other"))


@pytest.mark.parametrize("name", ["vtexp_20250230_145812.csv", "vtexp_20250309_023000.csv", "a"])
def test_a_name_without_a_time_that_exists(name: str) -> None:
    with pytest.raises(UnparsableFileError, match="no time that exists"):
        parse(name=name)


def test_header_alone() -> None:
    parsed = parse()
    assert parsed.rows_in == 0
    assert dict(parsed.frame.schema) == VTEXP.frame_schema
