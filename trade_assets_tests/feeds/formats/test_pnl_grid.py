"""The traps of the PnL grid, one test each."""

from datetime import UTC, date, datetime

import pytest

from trade_assets.datasets.records import ParsedFile
from trade_assets.errors import UnparsableFileError
from trade_assets.feeds.formats.pnl_grid import PNL_GRID
from trade_assets_tests.feeds.formats import reference_scenarios as reference
from trade_assets_tests.feeds.formats import scenario_files
from trade_assets_tests.feeds.formats.scenario_files import GRID_NAME

HEADER = "Expiration,Value,UPrice,-0.25,0,.25"


def parse(*lines: str, name: str = GRID_NAME) -> ParsedFile:
    return PNL_GRID.parse("\n".join([*lines, ""]).encode(), name)


def reasons(parsed: ParsedFile) -> list[tuple[int, str]]:
    return [(item.row, item.reason) for item in parsed.rejected]


def values(parsed: ParsedFile) -> list[tuple[int, float, float | None]]:
    return parsed.frame.select("row", "shock", "value").rows()


def test_every_value_of_a_whole_grid() -> None:
    data = scenario_files.grid(1)
    parsed = PNL_GRID.parse(data, GRID_NAME)
    expected = [
        {"row": line, **point.record}
        for line, points in reference.grid_points(data).items()
        for point in points or []
    ]
    assert parsed.frame.select(expected[0].keys()).to_dicts() == expected
    assert parsed.rows_in == len(expected) == 4 * 4 * 25
    assert (parsed.rejected, parsed.unknown_columns) == ((), ())
    assert dict(parsed.frame.schema) == PNL_GRID.frame_schema


def test_a_cell_becomes_a_record() -> None:
    frame = parse("Expiration,Value,UPrice,-0.25", "21JUL25,ab_sCall,110.203,252.93610").frame
    assert frame.to_dicts() == [
        {
            "record_key": "XCME.ZN:21JUL25:ab_sCall:-0.25",
            "event_time": datetime(2025, 7, 17, 19, 33, 31, tzinfo=UTC),
            "row": 2,
            "trading_date": date(2025, 7, 17),
            "instrument_id": "VY3N25",
            "product": "ZN",
            "expiry": date(2025, 7, 21),
            "strike_price": None,
            "put_call": None,
            "underlying_id": "ZNU25",
            "underlying": "XCME.ZN",
            "scope": "21JUL25",
            "metric": "ab_sCall",
            "shock_kind": "absolute",
            "shock": -0.25,
            "value": 252.9361,
            "underlying_price": 110.203,
            "extra": None,
        }
    ]


@pytest.mark.parametrize(
    ("scope", "instrument"),
    [
        ("XCME.ZN", ("ZN", "ZN", None)),
        ("w/o first", ("ZN", "ZN", None)),
        ("21JUL25", ("VY3N25", "ZN", date(2025, 7, 21))),
        ("AUG25", ("OZNQ25", "ZN", date(2025, 7, 25))),
        ("31FEB25", (None, None, None)),
        ("all of it", (None, None, None)),
    ],
)
def test_a_scope_is_an_option_series_or_the_underlying_or_untranslated(
    scope: str, instrument: tuple[str | None, str | None, date | None]
) -> None:
    parsed = parse(HEADER, f"{scope},ab_F,110,1,2,3")
    found = parsed.frame.select("instrument_id", "product", "expiry").unique().rows()
    assert (found, parsed.frame["scope"].unique().to_list()) == ([instrument], [scope])


def test_an_unknown_underlying_is_kept_under_its_own_name() -> None:
    parsed = parse(HEADER, "XCME.QQ,ab_F,1,1,2,3", name="GE_XCME.QQ_20250717_143331.csv")
    assert parsed.frame["record_key"][0] == "XCME.QQ:XCME.QQ:ab_F:-0.25"
    assert parsed.frame["instrument_id"].null_count() == parsed.frame.height == 3


def test_points_of_a_line_stand_on_its_row_in_the_order_of_the_columns() -> None:
    parsed = parse("0,UPrice,Value,-0.25,Expiration", "1,9,ab_F,2,AUG25", "", "3,9,ab_K,4,AUG25")
    assert values(parsed) == [(2, 0, 1), (2, -0.25, 2), (4, 0, 3), (4, -0.25, 4)]


def test_a_relative_shock_is_kept_apart_from_an_absolute_one() -> None:
    parsed = parse("Expiration,Value,UPrice,-10%,-10", "AUG25,ab_F,1,1,2")
    assert parsed.frame.select("shock_kind", "shock", "value").rows() == [
        ("relative", -10, 1),
        ("absolute", -10, 2),
    ]
    assert parsed.frame["record_key"].to_list() == [
        "XCME.ZN:AUG25:ab_F:-10%",
        "XCME.ZN:AUG25:ab_F:-10",
    ]


def test_an_empty_cell_is_a_point_without_a_value() -> None:
    parsed = parse(HEADER, "AUG25,ab_F,,1,,3")
    assert parsed.frame["value"].to_list() == [1, None, 3]
    assert parsed.frame["underlying_price"].null_count() == 3
    assert parsed.rejected == ()


@pytest.mark.parametrize("text", ["abc", "nan", "inf", "1e999", " 1", "INVALID"])
def test_a_bad_number_rejects_its_point_alone(text: str) -> None:
    parsed = parse(HEADER, f"AUG25,ab_F,110,1,{text},3", "AUG25,ab_K,110,4,5,6")
    assert parsed.frame["value"].to_list() == [1, 3, 4, 5, 6]
    (item,) = parsed.rejected
    assert (item.row, item.text) == (2, f"AUG25,ab_F,110,1,{text},3")
    assert item.reason.startswith(f"ab_F at 0 {text!r} is ")


