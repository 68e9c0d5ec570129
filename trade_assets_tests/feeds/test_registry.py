"""The registry, and what every feed in it has to keep."""

import polars as pl
import pytest

from trade_assets.errors import UnknownFeedError
from trade_assets.feeds.base import IDENTITY_SCHEMA, RECORD_SCHEMA, to_records
from trade_assets.feeds.fills import FILLS
from trade_assets.feeds.registry import FEEDS, feed_named, feed_of_file
from trade_assets.feeds.spot_risk import SPOT_RISK

SMALL_FILES = {
    SPOT_RISK.path: ("bav_analysis_20250717_143331.csv", b"Key,BID,ASK,STRIKE,ITYPE\nK,1,2,3,F\n"),
    FILLS.path: (
        "trades_20250717.csv",
        b"tradeId,instrumentName,marketTradeTime,buySell,quantity,price\n"
        b"1,ZNU5,2025-07-16 13:43:47.000,B,1.0,110.625\n",
    ),
}


def test_feeds_by_path_and_by_name():
    assert feed_named("actant/spot_risk") is feed_named("spot_risk") is SPOT_RISK
    assert feed_named("tt/fills") is feed_named("fills") is FILLS


def test_unknown_feed_lists_those_that_exist():
    with pytest.raises(UnknownFeedError, match="actant/spot_risk, tt/fills"):
        feed_named("nothing")


@pytest.mark.parametrize(
    ("file_name", "feed"),
    [
        ("bav_analysis_20250717_143331.csv", SPOT_RISK),
        ("bav_analysis_20250717_143331_chunk_01_of_16.csv", SPOT_RISK),
        ("trades_20250717.csv", FILLS),
        ("bav_analysis_20250717_143331.csv.part", None),
        (".bav_analysis_20250717_143331.csv", None),
        ("bav_analysis_2025071_143331.csv", None),
        ("trades_20250717.csv\n", None),
        ("trades_2025071٣.csv", None),
        ("trades_20250717.json", None),
        ("", None),
    ],
)
def test_a_file_belongs_to_the_feed_whose_pattern_it_matches_whole(file_name, feed):
    assert feed_of_file(file_name) is feed


@pytest.mark.parametrize("path", sorted(FEEDS))
def test_every_feed_has_columns_of_its_own_under_names_of_its_own(path):
    feed = FEEDS[path]
    assert feed.path == path
    assert feed.schema
    assert not {*feed.schema, "extra"} & {*RECORD_SCHEMA}
    assert set(feed.quote_columns or ()) <= set(feed.schema)
    assert 0 < feed.cadence_seconds < feed.freshness_seconds


@pytest.mark.parametrize("path", sorted(FEEDS))
def test_records_of_every_feed_follow_its_schema(path):
    feed = FEEDS[path]
    name, data = SMALL_FILES[path]
    parsed = feed.parse(data, name)
    records = to_records(feed, parsed, f"feeds/{path}/dt=2025-07-17/hh=19/{name}")
    assert list(parsed.frame.schema.items())[:3] == list(IDENTITY_SCHEMA.items())
    assert list(records.schema.items()) == list(feed.record_schema.items())
    assert records.select("source", "feed").rows() == [tuple(path.split("/"))]
    assert records.drop("source", "feed", "file_key").equals(parsed.frame)


@pytest.mark.parametrize("path", sorted(FEEDS))
def test_no_column_of_any_feed_is_nested(path):
    assert all(not dtype.is_nested() for dtype in FEEDS[path].record_schema.values())
    assert all(isinstance(dtype, pl.DataType) for dtype in FEEDS[path].record_schema.values())
