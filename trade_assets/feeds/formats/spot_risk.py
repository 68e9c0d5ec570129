"""Actant spot risk: futures, options and positions of the desk, a whole picture every 1 to 7 s.

`bav_analysis_YYYYMMDD_HHMMSS.csv`, also in pieces `…_chunk_NN_of_16.csv`, each with its header.
"""

import re
from collections.abc import Mapping
from datetime import date
from functools import lru_cache
from typing import Final

import polars as pl

from trade_assets.datasets.dataset import Feed
from trade_assets.datasets.records import ParsedFile
from trade_assets.feeds.formats.csv_rows import Rows, finish, nulls, read_rows
from trade_assets.feeds.formats.file_names import file_time
from trade_assets.market.identify import REMEMBERED_COLUMNS, identify
from trade_assets.market.numbers import read_numbers, shown, whole_numbers
from trade_assets.market.prices import cabinet
from trade_assets.market.symbols import SymbolNotation

FILE_PATTERN: Final = re.compile(
    r"bav_analysis_(?P<day>[0-9]{8})_(?P<time>[0-9]{6})(?:_chunk_[0-9]+_of_[0-9]+)?\.csv"
)

TYPE_ROW: Final = "Type,"
MISSING: Final = ("", "INVALID")

OPTION_TYPES: Final = ("C", "P")
INSTRUMENT_TYPES: Final = frozenset({"F", "N", *OPTION_TYPES})
"""Future, call, put, and bare underlying (`XCME.ZN`: a row of positions without any price)."""

NUMBERS: Final[Mapping[str, str]] = {
    "BID": "bid_price",
    "ASK": "ask_price",
    "STRIKE": "strike_price",
    "ADJTHEOR": "theoretical_price",
    "IVBID": "bid_volatility",
    "IVASK": "ask_volatility",
    "IVAVERAGE": "average_volatility",
    "POS.POSITION": "position_quantity",
    "POS.STARTOFDAYPOS": "start_of_day_quantity",
    "POS.PREMIUM": "position_premium_usd",
    "POS.PRICE": "position_price",
    "POS.MARKETVALUE": "position_market_value_usd",
    "UTOTAL.PREMIUM": "underlying_premium_usd",
    "UTOTAL.YESTERDAYPL": "underlying_yesterday_pnl_usd",
}
"""Columns of numbers and their standard names. Prices are in points (ZN: 1 point = 1,000 USD),
volatilities as Actant gives them, `position_` is of the row's instrument and `underlying_` of all
instruments on its underlying, repeated on every row. The file says USD nowhere: its position of
1,000 ZN at 110.625 with a premium of 110,625,000 does."""

QUANTITIES: Final = ("POS.POSITION", "POS.STARTOFDAYPOS")
PRICES: Final = ("BID", "ASK", "POS.PRICE")
REQUIRED: Final = ("Key", "BID", "ASK", "STRIKE", "ITYPE")
KNOWN: Final = frozenset({"Key", "ITYPE", *NUMBERS})

STRIKE: Final = "strike_price"
"""The one of `NUMBERS` that is a common column."""

SCHEMA: Final[Mapping[str, pl.DataType]] = {
    "instrument_type": pl.String(),
    **{
        name: pl.Int64() if column in QUANTITIES else pl.Float64()
        for column, name in NUMBERS.items()
        if name != STRIKE
    },
}

COLUMN_TEXTS: Final[Mapping[str, str]] = {
    "bid_price": "bid, points",
    "ask_price": "ask, points",
    "position_quantity": "position in the instrument, contracts, below 0 when short",
    "theoretical_price": "the desk's adjusted theoretical price, points",
    "average_volatility": "mean volatility of bid and ask, as Actant gives it",
    "instrument_type": "F future, C call, P put, N bare underlying",
    "bid_volatility": "volatility of the bid, as Actant gives it",
    "ask_volatility": "volatility of the ask, as Actant gives it",
    "start_of_day_quantity": "position at the start of the day, contracts",
    "position_price": "price of the position, points",
    "position_market_value_usd": "market value of the position, US dollars",
    "position_premium_usd": "premium of the position, US dollars",
    "underlying_premium_usd": "premium of all positions on the underlying, US dollars",
    "underlying_yesterday_pnl_usd": "yesterday's result of all positions on the underlying, "
    "US dollars",
}


