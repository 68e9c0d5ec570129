"""What the simulated options are worth: Bachelier's prices under the desk's one volatility smile.

Formulas of arrays that broadcast, prices and strikes in points, times in business days. Which
options there are is the business of `option_chain`.
"""

from datetime import date, datetime, time, timedelta
from functools import lru_cache
from typing import Final

import numpy as np

from trade_assets.feeds.derived import bachelier
from trade_assets.feeds.derived.bachelier import FloatArray, Greeks
from trade_assets.feeds.derived.greeks import TRADING_DAYS_PER_YEAR
from trade_assets.market.calendar import is_business_day
from trade_assets.simulators.desk.simulated_market import central

EXPIRY_TIME: Final = time(14)
"""Central time at which the options expire."""

LEAST_DAYS: Final = 1 / 1440
"""Time that an expired option is priced with: a minute, so that no formula divides by zero."""

DAY_VOLATILITY: Final = 0.40
"""Points per square root of a business day, at the money."""

_SMILE: Final = 0.06
_SMILE_ENDS: Final = 3.0  # standard deviations from the money
_EXPIRY_SECONDS: Final = EXPIRY_TIME.hour * 3600
_DAY_SECONDS: Final = 86_400


def days_left(at: datetime, expiry: date) -> float:
    """Business days from an aware time to the expiry of options, below 0 after it.

    A business day counts as one from midnight to midnight Central; at weekends and on holidays time
    stands still.
    """
    local = central(at)
    today = local.date()
    midnight = datetime.combine(today, time())
    elapsed = (local - midnight).total_seconds() if is_business_day(today) else 0.0
    return _business_days(today, expiry) + (_EXPIRY_SECONDS - elapsed) / _DAY_SECONDS


@lru_cache(maxsize=1024)
def _business_days(first: date, last: date) -> int:
    """Business days from `first` (inclusive) to `last` (exclusive), negative if that is earlier."""
    if last < first:
        return -_business_days(last, first)
    days = (first + timedelta(days=ahead) for ahead in range((last - first).days))
    return sum(map(is_business_day, days))


def deviations(future: FloatArray, strikes: FloatArray, days: FloatArray) -> FloatArray:
    """How far from the money strikes are, in standard deviations of the time that is left."""
    return np.asarray((future - strikes) / (DAY_VOLATILITY * np.sqrt(days)))


def smile(distances: FloatArray) -> FloatArray:
    """Volatility at so many standard deviations from the money, over that at the money."""
    return np.asarray(1 + _SMILE * distances**2)


def day_volatilities(future: FloatArray, strikes: FloatArray, days: FloatArray) -> FloatArray:
    """Volatilities that options are priced with, in points per square root of a business day. The
    smile fades out where no price would show it."""
    distances = deviations(future, strikes, days)
    fading = (1 + (distances / _SMILE_ENDS) ** 8) ** 0.125
    return DAY_VOLATILITY * smile(distances / fading)


def option_prices(
    future: FloatArray, strikes: FloatArray, days: FloatArray, rights: FloatArray
) -> FloatArray:
    """Fair prices; `rights` are 1 of calls and -1 of puts."""
    return bachelier.price(future, strikes, *_model(future, strikes, days), rights)


def option_greeks(
    future: FloatArray, strikes: FloatArray, days: FloatArray, rights: FloatArray
) -> Greeks:
    """Sensitivities at the volatility of `day_volatilities`; units as the model's, of years."""
    return bachelier.greeks(future, strikes, *_model(future, strikes, days), rights)


def _model(
    future: FloatArray, strikes: FloatArray, days: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Years and yearly volatilities."""
    volatilities = day_volatilities(future, strikes, days) * TRADING_DAYS_PER_YEAR**0.5
    return days / TRADING_DAYS_PER_YEAR, volatilities
