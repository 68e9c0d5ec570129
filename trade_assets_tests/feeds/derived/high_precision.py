"""Bachelier's textbook formula in 50 digits, solved by bisection: slow, and nothing like the code
that is compared with it."""

from functools import partial

import mpmath as mp

DIGITS = 50


def price(
    future: float,
    strike: float,
    years: float,
    volatility: float,
    right: float,
    digits: int = DIGITS,
) -> mp.mpf:
    with mp.workdps(digits):
        return textbook(future, strike, years, volatility, right)


def textbook(
    future: mp.mpf, strike: mp.mpf, years: mp.mpf, volatility: mp.mpf, right: float
) -> mp.mpf:
    """`w (F - K) N(w d) + s n(d)` with `s = volatility sqrt(years)` and `d = (F - K) / s`."""
    future, strike, years, volatility = map(mp.mpf, (future, strike, years, volatility))
    deviation = volatility * mp.sqrt(years)
    ahead = int(right) * (future - strike)
    d = ahead / deviation
    return ahead * mp.erfc(-d / mp.sqrt(2)) / 2 + deviation * mp.npdf(d)


def time_value(price: float, future: float, strike: float, right: float) -> mp.mpf:
    """Exactly that of these floats."""
    with mp.workdps(DIGITS):
        return mp.mpf(price) - max(int(right) * (mp.mpf(future) - mp.mpf(strike)), 0)


def volatility(
    wanted: float, future: float, strike: float, years: float, right: float
) -> float | None:
    """The volatility at which `price` is `wanted`; None where time value is not above zero."""
    worth = time_value(wanted, future, strike, right)
    if worth <= 0:
        return None
    at = partial(textbook, future, strike, years, right=right)
    with mp.workdps(DIGITS):
        low = worth * mp.sqrt(2 * mp.pi / mp.mpf(years)) * (1 - mp.mpf(10) ** -20)
        high = 2 * low
        while at(volatility=high) < wanted:
            low, high = high, 2 * high
        while high - low > low * mp.mpf(10) ** -15:
            middle = (low + high) / 2
            low, high = (middle, high) if at(volatility=middle) < wanted else (low, middle)
        return float((low + high) / 2)


def greeks(
    future: float, strike: float, years: float, volatility: float, right: float
) -> dict[str, float]:
    """Slopes of the price, by differences, as `bachelier.Greeks` names them."""

    def by_future(x: mp.mpf) -> mp.mpf:
        return textbook(x, strike, years, volatility, right)

    def by_volatility(x: mp.mpf) -> mp.mpf:
        return textbook(future, strike, years, x, right)

    def by_years(x: mp.mpf) -> mp.mpf:
        return textbook(future, strike, x, volatility, right)

    with mp.workdps(DIGITS):
        return {
            "delta": float(mp.diff(by_future, future)),
            "gamma": float(mp.diff(by_future, future, 2)),
            "vega": float(mp.diff(by_volatility, volatility)),
            "theta": -float(mp.diff(by_years, years)),
        }
