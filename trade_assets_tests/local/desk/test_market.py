"""The simulated market and its option chain."""

from datetime import UTC, date, datetime, timedelta

import numpy as np
import pytest

from trade_assets.local.desk.chain import (
    Option,
    chain,
    fair_prices,
    future_ledger_name,
    future_risk_key,
)
from trade_assets.local.desk.market import TICK, day_start, future_mid, start_level, trading_day

AT = datetime(2025, 7, 17, 19, 33, 31, tzinfo=UTC)


def test_price_depends_on_seed_and_second_alone():
    assert future_mid(7, AT) == future_mid(7, AT + timedelta(microseconds=999_999))
    assert future_mid(7, AT) != future_mid(8, AT)
    assert len({future_mid(7, AT + timedelta(seconds=n)) for n in range(100)}) > 90


def test_price_goes_on_over_the_roll_of_the_day():
    roll = day_start(date(2025, 7, 18))
    before, after = future_mid(7, roll - timedelta(seconds=1)), future_mid(7, roll)
    assert abs(before - after) < 4 * TICK
    assert abs(after - start_level(7, date(2025, 7, 18))) < 4 * TICK


@pytest.mark.parametrize("day", [date(2025, 3, 9), date(2025, 11, 2), date(2025, 7, 17)])
def test_every_second_of_a_day_has_a_price(day):
    """Days on which clocks change have 23 and 25 hours."""
    start, end = day_start(day), day_start(day + timedelta(days=1))
    assert trading_day(start) == trading_day(end - timedelta(seconds=1)) == day
    assert 90 < future_mid(7, end - timedelta(seconds=1)) < 130


def test_price_stays_a_price_for_decades():
    levels = [start_level(7, date(2000, 1, 1) + timedelta(days=97 * n)) for n in range(370)]
    assert 95 < min(levels) < max(levels) < 127


def test_the_market_knows_its_century():
    with pytest.raises(ValueError, match="2000 to 2099"):
        future_mid(7, datetime(1999, 1, 1, tzinfo=UTC))


@pytest.mark.parametrize(
    ("option", "risk_key", "ledger_name"),
    [
        (
            Option(date(2025, 7, 21), 110.75, "C"),
            "XCME.VY3.21JUL25.110:75.C",
            "XCMEOCADPS20250721N0VY3/110.75",
        ),
        (
            Option(date(2025, 7, 18), 110.0, "P"),
            "XCME.ZN3.18JUL25.110.P",
            "XCMEOPADPS20250718N0ZN3/110",
        ),
        (
            Option(date(2025, 7, 23), 110.5, "P"),
            "XCME.WY4.23JUL25.110:5.P",
            "XCMEOPADPS20250723N0WY4/110.5",
        ),
    ],
)
def test_names_are_those_of_the_real_files(option, risk_key, ledger_name):
    assert (option.risk_key, option.ledger_name) == (risk_key, ledger_name)


@pytest.mark.parametrize(
    ("day", "risk_key", "ledger_name"),
    [
        (date(2025, 7, 17), "XCME.ZN.SEP25", "XCMEFFDPSX20250919U0ZN"),
        (date(2025, 8, 25), "XCME.ZN.SEP25", "XCMEFFDPSX20250919U0ZN"),
        (date(2025, 8, 29), "XCME.ZN.DEC25", "XCMEFFDPSX20251219Z0ZN"),
        (date(2025, 12, 30), "XCME.ZN.MAR26", "XCMEFFDPSX20260320H0ZN"),
    ],
)
def test_front_future(day, risk_key, ledger_name):
    assert (future_risk_key(day), future_ledger_name(day)) == (risk_key, ledger_name)


@pytest.mark.parametrize("count", [1, 78, 79, 398])
def test_a_chain_has_so_many_different_options_for_the_whole_day(count):
    options = chain(7, date(2025, 7, 17), count).options
    assert len({option.risk_key for option in options}) == count
    assert all(option.expiry > date(2025, 7, 17) for option in options)


def test_prices_are_those_of_options():
    options, future = chain(7, date(2025, 7, 17), 398), future_mid(7, AT)
    prices = fair_prices(options, future, AT)
    inner = np.maximum(options.signs * (future - options.strikes), 0)
    assert (prices >= inner - 1e-12).all()
    by_name = dict(zip(options.options, prices.tolist(), strict=True))
    pairs = [
        (price - by_name[put], future - option.strike)
        for option, price in by_name.items()
        if option.right == "C" and (put := Option(option.expiry, option.strike, "P")) in by_name
    ]
    assert len(pairs) > 150
    assert all(abs(difference - parity) < 1e-9 for difference, parity in pairs)


def test_options_move_with_the_future():
    options = chain(7, date(2025, 7, 17), 78)
    change = fair_prices(options, 111.5, AT) - fair_prices(options, 111.0, AT)
    assert (np.sign(change) == options.signs).all()
