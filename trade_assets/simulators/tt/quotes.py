"""Prices of the simulator's futures: each moves with the simulated market in a fixed proportion."""

from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from trade_assets.simulators.desk.simulated_market import (
    LEVEL_AND_MOVE,
    MEAN_LEVEL,
    FloatArray,
    day_start,
    future_mid,
    last_close,
)
from trade_assets.simulators.tt.futures import Future, listed

TickArray = NDArray[np.int64]

_NEXT_TICKS_BELOW: Final = 14  # the next future under the front one


@lru_cache(maxsize=4)
def _market(seed: int, day: date) -> FloatArray:
    start = day_start(day)
    seconds = int((day_start(day + timedelta(days=1)) - start).total_seconds())
    return np.asarray([future_mid(seed, start + timedelta(seconds=at)) for at in range(seconds)])


def _points(item: Future, market: FloatArray, day: date) -> FloatArray:
    level, move = LEVEL_AND_MOVE[item.code]
    below = 0 if item in listed(day)[::2] else _NEXT_TICKS_BELOW * item.tick
    return level + move * (market - MEAN_LEVEL) - below


@lru_cache(maxsize=64)
def mids(seed: int, day: date, item: Future) -> FloatArray:
    """Mid of every second of a trading day, in points."""
    return _points(item, _market(seed, day), day)


@lru_cache(maxsize=64)
def traded_ticks(seed: int, day: date, item: Future) -> TickArray:
    """What it trades at in every second of a trading day, in ticks."""
    return np.rint(mids(seed, day, item) / item.tick).astype(np.int64)


def midpoint(seed: int, day: date, item: Future, second: int) -> float:
    """Midpoint in a second of a trading day: on half ticks, in points."""
    half = item.tick / 2
    return round(float(mids(seed, day, item)[second]) / half) * half


def settlement(seed: int, day: date, item: Future) -> float:
    """The settlement before a trading day: on ticks, in points."""
    closed: datetime = last_close(day_start(day))
    points = _points(item, np.asarray([future_mid(seed, closed)]), day)
    return round(float(points[0]) / item.tick) * item.tick
