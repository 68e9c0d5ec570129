"""The traps of the EOD format, one test each."""

import json
from datetime import UTC, date, datetime

import pytest

from trade_assets.datasets.records import ParsedFile
from trade_assets.errors import UnparsableFileError
from trade_assets.feeds.formats.eod import EOD
from trade_assets_tests.feeds.formats import reference_scenarios as reference
from trade_assets_tests.feeds.formats import scenario_files
from trade_assets_tests.feeds.formats.scenario_files import (
    EOD_NAME,
    entry_of_points,
    eod_of,
    eod_of_entries,
    eod_of_values,
)


def parse(data: bytes | str, name: str = EOD_NAME) -> ParsedFile:
    return EOD.parse(data.encode() if isinstance(data, str) else data, name)


def reasons(parsed: ParsedFile) -> list[tuple[int, str]]:
    return [(item.row, item.reason) for item in parsed.rejected]


def values(parsed: ParsedFile) -> list[tuple[int, str, float | None]]:
    return parsed.frame.select("row", "metric", "value").rows()


@pytest.mark.parametrize("indent", [None, 4])
def test_every_value_of_a_whole_file(indent: int | None) -> None:
    data = scenario_files.eod(1, indent)
    parsed = parse(data)
    expected = [
        {"row": at, **point.record}
        for at, point in enumerate(reference.eod_points(data), 1)
        if point
    ]
    assert parsed.frame.select(expected[0].keys()).to_dicts() == expected
    assert parsed.rows_in == len(expected) > 50
    assert (parsed.rejected, parsed.unknown_columns) == ((), ())
    assert dict(parsed.frame.schema) == EOD.frame_schema


def test_a_value_becomes_a_record() -> None:
    frame = parse(eod_of([("w/o first", [("-10%", {"Th PnL": "-10148697135200.62"})])])).frame
    assert frame.to_dicts() == [
        {
            "record_key": "XCME.ZN:w/o first:Th PnL:-10%",
            "event_time": datetime(2025, 7, 17, 19, 33, 31, tzinfo=UTC),
            "row": 1,
            "trading_date": date(2025, 7, 17),
            "instrument_id": "ZN",
            "product": "ZN",
            "expiry": None,
            "strike_price": None,
            "put_call": None,
            "underlying_id": "ZN",
            "underlying": "XCME.ZN",
            "scope": "w/o first",
            "metric": "Th PnL",
            "shock_kind": "relative",
            "shock": -10.0,
            "value": -10148697135200.62,
            "extra": None,
        }
    ]


def test_a_header_of_an_expiry_is_an_option_series() -> None:
    frame = parse(eod_of([("21JUL25", [("0", {"Vega": "1"})])])).frame
    assert frame.select("instrument_id", "expiry").rows() == [("VY3N25", date(2025, 7, 21))]


def test_a_header_that_cannot_be_translated_is_kept() -> None:
    frame = parse(eod_of([("total of all", [("0", {"Vega": "1"})])])).frame
    assert frame.select("instrument_id", "scope").rows() == [(None, "total of all")]


def test_relative_and_absolute_shocks_of_one_size_are_two_records() -> None:
    frame = parse(eod_of([("AUG25", [("-1%", {"Vega": "1"}), ("-1", {"Vega": "2"})])])).frame
    assert frame.select("shock_kind", "shock", "value").rows() == [
        ("relative", -1, 1),
        ("absolute", -1, 2),
    ]
    assert frame["record_key"].n_unique() == 2


def test_metrics_may_be_absent_at_some_points_and_points_empty() -> None:
    data = eod_of(
        [
            ("AUG25", [("0", {"Vega": "1", "Theta": "2"}), ("1", {}), ("2", {"Theta": "3"})]),
            ("21JUL25", []),
        ]
    )
    assert parse(data).frame.select("shock", "metric", "value").rows() == [
        (0, "Vega", 1),
        (0, "Theta", 2),
        (2, "Theta", 3),
    ]


def test_missing_values_are_null() -> None:
    parsed = parse(eod_of_values('"A":"","B":null,"C":"1"'))
    assert (values(parsed), parsed.rejected) == ([(1, "A", None), (2, "B", None), (3, "C", 1)], ())


def test_numbers_without_quotes_are_read_from_their_digits() -> None:
    parsed = parse(eod_of_values('"A":-0.5,"B":12345678901234567890123,"C":9007199254740993'))
    assert values(parsed) == [(1, "A", -0.5)]
    assert reasons(parsed) == [
        (2, "B at -0.25 '12345678901234567890123' has more digits than can be kept"),
        (3, "C at -0.25 '9007199254740993' has more digits than can be kept"),
    ]


@pytest.mark.parametrize("number", ["1e400", "-1e-400", "NaN", "-Infinity", "9" * 5000])
def test_a_number_beyond_all_bounds_rejects_its_value_alone(number: str) -> None:
    parsed = parse(eod_of_values(f'"A":"1","B":{number},"C":"3"'))
    assert values(parsed) == [(1, "A", 1), (3, "C", 3)]
    assert [item.row for item in parsed.rejected] == [2]


