"""Bachelier's model (normal moves, no interest) of options on futures: price, implied volatility
and Greeks of whole arrays. Formulas only: no frames, no quotes, no calendar.

Arguments are Float64 arrays that broadcast: `future` and `strike` and prices in points, `years` to
expiry, `volatility` in points per square root of a year, `right` `CALL` or `PUT`. A result that
does not exist is NaN, never infinite, and nothing is raised or warned about.

Sources: L. Bachelier, Théorie de la spéculation (1900); P. Jäckel, Implied Normal Volatility,
Wilmott (2017): the reduction of implied volatility to the inverse of one function of one variable.
"""

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

# scipy is imported where it is used: whoever only wants to know which data sets there are, as every
# process of the platform does, needs not its 15 MB.

FloatArray = NDArray[np.float64]

CALL: Final = 1.0
PUT: Final = -1.0

_ROOT_2: Final = math.sqrt(2)
_ROOT_2PI: Final = math.sqrt(2 * math.pi)
_LOG_ROOT_2PI: Final = math.log(_ROOT_2PI)
_ROOT_HALF_PI: Final = math.sqrt(math.pi / 2)

_DISTANCES: Final = (1e-6, 39.0)
"""Distances from the money, in standard deviations, between which guesses are tabulated. Nearer,
distance is proportional to what is looked up; farther, the option is worth 1e-333 of its distance
from the money, which is no Float64."""
_GUESSES: Final = 4_000
_NEAREST: Final = 1e-30
"""Distance from the money over time value that stands for none at all: it moves the result by as
much, and saves the case at the money a branch."""


@dataclass(frozen=True, slots=True)
class Greeks:
    """Sensitivities of an option's price.

    Attributes:
        delta: to the future, points per point.
        gamma: of delta to the future, per point.
        vega: to the volatility, points per point per square root of a year.
        theta: to the passing of time, points per year; negative: an option loses value.
    """

    delta: FloatArray
    gamma: FloatArray
    vega: FloatArray
    theta: FloatArray


def price(
    future: FloatArray,
    strike: FloatArray,
    years: FloatArray,
    volatility: FloatArray,
    right: FloatArray,
) -> FloatArray:
    """Undiscounted price: intrinsic value, plus the price of the option as far out of the money.

    With no time or no volatility left it is the intrinsic value; NaN where one is negative.
    """
    with np.errstate(all="ignore"):
        ahead = future - strike
        distance = np.abs(ahead)
        deviation = volatility * np.sqrt(years)
        away = distance / deviation
        density = np.exp(-0.5 * away * away) / _ROOT_2PI
        time_value = np.where(deviation > 0, deviation * density * _complement(away), 0.0)
        value = np.maximum(right * ahead, 0.0) + time_value
        return _finite(np.where((volatility >= 0) & (years >= 0), value, np.nan))


def time_value(
    price: FloatArray, future: FloatArray, strike: FloatArray, right: FloatArray
) -> FloatArray:
    """What a price holds above the intrinsic value, which it may be below.

    In the money that is the small difference of large numbers. It is taken of the numbers as they
    are: what rounding takes from `future - strike` is taken into account (the error-free sum of
    D. Knuth, The Art of Computer Programming, volume 2, 4.2.2).
    """
    with np.errstate(all="ignore"):
        ahead = future - strike
        kept = ahead + strike
        lost = (future - kept) + (kept - ahead - strike)
        intrinsic = right * ahead
        return np.where(intrinsic > 0, (price - intrinsic) - right * lost, price)


def implied_volatility(
    price: FloatArray,
    future: FloatArray,
    strike: FloatArray,
    years: FloatArray,
    right: FloatArray,
) -> FloatArray:
    """The volatility at which `price` is the model's: to 1e-12 of itself, if not to the last digit.

    NaN where there is none: a time value of zero or less, no time left, a number that is missing or
    infinite, or numbers too far apart for a Float64.

    With `away` the distance from the money in standard deviations, an option's time value over that
    distance is `f(away) = n(away) / away - N(-away)` (Jäckel's function, of the positive number).
    It is inverted by a guess from a table, good to 1e-5, and one step of Halley's method on the
    logarithm of `f`, which leaves the cube of that. At the money the formula is exact:
    `time value * sqrt(2 pi / years)`.
    """
    with np.errstate(all="ignore"):
        worth = time_value(price, future, strike, right)
        ratio = np.maximum(np.abs(future - strike) / worth, _NEAREST)
        away = _away(ratio)
        result = worth * (ratio / away) / np.sqrt(years)
        return np.where((worth > 0) & (years > 0), _finite(result), np.nan)


def greeks(
    future: FloatArray,
    strike: FloatArray,
    years: FloatArray,
    volatility: FloatArray,
    right: FloatArray,
) -> Greeks:
    """Delta, gamma, vega and theta; NaN where volatility or time is not above zero."""
    from scipy.special import ndtr

    with np.errstate(all="ignore"):
        root = np.sqrt(np.where(years > 0, years, np.nan))
        deviation = np.where(volatility > 0, volatility, np.nan) * root
        ahead = (future - strike) / deviation
        density = np.exp(-0.5 * ahead * ahead) / _ROOT_2PI
        return Greeks(
            delta=_finite(right * ndtr(right * ahead)),
            gamma=_finite(density / deviation),
            vega=_finite(density * root),
            theta=_finite(-0.5 * volatility * density / root),
        )


def _away(ratio: FloatArray) -> FloatArray:
    """Standard deviations from the money, where distance over time value is `ratio`."""
    away = np.interp(np.log1p(ratio), *_guesses())
    complement = _complement(away)
    miss = np.log(complement * (ratio / away)) - 0.5 * away * away - _LOG_ROOT_2PI
    # With h the miss: h' = -1 / (away * complement), h'' / h'^2 = (away^2 + 2) * complement - 1.
    bend = 1 - 0.5 * miss * ((away * away + 2) * complement - 1)
    return np.asarray(away + miss * away * complement / bend)


def _complement(away: FloatArray) -> FloatArray:
    """`1 - away * N(-away) / n(away)`, so that `f(away)` is `n(away) / away` times that."""
    from scipy.special import erfcx

    return np.asarray(1 - _ROOT_HALF_PI * away * erfcx(away / _ROOT_2))


@lru_cache(maxsize=1)
def _guesses() -> tuple[FloatArray, FloatArray]:
    """Where to look up, `log(1 + ratio)`, and what is found, `away`: both rising from zero."""
    away = np.geomspace(*_DISTANCES, _GUESSES)
    log_ratio = np.log(away / _complement(away)) + 0.5 * away * away + _LOG_ROOT_2PI
    looked_up = np.logaddexp(0.0, log_ratio)
    return np.insert(looked_up, 0, 0.0), np.insert(away, 0, 0.0)


def _finite(values: FloatArray) -> FloatArray:
    return np.where(np.isfinite(values), values, np.nan)
