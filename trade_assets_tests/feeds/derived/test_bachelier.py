"""Bachelier's model against a high-precision solver, its own symmetries, and numbers that have no
place in it."""

import itertools
import math

import mpmath as mp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from trade_assets.feeds.derived import bachelier
from trade_assets.feeds.derived.bachelier import CALL, PUT
from trade_assets_tests.feeds.derived import high_precision

FUTURE = 110.5234375
TICK = 1 / 64
ANY_FLOATS = st.lists(st.floats(), min_size=5, max_size=5)

RIGHTS = st.sampled_from([CALL, PUT])
YEARS = st.floats(1e-5, 3)


def arrays(*values: float) -> list[NDArray[np.float64]]:
    return [np.array([value], dtype=np.float64) for value in values]


def implied(price: float, future: float, strike: float, years: float, right: float) -> float:
    (found,) = bachelier.implied_volatility(*arrays(price, future, strike, years, right))
    return float(found)


def assert_as_the_reference(
    price: float, future: float, strike: float, years: float, right: float
) -> None:
    found = implied(price, future, strike, years, right)
    expected = high_precision.volatility(price, future, strike, years, right)
    if expected is None:
        assert math.isnan(found)
    else:
        assert found == pytest.approx(expected, rel=1e-13, abs=0)


@pytest.mark.parametrize("right", [CALL, PUT])
@pytest.mark.parametrize("strike", [95.0, 108.25, 110.5, 110.75, 113.0, 140.0])
def test_volatility_of_prices_on_ticks(strike: float, right: float) -> None:
    intrinsic = max(right * (FUTURE - strike), 0.0)
    for ticks, days in itertools.product((-1, 0, 0.5, 1, 40), (1e-3, 1, 60)):
        assert_as_the_reference(intrinsic + ticks * TICK, FUTURE, strike, days / 252, right)


@given(
    future=st.floats(1, 200),
    distance=st.floats(-60, 60),
    time_value=st.floats(1e-12, 20),
    years=YEARS,
    right=RIGHTS,
)
@settings(max_examples=150)
def test_volatility_of_prices_off_ticks(
    future: float, distance: float, time_value: float, years: float, right: float
) -> None:
    strike = future - distance
    price = max(right * distance, 0.0) + time_value
    assert_as_the_reference(price, future, strike, years, right)


@pytest.mark.parametrize("away", [1e-12, 1e-6, 0.01, 1.0, 5.0, 12.0, 25.0, 37.0])
@pytest.mark.parametrize("years", [1e-9, 0.04, 50.0])
def test_volatility_survives_any_distance_from_the_money(away: float, years: float) -> None:
    volatility = 5.7
    strike = 100 + away * volatility * math.sqrt(years)
    price = float(high_precision.price(100, strike, years, volatility, CALL, digits=400))
    assert implied(price, 100.0, strike, years, CALL) == pytest.approx(volatility, rel=1e-12)


def test_at_the_money_the_formula_is_exact() -> None:
    assert implied(0.25, 110, 110, 0.5, PUT) == 0.25 * math.sqrt(2 * math.pi) / math.sqrt(0.5)


@given(
    future=st.floats(50, 200),
    away=st.floats(-6, 6),
    years=YEARS,
    volatility=st.floats(0.1, 50),
    right=RIGHTS,
)
@settings(max_examples=60)
def test_price_and_greeks_are_those_of_the_textbook(
    future: float, away: float, years: float, volatility: float, right: float
) -> None:
    strike = future + away * volatility * math.sqrt(years)
    case = future, strike, years, volatility, right
    (price,) = bachelier.price(*arrays(*case))
    assert price == pytest.approx(float(high_precision.price(*case)), rel=1e-12, abs=1e-12)
    found = bachelier.greeks(*arrays(*case))
    for name, expected in high_precision.greeks(*case).items():
        assert getattr(found, name)[0] == pytest.approx(expected, rel=1e-8, abs=1e-8), name


def test_far_from_the_money_a_price_keeps_its_digits() -> None:
    case = 100.0, 130.0, 0.25, 2.0, CALL  # 30 standard deviations
    (price,) = bachelier.price(*arrays(*case))
    exact = high_precision.price(*case, digits=400)
    assert abs(mp.mpf(float(price)) / exact - 1) < 1e-12


