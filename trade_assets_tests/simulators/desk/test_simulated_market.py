"""The simulated market, its days, and the futures that move with it."""

from datetime import UTC, date, datetime, timedelta

import pytest

from trade_assets.market.prices import on_tick
from trade_assets.market.products import PRODUCTS
from trade_assets.market.trading_days import CENTRAL
from trade_assets.simulators.desk.simulated_market import (
    DESK_CODES,
    TICK,
    day_start,
    future_mid,
    future_price,
    last_close,
    start_level,
    trading_day,
)

AT = datetime(2025, 7, 17, 19, 33, 31, tzinfo=UTC)


def test_price_depends_on_seed_and_second_alone() -> None:
    assert future_mid(7, AT) == future_mid(7, AT + timedelta(microseconds=999_999))
    assert future_mid(7, AT) != future_mid(8, AT)
    assert len({future_mid(7, AT + timedelta(seconds=n)) for n in range(100)}) > 90


def test_price_goes_on_over_the_roll_of_the_day() -> None:
    roll = day_start(date(2025, 7, 18))
    before, after = future_mid(7, roll - timedelta(seconds=1)), future_mid(7, roll)
    assert abs(before - after) < 4 * TICK
    assert abs(after - start_level(7, date(2025, 7, 18))) < 4 * TICK


@pytest.mark.parametrize("day", [date(2025, 3, 9), date(2025, 11, 2), date(2025, 7, 17)])
def test_every_second_of_a_day_has_a_price(day: date) -> None:
    """Days on which clocks change have 23 and 25 hours."""
    start, end = day_start(day), day_start(day + timedelta(days=1))
    assert trading_day(start) == trading_day(end - timedelta(seconds=1)) == day
    assert 90 < future_mid(7, end - timedelta(seconds=1)) < 130


def test_price_stays_a_price_for_decades() -> None:
    levels = [start_level(7, date(2000, 1, 1) + timedelta(days=97 * n)) for n in range(370)]
    assert 95 < min(levels) < max(levels) < 127


def test_the_market_knows_its_century() -> None:
    with pytest.raises(ValueError, match="2000 to 2099"):
        future_mid(7, datetime(1999, 1, 1, tzinfo=UTC))


@pytest.mark.parametrize(
    ("at", "day"),
    [
        (datetime(2025, 7, 18, 16, 59, 59), date(2025, 7, 18)),
        (datetime(2025, 7, 18, 17), date(2025, 7, 19)),  # a Saturday
        (datetime(2025, 7, 20, 3), date(2025, 7, 20)),
        (datetime(2025, 12, 24, 17), date(2025, 12, 25)),
    ],
)
def test_the_desk_has_a_trading_day_on_every_day_of_the_calendar(at: datetime, day: date) -> None:
    assert trading_day(at.replace(tzinfo=CENTRAL)) == day


@pytest.mark.parametrize(
    ("at", "close"),
    [
        (datetime(2025, 7, 17, 15, 59, 59), datetime(2025, 7, 16, 16)),
        (datetime(2025, 7, 17, 16), datetime(2025, 7, 17, 16)),
        (datetime(2025, 7, 17, 18), datetime(2025, 7, 17, 16)),
        (datetime(2025, 11, 2, 12), datetime(2025, 11, 1, 16)),  # clocks changed in between
    ],
)
def test_last_close(at: datetime, close: datetime) -> None:
    assert last_close(at.replace(tzinfo=CENTRAL)) == close.replace(tzinfo=CENTRAL)


def test_related_futures_are_on_their_ticks_and_move_along() -> None:
    later = AT + timedelta(days=9)
    for code in DESK_CODES:
        now, then = future_price(7, code, AT), future_price(7, code, later)
        assert on_tick(now, PRODUCTS[code])
        assert (then > now) == (future_mid(7, later) > future_mid(7, AT))
    assert abs(float(future_price(7, "ZN", AT)) - future_mid(7, AT)) <= TICK / 2
