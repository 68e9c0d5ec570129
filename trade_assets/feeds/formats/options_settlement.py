"""Settlement prices of options, `Options_YYYYMMDD_HHMM.csv`: the desk's export from Bloomberg.

The strike at the money is listed among those out of the money and again among those in it.
"""

import re
from collections.abc import Mapping
from datetime import date
from typing import Final

import polars as pl

from trade_assets.datasets.dataset import Feed
from trade_assets.datasets.records import ParsedFile
from trade_assets.feeds.cadence import DAILY_FRESHNESS_SECONDS, DAILY_GAP_SECONDS
from trade_assets.feeds.formats.bloomberg_prices import (
    PRICE_COLUMNS,
    PRICE_SCHEMA,
    REQUIRED,
    settlement_prices,
)
from trade_assets.feeds.formats.csv_rows import Rows, finish, nulls, read_rows
from trade_assets.feeds.formats.file_names import daily_statement, file_time
from trade_assets.feeds.formats.typed_columns import DateForm, read_dates
from trade_assets.market.identify import INSTRUMENT_ID, UNDERLYING_ID, identify
from trade_assets.market.prices import PriceNotation, cabinet
from trade_assets.market.sessions import TRADING_DAY_SECONDS
from trade_assets.market.symbols import SymbolNotation

FILE_PATTERN: Final = re.compile(r"Options_(?P<day>[0-9]{8})_(?P<time>[0-9]{4})\.csv")

EXPIRY: Final = "EXPIRE_DT"
MONEYNESS: Final = "MONEYNESS"
KNOWN: Final = frozenset({*REQUIRED, EXPIRY, MONEYNESS})

SCHEMA: Final[Mapping[str, pl.DataType]] = {**PRICE_SCHEMA, "moneyness": pl.String()}

COLUMN_TEXTS: Final[Mapping[str, str]] = {
    **PRICE_COLUMNS,
    "moneyness": "the desk's word, OTM or ITM",
}


def parse_options_settlement(data: bytes, file_name: str) -> ParsedFile:
    """Rows of an options settlement file under `SCHEMA`; see `Parser` for the promise.

    Prices are decimal. A symbol that is a future is rejected; one that expires on another day than
    its row says is not translated.

    Raises:
        UnparsableFileError: the name holds no time, or the header lacks a column of `REQUIRED`.
    """
    time = file_time(file_name, FILE_PATTERN)
    rows = read_rows(data, file_name, required=REQUIRED)
    symbols, height = rows.text["SYMBOL"], rows.text.height
    decimals = pl.Series([PriceNotation.DECIMAL], dtype=pl.String).new_from_index(0, height)
    return finish(
        rows,
        record_keys=symbols,
        event_times=time.event_times(height),
        trading_dates=time.trading_dates(height),
        instruments=_instruments(rows, symbols, time.trading_date),
        columns=[*map(cabinet, settlement_prices(rows, decimals)), _moneyness(rows.text)],
        known=KNOWN,
    )


def _instruments(rows: Rows, symbols: pl.Series, as_of: date) -> pl.DataFrame:
    """What the symbols stand for; the expiry is the file's own where it states one."""
    found = identify(symbols, SymbolNotation.BLOOMBERG, as_of)
    # Its price would be in 32nds, as in the file of the futures.
    futures = found["product"].is_not_null() & found["put_call"].is_null()
    rows.reject_where(futures, "SYMBOL", "is not an option")
    if EXPIRY not in rows.text.columns:
        return found
    texts, expected = rows.text[EXPIRY], found["expiry"]
    expiries = read_dates(texts, [DateForm.US])
    rows.reject_where(expiries.is_null() & (texts != ""), EXPIRY, "is not a date")
    # The price is the symbol's all the same: the calendar may not know a closure of a single day.
    doubtful = (expiries != expected).fill_null(False)
    return found.with_columns(
        expiries.zip_with(expiries.is_not_null(), expected).alias("expiry"),
        *(found[name].set(doubtful, None) for name in (INSTRUMENT_ID, UNDERLYING_ID)),
    )


def _moneyness(text: pl.DataFrame) -> pl.Series:
    if MONEYNESS not in text.columns:
        return nulls("moneyness", pl.String(), text.height)
    words = text[MONEYNESS].alias("moneyness")
    return words.set(words == "", None)


OPTIONS_SETTLEMENT: Final = Feed(
    source="actant",
    name="options_settlement",
    title="Options settlement: last and settlement price of each option",
    file_pattern=FILE_PATTERN,
    parse=parse_options_settlement,
    schema=SCHEMA,
    columns=COLUMN_TEXTS,
    record_key_is="the option in Bloomberg's notation (SYMBOL)",
    event_time_is="the time in the file name, US Central",
    cadence_seconds=TRADING_DAY_SECONDS,
    gap_seconds=DAILY_GAP_SECONDS,
    freshness_seconds=DAILY_FRESHNESS_SECONDS,
    traded_columns=tuple(PRICE_SCHEMA),
    rewritten=True,
    statement=daily_statement(FILE_PATTERN),
)