@given(
    ticks=st.integers(6_000, 8_000),
    strike_ticks=st.integers(6_000, 8_000),
    worth_ticks=st.integers(1, 300),
    years=YEARS,
)
def test_puts_and_calls_agree(
    ticks: int, strike_ticks: int, worth_ticks: int, years: float
) -> None:
    future, strike = ticks * TICK, strike_ticks * TICK
    worth = worth_ticks * TICK
    call, put = (max(right * (future - strike), 0.0) + worth for right in (CALL, PUT))
    volatility = implied(call, future, strike, years, CALL)
    assert implied(put, future, strike, years, PUT) == volatility
    option = arrays(future, strike, years, volatility)
    prices = [bachelier.price(*option, *arrays(right))[0] for right in (CALL, PUT)]
    assert prices == pytest.approx([call, put], rel=1e-12)
    calls, puts = (bachelier.greeks(*option, *arrays(right)) for right in (CALL, PUT))
    assert calls.delta[0] - puts.delta[0] == pytest.approx(1, rel=1e-15)
    assert (calls.gamma, calls.vega, calls.theta) == (puts.gamma, puts.vega, puts.theta)


@pytest.mark.parametrize(
    "case",
    [
        (0.5, 110.5, 110.0, 0.1, CALL),  # at intrinsic
        (0.4, 110.5, 110.0, 0.1, CALL),  # below it
        (0.0, 110.0, 110.0, 0.1, CALL),
        (-0.1, 110.0, 111.0, 0.1, CALL),
        (0.6, 110.5, 110.0, 0.0, CALL),
        (0.6, 110.5, 110.0, -0.1, CALL),
        (math.nan, 110.5, 110.0, 0.1, CALL),
        (0.6, math.nan, 110.0, 0.1, CALL),
        (0.6, 110.5, math.inf, 0.1, CALL),
        (0.6, 110.5, 110.0, math.nan, CALL),
        (math.inf, 110.5, 110.0, 0.1, CALL),
        (1e-300, 1e300, 1.0, 0.1, PUT),
    ],
)
def test_no_volatility_where_there_is_none(case: tuple[float, ...]) -> None:
    assert math.isnan(implied(*case))


def test_without_time_or_volatility_an_option_is_worth_its_intrinsic_value() -> None:
    future, strike = arrays(110.5, 110.0)
    call, put = arrays(CALL, PUT)
    for case in ((0.0, 5.0), (0.1, 0.0), (0.0, 0.0)):
        years, volatility = arrays(*case)
        assert bachelier.price(future, strike, years, volatility, call) == 0.5
        assert bachelier.price(future, strike, years, volatility, put) == 0.0
        assert np.isnan(bachelier.greeks(future, strike, years, volatility, call).delta)
    assert np.isnan(bachelier.price(future, strike, *arrays(0.1, -5.0, CALL)))


@given(values=ANY_FLOATS, right=RIGHTS)
@settings(max_examples=500)
def test_whatever_the_numbers_results_are_finite_or_missing(
    values: list[float], right: float
) -> None:
    first, future, strike, years, volatility = (arrays(value)[0] for value in values)
    side = np.array([right])
    found = bachelier.greeks(future, strike, years, volatility, side)
    results = [
        bachelier.implied_volatility(first, future, strike, years, side),
        bachelier.price(future, strike, years, volatility, side),
        *(found.delta, found.gamma, found.vega, found.theta),
    ]
    assert not np.isinf(results).any()


def test_arrays_of_any_length_are_computed_together() -> None:
    strikes = np.array([109.0, 110.0, 111.0])
    prices = bachelier.price(np.array([110.0]), strikes, *arrays(0.1, 6.0, CALL))
    found = bachelier.implied_volatility(prices, np.array([110.0]), strikes, *arrays(0.1, CALL))
    assert found == pytest.approx([6.0] * 3, rel=1e-12)
    nothing = np.empty(0)
    assert bachelier.implied_volatility(nothing, nothing, nothing, nothing, nothing).size == 0
