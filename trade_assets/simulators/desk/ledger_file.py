"""The simulated trade ledger: `trades_YYYYMMDD.csv`, which grows all through its ledger day.

It begins with an exercise; then come trades at the market's prices, and at midnight (the ledger day
begins at 17:00 of the eve) the start-of-day position. Times have 0, 3 or 6 digits of fraction, and
now and then a row is broken as in real files.
"""

from bisect import bisect_right
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from operator import itemgetter
from typing import Final

import numpy as np

from trade_assets.market.symbols import SymbolNotation, format_symbol
from trade_assets.market.trading_days import CENTRAL
from trade_assets.simulators.desk.opening_book import FUTURE_POSITION, opening_price
from trade_assets.simulators.desk.option_chain import Chain, chain, fair_prices, front_future
from trade_assets.simulators.desk.simulated_market import (
    TICK,
    TRADES,
    central,
    day_start,
    future_mid,
    random_stream,
    trading_day,
)

HEADER: Final = "tradeId,instrumentName,marketTradeTime,buySell,quantity,price"
TRADES_PER_HOUR: Final = 60

_IDS_PER_DAY: Final = 100_000
_INSTRUMENTS: Final = 79
_FUTURE_SHARE: Final = 0.6
_STRAY_COMMA_SHARE: Final = 0.02
_BAD_PRICE_SHARE: Final = 0.01
_BAD_PRICES: Final = ("", "#N/A", "110.5156.25")
_SIZES: Final = (1, 1, 1, 2, 5, 10, 100)
_FRACTION_DIGITS: Final = (0, 3, 6)


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
    instruments = chain(seed, day, _INSTRUMENTS)
    first_id = day.toordinal() * _IDS_PER_DAY
    midnight = datetime.combine(day, time(), CENTRAL).astimezone(UTC)
    rows = [
        (start, _exercise(instruments, start, first_id)),
        (midnight, _start_of_day(seed, day, midnight, first_id + 1)),
    ]
    for trade_id, offset in enumerate(offsets.tolist(), first_id + 2):
        at = start + timedelta(seconds=offset)
        rows.append((at, _trade(stream, trade_id, seed, at, instruments)))
    rows.sort(key=itemgetter(0))
    return _Day([at for at, _ in rows], [line for _, line in rows])


def _exercise(instruments: Chain, at: datetime, trade_id: int) -> str:
    return f"{trade_id},{_names(instruments)[-1]},{_time(at, 3)},S,10.0,0.0"


def _start_of_day(seed: int, day: date, midnight: datetime, trade_id: int) -> str:
    name = format_symbol(front_future(day), SymbolNotation.ACTANT_TRADES)
    price = opening_price(seed, day)
    return f"{trade_id},{name},{_time(midnight, 3)},B,{FUTURE_POSITION}.0,{price}"


@lru_cache(maxsize=8)
def _names(instruments: Chain) -> list[str]:
    """The instruments in the ledger's notation."""
    return [format_symbol(item, SymbolNotation.ACTANT_TRADES) for item in instruments.instruments]


def _trade(
    stream: np.random.Generator, trade_id: int, seed: int, at: datetime, instruments: Chain
) -> str:
    fair, place = future_mid(seed, at), 0
    if stream.random() >= _FUTURE_SHARE:
        index = int(stream.integers(len(instruments.options)))
        fair = float(fair_prices(instruments, fair, at)[index])
        place = len(instruments.futures) + index
    name = _names(instruments)[place]
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
