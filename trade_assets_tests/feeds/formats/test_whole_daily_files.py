"""Daily files and times to expiry, every value of whole files against the plain reader."""

from pathlib import Path

import pytest

from trade_assets.datasets.dataset import Feed
from trade_assets.datasets.records import ParsedFile
from trade_assets.feeds.formats.futures_settlement import FUTURES_SETTLEMENT
from trade_assets.feeds.formats.options_settlement import OPTIONS_SETTLEMENT
from trade_assets.feeds.formats.sod import SOD
from trade_assets.feeds.formats.vtexp import VTEXP
from trade_assets_tests.feeds.formats import reference, reference_daily

SOD_FILES = [
    *reference.desk_files("actant", "*SOD*.csv"),
    *reference.desk_files("actant", "actant.csv"),
]
PLAIN = [
    *((VTEXP, path) for path in reference.desk_files("actant", "vtexp_*.csv")),
    *((FUTURES_SETTLEMENT, path) for path in reference.desk_files("settlement", "Futures_*.csv")),
    *((OPTIONS_SETTLEMENT, path) for path in reference.desk_files("settlement", "Options_*.csv")),
]
READERS = {
    VTEXP.name: reference_daily.vtexp_values,
    FUTURES_SETTLEMENT.name: reference_daily.futures_values,
    OPTIONS_SETTLEMENT.name: reference_daily.options_values,
}
UNTRANSLATABLE = {"SampleSOD_ticks.csv": 2, "actant.csv": 7}
"""Futures with a day that is not their last one or with none, and series (VY5, WY5) of weeks that
the exchange counts as the fourth."""


def parse(feed: Feed, path: Path) -> ParsedFile:
    # A sample that was cut short is named so.
    name = path.name.replace(".head", "")
    assert feed.file_pattern.fullmatch(name)
    return feed.parse(path.read_bytes(), name)


@pytest.mark.parametrize(("feed", "path"), PLAIN, ids=lambda item: getattr(item, "name", None))
def test_every_value_of_a_file(feed: Feed, path: Path) -> None:
    parsed = parse(feed, path)
    last: dict[object, dict[str, object]] = {}
    for at, texts in reference_daily.rows_of(path.read_bytes()).items():
        found = READERS[feed.name](texts)
        last.pop(found["record_key"], None)
        last[found["record_key"]] = {"row": at, **found}
    assert all(item.duplicate for item in parsed.rejected)
    assert parsed.rows_in == len(reference_daily.rows_of(path.read_bytes()))
    rows = [reference_daily.plain(row) for row in parsed.frame.to_dicts()]
    assert [row["record_key"] for row in rows] == list(last)
    for row, expected in zip(rows, last.values(), strict=True):
        assert {name: row[name] for name in expected} == expected
    assert parsed.frame["instrument_id"].null_count() == 0
    assert parsed.frame["extra"].null_count() == parsed.frame.height > 0
    assert parsed.unknown_columns == ()
    assert dict(parsed.frame.schema) == feed.frame_schema


@pytest.mark.parametrize("path", SOD_FILES, ids=lambda path: path.name)
def test_every_value_of_a_start_of_day_file(path: Path) -> None:
    parsed = parse(SOD, path)
    expected = reference_daily.sod_file(path.read_bytes())
    assert parsed.rejected == ()
    assert parsed.frame.height == len(expected) > 0
    for row, values in zip(parsed.frame.iter_rows(named=True), expected, strict=True):
        read = reference_daily.plain(row)
        assert {name: read[name] for name in values} == values
    assert parsed.frame["instrument_id"].null_count() == UNTRANSLATABLE.get(path.name, 0)
    assert dict(parsed.frame.schema) == SOD.frame_schema
