"""Settlement prices of futures, `Futures_YYYYMMDD_HHMM.csv`: the desk's export from Bloomberg.

A product is named by its Bloomberg root alone (`TY`; which month it is the front of, the file does
not say), or a contract by its symbol.
"""

import re
from typing import Final

import polars as pl

from trade_assets.datasets.dataset import Feed
from trade_assets.datasets.records import ParsedFile
from trade_assets.feeds.cadence import DAILY_FRESHNESS_SECONDS, DAILY_GAP_SECONDS
from trade_assets.feeds.formats.bloomberg_prices import (
    PRICE_COLUMNS,
    PRICE_SCHEMA,
    PRICES,
    REQUIRED,
    settlement_prices,
)
from trade_assets.feeds.formats.csv_rows import Rows, finish, read_rows, with_leftovers
from trade_assets.feeds.formats.file_names import daily_statement, file_time
from trade_assets.market.identify import identify
from trade_assets.market.prices import PriceNotation
from trade_assets.market.products import PRODUCTS, Quoting
from trade_assets.market.sessions import TRADING_DAY_SECONDS
from trade_assets.market.symbols import SymbolNotation

FILE_PATTERN: Final = re.compile(r"Futures_(?P<day>[0-9]{8})_(?P<time>[0-9]{4})\.csv")

NOTATIONS: Final = {
    Quoting.THIRTY_SECONDS: PriceNotation.DOTTED_32NDS,
    Quoting.DECIMAL: PriceNotation.DECIMAL,
}
"""How this file writes prices (FORMATS.md): `110.165` of TY is 110 + 16.5/32, of RX 110.165."""


def parse_futures_settlement(data: bytes, file_name: str) -> ParsedFile:
    """Rows of a futures settlement file under `PRICE_SCHEMA`; see `Parser` for the promise.

    A row without any price is stored with nulls. So is one whose symbol cannot be translated:
    nobody can say which number its digits are, and they stay as texts in `extra`.

    Raises:
        UnparsableFileError: the name holds no time, or the header lacks a column of `REQUIRED`.
    """
    time = file_time(file_name, FILE_PATTERN)
    rows = read_rows(data, file_name, required=REQUIRED)
    symbols = rows.text["SYMBOL"]
    instruments = identify(symbols, SymbolNotation.BLOOMBERG, time.trading_date)
    parsed = finish(
        rows,
        record_keys=symbols,
        event_times=time.event_times(rows.text.height),
        trading_dates=time.trading_dates(rows.text.height),
        instruments=instruments,
        columns=settlement_prices(rows, _notations(instruments["product"])),
        known=REQUIRED,
    )
    return with_leftovers(parsed, _unread(rows, instruments["product"]))


def _notations(products: pl.Series) -> pl.Series:
    return pl.Series(
        [None if code is None else NOTATIONS[PRODUCTS[code].quoting] for code in products],
        dtype=pl.String,
    )


def _unread(rows: Rows, products: pl.Series) -> dict[int, dict[str, str]]:
    """Texts of the prices that are in no known notation, by row."""
    unknown = products.is_null()
    texts = rows.text.filter(unknown).select(*PRICES).iter_rows(named=True)
    return dict(zip(rows.numbers.filter(unknown), texts, strict=True))


FUTURES_SETTLEMENT: Final = Feed(
    source="actant",
    name="futures_settlement",
    title="Futures settlement: last and settlement price of each product",
    file_pattern=FILE_PATTERN,
    parse=parse_futures_settlement,
    schema=PRICE_SCHEMA,
    columns=PRICE_COLUMNS,
    record_key_is="the product's Bloomberg root (SYMBOL)",
    event_time_is="the time in the file name, US Central",
    cadence_seconds=TRADING_DAY_SECONDS,
    gap_seconds=DAILY_GAP_SECONDS,
    freshness_seconds=DAILY_FRESHNESS_SECONDS,
    traded_columns=tuple(PRICE_SCHEMA),
    rewritten=True,
    statement=daily_statement(FILE_PATTERN),
)
