"""The simulated market: the price of the front Treasury future at any second, of the other futures
that move with it in a fixed proportion, and the desk's days.

A pure function of (seed, second). No options and no file formats belong here. The market never
closes: every day of the calendar is a trading day of the desk.
"""

from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from trade_assets.market.prices import ticks_to_price
from trade_assets.market.products import PRODUCTS
from trade_assets.market.trading_days import CENTRAL, TRADING_DAY_ROLL

FloatArray = NDArray[np.float64]

TICK: Final = 1 / 64
"""ZN: one tick is 1/64 of a point, 15.625 USD."""
POINT_USD: Final = 1_000.0

_FIRST_DAY: Final = date(2000, 1, 1)
_LAST_DAY: Final = date(2100, 1, 1)
MEAN_LEVEL: Final = 111.0
_DAY_MOVE: Final = 0.35  # points, standard deviation from one day's start to the next
_DAY_PULL: Final = 0.02  # back to the mean, so that a century stays near it
_SECOND_MOVE: Final = 0.0024  # points, standard deviation within a day
_BOUNCE: Final = 0.004  # points: the mid moves between bid and ask without going anywhere

CLOSE: Final = time(16)
"""Central time at which a trading day's settlement prices are taken."""

LEVEL_AND_MOVE: Final[Mapping[str, tuple[float, float]]] = {
    "ZT": (103.6, 0.25),
    "ZF": (108.3, 0.6),
    "ZN": (MEAN_LEVEL, 1.0),
    "TN": (113.8, 1.3),
    "ZB": (114.5, 1.7),
    "UB": (118.2, 2.2),
    "FGBL": (129.5, 0.9),
}
"""By product: price when ZN is at its mean, and points for each of its points from there."""

DESK_CODES: Final = ("ZT", "ZF", "ZN", "ZB", "FGBL")
"""Products that the desk has in its books."""

# Streams of random numbers, told apart so that one more draw in one moves no other.
LEVELS, PATH, CHAIN, QUOTES, POSITIONS, TRADES, SHAPES, SCENARIOS, SETTLEMENTS = range(9)


def random_stream(seed: int, stream: int, *place: int) -> np.random.Generator:
    """Random numbers that depend only on the arguments (all at least 0)."""
    return np.random.default_rng([seed, stream, *place])


def central(at: datetime) -> datetime:
    """The naive Central time of an aware time."""
    return at.astimezone(CENTRAL).replace(tzinfo=None)


def trading_day(at: datetime) -> date:
    """The simulated trading day of an aware time: a date a day, as this desk never closes. The
    exchange's (`market.trading_days.trading_date`) has no weekends and no holidays."""
    return (central(at) + timedelta(hours=24 - TRADING_DAY_ROLL.hour)).date()


def day_start(day: date) -> datetime:
    """When a trading day begins, UTC."""
    eve = datetime.combine(day - timedelta(days=1), TRADING_DAY_ROLL, CENTRAL)
    return eve.astimezone(UTC)


def last_close(at: datetime) -> datetime:
    """The newest close that is not after an aware time, UTC."""
    local = central(at)
    day = local.date() if local.time() >= CLOSE else local.date() - timedelta(days=1)
    return datetime.combine(day, CLOSE, CENTRAL).astimezone(UTC)


def start_level(seed: int, day: date) -> float:
    """Price at which a trading day begins, in points; it is where the day before ended.

    Raises:
        ValueError: the day is not in the simulated century (2000 to 2099).
    """
    if not _FIRST_DAY <= day < _LAST_DAY:
        raise ValueError(f"the simulated market knows the years 2000 to 2099, not {day}")
    return float(_levels(seed)[(day - _FIRST_DAY).days])


def future_mid(seed: int, at: datetime) -> float:
    """Mid price of the front future in the second of `at` (aware), in points."""
    day = trading_day(at)
    return float(_path(seed, day)[int((at - day_start(day)).total_seconds())])


def future_price(seed: int, code: str, at: datetime) -> Decimal:
    """Price of a product's front future at an aware time: on its ticks, in points, exactly."""
    level, move = LEVEL_AND_MOVE[code]
    product = PRODUCTS[code]
    points = level + move * (future_mid(seed, at) - MEAN_LEVEL)
    return ticks_to_price(round(points / product.tick), product)


@lru_cache(maxsize=4)
def _levels(seed: int) -> FloatArray:
    moves = random_stream(seed, LEVELS).normal(0.0, _DAY_MOVE, (_LAST_DAY - _FIRST_DAY).days + 1)
    level, levels = 0.0, []
    for move in moves.tolist():
        levels.append(level)
        level += move - _DAY_PULL * level
    return MEAN_LEVEL + np.asarray(levels)


@lru_cache(maxsize=4)
def _path(seed: int, day: date) -> FloatArray:
    """Mid of every second of a trading day: a bridge between the levels of its two ends."""
    tomorrow = day + timedelta(days=1)
    seconds = int((day_start(tomorrow) - day_start(day)).total_seconds())  # 23 to 25 hours
    stream = random_stream(seed, PATH, day.toordinal())
    walk = np.cumsum(stream.normal(0.0, _SECOND_MOVE, seconds))
    elapsed = np.arange(seconds) / seconds
    start, end = start_level(seed, day), float(_levels(seed)[(tomorrow - _FIRST_DAY).days])
    bounce = stream.normal(0.0, _BOUNCE, seconds)
    return np.asarray(start + (end - start - walk[-1]) * elapsed + walk + bounce)
