"""Prices: texts that `read_prices` reads a second and core, beside plain loops over the same.

All come to the same values, which is checked before anything is measured.
"""

import re
from collections.abc import Callable
from dataclasses import asdict
from typing import Final

import polars as pl

from benchmarks.figures import BenchmarkError, Figure, Row, Spread, Table
from benchmarks.parts import Bench
from benchmarks.timing import Way, cpu_rounds, how_timed
from trade_assets.market.price_frames import format_prices, read_prices
from trade_assets.market.prices import DASHED_PARTS, EIGHTHS, PriceNotation
from trade_assets.market.products import PRODUCTS

Read = Callable[[pl.Series], pl.Series]

FEW: Final = 400
"""A column of the largest spot-risk file."""
MANY: Final = 100_000
LOWEST_POINTS: Final = 100
STRIDE: Final = 7919
"""Ticks between two texts, so that neighbours differ as those of files do; prime."""

_PARTS: Final = {part: float(value) for part, value in DASHED_PARTS.items()}


def decimal(text: str) -> float:
    """One text, read as plainly as a script does it: no check but those of `int` and `float`."""
    return float(text)


def tt_ticks(text: str) -> float:
    """See `decimal`."""
    points, ticks = text.split("'")
    return int(points) + (int(ticks[:2]) + EIGHTHS.index(ticks[2]) / 8) / 32


def dotted_32nds(text: str) -> float:
    """See `decimal`."""
    points, _, ticks = text.partition(".")
    ticks = ticks.ljust(2, "0")
    return int(points) + float(f"{ticks[:2]}.{ticks[2:]}") / 32


def dashed_32nds(text: str) -> float:
    """See `decimal`."""
    points, ticks = text.split("-")
    part = ticks[2:]
    of_32nd = _PARTS[part] if part in _PARTS else float(f"0{part}")
    return int(points) + (int(ticks[:2]) + of_32nd) / 32


LOOPS: Final[dict[PriceNotation, Callable[[str], float]]] = {
    PriceNotation.DECIMAL: decimal,
    PriceNotation.TT_TICKS: tt_ticks,
    PriceNotation.DOTTED_32NDS: dotted_32nds,
    PriceNotation.DASHED_32NDS: dashed_32nds,
}


_32NDS: Final = "(?:[0-2][0-9]|3[01])"
SHAPES: Final[dict[PriceNotation, re.Pattern[str]]] = {
    PriceNotation.DECIMAL: re.compile(r"-?(?:[0-9]+\.?[0-9]*|\.[0-9]+)"),
    PriceNotation.TT_TICKS: re.compile(f"-?[0-9]+'{_32NDS}[{EIGHTHS}]"),
    PriceNotation.DOTTED_32NDS: re.compile(rf"-?[0-9]+(?:\.(?:{_32NDS}[0-9]*|[0-3]))?"),
    PriceNotation.DASHED_32NDS: re.compile(
        rf"-?[0-9]+-{_32NDS}(?:\.[0-9]+|\+| 1/2| [1-3]/4| [1-7]/8)?"
    ),
}
"""What a loop that checks takes for a price."""

OURS: Final = "trade_assets"
CHECKING: Final = "checking loop"
BLIND: Final = "blind loop"


def readers(notation: PriceNotation) -> dict[str, Read]:
    """The ways to read a column: the platform's, and two list comprehensions."""
    one, shape = LOOPS[notation], SHAPES[notation]

    def checked(text: str) -> float:
        if not shape.fullmatch(text):
            raise BenchmarkError("the texts hold no such price")
        return one(text)

    return {
        OURS: lambda texts: read_prices(texts, notation)[0],
        CHECKING: lambda texts: _loop(texts, checked),
        BLIND: lambda texts: _loop(texts, one),
    }


def _loop(texts: pl.Series, one: Callable[[str], float]) -> pl.Series:
    values = [one(text) if text else None for text in texts.to_list()]
    return pl.Series(texts.name, values, dtype=pl.Float64)


def texts_of(notation: PriceNotation, count: int) -> pl.Series:
    """Prices on ZN's ticks, from 100 points to 164, every 16th missing: the same in every run."""
    steps = round(64 / PRODUCTS["ZN"].tick)
    values = [
        LOWEST_POINTS + float(at * STRIDE % steps * PRODUCTS["ZN"].tick) for at in range(count)
    ]
    texts = format_prices(pl.Series("price", values), notation)
    return texts.set(pl.int_range(count, eager=True) % 16 == 0, "")


def measure(bench: Bench) -> Figure:
    """Prices a second and core for each notation, for a short and a long column."""
    bench.say("prices")
    figure = Figure("prices", "Prices: texts of each notation read per second per core")
    shown: list[Row] = []
    for notation in PriceNotation:
        for count in (FEW, MANY):
            texts = texts_of(notation, count)
            require_same(notation, texts)
            speeds = _speeds(notation, texts, bench)
            ours = speeds[OURS].median
            for name, speed in speeds.items():
                span = f"{speed.low:,.0f} to {speed.high:,.0f}"
                times = f"{ours / speed.median:.1f}x"
                way = f"{name}, {notation}, {count:,} texts"
                shown.append((way, f"{speed.median:,.0f}", span, times))
                figure.data[f"{name}/{notation}/{count}"] = asdict(speed)
    columns = ("reader, notation and column", "prices/s", "10 to 90 %", "trade_assets is faster by")
    figure.tables = [Table(columns, shown)]
    figure.notes = _notes(bench)
    return figure


def require_same(notation: PriceNotation, texts: pl.Series) -> None:
    """Check that all readers come to the same values.

    Raises:
        BenchmarkError: they do not, and comparing them would mean nothing.
    """
    values, problems = read_prices(texts, notation)
    for name, read in readers(notation).items():
        if problems or not read(texts).equals(values, check_dtypes=True):
            raise BenchmarkError(f"{name} reads other prices than the platform in {notation}")


def _speeds(notation: PriceNotation, texts: pl.Series, bench: Bench) -> dict[str, Spread]:
    ways = {name: Way.of(read, texts) for name, read in readers(notation).items()}
    return {
        name: Spread.of([len(texts) / seconds for seconds in rounds])
        for name, rounds in cpu_rounds(ways, bench.scale).items()
    }


def _notes(bench: Bench) -> list[str]:
    return [
        "Generated prices on ZN's ticks (1/64 point) from 100 to 164 points, every 16th text "
        f"empty; {FEW:,} texts are a column of the largest spot-risk file.",
        "trade_assets: String column → Float64 column and a reason for each text that is no price "
        "or would not read back exactly.",
        f"{CHECKING}: the same column through a list comprehension with `int` and `float`, after a "
        "regular expression has refused what is no price; no reasons, no look at digits too many.",
        f"{BLIND}: the same without the check, which takes 110.32 and 111'990 for prices.",
        f"Same values from all three, checked before. {how_timed(bench.scale)}",
    ]
