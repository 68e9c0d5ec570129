"""Actant end-of-day scenarios, `GE_<underlying>_YYYYMMDD_HHMMSS.json`: totals and expiries, under
each shock of the price some 50 metrics. Each value becomes a record.
"""

from typing import Final

import polars as pl

from trade_assets.datasets.dataset import Feed
from trade_assets.datasets.records import EXTRA, ROW, ParsedFile
from trade_assets.feeds.cadence import DAILY_FRESHNESS_SECONDS, DAILY_GAP_SECONDS
from trade_assets.feeds.formats import scenario_files as scenarios
from trade_assets.feeds.formats.eod_document import Document, read_document
from trade_assets.feeds.formats.scenario_files import Points, finish_points, read_name
from trade_assets.market.sessions import TRADING_DAY_SECONDS

FILE_PATTERN: Final = scenarios.name_pattern("json")


def parse_eod(data: bytes, file_name: str) -> ParsedFile:
    """Values of an EOD file under `scenarios.SCHEMA`; see `Parser` for the promise.

    A row of the accounting is a value, and its number the ordinal number of the value in the
    document (1 is the first): such a file has no lines to speak of. A total or point of the wrong
    shape is one row. `""` and `null` are missing, a number without quotes is read from its digits.
    Members that the feed does not know are named by their path, `points.note`; the short ones are
    in the `extra` of the values below them.

    Raises:
        UnparsableFileError: the name holds no time, or the content is not JSON with a list of
            totals.
    """
    scenario = read_name(file_name, FILE_PATTERN)
    document = read_document(data, file_name)
    return finish_points(
        _points(document),
        scenario,
        rejected=document.rejected,
        unknown=document.unknown,
    )


def _points(document: Document) -> Points:
    metrics = pl.Series(document.metrics, dtype=pl.String)
    values = pl.Series(document.values, dtype=pl.String)
    points = pl.DataFrame(
        {"scope": document.scopes, "shock": document.shocks, EXTRA: document.extra},
        schema=dict.fromkeys(("scope", "shock", EXTRA), pl.String),
    )
    sizes = pl.Series(document.sizes, dtype=pl.UInt32)
    places = pl.int_range(len(sizes), dtype=pl.UInt32, eager=True).repeat_by(sizes)
    above = points[places.explode(empty_as_null=False)]
    return Points(
        rows=pl.Series(ROW, document.numbers, dtype=pl.Int64),
        scopes=above["scope"],
        metrics=metrics,
        shocks=above["shock"],
        values=values,
        extra=above[EXTRA],
        text_of=lambda at: (
            f"{above['scope'][at]}: {metrics[at]} at {above['shock'][at]} is {values[at]}"
        ),
    )


EOD: Final = Feed(
    source="actant",
    name="eod",
    title="Actant end of day: metrics of every expiry under relative and absolute shocks",
    file_pattern=FILE_PATTERN,
    parse=parse_eod,
    schema=scenarios.SCHEMA,
    columns=scenarios.COLUMN_TEXTS,
    record_key_is=scenarios.RECORD_KEY_IS,
    event_time_is="the time in the file name, US Central",
    cadence_seconds=TRADING_DAY_SECONDS,
    gap_seconds=DAILY_GAP_SECONDS,
    freshness_seconds=DAILY_FRESHNESS_SECONDS,
    kinds=frozenset({"json"}),
)