@pytest.mark.parametrize("text", ["abc", "nan", "Infinity", "1e999", " 1", "1,000", "٣", "-"])
def test_what_is_no_number_is_rejected_with_its_text(text: str) -> None:
    parsed = parse(eod_of([("AUG25", [("-5%", {"Vega": text, "Theta": "1"})])]))
    (item,) = parsed.rejected
    assert item.reason.startswith(f"Vega at -5% {text!r} is ")
    assert (item.row, item.text) == (1, f"AUG25: Vega at -5% is {text}")
    assert values(parsed) == [(2, "Theta", 1)]


@pytest.mark.parametrize(
    ("value", "kind"),
    [("true", "true or false"), ("[]", "a list"), ('{"a":"b"}', "an object")],
)
def test_values_of_another_type_are_rejected(value: str, kind: str) -> None:
    parsed = parse(eod_of_values(f'"A":{value},"B":"2"'))
    assert values(parsed) == [(2, "B", 2)]
    assert reasons(parsed) == [
        (1, f"totals[0].points[0].values 'A' is {kind}, not a text or a number")
    ]


def test_a_metric_that_stands_twice_is_not_lost_silently() -> None:
    parsed = parse(eod_of_values('"A":"1","B":"2","A":"3"'))
    assert values(parsed) == [(2, "B", 2), (3, "A", 3)]
    (item,) = parsed.rejected
    assert (item.row, item.reason, item.duplicate) == (1, "duplicate of row 3, which wins", True)


def test_the_last_good_value_of_the_same_key_wins() -> None:
    parsed = parse(
        eod_of(
            [
                ("AUG25", [("0", {"A": "1"}), ("0", {"A": "2", "B": "3"})]),
                ("AUG25", [("0", {"A": "bad", "B": "4"})]),
            ]
        )
    )
    assert values(parsed) == [(2, "A", 2), (5, "B", 4)]
    assert [(item.row, item.duplicate) for item in parsed.rejected] == [
        (1, True),
        (3, True),
        (4, False),
    ]


POINT = '{"header":"0","values":{"A":"1"}}'
OTHER_POINT = '{"header":"1","values":{"A":"1"}}'
ENTRY = entry_of_points(POINT)


@pytest.mark.parametrize(
    ("entry", "reason"),
    [
        ("7", "totals[0] is a text or a number, not an object"),
        ("null", "totals[0] is null, not an object"),
        ("{}", "totals[0] has no header"),
        ('{"points":[]}', "totals[0] has no header"),
        ('{"header":"AUG25"}', "totals[0] has no points"),
        (
            '{"header":"AUG25","points":{"0":{}}}',
            "totals[0].points is an object, not a list",
        ),
        ('{"header":"AUG25","points":""}', "totals[0].points is a text or a number, not a list"),
        (
            '{"header":null,"points":[]}',
            "totals[0].header is null, not a text or a number",
        ),
        ('{"header":"A:B","points":[]}', "totals[0].header 'A:B' has a colon"),
        ('{"header":"","points":[]}', "totals[0].header '' is missing"),
        ('{"header":" ","points":[]}', "totals[0].header ' ' is missing"),
        ('{"header":"a\\nb","points":[]}', "totals[0].header 'a\\nb' has a control character"),
        ('{"header":"A","header":"B","points":[]}', "totals[0] has header twice"),
        ('{"header":"A","points":[],"points":[]}', "totals[0] has points twice"),
    ],
)
def test_a_total_of_the_wrong_shape_is_one_row(entry: str, reason: str) -> None:
    parsed = parse(eod_of_entries(entry, ENTRY))
    assert (reasons(parsed), values(parsed)) == ([(1, reason)], [(2, "A", 1)])


@pytest.mark.parametrize(
    ("point", "reason"),
    [
        ("[]", "totals[0].points[1] is a list, not an object"),
        ('"0"', "totals[0].points[1] is a text or a number, not an object"),
        ('{"values":{"A":"1","B":"2"}}', "totals[0].points[1] has no header"),
        ('{"header":"0"}', "totals[0].points[1] has no values"),
        ('{"header":"0","values":[]}', "totals[0].points[1].values is a list, not an object"),
        (
            '{"header":[],"values":{"A":"1"}}',
            "totals[0].points[1].header is a list, not a text or a number",
        ),
        ('{"header":"ten","values":{"A":"1"}}', "totals[0].points[1].header 'ten' is not a shock"),
        ('{"header":"%","values":{"A":"1"}}', "totals[0].points[1].header '%' is not a shock"),
        ('{"header":"1%%","values":{}}', "totals[0].points[1].header '1%%' is not a shock"),
        ('{"header":"0","values":{},"values":{}}', "totals[0].points[1] has values twice"),
    ],
)
def test_a_point_of_the_wrong_shape_is_one_row(point: str, reason: str) -> None:
    parsed = parse(eod_of_entries(entry_of_points(POINT, point, OTHER_POINT)))
    assert (reasons(parsed), values(parsed)) == ([(2, reason)], [(1, "A", 1), (3, "A", 1)])


