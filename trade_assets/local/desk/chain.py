"""The simulated option chain: which instruments a trading day has, what they are called, and what
they are worth. Names as in FORMATS.md, symbols. No file formats belong here.
"""

import math
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import Final

import numpy as np

from trade_assets.feeds.times import CENTRAL
from trade_assets.local.desk.market import CHAIN, FloatArray, random_stream, start_level

STRIKE_STEP: Final = 0.25
EXPIRY_TIME: Final = time(14)
"""Central time at which the weekly options expire."""

_WEEKLY_SERIES: Final = ("VY", "GY", "WY", "HY", "ZN")  # Monday to Friday
_MONTH_CODES: Final = "FGHJKMNQUVXZ"
# Not calendar.month_abbr: that follows the machine's language.
_MONTHS: Final = (
    *("JAN", "FEB", "MAR", "APR", "MAY", "JUN"),
    *("JUL", "AUG", "SEP", "OCT", "NOV", "DEC"),
)
_QUARTERS: Final = (3, 6, 9, 12)
_ROLL_DAYS: Final = 3  # the front contract is left so long before its month begins
_DAY_VOLATILITY: Final = 0.40  # points per square root of a day, at the money
_SMILE: Final = 0.06
_ROWS_PER_EXPIRY: Final = 26


@dataclass(frozen=True, slots=True)
class Option:
    """One option of the chain. `right` is C or P, `strike` in points."""

    expiry: date
    strike: float
    right: str

    @property
    def series(self) -> str:
        """Its weekly series: `VY3` is the third Monday of the month."""
        return f"{_WEEKLY_SERIES[self.expiry.weekday()]}{(self.expiry.day - 1) // 7 + 1}"

    @property
    def risk_key(self) -> str:
        """Its name in Actant's risk files: `XCME.VY3.21JUL25.110:75.C`."""
        day = f"{self.expiry.day:02}{_MONTHS[self.expiry.month - 1]}{self.expiry:%y}"
        strike = f"{self.strike:.2f}".rstrip("0").rstrip(".").replace(".", ":")
        return f"XCME.{self.series}.{day}.{strike}.{self.right}"

    @property
    def ledger_name(self) -> str:
        """Its name in the trade ledger: `XCMEOCADPS20250721N0VY3/110.75`."""
        month = _MONTH_CODES[self.expiry.month - 1]
        right = "OCAD" if self.right == "C" else "OPAD"
        strike = f"{self.strike:.2f}".rstrip("0").rstrip(".")
        return f"XCME{right}PS{self.expiry:%Y%m%d}{month}0{self.series}/{strike}"


@dataclass(frozen=True, slots=True, eq=False)  # arrays do not compare; a day has one chain
class Chain:
    """The options of one trading day, in the order in which the desk lists them."""

    options: tuple[Option, ...]
    strikes: FloatArray
    signs: FloatArray  # 1 call, -1 put
    expiries: FloatArray  # seconds since the epoch


def future_month(day: date) -> date:
    """First day of the front contract's month."""
    after = day + timedelta(days=_ROLL_DAYS)
    month = next((m for m in _QUARTERS if m > after.month), _QUARTERS[0])
    return date(after.year + (month <= after.month), month, 1)


def future_risk_key(day: date) -> str:
    """The front future in Actant's risk files: `XCME.ZN.SEP25`."""
    month = future_month(day)
    return f"XCME.ZN.{_MONTHS[month.month - 1]}{month:%y}"


def future_ledger_name(day: date) -> str:
    """The front future in the trade ledger: `XCMEFFDPSX20250919U0ZN` (the third Friday)."""
    month = future_month(day)
    third_friday = month + timedelta(days=(4 - month.weekday()) % 7 + 14)
    return f"XCMEFFDPSX{third_friday:%Y%m%d}{_MONTH_CODES[month.month - 1]}0ZN"


@lru_cache(maxsize=8)
def chain(seed: int, day: date, count: int) -> Chain:
    """`count` options of a trading day: the nearest to the money of the next weekly expiries."""
    expiries = _expiries(day, min(10, max(3, round(count / _ROWS_PER_EXPIRY))))
    middle = round(start_level(seed, day) / STRIKE_STEP)
    reach = count // (4 * len(expiries)) + 2
    offsets = sorted(range(-reach, reach + 1), key=lambda step: (abs(step), step))
    candidates = [
        Option(expiry, (middle + step) * STRIKE_STEP, right)
        for step in offsets
        for expiry in expiries
        for right in "CP"
    ][:count]
    order = random_stream(seed, CHAIN, day.toordinal()).permutation(len(candidates))
    options = tuple(candidates[index] for index in order)
    return Chain(
        options,
        np.array([option.strike for option in options]),
        np.array([1.0 if option.right == "C" else -1.0 for option in options]),
        np.array([_expires_at(option.expiry).timestamp() for option in options]),
    )


def _expiries(day: date, count: int) -> list[date]:
    days = (day + timedelta(days=ahead) for ahead in range(1, 2 * count + 4))
    return [candidate for candidate in days if candidate.weekday() < 5][:count]


def _expires_at(expiry: date) -> datetime:
    return datetime.combine(expiry, EXPIRY_TIME, CENTRAL).astimezone(UTC)


def fair_prices(chain: Chain, future: float, at: datetime) -> FloatArray:
    """Fair prices of a chain in points, with `future` in points.

    Bachelier's formula (normal moves, no interest), with a volatility that smiles with the distance
    from the money in standard deviations.
    """
    days = np.maximum(chain.expiries - at.timestamp(), 60.0) / 86_400
    distance = (future - chain.strikes) / (_DAY_VOLATILITY * np.sqrt(days))
    deviation = _DAY_VOLATILITY * np.sqrt(days) * (1 + _SMILE * np.minimum(distance**2, 9.0))
    d = chain.signs * (future - chain.strikes) / deviation
    density = np.exp(-0.5 * d * d) / math.sqrt(2 * math.pi)
    below = np.array([0.5 * math.erfc(-x / math.sqrt(2)) for x in d.tolist()])
    return np.asarray(deviation * (d * below + density))


def volatilities(chain: Chain, future: float, at: datetime) -> FloatArray:
    """Volatilities as the risk system shows them: percent a year, absurd far from the money on the
    last day, where a cabinet price is all that is left to imply one from."""
    days = np.maximum(chain.expiries - at.timestamp(), 60.0) / 86_400
    distance = np.abs(future - chain.strikes) / (_DAY_VOLATILITY * np.sqrt(days))
    base = _DAY_VOLATILITY * math.sqrt(252) / future * 100
    return np.asarray(base * (1 + _SMILE * distance**2))
