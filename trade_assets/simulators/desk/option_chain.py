"""The simulated option chain: which futures and options a trading day has, and their prices.

What exists and what it is called are facts of `trade_assets.market`. No file formats belong here.
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from trade_assets.feeds.derived.bachelier import CALL, PUT, FloatArray
from trade_assets.feeds.derived.greeks import TRADING_DAYS_PER_YEAR
from trade_assets.market.calendar import QUARTERLY_MONTHS
from trade_assets.market.contracts import Contract, contract
from trade_assets.market.instrument import (
    Instrument,
    contract_instrument,
    option_of,
    parse_id,
    strike_text,
    underlying_of,
)
from trade_assets.market.listed_contracts import listed_contracts
from trade_assets.market.products import PRODUCTS, Product
from trade_assets.market.symbols import SymbolNotation, format_symbol
from trade_assets.simulators.desk.pricing import (
    DAY_VOLATILITY,
    LEAST_DAYS,
    days_left,
    deviations,
    option_prices,
    smile,
)
from trade_assets.simulators.desk.simulated_market import CHAIN, central, random_stream, start_level

PRODUCT: Final = PRODUCTS["ZN"]
"""What the desk has options on."""

UNDERLYING: Final = format_symbol(underlying_of(PRODUCT.code), SymbolNotation.ACTANT_RISK)
"""Its name in Actant's files: `XCME.ZN`."""

STRIKE_STEP: Final = 0.25

_ROLL_DAYS: Final = 3  # the front contract is left so long before its month begins
_INSTRUMENTS_PER_EXPIRY: Final = 26
_FEWEST_EXPIRIES: Final = 3
_MOST_EXPIRIES: Final = 10
_DAYS_PER_EXPIRY: Final = 3  # of the calendar, at most: a week has two days without any


@dataclass(frozen=True, slots=True, eq=False)  # arrays do not compare; a day has one chain
class Chain:
    """The instruments of one trading day, in the order in which the desk lists them.

    `futures` are the front one and those that options are on; all have the price of the front one.
    The arrays have an entry an option: `rights` as in `pricing`, `expiries` where in `expiry_days`
    its expiry is.
    """

    futures: tuple[Instrument, ...]
    options: tuple[Instrument, ...]
    strikes: FloatArray
    rights: FloatArray
    expiry_days: tuple[date, ...]
    expiries: NDArray[np.int64]

    @property
    def instruments(self) -> tuple[Instrument, ...]:
        """Futures, then options."""
        return self.futures + self.options


def front_month(day: date) -> tuple[int, int]:
    """Year and month of the front futures of a trading day."""
    after = day + timedelta(days=_ROLL_DAYS)
    month = next((m for m in QUARTERLY_MONTHS if m > after.month), QUARTERLY_MONTHS[0])
    return after.year + (month <= after.month), month


def front_future(day: date, product: Product = PRODUCT) -> Instrument:
    """The front future of a trading day."""
    return contract_instrument(contract(product.code, None, *front_month(day)))


@lru_cache(maxsize=64)
def next_series(first: date, count: int) -> tuple[Contract, ...]:
    """The next `count` option series that expire on `first` or later."""
    last = first + timedelta(days=_DAYS_PER_EXPIRY * count)
    return tuple(item for item in listed_contracts(PRODUCT, first, last) if not item.is_future)[
        :count
    ]


def open_expiries(at: datetime, count: int) -> list[tuple[Contract, float]]:
    """The next `count` days on which options expire after an aware time: the series by which Actant
    names the day, and the business days until then."""
    by_day: dict[date, Contract] = {}
    for series in next_series(central(at).date(), 2 * count + 2):
        by_day.setdefault(series.expiry, series)
    coming = ((series, days_left(at, day)) for day, series in by_day.items())
    return [(series, days) for series, days in coming if days > 0][:count]


@lru_cache(maxsize=8)
def chain(seed: int, day: date, count: int) -> Chain:
    """`count` instruments of a trading day: futures, and the options nearest to the money of the
    next expiries. Too small a count leaves no option."""
    expiries = min(_MOST_EXPIRIES, max(_FEWEST_EXPIRIES, round(count / _INSTRUMENTS_PER_EXPIRY)))
    series = next_series(day + timedelta(days=1), expiries)
    futures = _futures(day, series)
    options = _options(seed, day, series, count - len(futures))
    expiry_days = tuple(dict.fromkeys(item.expiry for item in series))
    return Chain(
        futures,
        options,
        np.array([float(item.strike or 0) for item in options]),
        np.array([CALL if item.put_call == "C" else PUT for item in options]),
        expiry_days,
        np.array([expiry_days.index(item.expiry or day) for item in options], dtype=np.int64),
    )


def _futures(day: date, series: tuple[Contract, ...]) -> tuple[Instrument, ...]:
    underlyings = (parse_id(item.underlying_id) for item in series)
    return tuple(dict.fromkeys([front_future(day), *underlyings]))


def _options(
    seed: int, day: date, series: tuple[Contract, ...], count: int
) -> tuple[Instrument, ...]:
    reach = max(count, 0) // (4 * len(series)) + 2
    middle = money_strike(start_level(seed, day))
    offsets = sorted(range(-reach, reach + 1), key=lambda step: (abs(step), step))
    candidates = [
        option(item, right, middle + step * STRIKE_STEP)
        for step in offsets
        for item in series
        for right in "CP"
    ][: max(count, 0)]
    order = random_stream(seed, CHAIN, day.toordinal()).permutation(len(candidates))
    return tuple(candidates[index] for index in order)


def option(series: Contract, right: str, strike: float) -> Instrument:
    """The option of a series with a right (C or P) and a strike in points."""
    return option_of(series, right, strike_text(Decimal(repr(strike))))


def money_strike(future: float) -> float:
    """The strike nearest to the money."""
    return round(future / STRIKE_STEP) * STRIKE_STEP


def option_days(chain: Chain, at: datetime) -> FloatArray:
    """Business days to the expiry of each option, at least a minute."""
    days = np.array([max(days_left(at, day), LEAST_DAYS) for day in chain.expiry_days])
    return np.asarray(days[chain.expiries])


def fair_prices(chain: Chain, future: float, at: datetime) -> FloatArray:
    """Fair prices of the options of a chain in points, with `future` in points."""
    return option_prices(np.asarray(future), chain.strikes, option_days(chain, at), chain.rights)


def volatilities(chain: Chain, future: float, at: datetime) -> FloatArray:
    """Volatilities as the risk system shows them: percent a year, absurd far from the money on the
    last day, where a cabinet price is all that is left to imply one from."""
    distances = deviations(np.asarray(future), chain.strikes, option_days(chain, at))
    at_the_money = 100 * DAY_VOLATILITY * TRADING_DAYS_PER_YEAR**0.5 / future
    return np.asarray(at_the_money * smile(distances))
