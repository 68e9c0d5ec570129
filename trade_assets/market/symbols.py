"""Symbols of instruments in every notation of the desk's systems, read and written one at a time.

The notations themselves are in `actant_symbols` and `street_symbols`, the instrument in
`instrument`; columns of symbols are the business of `identify`.
"""

from collections.abc import Callable, Mapping
from datetime import date
from enum import StrEnum
from typing import Final

from trade_assets.errors import SymbolError
from trade_assets.market import actant_symbols as actant
from trade_assets.market import street_symbols as street
from trade_assets.market.actant_symbols import parse_expiry_token
from trade_assets.market.instrument import (
    Instrument,
    InstrumentKind,
    instrument_of_parts,
    parse_id,
    series_of_day,
    series_of_expiry,
)
from trade_assets.market.numbers import shown
from trade_assets.market.street_symbols import tt_alias

__all__ = [
    "Instrument",
    "InstrumentKind",
    "SymbolNotation",
    "format_symbol",
    "instrument_of_parts",
    "parse_expiry_token",
    "parse_id",
    "parse_symbol",
    "series_of_day",
    "series_of_expiry",
    "tt_alias",
]


class SymbolNotation(StrEnum):
    """Whose way of naming instruments a symbol follows. A property of the file, never guessed."""

    ACTANT_RISK = "actant_risk"
    ACTANT_TRADES = "actant_trades"
    ACTANT_TIME = "actant_time"
    BLOOMBERG = "bloomberg"
    CME = "cme"


_PARSERS: Final[Mapping[SymbolNotation, Callable[[str, int], Instrument]]] = {
    SymbolNotation.ACTANT_RISK: lambda text, _: actant.parse_risk(text),
    SymbolNotation.ACTANT_TRADES: lambda text, _: actant.parse_trades(text),
    SymbolNotation.ACTANT_TIME: lambda text, _: actant.parse_time(text),
    SymbolNotation.BLOOMBERG: street.parse_bloomberg,
    SymbolNotation.CME: street.parse_cme,
}

_FORMATTERS: Final[Mapping[SymbolNotation, Callable[[Instrument], str]]] = {
    SymbolNotation.ACTANT_RISK: actant.format_risk,
    SymbolNotation.ACTANT_TRADES: actant.format_trades,
    SymbolNotation.ACTANT_TIME: actant.format_time,
    SymbolNotation.BLOOMBERG: street.format_bloomberg,
    SymbolNotation.CME: street.format_cme,
}


def parse_symbol(text: str, notation: SymbolNotation, as_of: date) -> Instrument:
    """The instrument of a symbol.

    What it reads it would write the same way, but for these aliases: risk and time symbols of a
    monthly option by its day; of a weekly one that a holiday moves, its day and its expiry in place
    of each other; Bloomberg's strikes with other than three decimals; exchange strikes of five
    digits; TT's alias of a future.

    Args:
        text: the symbol, case and all.
        notation: whose symbol it is.
        as_of: a day near which the symbol was in use; a year of one digit is the one nearest to it.

    Raises:
        SymbolError: it is no such symbol, its parts contradict each other or the calendar, or its
            product is unknown; with the reason.
    """
    try:
        return _PARSERS[notation](text, as_of.year)
    except SymbolError as error:
        raise SymbolError(f"{notation} symbol {shown(text)}: {error}") from None


def format_symbol(instrument: Instrument, notation: SymbolNotation) -> str:
    """The symbol of an instrument.

    Raises:
        SymbolError: the notation has no symbol for it; with the reason.
    """
    try:
        return _FORMATTERS[notation](instrument)
    except SymbolError as error:
        name = instrument.instrument_id
        raise SymbolError(f"{name} has no {notation} symbol: {error}") from None
