"""The simulated trade ledger: `trades_YYYYMMDD.csv`, which grows all through its ledger day.

It begins with a start-of-day position and an exercise; then come trades at the market's prices.
Times have 0, 3 or 6 digits of fraction, and now and then a row is broken as in real files.
"""

from bisect import bisect_right
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import Final

import numpy as np

from trade_assets.local.desk.chain import Chain, chain, fair_prices, future_ledger_name
from trade_assets.local.desk.market import (
    TICK,
    TRADES,
    central,
    day_start,
    future_mid,
    random_stream,
    start_level,
    trading_day,
)

HEADER: Final = "tradeId,instrumentName,marketTradeTime,buySell,quantity,price"
TRADES_PER_HOUR: Final = 60

_IDS_PER_DAY: Final = 100_000
_OPTIONS: Final = 78
_FUTURE_SHARE: Final = 0.6
_STRAY_COMMA_SHARE: Final = 0.02
_BAD_PRICE_SHARE: Final = 0.01
_BAD_PRICES: Final = ("", "#N/A", "110.5156.25")
_SIZES: Final = (1, 1, 1, 2, 5, 10, 100)
_FRACTION_DIGITS: Final = (0, 3, 6)
_EXERCISE_AFTER: Final = timedelta(seconds=5)


@dataclass(frozen=True, slots=True)
class _Day:
    times: list[datetime]  # UTC, rising
    lines: list[str]


def ledger_file(
    seed: int, at: datetime, trades_per_hour: float = TRADES_PER_HOUR
) -> tuple[str, bytes]:
    """Name and content of the ledger at `at` (aware): the trades of its ledger day so far.

    A later file of the same day begins with all rows of an earlier one.
    """
    day = trading_day(at)
    trades = _trades(seed, day, trades_per_hour)
    rows = trades.lines[: bisect_right(trades.times, at)]
    return f"trades_{day:%Y%m%d}.csv", "\n".join([HEADER, *rows, ""]).encode()


@lru_cache(maxsize=4)
def _trades(seed: int, day: date, trades_per_hour: float) -> _Day:
    """All rows that the ledger of a day will ever have."""
    stream = random_stream(seed, TRADES, day.toordinal())
    start, end = day_start(day), day_start(day + timedelta(days=1))
    hours = (end - start) / timedelta(hours=1)
    offsets = np.sort(stream.uniform(0, hours * 3600, stream.poisson(hours * trades_per_hour)))
    options = chain(seed, day, _OPTIONS)
    first_id = day.toordinal() * _IDS_PER_DAY
    times = [start, start + _EXERCISE_AFTER]
    lines = [
        _start_of_day(seed, day, first_id),
        f"{first_id + 1},{options.options[0].ledger_name},{_time(times[1], 3)},S,10.0,0.0",
    ]
    for trade_id, offset in enumerate(offsets.tolist(), first_id + 2):
        at = start + timedelta(seconds=offset) + _EXERCISE_AFTER
        if at >= end:
            break
        times.append(at)
        lines.append(_trade(stream, trade_id, seed, at, options))
    return _Day(times, lines)


def _start_of_day(seed: int, day: date, trade_id: int) -> str:
    eve = day - timedelta(days=1)
    price = round(start_level(seed, day))
    return f"{trade_id},{future_ledger_name(day)},{eve} 00:00:00.000,B,1000.0,{price}.0"


def _trade(
    stream: np.random.Generator, trade_id: int, seed: int, at: datetime, options: Chain
) -> str:
    future = future_mid(seed, at)
    if stream.random() < _FUTURE_SHARE:
        name, fair = future_ledger_name(trading_day(at)), future
    else:
        index = int(stream.integers(len(options.options)))
        name = options.options[index].ledger_name
        fair = float(fair_prices(options, future, at)[index])
    price = repr(max(1, round(fair / TICK)) * TICK)
    side, size = "BS"[int(stream.integers(2))], float(stream.choice(_SIZES))
    digits, luck = int(stream.choice(_FRACTION_DIGITS)), stream.random()
    if luck < _BAD_PRICE_SHARE:
        price = _BAD_PRICES[trade_id % len(_BAD_PRICES)]
    stray = "," if luck > 1 - _STRAY_COMMA_SHARE else ""
    return f"{trade_id},{name},{_time(at, digits)},{side},{size},{price}{stray}"


def _time(at: datetime, digits: int) -> str:
    text = f"{central(at):%Y-%m-%d %H:%M:%S.%f}"
    return text[: 19 + (digits and digits + 1)]