def test_there_is_one_zero() -> None:
    parsed = parse(eod_of([("AUG25", [("-0%", {"A": "-0.00"})])]))
    assert parsed.frame.select("record_key", "shock", "value").rows() == [
        ("XCME.ZN:AUG25:A:-0%", 0, 0)
    ]
    assert str(parsed.frame.select("shock", "value").row(0)) == "(0.0, 0.0)"


def test_a_header_may_be_a_number_without_quotes() -> None:
    parsed = parse('{"totals":[{"header":"AUG25","points":[{"header":-0.50,"values":{"A":1}}]}]}')
    assert parsed.frame["record_key"].to_list() == ["XCME.ZN:AUG25:A:-0.50"]


@pytest.mark.parametrize(
    ("metric", "reason"),
    [
        ("", "metric '' is missing"),
        (" ", "metric ' ' is missing"),
        ("a\tb", "metric 'a\\tb' has a control character"),
        ("é" * 300, "has a record key of more than 512 bytes"),
    ],
)
def test_metrics_that_cannot_name_a_record(metric: str, reason: str) -> None:
    parsed = parse(eod_of([("AUG25", [("0", {metric: "1", "B": "2"})])]))
    assert (reasons(parsed), values(parsed)) == ([(1, reason)], [(2, "B", 2)])


def test_a_colon_in_a_metric_is_part_of_it() -> None:
    parsed = parse(eod_of([("AUG25", [("0", {"a:b": "1"})])]))
    assert (parsed.frame["metric"].to_list(), parsed.rejected) == (["a:b"], ())


def test_unknown_members_are_named_by_their_path_and_the_short_ones_kept() -> None:
    document = {
        "asof": "12:30",
        "totals": [
            {
                "header": "AUG25",
                "id": 7,
                "points": [
                    {"header": "0", "stale": True, "nested": {"x": "y"}, "values": {"A": "1"}},
                    {"header": "1", "note": "", "values": {"A": "2"}},
                ],
            },
            {"header": "SEP25", "points": [{"header": "0", "values": {"A": "3"}}]},
        ],
    }
    parsed = parse(json.dumps(document))
    assert parsed.unknown_columns == (
        *("asof", "totals.id", "points.stale", "points.nested", "points.note"),
    )
    assert parsed.frame["extra"].to_list() == [
        '{"asof":"12:30","totals.id":"7","points.stale":"true"}',
        '{"asof":"12:30","totals.id":"7"}',
        '{"asof":"12:30"}',
    ]
    assert values(parsed) == [(1, "A", 1), (2, "A", 2), (3, "A", 3)]


def test_an_unknown_text_too_long_to_repeat_is_named_alone() -> None:
    parsed = parse(json.dumps({"note": "x" * 2_000, "totals": [json.loads(ENTRY)]}))
    assert (parsed.unknown_columns, parsed.frame["extra"].to_list()) == (("note",), [None])


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "is not JSON"),
        (b"Expiration,Value\n", "is not JSON"),
        (b'{"totals":[', "is not JSON"),
        (b'{"totals":["\xff"]}', "is not JSON"),
        (b'{"totals":[{"header":"\\ud800","points":[]}]}', "is not JSON"),
        (b'{"totals":' + b"[" * 100_000, "is nested too deeply"),
        (b'{"a":' * 100_000, "is nested too deeply"),
        (b'{"totals":[' + b"[" * 1010 + b"]" * 1010 + b"]}", "is nested too deeply"),
        (b"[]", "the document is a list, not an object"),
        (b"12", "the document is a text or a number, not an object"),
        (b"{}", "the document has no totals"),
        (b'{"totals":{}}', "the document.totals is an object, not a list"),
        (b'{"totals":[],"totals":[]}', "the document has totals twice"),
    ],
)
def test_what_is_no_eod_file_at_all(data: bytes, reason: str) -> None:
    with pytest.raises(UnparsableFileError, match=reason):
        parse(data)


def test_nesting_in_the_place_of_a_value_rejects_that_value() -> None:
    parsed = parse(eod_of_values(f'"A":{"[" * 500}{"]" * 500},"B":"1"'))
    assert (values(parsed), len(parsed.rejected)) == ([(2, "B", 1)], 1)


def test_a_byte_order_mark_and_no_values_at_all() -> None:
    parsed = parse(b'\xef\xbb\xbf{"totals":[]}')
    assert (parsed.rows_in, dict(parsed.frame.schema)) == (0, EOD.frame_schema)


def test_the_grid_of_the_same_stem_is_another_feeds_file() -> None:
    assert EOD.file_pattern.fullmatch("GE_XCME.ZN_20250717_143331.json")
    with pytest.raises(UnparsableFileError, match="holds no time"):
        parse(scenario_files.eod(1), "GE_XCME.ZN_20250717_143331.csv")
