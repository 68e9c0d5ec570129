"""Time to expiry of the desk's option series, `vtexp_YYYYMMDD_HHMMSS.csv`, every 16 minutes.

Actant counts business days, and parts of one; its users divide by 252 for years.
"""

import re
from collections.abc import Mapping
from typing import Final

import polars as pl

from trade_assets.datasets.dataset import Feed
from trade_assets.datasets.records import ParsedFile
from trade_assets.feeds.formats.csv_rows import finish, read_rows
from trade_assets.feeds.formats.file_names import file_time
from trade_assets.market.identify import identify
from trade_assets.market.numbers import read_numbers
from trade_assets.market.symbols import SymbolNotation

FILE_PATTERN: Final = re.compile(r"vtexp_(?P<day>[0-9]{8})_(?P<time>[0-9]{6})\.csv")

COLUMNS: Final = ("symbol", "vtexp")

SCHEMA: Final[Mapping[str, pl.DataType]] = {"days_to_expiry": pl.Float64()}

COLUMN_TEXTS: Final[Mapping[str, str]] = {
    "days_to_expiry": "business days left, below 0 when the series has expired"
}


def parse_vtexp(data: bytes, file_name: str) -> ParsedFile:
    """Rows of a file of times to expiry under `SCHEMA`; see `Parser` for the promise.

    A row without a number of days is rejected: it says nothing.

    Raises:
        UnparsableFileError: the name holds no time, or the header lacks one of `COLUMNS`.
    """
    time = file_time(file_name, FILE_PATTERN)
    rows = read_rows(data, file_name, required=COLUMNS)
    symbols, height = rows.text["symbol"], rows.text.height
    (days,), problems = read_numbers([rows.text["vtexp"]], missing=())
    rows.reject_at(problems)
    return finish(
        rows,
        record_keys=symbols,
        event_times=time.event_times(height),
        trading_dates=time.trading_dates(height),
        instruments=identify(symbols, SymbolNotation.ACTANT_TIME, time.trading_date),
        columns=[days.alias("days_to_expiry")],
        known=COLUMNS,
    )


VTEXP: Final = Feed(
    source="actant",
    name="vtexp",
    title="Actant time to expiry: business days left of each option series",
    file_pattern=FILE_PATTERN,
    parse=parse_vtexp,
    schema=SCHEMA,
    columns=COLUMN_TEXTS,
    record_key_is="the option series in Actant's notation (symbol)",
    event_time_is="the time in the file name, US Central",
    cadence_seconds=960.0,
    gap_seconds=2400.0,
    freshness_seconds=3600.0,
)
