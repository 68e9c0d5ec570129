"""Greeks: volatility, delta, gamma, vega and theta of a chain of options, beside scalar code that
takes one option at a time.

The scalar solver of the same model comes to the same numbers, which is checked before anything is
measured; vollib solves the lognormal model, and its volatilities are checked to correspond.
"""

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import timedelta
from importlib.metadata import version
from typing import Final

import numpy as np
import polars as pl
from scipy.optimize import brentq
from vollib.black.greeks import analytical  # type: ignore[import-untyped]
from vollib.black.implied_volatility import (  # type: ignore[import-untyped]
    implied_volatility as vollib_volatility,
)

from benchmarks.figures import BenchmarkError, Figure, Goal, Row, Spread, Table
from benchmarks.parts import Bench
from benchmarks.samples import expiry_records, sample, sample_records
from benchmarks.timing import MICRO, Way, cpu_rounds, how_timed
from trade_assets.datasets.records import EVENT_TIME, ROW
from trade_assets.feeds.derived import bachelier
from trade_assets.feeds.derived.bachelier import CALL, PUT, FloatArray
from trade_assets.feeds.derived.greeks import TRADING_DAYS_PER_YEAR, chain_greeks

CHAIN: Final = 400
FILES: Final = 50
"""Files of a chain each, as a rerun of an hour hands them over together."""
_FILE_ROWS: Final = 700
"""Of a file of so many, `CHAIN` options have a solution."""
GOAL: Final = 100
WORST_DIFFERENCE: Final = 1e-8
CORRESPONDING: Final = 1e-4

ARRAYS: Final = "trade_assets, arrays"
FRAME: Final = "trade_assets, frames"
FRAMES: Final = f"trade_assets, frames of {FILES} files"
SCALAR: Final = "Bachelier, scalar: brentq and math.erfc"
VOLLIB: Final = f"Black, scalar: vollib {version('vollib')}"

Option = tuple[float, float, float, float, float]
"""Price, future, strike, years, right."""


@dataclass(frozen=True, eq=False)
class Case:
    """One chain as each way takes it."""

    records: pl.DataFrame
    many_records: pl.DataFrame
    underlyings: pl.DataFrame
    times: pl.DataFrame
    arrays: tuple[FloatArray, FloatArray, FloatArray, FloatArray, FloatArray]
    options: list[Option]


def with_frames(case: Case) -> pl.DataFrame:
    """Records in, records out, with the future's price and the time of each joined."""
    return chain_greeks(case.records, case.underlyings, case.times)


def with_many_frames(case: Case) -> pl.DataFrame:
    """The same for many files at once."""
    return chain_greeks(case.many_records, case.underlyings, case.times)


def with_arrays(case: Case) -> FloatArray:
    """Numbers in, numbers out: volatility, delta, gamma, vega, theta in rows."""
    price, *option, right = case.arrays
    future, strike, years = option
    volatility = bachelier.implied_volatility(price, future, strike, years, right)
    greeks = bachelier.greeks(future, strike, years, volatility, right)
    return np.stack([volatility, greeks.delta, greeks.gamma, greeks.vega, greeks.theta])


def with_scalar_code(case: Case) -> list[tuple[float, ...]]:
    """The same numbers, an option at a time."""
    return [_bachelier(*option) for option in case.options]


def _bachelier(
    price: float, future: float, strike: float, years: float, right: float
) -> tuple[float, ...]:
    ahead, root = right * (future - strike), math.sqrt(years)

    def too_much(volatility: float) -> float:
        deviation = volatility * root
        d = ahead / deviation
        density = math.exp(-0.5 * d * d) / math.sqrt(2 * math.pi)
        return ahead * 0.5 * math.erfc(-d / math.sqrt(2)) + deviation * density - price

    volatility: float = brentq(too_much, 1e-3, 1e3, xtol=1e-12, rtol=1e-14)
    d = ahead / (volatility * root)
    density = math.exp(-0.5 * d * d) / math.sqrt(2 * math.pi)
    return (
        volatility,
        right * 0.5 * math.erfc(-d / math.sqrt(2)),
        density / (volatility * root),
        density * root,
        -0.5 * volatility * density / root,
    )


def with_vollib(case: Case) -> list[tuple[float, ...]]:
    """The public solver's numbers of the lognormal model, an option at a time."""
    return [_vollib(*option) for option in case.options]


def _vollib(
    price: float, future: float, strike: float, years: float, right: float
) -> tuple[float, ...]:
    flag = "c" if right == CALL else "p"
    volatility = vollib_volatility(price, future, strike, 0.0, years, flag)
    option = flag, future, strike, years, 0.0, volatility
    return (
        volatility,
        analytical.delta(*option),
        analytical.gamma(*option),
        analytical.vega(*option),
        analytical.theta(*option),
    )


WAYS: Final[Mapping[str, tuple[Callable[[Case], object], int]]] = {
    ARRAYS: (with_arrays, CHAIN),
    SCALAR: (with_scalar_code, CHAIN),
    VOLLIB: (with_vollib, CHAIN),
    FRAME: (with_frames, CHAIN),
    FRAMES: (with_many_frames, FILES * CHAIN),
}
"""What is measured, and how many options it does at once."""
NUMBERS: Final = (ARRAYS, SCALAR, VOLLIB)
RECORDS: Final = (FRAME, FRAMES)