def test_a_bad_price_of_the_underlying_rejects_the_points_of_its_line() -> None:
    parsed = parse(HEADER, "AUG25,ab_F,x,1,bad,3", "AUG25,ab_K,110,4,5,6")
    assert values(parsed) == [(3, -0.25, 4), (3, 0, 5), (3, 0.25, 6)]
    assert reasons(parsed) == [(2, "UPrice 'x' is not a number")] * 3
    assert parsed.rows_in == 6


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("AUG25,ab_F,110,1,2", "has 5 fields where the header has 6"),
        ("AUG25,ab_F,110,1,2,3,4", "has 7 fields where the header has 6"),
        ("AUG25,ab_F,110,1,\x002,3", "has a control character"),
    ],
)
def test_a_line_that_cannot_be_split_is_one_row(line: str, reason: str) -> None:
    parsed = parse(HEADER, line, "AUG25,ab_K,110,4,5,6")
    assert (reasons(parsed), parsed.rows_in) == ([(2, reason)], 4)


def test_a_stray_comma_at_the_end_is_no_field() -> None:
    assert parse(HEADER, "AUG25,ab_F,110,1,2,3,").frame.height == 3


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (",ab_F,110,1,2,3", "scope '' is missing"),
        ("AUG25,,110,1,2,3", "metric '' is missing"),
        (" ,ab_F,110,1,2,3", "scope ' ' is missing"),
        ("AUG25,  ,110,1,2,3", "metric '  ' is missing"),
        ("A:B,ab_F,110,1,2,3", "scope 'A:B' has a colon"),
        (f"AUG25,{'m' * 600},110,1,2,3", "has a record key of more than 512 bytes"),
    ],
)
def test_points_that_cannot_have_a_record_key(line: str, reason: str) -> None:
    parsed = parse(HEADER, line, "AUG25,ab_K,110,4,5,6")
    assert (reasons(parsed), parsed.frame.height) == ([(2, reason)] * 3, 3)


def test_unknown_columns_are_named_and_kept() -> None:
    parsed = parse(f"{HEADER},Note,*,nan%", 'AUG25,ab_F,110,1,2,3,"x,,y', "AUG25,ab_K,110,1,2,3,,,")
    assert parsed.unknown_columns == ("Note", "*", "nan%")
    assert parsed.frame["extra"].to_list() == 3 * ['{"Note":"\\"x","nan%":"y"}'] + 3 * [None]


@pytest.mark.parametrize("column", ["Expiration", "Value", "UPrice"])
def test_required_columns(column: str) -> None:
    with pytest.raises(UnparsableFileError, match=f"no column '{column}'"):
        parse(HEADER.replace(column, "OTHER"), "AUG25,ab_F,110,1,2,3")


def test_a_grid_has_a_shock() -> None:
    with pytest.raises(UnparsableFileError, match="no column of a shock"):
        parse("Expiration,Value,UPrice,Note", "AUG25,ab_F,110,1")


def test_a_shock_cannot_stand_twice() -> None:
    with pytest.raises(UnparsableFileError, match=r"column '\.25' twice"):
        parse(f"{HEADER},.25", "AUG25,ab_F,110,1,2,3,4")


def test_the_last_good_point_of_the_same_key_wins() -> None:
    parsed = parse(
        HEADER,
        "AUG25,ab_F,110,1,2,3",
        "AUG25,ab_F,110,4,5,6",
        "AUG25,ab_F,110,7,bad,9",
    )
    assert values(parsed) == [(3, 0, 5), (4, -0.25, 7), (4, 0.25, 9)]
    assert reasons(parsed) == [
        (2, "duplicate of row 4, which wins"),
        (2, "duplicate of row 3, which wins"),
        (2, "duplicate of row 4, which wins"),
        (3, "duplicate of row 4, which wins"),
        (3, "duplicate of row 4, which wins"),
        (4, "ab_F at 0 'bad' is not a number"),
    ]
    assert [item.duplicate for item in parsed.rejected] == [True] * 5 + [False]


@pytest.mark.parametrize(
    ("stamp", "utc", "day"),
    [
        ("20250115_155959", datetime(2025, 1, 15, 21, 59, 59, tzinfo=UTC), date(2025, 1, 15)),
        ("20250715_170000", datetime(2025, 7, 15, 22, tzinfo=UTC), date(2025, 7, 16)),
    ],
)
def test_event_time_is_the_name_in_central_time(stamp: str, utc: datetime, day: date) -> None:
    parsed = parse(HEADER, "AUG25,ab_F,1,1,2,3", name=f"GE_XCME.ZN_{stamp}.csv")
    assert parsed.frame.select("event_time", "trading_date").unique().rows() == [(utc, day)]


@pytest.mark.parametrize(
    "name",
    [
        "GE_XCME.ZN_20250309_023000.csv",  # the hour that clocks jump over
        "GE_XCME.ZN_20250230_120000.csv",
        "GE_XCME.ZN_20250717_143331.json",
        "other.csv",
    ],
)
def test_name_without_a_time_that_exists_is_unparsable(name: str) -> None:
    with pytest.raises(UnparsableFileError, match="holds no time"):
        parse(HEADER, "AUG25,ab_F,1,1,2,3", name=name)


def test_header_alone_is_a_file_without_points() -> None:
    parsed = parse(f"{HEADER},Note")
    assert (parsed.rows_in, parsed.rejected) == (0, ())
    assert dict(parsed.frame.schema) == PNL_GRID.frame_schema
