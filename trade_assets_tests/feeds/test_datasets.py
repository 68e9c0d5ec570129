"""The registry, and what every feed in it has to keep."""

import polars as pl
import pytest

from trade_assets.datasets.dataset import Feed, to_records
from trade_assets.datasets.records import COMMON_SCHEMA, IDENTITY_SCHEMA, RECORD_SCHEMA
from trade_assets.datasets.registry import feed_of_file
from trade_assets.feeds.datasets import FEEDS
from trade_assets.feeds.formats.eod import EOD
from trade_assets.feeds.formats.futures_settlement import FUTURES_SETTLEMENT
from trade_assets.feeds.formats.options_settlement import OPTIONS_SETTLEMENT
from trade_assets.feeds.formats.pnl_grid import PNL_GRID
from trade_assets.feeds.formats.sod import SOD
from trade_assets.feeds.formats.spot_risk import SPOT_RISK
from trade_assets.feeds.formats.trade_ledger import FILLS
from trade_assets.feeds.formats.vtexp import VTEXP

SMALL_FILES = {
    VTEXP.path: ("vtexp_20250721_145812.csv", b"symbol,vtexp\nXCME.ZN.N.G.22JUL25,0.961111\n"),
    SOD.path: (
        "actant.csv",
        b"ACCOUNT,UNDERLYING,ASSET,RUN_DATE,PRODUCT_CODE,LONG_SHORT,QUANTITY,PRICE_TODAY\n"
        b"A,ZN,ZN,2025-05-23,FUTURE,L,500,109.65625\n",
    ),
    FUTURES_SETTLEMENT.path: (
        "Futures_20250717_1600.csv",
        b"SYMBOL,PX_LAST,PX_SETTLE,\nTY,110.165,110.165,\n",
    ),
    OPTIONS_SETTLEMENT.path: (
        "Options_20250717_1600.csv",
        b"SYMBOL,PX_LAST,PX_SETTLE\nTYQ5C 112.250 Comdty,0.015625,0.015625\n",
    ),
    SPOT_RISK.path: ("bav_analysis_20250717_143331.csv", b"Key,BID,ASK,STRIKE,ITYPE\nK,1,2,3,F\n"),
    PNL_GRID.path: (
        "GE_XCME.ZN_20250717_143331.csv",
        b"Expiration,Value,UPrice,-0.25\n21JUL25,ab_sCall,110.203,1.5\n",
    ),
    EOD.path: (
        "GE_XCME.ZN_20250717_143331.json",
        b'{"totals":[{"header":"w/o first","points":[{"header":"-10%","values":{"Th PnL":"1"}}]}]}',
    ),
    FILLS.path: (
        "trades_20250717.csv",
        b"tradeId,instrumentName,marketTradeTime,buySell,quantity,price\n"
        b"1,ZNU5,2025-07-16 13:43:47.000,B,1.0,110.625\n",
    ),
}


@pytest.mark.parametrize(
    ("file_name", "feed"),
    [
        ("bav_analysis_20250717_143331.csv", SPOT_RISK),
        ("bav_analysis_20250717_143331_chunk_01_of_16.csv", SPOT_RISK),
        ("GE_XCME.ZN_20250717_143331.csv", PNL_GRID),
        ("GE_XCME.ZN_20250717_143331.json", EOD),
        ("GE_XEUR.FGBL_20250717_143331.json", EOD),
        ("trades_20250717.csv", FILLS),
        ("vtexp_20250721_145812.csv", VTEXP),
        ("vtexp_20250721_1458.csv", None),
        ("actant.csv", SOD),
        ("SampleSOD_ticks.csv", SOD),
        (".SampleSOD_ticks.csv", None),
        ("actant2.csv", None),
        ("Futures_20250717_1600.csv", FUTURES_SETTLEMENT),
        ("Futures_20250717_160000.csv", None),
        ("Options_20250717_1600.csv", OPTIONS_SETTLEMENT),
        ("Options_20250717_1600.head.csv", None),
        ("bav_analysis_20250717_143331.csv.part", None),
        (".bav_analysis_20250717_143331.csv", None),
        ("bav_analysis_2025071_143331.csv", None),
        ("trades_20250717.csv\n", None),
        ("trades_2025071٣.csv", None),
        ("trades_20250717.json", None),
        ("GE_XCME.ZN_20250717_143331.json.csv", None),
        ("GE__20250717_143331.csv", None),
        ("GE_XCME:ZN_20250717_143331.csv", None),
        ("", None),
    ],
)
def test_a_file_belongs_to_the_feed_whose_pattern_it_matches_whole(
    file_name: str, feed: Feed | None
) -> None:
    assert feed_of_file(file_name) is feed


@pytest.mark.parametrize("path", sorted(FEEDS))
def test_every_feed_has_columns_of_its_own_under_names_of_its_own(path: str) -> None:
    feed = FEEDS[path]
    assert feed.path == path
    assert feed.schema
    assert not {*feed.schema, "extra"} & {*RECORD_SCHEMA}
    assert {*(feed.quote_columns or ()), *feed.traded_columns} <= set(feed.schema)
    cadence_seconds = feed.cadence_seconds or 0
    assert feed.freshness_seconds > cadence_seconds
    assert (feed.gap_seconds is None) == (feed.cadence_seconds is None)
    assert feed.gap_seconds is None or feed.gap_seconds > cadence_seconds > 0


@pytest.mark.parametrize("path", sorted(FEEDS))
def test_records_of_every_feed_follow_its_schema(path: str) -> None:
    feed = FEEDS[path]
    name, data = SMALL_FILES[path]
    parsed = feed.parse(data, name)
    records = to_records(feed, parsed, f"feeds/{path}/dt=2025-07-17/hh=19/{name}")
    common = [*IDENTITY_SCHEMA.items(), *COMMON_SCHEMA.items()]
    assert list(parsed.frame.schema.items())[: len(common)] == common
    assert parsed.frame["trading_date"].null_count() == 0
    assert list(records.schema.items()) == list(feed.record_schema.items())
    assert records.select("source", "feed").rows() == [tuple(path.split("/"))]
    assert records.drop("source", "feed", "file_key").equals(parsed.frame)


@pytest.mark.parametrize("path", sorted(FEEDS))
def test_no_column_of_any_feed_is_nested(path: str) -> None:
    assert all(not dtype.is_nested() for dtype in FEEDS[path].record_schema.values())
    assert all(isinstance(dtype, pl.DataType) for dtype in FEEDS[path].record_schema.values())
