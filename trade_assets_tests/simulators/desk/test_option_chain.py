"""The simulated option chain: what is listed, and what it is worth."""

from datetime import UTC, date, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trade_assets.market.calendar import is_business_day
from trade_assets.market.expirations import expirations
from trade_assets.market.trading_days import CENTRAL
from trade_assets.simulators.desk.option_chain import (
    chain,
    fair_prices,
    front_future,
    open_expiries,
    option_days,
    volatilities,
)
from trade_assets.simulators.desk.pricing import days_left
from trade_assets.simulators.desk.simulated_market import future_mid

AT = datetime(2025, 7, 17, 19, 33, 31, tzinfo=UTC)
DAYS = st.dates(date(2015, 1, 1), date(2045, 1, 1))


@pytest.mark.parametrize(
    ("day", "future"),
    [
        (date(2025, 7, 17), "ZNU25"),
        (date(2025, 8, 25), "ZNU25"),
        (date(2025, 8, 29), "ZNZ25"),
        (date(2025, 12, 30), "ZNH26"),
    ],
)
def test_front_future(day: date, future: str) -> None:
    assert front_future(day).instrument_id == future


@pytest.mark.parametrize("count", [3, 78, 79, 398])
def test_a_chain_has_so_many_different_instruments_for_the_whole_day(count: int) -> None:
    instruments = chain(7, date(2025, 7, 17), count).instruments
    assert len({item.instrument_id for item in instruments}) == count
    assert all(item.expiry and item.expiry > date(2025, 7, 17) for item in instruments)


@settings(max_examples=25)
@given(DAYS)
def test_options_are_those_that_are_listed_next_and_their_futures_are_there(day: date) -> None:
    found = chain(7, day, 200)
    last = max(found.expiry_days)
    listed = expirations(["ZN"], day + timedelta(days=1), last)
    series = listed.filter(listed["kind"] == "series")
    before_last = set(series.filter(series["expiry"] < last)["series_id"])
    assert before_last < {item.contract for item in found.options} <= set(series["series_id"])
    assert {item.underlying_id for item in found.options} <= {
        item.instrument_id for item in found.futures
    }
    assert found.futures[0] == front_future(day)


def test_a_chain_over_the_roll_has_both_futures() -> None:
    futures = chain(7, date(2026, 11, 21), 79).futures
    assert [item.instrument_id for item in futures] == ["ZNZ26", "ZNH27"]


def test_a_monthly_option_stands_in_for_its_friday() -> None:
    contracts = {item.contract for item in chain(7, date(2025, 7, 22), 79).options}
    assert contracts == {"WY4N25", "HY4N25", "OZNQ25"}


def test_no_option_expires_on_a_holiday() -> None:
    expiries = set(chain(7, date(2025, 7, 2), 79).expiry_days)
    assert expiries == {date(2025, 7, 3), date(2025, 7, 7)}  # two series end before the fourth


def test_prices_are_those_of_options() -> None:
    options, future = chain(7, date(2025, 7, 17), 399), future_mid(7, AT)
    prices = fair_prices(options, future, AT)
    inner = np.maximum(options.rights * (future - options.strikes), 0)
    assert (prices >= inner - 1e-12).all()
    by_name = dict(zip(options.options, prices.tolist(), strict=True))
    of = {(item.contract, item.strike, item.put_call): item for item in options.options}
    pairs = [
        (price - by_name[put], future - float(item.strike))
        for item, price in by_name.items()
        if item.put_call == "C"
        and item.strike
        and (put := of.get((item.contract, item.strike, "P")))
    ]
    assert len(pairs) > 150
    assert all(abs(difference - parity) < 1e-9 for difference, parity in pairs)


def test_options_move_with_the_future() -> None:
    options = chain(7, date(2025, 7, 17), 79)
    change = fair_prices(options, 111.5, AT) - fair_prices(options, 111.0, AT)
    assert (np.sign(change) == options.rights).all()


def test_volatilities_smile() -> None:
    options = chain(7, date(2025, 7, 17), 79)
    shown = volatilities(options, 111.0, AT)
    away = np.abs(options.strikes - 111.0) / np.sqrt(option_days(options, AT))
    assert (np.diff(shown[np.argsort(away)]) >= -1e-9).all()
    assert 4 < shown.min() < 8
    assert shown.max() > 20


def central(year: int, month: int, day: int, hour: int) -> datetime:
    return datetime(year, month, day, hour, tzinfo=CENTRAL)


@pytest.mark.parametrize(
    ("at", "expiry", "days"),
    [
        (central(2025, 7, 21, 14), date(2025, 7, 22), 1.0),
        (central(2025, 7, 21, 13), date(2025, 7, 21), 1 / 24),
        (central(2025, 7, 21, 15), date(2025, 7, 21), -1 / 24),
        (central(2025, 7, 18, 15), date(2025, 7, 21), 23 / 24),
        (central(2025, 7, 19, 1), date(2025, 7, 21), 14 / 24),  # on a Saturday
        (central(2025, 7, 20, 23), date(2025, 7, 21), 14 / 24),  # no more of it on the Sunday
        (central(2025, 7, 3, 14), date(2025, 7, 7), 1.0),  # over the fourth of July
        (central(2025, 7, 4, 9), date(2025, 7, 3), -10 / 24),
    ],
)
def test_time_to_expiry_is_business_time(at: datetime, expiry: date, days: float) -> None:
    assert days_left(at, expiry) == pytest.approx(days)


@settings(max_examples=25)
@given(
    st.datetimes(datetime(2015, 1, 1), datetime(2045, 1, 1), timezones=st.just(UTC)),
    st.integers(1, 14),
)
def test_open_expiries_are_the_next_business_days(at: datetime, count: int) -> None:
    found = open_expiries(at, count)
    expiries = [series.expiry for series, _ in found]
    assert len(found) == count
    assert expiries == sorted(set(expiries))
    assert all(is_business_day(day) for day in expiries)
    assert all(0 < days <= count + 1 for _, days in found)