def parse_spot_risk(data: bytes, file_name: str) -> ParsedFile:
    """Rows of a spot-risk file under `SCHEMA`; see `Parser` for the promise.

    `INVALID` and empty are null, and so are the columns that a file of 9 columns lacks. `.0069999`
    is the cabinet price; every other number stays, however absurd. A row whose key says another
    strike or type than its columns is rejected.

    Raises:
        UnparsableFileError: the name holds no time, or the header lacks a column of `REQUIRED`.
    """
    time = file_time(file_name, FILE_PATTERN)
    rows = read_rows(data, file_name, required=REQUIRED, type_row=TYPE_ROW)
    types = rows.text["ITYPE"]
    if not INSTRUMENT_TYPES.issuperset(types.to_list()):
        rows.reject_where(~types.is_in(INSTRUMENT_TYPES), "ITYPE", "is not one of F, C, P, N")
    columns = _numbers(rows)
    strikes = columns.pop(STRIKE)
    return finish(
        rows,
        record_keys=rows.text["Key"],
        event_times=time.event_times(rows.text.height),
        trading_dates=time.trading_dates(rows.text.height),
        instruments=_instruments(rows, strikes, types, time.trading_date),
        columns=[types.alias("instrument_type"), *columns.values()],
        known=KNOWN,
    )


def _numbers(rows: Rows) -> dict[str, pl.Series]:
    """The columns of numbers by their standard names."""
    text = rows.text
    numbers, problems = read_numbers([text[n] for n in NUMBERS if n in text.columns], MISSING)
    rows.reject_at(problems)
    read = {column.name: column for column in numbers}
    columns = {}
    for name, standard_name in NUMBERS.items():
        column = read.get(name)
        if column is None:
            column = nulls(name, SCHEMA[standard_name], text.height)
        elif name in PRICES:
            column = cabinet(column)
        elif name in QUANTITIES:
            column, problems = whole_numbers(column)
            rows.reject_at(problems)
        columns[standard_name] = column.alias(standard_name)
    return columns


def _instruments(rows: Rows, strikes: pl.Series, types: pl.Series, as_of: date) -> pl.DataFrame:
    """What the keys stand for; strike and right are the columns' own, translatable or not."""
    keys = rows.text["Key"]
    found, strangers = _compared(
        tuple(keys.to_list()), tuple(strikes.to_list()), tuple(types.to_list()), as_of
    )
    for column, positions in strangers.items():
        texts = rows.text[column]
        rows.reject_at(
            (at, f"{column} {shown(texts[at])} is not that of the row's key") for at in positions
        )
    return found.clone()


# The same keys, strikes and types come every second: comparing them anew costs a quarter of a file.
@lru_cache(maxsize=REMEMBERED_COLUMNS)
def _compared(
    keys: tuple[str, ...], strikes: tuple[float | None, ...], types: tuple[str, ...], as_of: date
) -> tuple[pl.DataFrame, Mapping[str, list[int]]]:
    """Instruments of rows, and where their key says something else than their columns do."""
    found = identify(pl.Series(keys, dtype=pl.String), SymbolNotation.ACTANT_RISK, as_of)
    rights = pl.Series("put_call", [kind if kind in OPTION_TYPES else None for kind in types])
    columns = pl.Series(STRIKE, strikes, dtype=pl.Float64), rights.cast(pl.String)
    known = found["instrument_id"].is_not_null()
    strangers = {
        column: (known & found[own.name].ne_missing(own)).arg_true().to_list()
        for column, own in zip(("STRIKE", "ITYPE"), columns, strict=True)
    }
    return found.with_columns(*columns), strangers


SPOT_RISK: Final = Feed(
    source="actant",
    name="spot_risk",
    title="Actant spot risk: quotes, volatilities and positions",
    file_pattern=FILE_PATTERN,
    parse=parse_spot_risk,
    schema=SCHEMA,
    columns=COLUMN_TEXTS,
    record_key_is="the instrument in Actant's notation (Key)",
    event_time_is="the time in the file name, US Central",
    cadence_seconds=1.0,
    gap_seconds=15.0,
    freshness_seconds=30.0,
    quote_columns=("bid_price", "ask_price"),
    traded_columns=("bid_price", "ask_price"),
    pictures=True,
)
