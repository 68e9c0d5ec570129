"""Actant spot risk: futures, options and positions of the desk, a whole picture every 1 to 7 s.

`bav_analysis_YYYYMMDD_HHMMSS.csv`, also in pieces `…_chunk_NN_of_16.csv`, each with its header.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Final

import polars as pl

from trade_assets.errors import UnparsableFileError
from trade_assets.feeds.base import EVENT_TIME, Feed, ParsedFile
from trade_assets.feeds.numbers import cabinet, read_numbers, whole_numbers
from trade_assets.feeds.rows import Rows, finish, nulls, read_rows
from trade_assets.feeds.times import repeated, stamp_to_utc

FILE_PATTERN: Final = re.compile(
    r"bav_analysis_(?P<day>[0-9]{8})_(?P<time>[0-9]{6})(?:_chunk_[0-9]+_of_[0-9]+)?\.csv"
)

TYPE_ROW: Final = "Type,"
MISSING: Final = ("", "INVALID")

INSTRUMENT_TYPES: Final = frozenset({"F", "C", "P", "N"})
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

SCHEMA: Final[Mapping[str, pl.DataType]] = {
    "instrument_type": pl.String(),
    **{
        name: pl.Int64() if column in QUANTITIES else pl.Float64()
        for column, name in NUMBERS.items()
    },
}


def parse_spot_risk(data: bytes, file_name: str) -> ParsedFile:
    """Rows of a spot-risk file under `SCHEMA`; see `Parser` for the promise.

    `INVALID` and empty are null, and so are the columns that a file of 9 columns lacks. `.0069999`
    is the cabinet price; every other number stays, however absurd.

    Raises:
        UnparsableFileError: the name holds no time, or the header lacks a column of `REQUIRED`.
    """
    match = FILE_PATTERN.fullmatch(file_name)
    event_time = stamp_to_utc(match["day"] + match["time"]) if match else None
    if event_time is None:
        raise UnparsableFileError(file_name, "its name holds no time that exists in US Central")
    rows = read_rows(data, file_name, required=REQUIRED, type_row=TYPE_ROW)
    types = rows.text["ITYPE"]
    if not INSTRUMENT_TYPES.issuperset(types.to_list()):
        rows.reject_where(~types.is_in(INSTRUMENT_TYPES), "ITYPE", "is not one of F, C, P, N")
    columns = [types.alias("instrument_type"), *_numbers(rows)]
    times = repeated(EVENT_TIME, event_time, rows.text.height)
    return finish(rows, rows.text["Key"], times, columns, KNOWN)


def _numbers(rows: Rows) -> Iterator[pl.Series]:
    text = rows.text
    numbers, problems = read_numbers([text[n] for n in NUMBERS if n in text.columns], MISSING)
    rows.reject_at(problems)
    read = {column.name: column for column in numbers}
    for name, standard_name in NUMBERS.items():
        column = read.get(name)
        if column is None:
            column = nulls(name, SCHEMA[standard_name], text.height)
        elif name in PRICES:
            column = cabinet(column)
        elif name in QUANTITIES:
            column, problems = whole_numbers(column)
            rows.reject_at(problems)
        yield column.alias(standard_name)


SPOT_RISK: Final = Feed(
    source="actant",
    name="spot_risk",
    title="Actant spot risk: quotes, volatilities and positions",
    file_pattern=FILE_PATTERN,
    parse=parse_spot_risk,
    schema=SCHEMA,
    record_key_is="the instrument in Actant's notation (Key)",
    event_time_is="the time in the file name, US Central",
    cadence_seconds=1.0,
    freshness_seconds=30.0,
    quote_columns=("bid_price", "ask_price"),
)
