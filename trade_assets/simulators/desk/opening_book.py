"""What the simulated desk holds as a trading day begins; nothing changes it until the next one.

One book for all files that speak of positions. No file formats belong here.
"""

from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import Final

import numpy as np

from trade_assets.simulators.desk.option_chain import Chain, chain
from trade_assets.simulators.desk.simulated_market import (
    POINT_USD,
    POSITIONS,
    TICK,
    random_stream,
    start_level,
)

FUTURE_POSITION: Final = 1_000
"""Contracts of the front future."""

_HELD_SHARE: Final = 0.08
_HELD_SIZES: Final = (-100, 1, 100, 150, 200)


@dataclass(frozen=True, slots=True)
class Book:
    """Positions in the instruments of a chain, an entry each.

    Attributes:
        chain: what they are in.
        sizes: contracts, negative when short.
        prices: what one was bought or sold for, in points.
        yesterday_usd: what all of them made the day before.
    """

    chain: Chain
    sizes: tuple[int, ...]
    prices: tuple[float, ...]
    yesterday_usd: float


@lru_cache(maxsize=8)
def start_of_day_book(seed: int, day: date, count: int) -> Book:
    """The book of a trading day whose chain has `count` instruments."""
    instruments = chain(seed, day, count)
    futures, length = len(instruments.futures), len(instruments.instruments)
    stream = random_stream(seed, POSITIONS, day.toordinal())
    sizes = np.where(stream.random(length) < _HELD_SHARE, stream.choice(_HELD_SIZES, length), 0)
    prices = stream.integers(1, 20, length) * TICK
    yesterday = float(stream.integers(-1_000, 1_000)) * TICK * POINT_USD
    sizes[:futures], prices[:futures] = 0, opening_price(seed, day)
    sizes[0] = FUTURE_POSITION
    return Book(instruments, tuple(sizes.tolist()), tuple(prices.tolist()), yesterday)


def opening_price(seed: int, day: date) -> float:
    """Price of the front future's position in the books of a trading day, in points."""
    return round(start_level(seed, day) / TICK) * TICK
