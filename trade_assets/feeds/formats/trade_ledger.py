"""The TT trade ledger: all trades of a ledger day in one file, rewritten under its name all day.

`trades_YYYYMMDD.csv`. Not every row is a fill: see `KINDS`.
"""

import re
from collections.abc import Mapping
from datetime import date, datetime, time
from typing import Final

import polars as pl

from trade_assets.datasets.dataset import Feed
from trade_assets.datasets.records import ParsedFile
from trade_assets.datasets.statements import Scope, StatementRule
from trade_assets.errors import UnparsableFileError
from trade_assets.feeds.formats.csv_rows import Rows, finish, read_rows
from trade_assets.market.identify import identify
from trade_assets.market.numbers import read_numbers
from trade_assets.market.prices import cabinet
from trade_assets.market.symbols import SymbolNotation
from trade_assets.market.trading_days import local_to_utc, read_local_times, trading_dates

FILE_PATTERN: Final = re.compile(r"trades_(?P<day>[0-9]{8})\.csv")

FILL: Final = "fill"
START_OF_DAY: Final = "start_of_day"
EXERCISE: Final = "exercise"
KINDS: Final = (FILL, START_OF_DAY, EXERCISE)
"""What a row is. A row at midnight sharp is a position at the start of the day, one at price 0 an
exercise (midnight decides where both hold); both are stored, and count as fills nowhere."""

SIDES: Final[Mapping[str, str]] = {"B": "buy", "S": "sell"}

COLUMNS: Final = (
    "tradeId",
    "instrumentName",
    "marketTradeTime",
    "buySell",
    "quantity",
    "price",
)

SCHEMA: Final[Mapping[str, pl.DataType]] = {
    "instrument": pl.String(),
    "side": pl.String(),
    "quantity": pl.Float64(),
    "price": pl.Float64(),
    "kind": pl.String(),
}

COLUMN_TEXTS: Final[Mapping[str, str]] = {
    "instrument": "the ledger's name of what was traded",
    "side": "buy or sell",
    "quantity": "contracts, above 0",
    "price": "price of the trade, points",
    "kind": "fill, start_of_day or exercise; only the first is a trade",
}


def parse_fills(data: bytes, file_name: str) -> ParsedFile:
    """Rows of a trade ledger under `SCHEMA`; see `Parser` for the promise.

    A row without a readable time, side, quantity or price is rejected: unlike a quote, half a
    trade is worth nothing.

    Raises:
        UnparsableFileError: the header lacks one of `COLUMNS`.
    """
    rows = read_rows(data, file_name, required=COLUMNS)
    text = rows.text
    local, utc = _times(rows)
    sides = pl.Series("side", [SIDES.get(side) for side in text["buySell"]], dtype=pl.String)
    rows.reject_where(sides.is_null(), "buySell", "is neither B nor S")
    rows.reject_blank("instrumentName")
    (quantities, prices), problems = read_numbers([text["quantity"], text["price"]], missing=())
    rows.reject_at(problems)
    rows.reject_where(quantities <= 0, "quantity", "is not above 0")
    columns = (
        text["instrumentName"].alias("instrument"),
        sides,
        quantities,
        cabinet(prices),
        _kinds(local, prices),
    )
    return finish(
        rows,
        record_keys=text["tradeId"],
        event_times=utc,
        trading_dates=trading_dates(local),
        instruments=identify(
            text["instrumentName"], SymbolNotation.ACTANT_TRADES, _day_of(file_name)
        ),
        columns=columns,
        known=COLUMNS,
    )


def _day_of(file_name: str) -> date:
    """The ledger day in the file's name.

    Raises:
        UnparsableFileError: it has none.
    """
    match = FILE_PATTERN.fullmatch(file_name)
    try:
        return datetime.strptime(match["day"] if match else "", "%Y%m%d").date()  # noqa: DTZ007
    except ValueError:
        raise UnparsableFileError(file_name, "its name holds no day") from None


def _times(rows: Rows) -> tuple[pl.Series, pl.Series]:
    """Times of the rows, Central and UTC."""
    local = read_local_times(rows.text["marketTradeTime"])
    rows.reject_where(local.is_null(), "marketTradeTime", "is not a time")
    utc = local_to_utc(local)
    rows.reject_where(utc.is_null(), "marketTradeTime", "does not exist in US Central")
    return local, utc


def _kinds(local: pl.Series, prices: pl.Series) -> pl.Series:
    kinds = pl.Series("kind", [FILL], dtype=pl.String).new_from_index(0, len(local))
    return kinds.set(prices == 0, EXERCISE).set(local.dt.time() == time(0), START_OF_DAY)


def _ledger_scope(file_name: str, _: date | None) -> Scope | None:
    try:
        return Scope(_day_of(file_name).isoformat(), file_name)
    except UnparsableFileError:
        return None


LEDGER_STATEMENT: Final = StatementRule(_ledger_scope)
"""A ledger is the whole truth about its day: a trade that it does not list any more is busted."""

FILLS: Final = Feed(
    source="tt",
    name="fills",
    title="TT trade ledger: fills, start-of-day positions and exercises",
    file_pattern=FILE_PATTERN,
    parse=parse_fills,
    schema=SCHEMA,
    columns=COLUMN_TEXTS,
    record_key_is="the trade (tradeId)",
    event_time_is="marketTradeTime, US Central",
    freshness_seconds=300.0,
    rewritten=True,
    traded_columns=("price",),
    statement=LEDGER_STATEMENT,
)
