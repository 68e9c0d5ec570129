"""Symbols: microseconds to translate or write one, beside a plain loop that remembers no symbol.

Both come to the same instruments, which is checked before anything is measured.
"""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from itertools import count
from typing import Final

import polars as pl

from benchmarks.figures import BenchmarkError, Figure, Row, Spread, Table
from benchmarks.parts import Bench
from benchmarks.samples import FIRST_AT, MOST_ROWS
from benchmarks.timing import MICRO, Way, cpu_rounds, how_timed
from trade_assets.errors import SymbolError
from trade_assets.market import calendar, contracts
from trade_assets.market import listed_contracts as listing
from trade_assets.market.identify import identify, instrument_rows
from trade_assets.market.symbols import (
    Instrument,
    SymbolNotation,
    format_symbol,
    parse_id,
    parse_symbol,
    series_of_expiry,
)

NOTATIONS: Final = (
    SymbolNotation.ACTANT_RISK,
    SymbolNotation.ACTANT_TRADES,
    SymbolNotation.BLOOMBERG,
    SymbolNotation.CME,
)
"""Those that name options; times to expiry have ten symbols a file."""

FIRST_DAY: Final = FIRST_AT.date()
CHAINS: Final = 26 * 70
"""Different chains, many times what the remembered translations hold."""
REMEMBERED: Final = (
    calendar.holidays,
    calendar.month_option_friday,
    contracts.contract,
    contracts.contract_of_day,
    contracts.contract_named,
    listing.listed_series,
)
"""What is worked out once for all options of an expiry."""

_SERIES: Final = 8
_LOWEST_STRIKE: Final = 104
_APART: Final = timedelta(weeks=2)
"""Between two chains that have no expiry in common."""


@dataclass(frozen=True, slots=True)
class Chain:
    """Options of the weekly and monthly series from a day on, and their symbols in a notation."""

    instruments: list[Instrument]
    symbols: pl.Series
    notation: SymbolNotation
    as_of: date


def chain(as_of: date, notation: SymbolNotation) -> Chain:
    """400 different options on ZN, calls and puts of the next eight expiries."""
    strikes = MOST_ROWS // _SERIES // 2
    instruments = [
        parse_id(f"{series.contract}-{right}{_LOWEST_STRIKE + step / 4:g}")
        for series in _next_series(as_of)
        for step in range(strikes)
        for right in "CP"
    ]
    symbols = pl.Series([format_symbol(item, notation) for item in instruments])
    return Chain(instruments, symbols, notation, as_of)


def _next_series(day: date) -> list[Instrument]:
    found: list[Instrument] = []
    while len(found) < _SERIES:
        with suppress(SymbolError):  # no business day
            found.append(series_of_expiry("ZN", day))
        day += timedelta(days=1)
    return found


def with_identify(item: Chain) -> pl.DataFrame:
    """The platform's way."""
    return identify(item.symbols, item.notation, item.as_of)


def with_plain_loop(item: Chain) -> pl.DataFrame:
    """`parse_symbol` of every symbol, each time."""
    return instrument_rows(
        [parse_symbol(text, item.notation, item.as_of) for text in item.symbols.to_list()]
    )


def with_format(item: Chain) -> list[str]:
    """Written again."""
    return [format_symbol(instrument, item.notation) for instrument in item.instruments]


def measure(bench: Bench) -> Figure:
    """Microseconds a symbol in each notation."""
    bench.say("symbols")
    figure = Figure("symbols", "Symbols: microseconds per symbol")
    rows: list[Row] = []
    for notation in NOTATIONS:
        one = chain(FIRST_DAY, notation)
        require_same(one)
        for name, spread in _spreads(one, bench).items():
            span = f"{spread.low:.2f} to {spread.high:.2f}"
            rows.append((f"{name}, {notation}", f"{spread.median:.2f}", span))
            figure.data[f"{name}/{notation}"] = asdict(spread)
    figure.tables = [Table(("way and notation", "µs a symbol", "10 to 90 %"), rows)]
    figure.notes = _notes(bench)
    return figure


def _spreads(one: Chain, bench: Bench) -> dict[str, Spread]:
    ways = {
        "identify, never seen": Way(with_identify, _unseen(one.notation)),
        "identify, same column again": Way.of(with_identify, one),
        "identify, same symbols in another order": Way(with_identify, _shuffled(one)),
        "plain loop of parse_symbol": Way.of(with_plain_loop, one),
        "format_symbol": Way.of(with_format, one),
    }
    return {
        name: Spread.of([MICRO * seconds / len(one.symbols) for seconds in rounds])
        for name, rounds in cpu_rounds(ways, bench.scale).items()
    }


def _unseen(notation: SymbolNotation) -> Iterator[Chain]:
    """Chains without a common expiry."""
    for number in count():
        yield _forgotten(chain(FIRST_DAY + (1 + number % CHAINS) * _APART, notation))


def _forgotten(item: Chain) -> Chain:
    """The chain, with nothing left in memory of the contracts that making it worked out."""
    for remembered in REMEMBERED:
        remembered.cache_clear()
    return item


def _shuffled(one: Chain) -> Iterator[Chain]:
    for seed in count():
        symbols = one.symbols.sample(fraction=1, shuffle=True, seed=seed)
        yield Chain(one.instruments, symbols, one.notation, one.as_of)


def require_same(item: Chain) -> None:
    """Check that both ways come to the instruments that were written.

    Raises:
        BenchmarkError: they do not, and comparing them would mean nothing.
    """
    expected = instrument_rows(item.instruments)
    if not (with_identify(item).equals(expected) and with_plain_loop(item).equals(expected)):
        raise BenchmarkError(f"symbols of {item.notation} are not read as they were written")


def _notes(bench: Bench) -> list[str]:
    return [
        f"Columns of symbols of {MOST_ROWS} different generated options on ZN, {_SERIES} expiries "
        "→ six columns: id, product, expiry, strike, put/call, underlying.",
        "identify, same column again: as the files of a running stream repeat it; the whole column "
        "is remembered. In another order: each symbol is.",
        "Never seen: no two columns have a symbol or an expiry in common, and the calendar is "
        "worked out anew for each.",
        "The plain loop calls parse_symbol for each symbol and makes the same frame; parse_symbol "
        "itself remembers contracts and calendar, which the symbols of an expiry have in common.",
        how_timed(bench.scale),
    ]