def measure(bench: Bench) -> Figure:
    """Microseconds an option, of CPU time."""
    bench.say("greeks")
    case = make_case()
    require_same(case)
    costs = _costs(case, bench)
    figure = Figure("greeks", f"Greeks: a chain of {CHAIN} options")
    figure.tables = [
        _table(
            "Numbers in, volatility and four Greeks out", NUMBERS, "arrays are faster by", costs
        ),
        _table(
            "Records in, records out: the same with as-of joins, checks and reasons",
            RECORDS,
            "times the arrays' cost",
            costs,
        ),
    ]
    figure.goals = [_goal(name, costs) for name in (VOLLIB, SCALAR)]
    figure.notes = _notes(bench)
    figure.data = {name: asdict(cost) for name, cost in costs.items()}
    return figure


def make_case() -> Case:
    """A chain of the simulated desk, of options that all have a solution.

    Raises:
        BenchmarkError: it has fewer than `CHAIN` of them.
    """
    records = sample_records(sample(0, _FILE_ROWS))
    underlyings = records.filter(instrument_type="F")
    times = expiry_records()
    solved = chain_greeks(records, underlyings, times).filter(pl.col("reason").is_null())[:CHAIN]
    if solved.height < CHAIN:
        raise BenchmarkError(f"the sample has {solved.height} options with a solution")
    chain = records.join(solved.select(ROW), on=ROW, how="semi", maintain_order="left")
    later = [
        chain.with_columns(pl.col(EVENT_TIME) + timedelta(seconds=second))
        for second in range(FILES)
    ]
    arrays = (
        solved["option_price"].to_numpy(),
        solved["future_price"].to_numpy(),
        solved["strike_price"].to_numpy(),
        solved["days_to_expiry"].to_numpy() / TRADING_DAYS_PER_YEAR,
        np.where((solved["put_call"] == "C").to_numpy(), CALL, PUT),
    )
    options = list(zip(*(column.tolist() for column in arrays), strict=True))
    return Case(chain, pl.concat(later), underlyings, times, arrays, options)


def require_same(case: Case) -> None:
    """Check that all ways come to the same numbers, or to ones that correspond.

    Raises:
        BenchmarkError: they do not, and comparing them would mean nothing.
    """
    arrays, scalar = with_arrays(case), np.array(with_scalar_code(case)).T
    if not np.allclose(arrays, scalar, rtol=WORST_DIFFERENCE, atol=WORST_DIFFERENCE):
        raise BenchmarkError("the scalar code comes to other numbers than the arrays")
    names = ("implied_volatility", "delta", "gamma", "vega", "theta")
    frame = with_frames(case).select(names).to_numpy().T
    frame[-1] *= TRADING_DAYS_PER_YEAR
    if not np.allclose(arrays, frame, rtol=WORST_DIFFERENCE, atol=WORST_DIFFERENCE):
        raise BenchmarkError("the frames come to other numbers than the arrays")
    _, future, strike, years, _ = case.arrays
    lognormal = np.array(with_vollib(case)).T[0]
    # P. Hagan et al., Managing Smile Risk (2002), appendix: both volatilities of one price.
    normal = lognormal * np.sqrt(future * strike) * (1 - lognormal**2 * years / 24)
    if not np.allclose(arrays[0], normal, rtol=CORRESPONDING, atol=0):
        raise BenchmarkError("vollib's volatilities do not correspond to the normal ones")


def _costs(case: Case, bench: Bench) -> dict[str, Spread]:
    ways = {name: Way.of(call, case) for name, (call, _) in WAYS.items()}
    return {
        name: Spread.of([MICRO * seconds / WAYS[name][1] for seconds in rounds])
        for name, rounds in cpu_rounds(ways, bench.scale).items()
    }


def _table(title: str, names: Iterable[str], ratio: str, costs: dict[str, Spread]) -> Table:
    columns = ("way", "µs per option", "10 to 90 %", "options/s", ratio)
    return Table(columns, [_row(name, costs) for name in names], title)


def _row(name: str, costs: dict[str, Spread]) -> Row:
    cost = costs[name]
    return (
        name,
        f"{cost.median:.3f}",
        f"{cost.low:.3f} to {cost.high:.3f}",
        f"{MICRO / cost.median:,.0f}",
        f"{cost.median / costs[ARRAYS].median:.1f}x",
    )


def _goal(name: str, costs: dict[str, Spread]) -> Goal:
    times = costs[name].median / costs[ARRAYS].median
    text = f"volatility and four Greeks of {CHAIN} options as arrays {GOAL}x faster than {name}"
    return Goal(text, f"{times:.0f}x", times >= GOAL)


def _notes(bench: Bench) -> list[str]:
    return [
        f"The first {CHAIN} options with a solution of a generated spot-risk file of {_FILE_ROWS} "
        "rows and 16 columns. The four Greeks: delta, gamma, vega and theta.",
        "The goal is about the numbers alone, in the first table: arrays and scalar code begin "
        "with price, future, strike, time and right of every option, and join and check nothing.",
        "Frames, in the second table: from spot-risk records to Greeks records. They also find "
        "future and time to expiry as of each moment, check quotes, and give the reason where "
        "there are no Greeks; most of the cost is the same for few options and many, as "
        f"{FILES} files at once show.",
        f"Arrays, frames and the scalar Bachelier agree to {WORST_DIFFERENCE:g}, and vollib's "
        "volatilities correspond to the normal ones (Hagan), checked before. vollib solves "
        "Black's model with Jäckel's method, pure Python, without numba.",
        how_timed(bench.scale),
    ]
