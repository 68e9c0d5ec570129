"""Columns of symbols to columns of instruments, fast enough for every file of the desk.

The same few hundred symbols come every second: both a symbol's and a whole column's translation are
remembered, within a bound.
"""

from collections.abc import Mapping, Sequence
from datetime import date
from functools import lru_cache
from typing import Final

import polars as pl

from trade_assets.errors import SymbolError
from trade_assets.market.symbols import Instrument, SymbolNotation, parse_symbol

INSTRUMENT_ID: Final = "instrument_id"
UNDERLYING_ID: Final = "underlying_id"

INSTRUMENT_SCHEMA: Final[Mapping[str, pl.DataType]] = {
    INSTRUMENT_ID: pl.String(),
    "product": pl.String(),
    "expiry": pl.Date(),
    "strike_price": pl.Float64(),
    "put_call": pl.String(),
    UNDERLYING_ID: pl.String(),
}
"""Columns that say which instrument a record is about; strikes in points. All null: the symbol
could not be translated."""

INSTRUMENT_COLUMNS: Final[Mapping[str, str]] = {
    INSTRUMENT_ID: "our id of the instrument, null where its symbol cannot be translated",
    "product": "our code of the product",
    "expiry": "last trading day of the contract",
    "strike_price": "strike in points",
    "put_call": "P put, C call, null for no option",
    UNDERLYING_ID: "our id of the future that it is on, of a future its own",
}
"""What these columns are, for people."""

LONGEST_SYMBOL: Final = 64
"""More characters than any notation's symbol has, so that no flood of texts fills the memory."""

REMEMBERED_SYMBOLS: Final = 32_768
REMEMBERED_COLUMNS: Final = 64

_Row = tuple[str, str, date | None, float | None, str | None, str | None]
_UNKNOWN: Final = (None,) * len(INSTRUMENT_SCHEMA)


def identify(symbols: pl.Series, notation: SymbolNotation, as_of: date) -> pl.DataFrame:
    """`INSTRUMENT_SCHEMA` of a String column of symbols, a row for each; all null where
    `parse_symbol` raises, and where the symbol is null."""
    # A clone costs nothing, and keeps a caller's changes in place out of what is remembered.
    return _frame(tuple(symbols.to_list()), notation, as_of.year).clone()


def instrument_rows(instruments: Sequence[Instrument | None]) -> pl.DataFrame:
    """`INSTRUMENT_SCHEMA` of instruments, a row for each; all null for None."""
    return _to_frame([_UNKNOWN if item is None else _row(item) for item in instruments])


# Of `as_of` only the year decides (see `parse_symbol`): a new day forgets nothing.
@lru_cache(maxsize=REMEMBERED_COLUMNS)
def _frame(symbols: tuple[str | None, ...], notation: SymbolNotation, year: int) -> pl.DataFrame:
    return _to_frame([_translated(text, notation, year) for text in symbols])


def _translated(text: str | None, notation: SymbolNotation, year: int) -> _Row | tuple[None, ...]:
    if text is None or len(text) > LONGEST_SYMBOL:
        return _UNKNOWN
    return _remembered(text, notation, year)


@lru_cache(maxsize=REMEMBERED_SYMBOLS)
def _remembered(text: str, notation: SymbolNotation, year: int) -> _Row | tuple[None, ...]:
    try:
        return _row(parse_symbol(text, notation, date(year, 1, 1)))
    except SymbolError:
        return _UNKNOWN


def _row(item: Instrument) -> _Row:
    strike = None if item.strike is None else float(item.strike)
    return item.instrument_id, item.product, item.expiry, strike, item.put_call, item.underlying_id


def _to_frame(rows: Sequence[_Row | tuple[None, ...]]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema=dict(INSTRUMENT_SCHEMA), orient="row")
